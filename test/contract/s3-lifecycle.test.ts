/** Lifecycle rules: what S3 takes and says again. What takes days runs on the stand-in. */
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteBucketLifecycleCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLifecycleConfigurationCommand,
  HeadObjectCommand,
  type LifecycleRule,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTarget, type Target } from './target.ts';

const DAY = 24 * 60 * 60 * 1000;
let target: Target;
let s3: S3Client;
const made: string[] = [];

beforeAll(async () => {
  target = await openTarget();
  s3 = new S3Client(target.client);
});
afterAll(async () => {
  for (const Bucket of made) {
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    const Objects = [...Versions, ...DeleteMarkers].map(({ Key = '', VersionId }) => ({ Key, VersionId }));
    if (Objects.length > 0) await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
    for (const { Key, UploadId } of Uploads) await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    await s3.send(new DeleteBucketCommand({ Bucket }));
  }
  s3.destroy();
  await target.close();
});

async function makeBucket(versioned = false): Promise<string> {
  const Bucket = target.unique('lifecycle');
  await s3.send(new CreateBucketCommand({ Bucket }));
  made.push(Bucket);
  if (versioned) {
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  }
  return Bucket;
}

const RULE = { ID: 'stories', Status: 'Enabled', Filter: { Prefix: 'stories/' }, Expiration: { Days: 3 } } as const;
const configure = (Bucket: string, ...Rules: LifecycleRule[]) =>
  s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
const rulesOf = async (Bucket: string) =>
  (await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))).Rules ?? [];
const put = (Bucket: string, Key: string, Body = 'once upon a time') =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body }));
const head = (Bucket: string, Key: string) => s3.send(new HeadObjectCommand({ Bucket, Key }));

describe('a lifecycle configuration', () => {
  it('comes back as it was put, replaced as a whole, and goes', async () => {
    const Bucket = await makeBucket();
    const others: LifecycleRule[] = [
      {
        ID: 'all & "every"',
        Status: 'Disabled',
        Filter: {},
        NoncurrentVersionExpiration: { NoncurrentDays: 1 },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 },
      },
      { ID: 'markers', Status: 'Enabled', Filter: { Prefix: 'a/' }, Expiration: { ExpiredObjectDeleteMarker: true } },
    ];

    const none = await rulesOf(Bucket).catch((error: unknown) => error);
    await configure(Bucket, RULE);
    await configure(Bucket, ...others);
    const found = await rulesOf(Bucket);
    await s3.send(new DeleteBucketLifecycleCommand({ Bucket }));
    await s3.send(new DeleteBucketLifecycleCommand({ Bucket }));

    expect(none).toMatchObject({ name: 'NoSuchLifecycleConfiguration', $metadata: { httpStatusCode: 404 } });
    expect(found).toHaveLength(2);
    expect(found).toEqual(expect.arrayContaining(others.map((rule) => expect.objectContaining(rule))));
    await expect(rulesOf(Bucket)).rejects.toMatchObject({ name: 'NoSuchLifecycleConfiguration' });
  });

  it('gives a rule without an id one', async () => {
    const Bucket = await makeBucket();
    const { ID: _, ...rule } = RULE;
    await configure(Bucket, rule);

    expect((await rulesOf(Bucket))[0]?.ID).toMatch(/\S/);
  });

  it.each<[string, LifecycleRule[], string]>([
    ['no rule', [], 'MalformedXML'],
    ['another status', [{ ...RULE, Status: 'On' as 'Enabled' }], 'MalformedXML'],
    ['no days', [{ ...RULE, Expiration: { Days: 0 } }], 'InvalidArgument'],
    ['neither days nor a date', [{ ...RULE, Expiration: {} }], 'MalformedXML'],
    ['no action', [{ ID: 'x', Status: 'Enabled', Filter: { Prefix: '' } }], 'InvalidRequest'],
    ['no filter', [{ ID: 'x', Status: 'Enabled', Expiration: { Days: 1 } } as LifecycleRule], 'MalformedXML'],
    ['two of a name', [RULE, { ...RULE, Filter: { Prefix: 'b/' } }], 'InvalidArgument'],
    ['a name of 256 characters', [{ ...RULE, ID: 'a'.repeat(256) }], 'InvalidArgument'],
  ])('with %s is refused, and the one before stays', async (_, rules, name) => {
    const Bucket = await makeBucket();
    await configure(Bucket, RULE);

    await expect(configure(Bucket, ...rules)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
    expect(await rulesOf(Bucket)).toMatchObject([{ ID: 'stories' }]);
  });

  it('says of an object that it means when it ends, and of another nothing', async () => {
    const Bucket = await makeBucket();
    await configure(Bucket, RULE);
    const written = await put(Bucket, 'stories/a.txt');
    await put(Bucket, 'sheets/a.txt');
    const read = await head(Bucket, 'stories/a.txt');
    const [, date = '', id] = /^expiry-date="([^"]+)", rule-id="([^"]+)"$/.exec(read.Expiration ?? '') ?? [];
    const days = (Date.parse(date) - (read.LastModified?.getTime() ?? 0)) / DAY;

    expect(id).toBe('stories');
    expect(Date.parse(date) % DAY).toBe(0);
    expect(days).toBeGreaterThanOrEqual(3);
    expect(days).toBeLessThanOrEqual(4);
    expect(written.Expiration).toBe(read.Expiration);
    expect((await head(Bucket, 'sheets/a.txt')).Expiration).toBeUndefined();
  });
});

describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('the stand-in', () => {
  const local = () => {
    if (!target.local) throw new Error('only for the stand-ins');
    return target.local;
  };
  const clock = { advance: (ms: number) => local().kit.clock.advance(ms) };
  /** Just before the next midnight UTC, so that the days of a test are whole ones. */
  const untilMidnight = (before = 1_000) => clock.advance(DAY - ((local().kit.clock.now() + before) % DAY));
  const keysOf = async (Bucket: string) => {
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    return [
      ...Versions.map(({ Key, IsLatest }) => `${Key} ${IsLatest ? 'current' : 'older'}`),
      ...DeleteMarkers.map(({ Key, IsLatest }) => `${Key} ${IsLatest ? 'marker' : 'older marker'}`),
    ].toSorted();
  };

  it('removes an object at the first midnight after its days, and leaves the others', async () => {
    const Bucket = await makeBucket();
    await configure(Bucket, RULE);
    untilMidnight(60 * 60 * 1000);
    await put(Bucket, 'stories/a.txt');
    await put(Bucket, 'sheets/a.txt');

    clock.advance(3 * DAY);
    const before = await keysOf(Bucket);
    clock.advance(60 * 60 * 1000);

    expect(before).toEqual(['sheets/a.txt current', 'stories/a.txt current']);
    expect(await keysOf(Bucket)).toEqual(['sheets/a.txt current']);
  });

  it('hides a versioned object, removes its versions a day later, and at last the marker', async () => {
    const Bucket = await makeBucket(true);
    await configure(Bucket, { ...RULE, NoncurrentVersionExpiration: { NoncurrentDays: 1 } });
    untilMidnight();
    await put(Bucket, 'stories/a.txt');

    clock.advance(3 * DAY + 1_000);
    const hidden = await keysOf(Bucket);
    await expect(head(Bucket, 'stories/a.txt')).rejects.toMatchObject({ name: 'NotFound' });
    clock.advance(DAY);
    const removed = await keysOf(Bucket);
    clock.advance(3 * DAY);

    expect(hidden).toEqual(['stories/a.txt marker', 'stories/a.txt older']);
    expect(removed).toEqual(['stories/a.txt marker']);
    expect(await keysOf(Bucket)).toEqual([]);
  });

  it('goes through all midnights where the clock moves by many days at once', async () => {
    const Bucket = await makeBucket(true);
    await configure(Bucket, { ...RULE, NoncurrentVersionExpiration: { NoncurrentDays: 1 } });
    await put(Bucket, 'stories/a.txt');

    clock.advance(10 * DAY);

    expect(await keysOf(Bucket)).toEqual([]);
  });

  it('removes older versions by the time they were replaced, not by their age', async () => {
    const Bucket = await makeBucket(true);
    await configure(Bucket, {
      ID: 'older',
      Status: 'Enabled',
      Filter: { Prefix: '' },
      NoncurrentVersionExpiration: { NoncurrentDays: 2 },
    });
    await put(Bucket, 'a.txt', 'first');
    clock.advance(5 * DAY);
    await put(Bucket, 'a.txt', 'second');

    clock.advance(DAY);
    const kept = await keysOf(Bucket);
    clock.advance(2 * DAY);

    expect(kept).toEqual(['a.txt current', 'a.txt older']);
    expect(await keysOf(Bucket)).toEqual(['a.txt current']);
  });

  it('removes delete markers that hide nothing, where a rule says so', async () => {
    const Bucket = await makeBucket(true);
    await configure(Bucket, {
      ID: 'markers',
      Status: 'Enabled',
      Filter: { Prefix: '' },
      Expiration: { ExpiredObjectDeleteMarker: true },
    });
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'nothing.txt' }));
    await put(Bucket, 'something.txt');
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'something.txt' }));

    clock.advance(DAY);

    expect(await keysOf(Bucket)).toEqual(['something.txt marker', 'something.txt older']);
  });

  it('ends uploads nobody has completed', async () => {
    const Bucket = await makeBucket();
    await configure(Bucket, {
      ID: 'uploads',
      Status: 'Enabled',
      Filter: { Prefix: 'a/' },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
    });
    for (const Key of ['a/one', 'b/two']) await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));

    clock.advance(2 * DAY);

    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(Uploads.map(({ Key }) => Key)).toEqual(['b/two']);
  });

  it('does nothing by a rule that is disabled or gone', async () => {
    const Bucket = await makeBucket();
    await configure(Bucket, { ...RULE, Status: 'Disabled' });
    await put(Bucket, 'stories/a.txt');
    clock.advance(5 * DAY);
    await configure(Bucket, RULE);
    await s3.send(new DeleteBucketLifecycleCommand({ Bucket }));
    clock.advance(5 * DAY);

    expect(await keysOf(Bucket)).toEqual(['stories/a.txt current']);
  });

  it('tells a queue that asked for it', async () => {
    const Bucket = await makeBucket();
    const sqs = new SQSClient(target.client);
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: target.unique('expired') }));
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
    const QueueArn = Attributes?.QueueArn ?? '';
    const Principal = { Service: 's3.amazonaws.com' };
    const Statement = [{ Effect: 'Allow', Principal, Action: 'sqs:SendMessage', Resource: QueueArn }];
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: JSON.stringify({ Statement }) } }));
    const QueueConfigurations = [{ QueueArn, Events: ['s3:LifecycleExpiration:*' as const] }];
    await s3.send(
      new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: { QueueConfigurations } }),
    );
    await configure(Bucket, RULE);
    await put(Bucket, 'stories/a.txt');

    clock.advance(4 * DAY);

    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    );
    const events = Messages.flatMap(
      ({ Body = '{}' }) =>
        (JSON.parse(Body) as { Records?: { eventName: string; s3: { object: { key: string } } }[] }).Records ?? [],
    );
    expect(events.map(({ eventName, s3: { object } }) => `${eventName} ${object.key}`)).toEqual([
      'LifecycleExpiration:Delete stories/a.txt',
    ]);
    sqs.destroy();
  });

  it.each<[string, LifecycleRule]>([
    ['transitions', { ...RULE, Transitions: [{ Days: 30, StorageClass: 'GLACIER' }] }],
    ['dates', { ...RULE, Expiration: { Date: new Date('2027-01-01') } }],
    ['tags', { ...RULE, Filter: { Tag: { Key: 'a', Value: 'b' } } }],
    [
      'numbers of versions',
      { ...RULE, NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 2 } },
    ],
  ])('says NotImplemented for %s', async (_, rule) => {
    const Bucket = await makeBucket();

    await expect(configure(Bucket, rule)).rejects.toMatchObject({ name: 'NotImplemented' });
  });
});
