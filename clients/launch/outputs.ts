/**
 * What a launch has put out, by its commits.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import type { Commit, CommittedFile } from '../../jobs/commit.ts';
import { mapLimited } from '../../lib/concurrency.ts';
import { formatS3Address, parseS3Address } from '../../lib/s3-address.ts';
import { listKeys, readObject } from '../../lib/s3-objects.ts';
import { launchState } from '../../workflows/launch/places.ts';

export interface Output extends CommittedFile {
  step: string;
  item: string;
  name: string;
}

const COMMIT_LIMIT = 64 * 1024 * 1024;
const READING = 16;

/** Outputs of every item that is done, by step and item; at most `limit` items are looked at. */
export async function launchOutputs(s3: S3Client, bucket: string, launchId: string, limit = 1_000): Promise<Output[]> {
  const prefix = `${launchState(bucket, launchId)}commits/`;
  const start = parseS3Address(prefix).key.length;
  const commits: string[] = [];
  for await (const keys of listKeys(s3, prefix)) {
    commits.push(...keys);
    if (commits.length >= limit) break;
  }
  const read = await mapLimited(commits.slice(0, limit), READING, async (key) => {
    const { bytes } = await readObject(s3, formatS3Address({ bucket, key }), { limit: COMMIT_LIMIT });
    const commit = JSON.parse(bytes.toString('utf8')) as Commit;
    const [step = ''] = key.slice(start).split('/');
    return Object.entries(commit.outputs).flatMap(([name, files]) =>
      files.map((file) => ({ step, item: commit.item, name, ...file })),
    );
  });
  return read.flat();
}
