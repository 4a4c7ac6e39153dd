/**
 * S3 Batch Operations: jobs that restore objects. On a real account LONGHAUL_VERIFY_BATCH_OPERATIONS_ROLE is the ARN of
 * a role that S3 Batch Operations may take, with leave to restore, read and write in buckets whose names start with
 * longhaul-contract-; without it nothing of this is run.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  RestoreObjectCommand,
  S3Client,
  type StorageClass,
} from '@aws-sdk/client-s3';
import {
  CreateJobCommand,
  type CreateJobCommandInput,
  DescribeJobCommand,
  GetJobTaggingCommand,
  type JobListDescriptor,
  ListJobsCommand,
  S3ControlClient,
  UpdateJobPriorityCommand,
  UpdateJobStatusCommand,
} from '@aws-sdk/client-s3-control';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { environmentFor } from '../../infra/local/platform/environment.ts';
import { createAwsClients } from '../../lib/aws-clients.ts';
import {
  type BatchOperations,
  createBatchOperations,
  encodeManifestRow,
  type FailedTask,
  readReport,
} from '../../lib/restore/batch-operations.ts';
import { openTarget, type Target } from './target.ts';

const REAL = process.env.LONGHAUL_VERIFY_AWS === '1';
const ROLE = process.env.LONGHAUL_VERIFY_BATCH_OPERATIONS_ROLE;
const RoleArn = ROLE || 'arn:aws:iam::123456789012:role/longhaul-restore';
const AccountId = RoleArn.split(':')[4] ?? '';
/** A job takes some minutes to begin on AWS. */
const PATIENCE_MS = REAL ? 900_000 : 60_000;
const HOUR = 3_600_000;
const ODD_KEY = 'odd/a b,c"d+é%41\n%.bam';

let target: Target;
let s3: S3Client;
let control: S3ControlClient;
let operations: BatchOperations;
let Bucket: string;

