/** Archived objects: what S3 refuses, what becomes of a restore, and whom it tells. What takes hours runs on the stand-in. */
import {
  type _Object,
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  RestoreObjectCommand,
  type RestoreRequest,
  S3Client,
  type StorageClass,
} from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTarget, type Target } from './target.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const real = process.env.LONGHAUL_VERIFY_AWS === '1';
let target: Target;
let s3: S3Client;
let Bucket: string;

beforeAll(async () => {
  target = await openTarget();
  s3 = new S3Client(target.client);
  Bucket = target.unique('restore');
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
  const Objects = Versions.map(({ Key = '', VersionId }) => ({ Key, VersionId }));
  if (Objects.length > 0) await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  await s3.send(new DeleteBucketCommand({ Bucket }));
  s3.destroy();
  await target.close();
});

const put = async (Key: string, StorageClass: StorageClass) => {
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: `bytes of ${Key}`, StorageClass }));
  return Key;
};
const restore = (Key: string, request: RestoreRequest) =>
  s3.send(new RestoreObjectCommand({ Bucket, Key, RestoreRequest: request }));
const byTier = (Days: number, Tier: 'Expedited' | 'Standard' | 'Bulk') => ({ Days, GlacierJobParameters: { Tier } });
const head = (Key: string) => s3.send(new HeadObjectCommand({ Bucket, Key }));
const text = async (Key: string) => (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();
const listed = async (Key: string): Promise<_Object | undefined> => {
  const command = new ListObjectsV2Command({ Bucket, Prefix: Key, OptionalObjectAttributes: ['RestoreStatus'] });
  return (await s3.send(command)).Contents?.find((object) => object.Key === Key);
};
const pass = (ms: number) => target.local?.kit.clock.advance(ms);
/** Stopped and started again, at the time it was. */
const restart = async () => {
  const before = target.local?.kit.clock.now() ?? 0;
  await target.restart?.('stand-ins', async () => {});
  pass(Math.max(0, before - (target.local?.kit.clock.now() ?? 0)));
};
const act = (topic: string, input: Record<string, unknown>) => target.local?.kit.actions.get(topic)?.(input);
/** The expiry S3 gives a copy that is there from `at` on: at the next midnight UTC. */
const midnightAfter = (at: number, days: number) => new Date(Math.ceil((at + days * DAY) / DAY) * DAY);

describe('a restore is refused', () => {
  it.each(['STANDARD', 'GLACIER_IR', 'INTELLIGENT_TIERING'] as const)('of an object in %s', async (storageClass) => {
    const key = await put(`refused/${storageClass}`, storageClass);

    await expect(restore(key, storageClass === 'INTELLIGENT_TIERING' ? {} : { Days: 1 })).rejects.toMatchObject({
      name: 'InvalidObjectState',
      message: "Restore is not allowed for the object's current storage class",
      $metadata: { httpStatusCode: 403 },
    });
  });

  it('of an object that is not there', async () => {
    await expect(restore('refused/nothing', { Days: 1 })).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('without days, or for none', async () => {
    const key = await put('refused/days', 'GLACIER');

    await expect(restore(key, {})).rejects.toMatchObject({ name: 'MalformedXML' });
    await expect(restore(key, { Days: 0 })).rejects.toMatchObject({ name: 'MalformedXML' });
  });

  it('by Expedited from Deep Archive', async () => {
    const key = await put('refused/deep', 'DEEP_ARCHIVE');

    await expect(restore(key, byTier(1, 'Expedited'))).rejects.toMatchObject({
      name: 'InvalidArgument',
      message: 'Retrieval option is not supported by this storage class',
    });
  });

  it('of Intelligent-Tiering with days', async () => {
    const key = await put('refused/tiering', 'INTELLIGENT_TIERING');

    await expect(restore(key, { Days: 1 })).rejects.toMatchObject({
      name: 'InvalidArgument',
      message:
        'INTELLIGENT_TIERING objects are not subject to restore expiry. Do not specify Days when restoring this object',
    });
  });
});

describe('an archived object', () => {
  it.each(['GLACIER', 'DEEP_ARCHIVE'] as const)('in %s has a head and no bytes', async (storageClass) => {
    const key = await put(`archived/${storageClass}`, storageClass);

    expect(await head(key)).toMatchObject({ StorageClass: storageClass, ContentLength: `bytes of ${key}`.length });
    expect((await head(key)).Restore).toBeUndefined();
    expect((await listed(key))?.RestoreStatus).toBeUndefined();
    await expect(text(key)).rejects.toMatchObject({ name: 'InvalidObjectState', StorageClass: storageClass });
    const copy = new CopyObjectCommand({ Bucket, Key: `${key}.copy`, CopySource: `${Bucket}/${key}` });
    await expect(s3.send(copy)).rejects.toMatchObject({ name: 'InvalidObjectState' });
  });

  it('is told to be on its way as soon as it is asked for, and by another request', async () => {
    const key = await put('archived/going', 'GLACIER');
    expect((await restore(key, byTier(2, 'Standard'))).$metadata.httpStatusCode).toBe(202);

    expect((await head(key)).Restore).toBe('ongoing-request="true"');
    expect((await listed(key))?.RestoreStatus).toEqual({ IsRestoreInProgress: true });
    await expect(text(key)).rejects.toMatchObject({ name: 'InvalidObjectState' });
    await expect(restore(key, byTier(2, 'Bulk'))).rejects.toMatchObject({
      name: 'RestoreAlreadyInProgress',
      $metadata: { httpStatusCode: 409 },
    });
  });
});

describe.skipIf(real)('as time goes by', () => {
  it('a copy is there within hours, keeps its class, and is gone after midnight', async () => {
    const key = await put('time/flexible', 'GLACIER');
    await restore(key, byTier(1, 'Standard'));
    pass(5 * HOUR);

    const { Restore = '', StorageClass: kept } = await head(key);
    expect(kept).toBe('GLACIER');
    const [, expiry = ''] = /^ongoing-request="false", expiry-date="(.*)"$/.exec(Restore) ?? [];
    const now = target.local?.kit.clock.now() ?? 0;
    expect([midnightAfter(now - 2 * HOUR, 1), midnightAfter(now, 1)]).toContainEqual(new Date(expiry));
    expect((await listed(key))?.RestoreStatus).toEqual({
      IsRestoreInProgress: false,
      RestoreExpiryDate: new Date(expiry),
    });
    expect(await text(key)).toBe(`bytes of ${key}`);

    pass(Date.parse(expiry) - now);
    expect((await head(key)).Restore).toBeUndefined();
    await expect(text(key)).rejects.toMatchObject({ name: 'InvalidObjectState' });
  });

  it('a copy that is asked for again lives longer', async () => {
    const key = await put('time/longer', 'GLACIER');
    await restore(key, byTier(1, 'Expedited'));
    pass(5 * 60_000);
    const again = await restore(key, { Days: 10 });

    expect(again.$metadata.httpStatusCode).toBe(200);
    const expiry = midnightAfter(target.local?.kit.clock.now() ?? 0, 10);
    expect((await listed(key))?.RestoreStatus).toEqual({ IsRestoreInProgress: false, RestoreExpiryDate: expiry });
    pass(2 * DAY);
    expect(await text(key)).toBe(`bytes of ${key}`);
  });

  it.each([
    ['GLACIER', 'Expedited', 1 / 60, 5 / 60],
    ['GLACIER', 'Bulk', 5, 12],
    ['DEEP_ARCHIVE', 'Standard', 9, 12],
    ['DEEP_ARCHIVE', 'Bulk', 36, 48],
  ] as const)('%s by %s takes %d to %d hours', async (storageClass, tier, least, most) => {
    const key = await put(`time/${storageClass}-${tier}`, storageClass);
    await restore(key, byTier(1, tier));

    pass(least * HOUR - 10_000);
    expect((await head(key)).Restore).toBe('ongoing-request="true"');
    pass((most - least) * HOUR + 10_000);
    expect((await head(key)).Restore).toContain('ongoing-request="false"');
  });

  it('a restore is sped up by a faster tier', async () => {
    const key = await put('time/faster', 'GLACIER');
    await restore(key, byTier(1, 'Bulk'));
    await restore(key, byTier(1, 'Expedited'));
    pass(5 * 60_000);

    expect((await head(key)).Restore).toContain('ongoing-request="false"');
  });

  it('an object of Intelligent-Tiering comes back for good', async () => {
    const key = await put('time/tiering', 'INTELLIGENT_TIERING');
    act('POST archive', { bucket: Bucket, prefix: key, archiveStatus: 'ARCHIVE_ACCESS' });
    expect((await head(key)).ArchiveStatus).toBe('ARCHIVE_ACCESS');
    expect((await listed(key))?.RestoreStatus).toBeUndefined();
    await expect(text(key)).rejects.toMatchObject({ name: 'InvalidObjectState', AccessTier: 'ARCHIVE_ACCESS' });

    await restore(key, { GlacierJobParameters: { Tier: 'Standard' } });
    expect((await head(key)).Restore).toBe('ongoing-request="true"');
    pass(5 * HOUR);
    expect(await text(key)).toBe(`bytes of ${key}`);
    expect((await head(key)).ArchiveStatus).toBeUndefined();
  });

  it('what is restored survives a restart, and is told of once', async () => {
    const { QueueUrl, events } = await listen();
    const key = await put('told/restart', 'GLACIER');
    await restore(key, byTier(3, 'Bulk'));
    await restart();
    pass(12 * HOUR);

    expect(await text(key)).toBe(`bytes of ${key}`);
    expect((await events(QueueUrl, 2)).map(({ eventName }) => eventName)).toEqual([
      'ObjectRestore:Post',
      'ObjectRestore:Completed',
    ]);
    await restart();
    pass(HOUR);
    expect(await events(QueueUrl, 0)).toEqual([]);
  });

  it('begin, completion and end are told with expiry and class', async () => {
    const { QueueUrl, events } = await listen();
    const key = await put('told/life', 'GLACIER');
    await restore(key, byTier(1, 'Standard'));
    pass(5 * HOUR);
    const expiry = (await listed(key))?.RestoreStatus?.RestoreExpiryDate;
    pass(3 * DAY);

    const told = await events(QueueUrl, 3);
    expect(told).toMatchObject([
      { eventName: 'ObjectRestore:Post', s3: { object: { key, size: `bytes of ${key}`.length } } },
      {
        eventName: 'ObjectRestore:Completed',
        glacierEventData: {
          restoreEventData: {
            lifecycleRestorationExpiryTime: expiry?.toISOString(),
            lifecycleRestoreStorageClass: 'GLACIER',
          },
        },
      },
      { eventName: 'ObjectRestore:Delete' },
    ]);
  });
});

interface Told {
  eventName: string;
  s3: { object: { key: string } };
}

/** A queue that hears of restores below `told/`. */
async function listen() {
  const sqs = new SQSClient(target.client);
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: target.unique('told') }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  const QueueArn = Attributes?.QueueArn;
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: QueueArn },
    ],
  });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
  const Filter = { Key: { FilterRules: [{ Name: 'prefix' as const, Value: 'told/' }] } };
  const QueueConfigurations = [{ QueueArn, Events: ['s3:ObjectRestore:*' as const], Filter }];
  const NotificationConfiguration = { QueueConfigurations };
  await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
  return {
    QueueUrl,
    /** Exactly so many, and no more for now. */
    async events(url: string, count: number): Promise<Told[]> {
      const found: Told[] = [];
      for (;;) {
        const wait = found.length < count ? 5 : 0;
        const received = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: wait, MaxNumberOfMessages: 10 }),
        );
        const { Messages = [] } = received;
        for (const { Body = '', ReceiptHandle } of Messages) {
          await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
          found.push(...((JSON.parse(Body) as { Records?: Told[] }).Records ?? []));
        }
        if (Messages.length === 0) return found;
      }
    },
  };
}
