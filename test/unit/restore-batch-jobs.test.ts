/** Asking by S3 Batch Operations: what stands in manifests, which jobs are made of them, and how they end. */
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { S3ControlServiceException } from '@aws-sdk/client-s3-control';
import { ActivityCancellationDetails } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, expect, it } from 'vitest';
import { createRestoreActivities } from '../../activities/restore/index.ts';
import type { BatchOperations, RestoreJobOptions, RestoreJobState } from '../../lib/restore/batch-operations.ts';
import { type Entry, IndexWriter } from '../../lib/restore/index-files.ts';
import { type Archive, restoreState, type Tier } from '../../workflows/restore/model.ts';
import { BUCKET, openRestoreWorld, type RestoreWorld } from '../support/restore-world.ts';

const PLACE = restoreState(BUCKET, 'r', 'run');
const ACCOUNT = '123456789012';

let world: RestoreWorld;
afterEach(() => world.close());

const quietly = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });

/** S3 Batch Operations as far as it is asked: jobs end when they are looked at, as `end` says. */
class FakeOperations implements BatchOperations {
  readonly created: RestoreJobOptions[] = [];
  readonly cancelled: string[] = [];
  described = 0;
  end: (looks: number) => Partial<RestoreJobState> | Promise<Partial<RestoreJobState>> = () => ({});
  create: (options: RestoreJobOptions) => void = () => {};

  async createRestoreJob(options: RestoreJobOptions): Promise<string> {
    this.create(options);
    this.created.push(options);
    return `job-${this.created.length}`;
  }

  async describe(): Promise<RestoreJobState> {
    this.described += 1;
    return { status: 'Complete', total: 0, succeeded: 0, failed: 0, reasons: [], ...(await this.end(this.described)) };
  }

  async cancel(accountId: string, jobId: string): Promise<void> {
    this.cancelled.push(`${accountId}/${jobId}`);
  }
}

type Found = [bucket: string, entry: Omit<Entry, 'size' | 'state'> & Partial<Entry>];

async function open(found: readonly Found[], shardObjects = 2): Promise<FakeOperations> {
  world = await openRestoreWorld();
  const writer = new IndexWriter(world.s3, PLACE, undefined, shardObjects);
  for (const [bucket, entry] of found) await writer.add(bucket, { size: 1, state: 'archived', ...entry });
  await writer.close();
  return new FakeOperations();
}

function request(
  operations: FakeOperations | undefined,
  tiers: Partial<Record<Archive, Tier>>,
  environment = quietly(),
): Promise<{ requested: number }> {
  const { requestByBatchOperations } = createRestoreActivities({
    ...world.dependencies,
    ...(operations && {
      batchOperations: {
        client: operations,
        accountId: async () => ACCOUNT,
        roleArn: `arn:aws:iam::${ACCOUNT}:role/restores`,
        fromObjects: 1,
      },
    }),
  });
  return environment.run(requestByBatchOperations, { place: PLACE, restoreId: 'r', tiers, days: 5 }) as Promise<{
    requested: number;
  }>;
}

async function manifest(name: string): Promise<string> {
  const Key = `${PLACE.slice(`s3://${BUCKET}/`.length)}batch/${name}.csv`;
  const { Body } = await world.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  return (await Body?.transformToString()) ?? '';
}

it('makes a job of each kind, over shards, and leaves out what is under way, readable or Expedited', async () => {
  const operations = await open([
    ['one', { key: 'a b', archive: 'GLACIER' }],
    ['one', { key: 'c', archive: 'DEEP_ARCHIVE' }],
    ['one', { key: 'd', archive: 'GLACIER', version: 'v1' }],
    ['one', { key: 'e', archive: 'GLACIER', state: 'restoring' }],
    ['one', { key: 'f', archive: 'GLACIER', state: 'readable' }],
    ['one', { key: 'g', archive: 'GLACIER' }],
    ['two', { key: 'h', archive: 'GLACIER' }],
    ['two', { key: 'i', archive: 'DEEP_ARCHIVE_ACCESS' }],
    ['two', { key: 'j', archive: 'ARCHIVE_ACCESS' }],
  ]);
  operations.end = () => ({ succeeded: 1 });

  const done = await request(operations, {
    GLACIER: 'Bulk',
    DEEP_ARCHIVE: 'Standard',
    DEEP_ARCHIVE_ACCESS: 'Bulk',
    ARCHIVE_ACCESS: 'Expedited',
  });

  expect(done).toEqual({ requested: 5 });
  const jobs = operations.created.map(({ manifest: { address, versioned }, tier, days }) => {
    const name = address.slice(`${PLACE}batch/`.length).replace('.csv', '');
    return { name, versioned, tier, ...(days !== undefined && { days }) };
  });
  expect(jobs).toEqual([
    { name: '0-GLACIER', versioned: false, tier: 'Bulk', days: 5 },
    { name: '0-DEEP_ARCHIVE', versioned: false, tier: 'Standard', days: 5 },
    { name: '0-GLACIER-versions', versioned: true, tier: 'Bulk', days: 5 },
    { name: '1-GLACIER', versioned: false, tier: 'Bulk', days: 5 },
    { name: '1-DEEP_ARCHIVE_ACCESS', versioned: false, tier: 'Bulk' },
  ]);
  expect(await manifest('0-GLACIER')).toBe('one,a%20b\none,g\n');
  expect(await manifest('0-GLACIER-versions')).toBe('one,d,v1\n');
  expect(await manifest('1-DEEP_ARCHIVE_ACCESS')).toBe('two,i\n');
});