describe.skipIf(REAL && !ROLE)('S3 Batch Operations', () => {
  beforeAll(async () => {
    target = await openTarget();
    s3 = new S3Client(target.client);
    control = new S3ControlClient(target.controlClient);
    operations = createBatchOperations(control);
    Bucket = target.unique('operations');
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  });
  afterAll(async () => {
    for (;;) {
      const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 1_000 }));
      const Objects = Versions.map(({ Key = '', VersionId }) => ({ Key, VersionId }));
      if (Objects.length === 0) break;
      await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    }
    await s3.send(new DeleteBucketCommand({ Bucket }));
    s3.destroy();
    control.destroy();
    await target.close();
  });

  const put = async (Key: string, StorageClass: StorageClass, Body = `bytes of ${Key}`) =>
    (await s3.send(new PutObjectCommand({ Bucket, Key, Body, StorageClass }))).VersionId ?? '';
  const head = (Key: string, VersionId?: string) => s3.send(new HeadObjectCommand({ Bucket, Key, VersionId }));
  const manifestOf = async (rows: readonly string[]) => {
    const Key = `manifests/${randomUUID()}.csv`;
    const { ETag = '' } = await s3.send(new PutObjectCommand({ Bucket, Key, Body: rows.join('') }));
    return { address: `s3://${Bucket}/${Key}`, etag: ETag, versioned: false };
  };
  const optionsOf = (manifest: { address: string; etag: string; versioned: boolean }, days = 1) => ({
    accountId: AccountId,
    roleArn: RoleArn,
    manifest,
    tier: 'Bulk' as const,
    days,
    report: `s3://${Bucket}/reports/`,
    token: randomUUID(),
    description: target.unique('job'),
  });
  const restore = async (keys: readonly string[], more: { tier?: 'Standard' | 'Bulk'; days?: number } = {}) => {
    const manifest = await manifestOf(keys.map((key) => encodeManifestRow(Bucket, key)));
    return operations.createRestoreJob({ ...optionsOf(manifest), ...more });
  };
  const reaches = async (id: string, status: string) => {
    await expect
      .poll(async () => (await operations.describe(AccountId, id)).status, {
        timeout: PATIENCE_MS,
        interval: REAL ? 5_000 : 10,
      })
      .toBe(status);
    return operations.describe(AccountId, id);
  };
  /** Of a job that waits to be confirmed. */
  const cancelled = async (id: string) => {
    await reaches(id, 'Suspended');
    await operations.cancel(AccountId, id);
  };
  const report = async (id: string) => {
    const tasks: FailedTask[] = [];
    for await (const task of readReport(s3, `s3://${Bucket}/reports/`, id)) tasks.push(task);
    return tasks;
  };
  /** With what the product's own function leaves no choice in. */
  const input = (Key: string, ETag: string, more: Partial<CreateJobCommandInput> = {}): CreateJobCommandInput => ({
    AccountId,
    RoleArn,
    Priority: 1,
    ConfirmationRequired: false,
    ClientRequestToken: randomUUID(),
    Operation: { S3InitiateRestoreObject: { ExpirationInDays: 1, GlacierJobTier: 'BULK' } },
    Manifest: {
      Spec: { Format: 'S3BatchOperations_CSV_20180820', Fields: ['Bucket', 'Key'] },
      Location: { ObjectArn: `arn:aws:s3:::${Bucket}/${Key}`, ETag },
    },
    Report: {
      Enabled: true,
      Bucket: `arn:aws:s3:::${Bucket}`,
      Prefix: 'reports',
      Format: 'Report_CSV_20180820',
      ReportScope: 'AllTasks',
    },
    ...more,
  });
  const create = async (keys: readonly string[], more: Partial<CreateJobCommandInput> = {}) => {
    const { address, etag } = await manifestOf(keys.map((key) => encodeManifestRow(Bucket, key)));
    const command = new CreateJobCommand(input(address.slice(`s3://${Bucket}/`.length), etag, more));
    return (await control.send(command)).JobId ?? '';
  };
  const describeJob = async (JobId: string) => (await control.send(new DescribeJobCommand({ AccountId, JobId }))).Job;
  const update = (JobId: string, RequestedJobStatus: 'Ready' | 'Cancelled', StatusUpdateReason?: string) =>
    control.send(new UpdateJobStatusCommand({ AccountId, JobId, RequestedJobStatus, StatusUpdateReason }));

  describe('a job', () => {
    it(
      'asks for every object of its manifest, and reports those that S3 refuses',
      async () => {
        await put(ODD_KEY, 'GLACIER');
        await put('plain', 'STANDARD');
        const id = await restore([ODD_KEY, 'plain', 'nothing, "there"']);

        expect(await reaches(id, 'Complete')).toEqual({
          status: 'Complete',
          total: 3,
          succeeded: 1,
          failed: 2,
          reasons: [],
        });
        expect((await head(ODD_KEY)).Restore).toBe('ongoing-request="true"');
        const failed = await report(id);
        expect(failed.map(({ bucket, key }) => ({ bucket, key }))).toEqual([
          { bucket: Bucket, key: 'plain' },
          { bucket: Bucket, key: 'nothing, "there"' },
        ]);
        if (target.local) expect(failed.map(({ code }) => code)).toEqual(['InvalidObjectState', 'NoSuchKey']);
      },
      PATIENCE_MS,
    );

    it(
      'takes the version it is told',
      async () => {
        const VersionId = await put('versions', 'GLACIER');
        await put('versions', 'STANDARD');
        const manifest = await manifestOf([encodeManifestRow(Bucket, 'versions', VersionId)]);
        const id = await operations.createRestoreJob(optionsOf({ ...manifest, versioned: true }));

        expect(await reaches(id, 'Complete')).toMatchObject({ succeeded: 1, failed: 0 });
        expect((await head('versions', VersionId)).Restore).toBe('ongoing-request="true"');
      },
      PATIENCE_MS,
    );

    it(
      'is refused what is being restored, unless it is faster for as many days',
      async () => {
        const [same, faster, longer] = ['going/same', 'going/faster', 'going/longer'];
        for (const Key of [same, faster, longer]) {
          await put(Key, 'GLACIER');
          const RestoreRequest = { Days: 1, GlacierJobParameters: { Tier: 'Bulk' as const } };
          await s3.send(new RestoreObjectCommand({ Bucket, Key, RestoreRequest }));
        }
        const jobs = [await restore([same, same]), await restore([faster], { tier: 'Standard' })];
        jobs.push(await restore([longer], { tier: 'Standard', days: 2 }));

        const ended = [];
        for (const id of jobs) ended.push(await reaches(id, 'Complete'));
        expect(ended).toMatchObject([{ failed: 2 }, { succeeded: 1, failed: 0 }, { failed: 1 }]);
        const [first] = await report(jobs[0] ?? '');
        expect(first).toMatchObject({ key: same, code: 'RestoreAlreadyInProgress' });
      },
      3 * PATIENCE_MS,
    );

    it(
      'writes the report where it is told, of all tasks if it is told so',
      async () => {
        await put('reported', 'GLACIER');
        const JobId = await create(['reported', 'nothing']);
        await reaches(JobId, 'Complete');

        const get = async (Key: string) =>
          (await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()) ?? '';
        const manifest = JSON.parse(await get(`reports/job-${JobId}/manifest.json`)) as {
          Results: { TaskExecutionStatus: string; Key: string }[];
        };
        expect(manifest).toMatchObject({
          Format: 'Report_CSV_20180820',
          ReportSchema: 'Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage',
        });
        const byStatus = new Map(manifest.Results.map(({ TaskExecutionStatus, Key }) => [TaskExecutionStatus, Key]));
        expect(byStatus.get('succeeded')).toMatch(new RegExp(`^reports/job-${JobId}/results/\\w+\\.csv$`));
        expect(await get(byStatus.get('succeeded') ?? '')).toContain(`${Bucket},reported,,succeeded,`);
        expect(await get(byStatus.get('failed') ?? '')).toContain(`${Bucket},nothing,,failed,`);
      },
      PATIENCE_MS,
    );

    it(
      'fails where its manifest is another one, or none, and has no report',
      async () => {
        const { address } = await manifestOf([encodeManifestRow(Bucket, 'plain')]);
        const stale = await operations.createRestoreJob(
          optionsOf({ address, etag: `"${'0'.repeat(32)}"`, versioned: false }),
        );
        const missing = await operations.createRestoreJob(
          optionsOf({ address: `${address}.not`, etag: '0'.repeat(32), versioned: false }),
        );

        const ended = [await reaches(stale, 'Failed'), await reaches(missing, 'Failed')];
        expect(ended.map(({ reasons }) => reasons.length)).toEqual([1, 1]);
        expect(ended).toMatchObject([
          { succeeded: 0, failed: 0 },
          { succeeded: 0, failed: 0 },
        ]);
        await expect(report(stale)).rejects.toMatchObject({ name: 'NoSuchKey' });
      },
      2 * PATIENCE_MS,
    );

    it(
      'fails where more than half of a thousand tasks or more do',
      async () => {
        const id = await restore(Array.from({ length: 1_500 }, (_, index) => `nothing/${index}`));

        const ended = await reaches(id, 'Failed');
        expect(ended).toMatchObject({ total: 1_500, succeeded: 0 });
        expect(ended.reasons).toHaveLength(1);
        expect((await report(id)).length).toBe(ended.failed);
        if (target.local) expect(ended.failed).toBe(1_000);
      },
      PATIENCE_MS,
    );
  });

  describe('a job that wants to be confirmed', () => {
    it(
      'waits for it',
      async () => {
        await put('confirmed', 'GLACIER');
        const JobId = await create(['confirmed'], { ConfirmationRequired: true });
        expect(await reaches(JobId, 'Suspended')).toMatchObject({ total: 1, succeeded: 0 });
        const suspended = await describeJob(JobId);
        expect(suspended?.SuspendedDate).toBeInstanceOf(Date);
        expect((await head('confirmed')).Restore).toBeUndefined();
        await target.restart?.('stand-ins', async () => {});

        expect(await update(JobId, 'Ready', 'looked at')).toMatchObject({ JobId, StatusUpdateReason: 'looked at' });
        expect(await reaches(JobId, 'Complete')).toMatchObject({ succeeded: 1 });
        const ended = await describeJob(JobId);
        expect(ended?.StatusUpdateReason).toBe('looked at');
        expect(ended?.TerminationDate?.getTime()).toBeGreaterThanOrEqual(ended?.CreationTime?.getTime() ?? Infinity);
      },
      2 * PATIENCE_MS,
    );

    it(
      'can be cancelled, once and again, and not be confirmed then',
      async () => {
        const JobId = await create(['confirmed'], { ConfirmationRequired: true });
        await reaches(JobId, 'Suspended');
        await operations.cancel(AccountId, JobId);
        await operations.cancel(AccountId, JobId);

        expect(await reaches(JobId, 'Cancelled')).toMatchObject({ succeeded: 0, failed: 0 });
        await operations.cancel(AccountId, JobId);
        await expect(update(JobId, 'Ready')).rejects.toMatchObject({ name: 'JobStatusException' });
        await expect(report(JobId)).rejects.toMatchObject({ name: 'NoSuchKey' });
      },
      2 * PATIENCE_MS,
    );
  });

  it('is described as it was created', async () => {
    const { address, etag } = await manifestOf([encodeManifestRow(Bucket, 'nothing')]);
    const asked = input(address.slice(`s3://${Bucket}/`.length), etag.replaceAll('"', ''), {
      ConfirmationRequired: true,
      Description: 'two objects & more',
      Tags: [{ Key: 'cost', Value: 'lab a' }],
    });
    const { JobId = '' } = await control.send(new CreateJobCommand(asked));
    onTestFinished(() => cancelled(JobId), PATIENCE_MS);
    const { AccountId: _, ClientRequestToken: __, Tags, ...told } = asked;

    expect(await describeJob(JobId)).toMatchObject({ ...told, JobId });
    expect((await describeJob(JobId))?.JobArn).toMatch(new RegExp(`^arn:aws:s3:[\\w-]+:${AccountId}:job/${JobId}$`));
    expect((await control.send(new GetJobTaggingCommand({ AccountId, JobId }))).Tags).toEqual(Tags);
    const raised = await control.send(new UpdateJobPriorityCommand({ AccountId, JobId, Priority: 7 }));
    expect(raised).toMatchObject({ JobId, Priority: 7 });
    expect((await describeJob(JobId))?.Priority).toBe(7);
  });

  it('is the same job for the same token, and no other may have it', async () => {
    const { address, etag } = await manifestOf([encodeManifestRow(Bucket, 'nothing')]);
    const asked = input(address.slice(`s3://${Bucket}/`.length), etag, { ConfirmationRequired: true });
    const { JobId = '' } = await control.send(new CreateJobCommand(asked));
    onTestFinished(() => cancelled(JobId), PATIENCE_MS);

    expect((await control.send(new CreateJobCommand(asked))).JobId).toBe(JobId);
    await expect(control.send(new CreateJobCommand({ ...asked, Priority: 2 }))).rejects.toMatchObject({
      name: 'IdempotencyException',
    });
  });

  it(
    'is listed by status, page by page',
    async () => {
      const made: string[] = [];
      for (let count = 0; count < 3; count += 1) made.push(await create(['nothing'], { ConfirmationRequired: true }));
      onTestFinished(async () => {
        for (const id of made) await cancelled(id);
      }, PATIENCE_MS);
      for (const id of made) await reaches(id, 'Suspended');

      const listed: JobListDescriptor[] = [];
      let NextToken: string | undefined;
      do {
        const page = await control.send(
          new ListJobsCommand({ AccountId, JobStatuses: ['Suspended'], MaxResults: 2, NextToken }),
        );
        expect(page.Jobs?.length).toBeLessThanOrEqual(2);
        listed.push(...(page.Jobs ?? []));
        NextToken = page.NextToken;
      } while (NextToken);
      expect(new Set(listed.map(({ Status }) => Status))).toEqual(new Set(['Suspended']));
      expect(listed.map(({ JobId }) => JobId)).toEqual(expect.arrayContaining(made));
      expect(new Set(listed.map(({ JobId }) => JobId)).size).toBe(listed.length);
      expect(listed.find(({ JobId }) => JobId === made[0])).toMatchObject({
        Operation: 'S3InitiateRestoreObject',
        Priority: 1,
        ProgressSummary: { TotalNumberOfTasks: 1 },
      });
    },
    PATIENCE_MS,
  );

  describe('it is refused', () => {
    it('by Expedited, which it does not have', async () => {
      const Operation = { S3InitiateRestoreObject: { ExpirationInDays: 1, GlacierJobTier: 'EXPEDITED' as never } };

      await expect(create(['nothing'], { Operation })).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    });

    it('for less than a day', async () => {
      const Operation = { S3InitiateRestoreObject: { ExpirationInDays: 0 } };

      await expect(create(['nothing'], { Operation })).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    });

    it('without a bucket for the report that is wanted', async () => {
      const Report = { Enabled: true, Format: 'Report_CSV_20180820' as const, ReportScope: 'AllTasks' as const };

      await expect(create(['nothing'], { Report })).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    });

    it('where there is no such job', async () => {
      await expect(operations.describe(AccountId, randomUUID())).rejects.toMatchObject({
        $metadata: { httpStatusCode: 404 },
      });
    });

    it('with a token of a page that nobody gave', async () => {
      await expect(control.send(new ListJobsCommand({ AccountId, NextToken: 'bm90aGluZw' }))).rejects.toMatchObject({
        $metadata: { httpStatusCode: 400 },
      });
    });
  });

  describe.skipIf(REAL)('on this machine', () => {
    it('is reached by the clients of the product, from the environment alone', async () => {
      const before = { ...process.env };
      onTestFinished(() => void (process.env = before));
      Object.assign(process.env, environmentFor('', '', target.local?.url ?? '', ''));
      const clients = createAwsClients();
      onTestFinished(() => clients.destroy());

      expect((await clients.s3control.send(new ListJobsCommand({ AccountId }))).Jobs).toBeInstanceOf(Array);
      const calls = target.local?.kit.calls.list({ service: 's3control', operation: 'ListJobs' }) ?? [];
      expect(calls.at(-1)).toMatchObject({ status: 200, principal: 'longhaul' });
    });

    it('answers for its own account only', async () => {
      await expect(operations.describe('210987654321', randomUUID())).rejects.toMatchObject({ name: 'AccessDenied' });
    });

    it('goes wrong by the fault plan under its own name, and S3 does not', async () => {
      const id = await restore(['nothing']);
      target.local?.kit.faults.set([
        { service: 's3control', effect: 'error', code: 'InternalServiceException', times: 9 },
      ]);
      onTestFinished(() => target.local?.kit.faults.set([]));

      await expect(operations.describe(AccountId, id)).rejects.toMatchObject({ name: 'InternalServiceException' });
      await expect(head('plain')).resolves.toMatchObject({ ContentLength: 'bytes of plain'.length });
    });

    it('what it has asked for by Standard comes back within minutes and up to five hours', async () => {
      const keys = Array.from({ length: 40 }, (_, index) => `soon/${index}`);
      for (const key of keys) await put(key, 'GLACIER');
      await reaches(await restore(keys, { tier: 'Standard' }), 'Complete');
      const ready = async () => {
        const heads = await Promise.all(keys.map((key) => head(key)));
        return heads.filter(({ Restore }) => Restore?.includes('"false"')).length;
      };

      expect(await ready()).toBe(0);
      target.local?.kit.clock.advance(2.5 * HOUR);
      const early = await ready();
      expect(early).toBeGreaterThan(5);
      expect(early).toBeLessThan(35);
      target.local?.kit.clock.advance(2.5 * HOUR);
      expect(await ready()).toBe(keys.length);
    });

    it('a job waits where S3 throttles it, and goes on after a restart where it was', async () => {
      const keys = Array.from({ length: 1_200 }, (_, index) => `many/${index}`);
      for (let at = 0; at < keys.length; at += 50)
        await Promise.all(keys.slice(at, at + 50).map((key) => put(key, 'GLACIER')));
      // So that the second of S3's account begins anew.
      target.local?.kit.clock.advance(1_000);
      const id = await restore(keys);
      await expect.poll(async () => (await operations.describe(AccountId, id)).succeeded).toBeGreaterThan(0);
      await target.restart?.('stand-ins', async () => {});

      expect(await reaches(id, 'Complete')).toMatchObject({ total: 1_200, succeeded: 1_200, failed: 0 });
      const heads = await Promise.all([0, 599, 1_199].map((index) => head(`many/${index}`)));
      expect(heads.map(({ Restore }) => Restore)).toEqual(Array(3).fill('ongoing-request="true"'));
    });

    it('objects of Intelligent-Tiering come back without days, and are refused with them', async () => {
      for (const key of ['tiering/with', 'tiering/without']) await put(key, 'INTELLIGENT_TIERING');
      target.local?.kit.actions.get('POST archive')?.({
        bucket: Bucket,
        prefix: 'tiering/',
        archiveStatus: 'ARCHIVE_ACCESS',
      });
      const { days: _, ...withoutDays } = optionsOf(await manifestOf([encodeManifestRow(Bucket, 'tiering/without')]));
      const refused = await restore(['tiering/with']);
      const taken = await operations.createRestoreJob(withoutDays);

      expect(await reaches(refused, 'Complete')).toMatchObject({ failed: 1 });
      expect(await report(refused)).toMatchObject([{ code: 'InvalidArgument' }]);
      expect(await reaches(taken, 'Complete')).toMatchObject({ succeeded: 1 });
    });
  });
});
