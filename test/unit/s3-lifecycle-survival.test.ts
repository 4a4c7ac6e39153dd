/** Lifecycle rules outlive the process of the S3 stand-in, and so do the days it did not run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  GetBucketLifecycleConfigurationCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { expect, it, onTestFinished } from 'vitest';
import { openAws } from '../../infra/local/aws/server.ts';
import { createKit } from '../../infra/local/kit/front-door.ts';

const DAY = 24 * 60 * 60 * 1000;
const Bucket = 'stories-of-a-test';

it('does at its start what became due while it did not run', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'longhaul-lifecycle-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  /** @param days that have passed since the test began */
  const during = async <T>(days: number, work: (s3: S3Client) => Promise<T>): Promise<T> => {
    const kit = createKit();
    kit.clock.advance(days * DAY);
    const aws = await openAws({ directory, imagesFile: join(directory, 'images.json'), kit });
    const credentials = { accessKeyId: 'unit', secretAccessKey: 'unit' };
    const s3 = new S3Client({ region: 'us-east-1', endpoint: aws.url, credentials });
    try {
      return await work(s3);
    } finally {
      s3.destroy();
      await aws.close();
    }
  };
  const keys = async (s3: S3Client) =>
    ((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key }) => Key);
  const Rules = [
    { ID: 'stories', Status: 'Enabled', Filter: { Prefix: 'stories/' }, Expiration: { Days: 3 } } as const,
  ];

  await during(0, async (s3) => {
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
    for (const Key of ['kept.txt', 'stories/ends.txt']) await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
  });

  expect(await during(2, keys)).toEqual(['kept.txt', 'stories/ends.txt']);
  expect(await during(5, keys)).toEqual(['kept.txt']);
  expect((await during(5, (s3) => s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket })))).Rules).toEqual(
    Rules,
  );
});