it('a manifest longer than a part of an upload has every row once, and another try leaves it', async () => {
  const keys = Array.from({ length: 20_000 }, (_, nth) => `${'x'.repeat(900)}/${nth}`);
  const operations = await open(
    keys.map((key) => ['one', { key, archive: 'GLACIER' }]),
    5_000,
  );

  await request(operations, { GLACIER: 'Bulk' });
  await request(operations, { GLACIER: 'Bulk' });

  expect(await manifest('0-GLACIER')).toBe(keys.map((key) => `one,${key}\n`).join(''));
  const count = (operation: string) => world.kit.calls.list({ service: 's3', operation }).length;
  expect(count('UploadPart')).toBeGreaterThan(1);
  expect(count('CompleteMultipartUpload')).toBe(1);
  const [first, second] = operations.created;
  expect(first?.token).toMatch(/^[\w-]{1,64}$/);
  expect(second).toEqual(first);
});

it('waits until the last job has ended, and counts what was asked for also of those that failed', async () => {
  const operations = await open([
    ['one', { key: 'a', archive: 'GLACIER' }],
    ['one', { key: 'b', archive: 'DEEP_ARCHIVE' }],
  ]);
  const looks: Partial<RestoreJobState>[] = [
    { status: 'Active', succeeded: 3 },
    { status: 'Failed', succeeded: 4, failed: 5, reasons: ['JobFailed: too many'] },
    { status: 'Completing', succeeded: 7 },
    { status: 'Complete', succeeded: 8 },
  ];
  operations.end = (look) => looks[look - 1] ?? {};

  expect(await request(operations, { GLACIER: 'Bulk', DEEP_ARCHIVE: 'Bulk' })).toEqual({ requested: 12 });
  expect(operations.described).toBe(4);
});

it('a job that is refused as it is leaves its objects to the looks; one that may be taken later is tried again', async () => {
  const operations = await open([['one', { key: 'a', archive: 'GLACIER' }]]);
  const refusal = (name: string, httpStatusCode: number) =>
    new S3ControlServiceException({ name, message: 'no', $fault: 'client', $metadata: { httpStatusCode } });

  operations.create = () => {
    throw refusal('BadRequestException', 400);
  };
  expect(await request(operations, { GLACIER: 'Bulk' })).toEqual({ requested: 0 });
  for (const [name, status] of [
    ['TooManyRequestsException', 400],
    ['InternalServiceException', 500],
  ] as const) {
    operations.create = () => {
      throw refusal(name, status);
    };
    await expect(request(operations, { GLACIER: 'Bulk' })).rejects.toMatchObject({ name });
  }
});

it.each([
  ['that somebody has cancelled ends its jobs', { cancelRequested: true }, [`${ACCOUNT}/job-1`]],
  ['whose worker ends leaves them to the next try', { workerShutdown: true }, []],
  ['that was given up leaves them to the next try', { timedOut: true }, []],
] as const)('a restore %s', async (_, details, cancelled) => {
  const operations = await open([['one', { key: 'a', archive: 'GLACIER' }]]);
  const environment = quietly();
  operations.end = () => {
    environment.cancel('CANCELLED', new ActivityCancellationDetails(details));
    return { status: 'Active' };
  };

  await expect(request(operations, { GLACIER: 'Bulk' }, environment)).rejects.toMatchObject({
    name: 'CancelledFailure',
  });

  expect(operations.cancelled).toEqual(cancelled);
});

it('without a role it says what to set', async () => {
  await open([['one', { key: 'a', archive: 'GLACIER' }]]);
  await expect(request(undefined, { GLACIER: 'Bulk' })).rejects.toThrow('LONGHAUL_RESTORE_BATCH_ROLE');
});

it.each([
  [9, { GLACIER: 'Bulk' }, 'requests'],
  [10, { GLACIER: 'Bulk' }, 'batch-operations'],
  [10, { GLACIER: 'Expedited' }, 'requests'],
] as const)('of %i objects by %j it is chosen: %s', async (objects, tiers, submitter) => {
  world = await openRestoreWorld({ batchFrom: 10 });
  const none = { objects: 0, bytes: 0 };
  const planned = await quietly().run(createRestoreActivities(world.dependencies).planRestore, {
    place: PLACE,
    totals: { GLACIER: { archived: { objects, bytes: 1 }, restoring: none, readable: none } },
    wishes: { tier: tiers.GLACIER },
  });
  expect(planned).toMatchObject({ submitter, plan: { tiers } });
});
