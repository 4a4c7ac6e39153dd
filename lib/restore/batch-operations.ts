/**
 * Jobs of S3 Batch Operations that ask S3 to restore the objects of a manifest, and the reports of what was refused.
 * A job that is complete has asked for every object; the restores go on, and S3 tells of them as of any other.
 *
 * A manifest holds objects of one kind: those of Glacier Flexible Retrieval and Deep Archive need days, those of
 * Intelligent-Tiering must have none, and the days are the job's. All of its rows have a version, or none has one.
 *
 * @module
 */
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import {
  CreateJobCommand,
  DescribeJobCommand,
  JobStatusException,
  type S3ControlClient,
  UpdateJobStatusCommand,
} from '@aws-sdk/client-s3-control';
import { parseS3Address } from '../s3-address.ts';
import { csvRows } from './csv.ts';

/** What AWS lets a job be cancelled from is not this. */
const PAST_CANCELLING = ['Completing', 'Complete', 'Cancelling', 'Cancelled', 'Failing', 'Failed'];
/** Jobs of the same priority run beside each other. */
const PRIORITY = 10;

export interface RestoreJobOptions {
  accountId: string;
  /** That S3 Batch Operations takes: it reads the manifest, restores the objects and writes the report. */
  roleArn: string;
  /** `s3://` address of a file of rows of `encodeManifestRow`; `versioned`: with versions. */
  manifest: { address: string; etag: string; versioned: boolean };
  tier: 'Standard' | 'Bulk';
  /** Days the copies live; left out for objects of Intelligent-Tiering, which come back for good. */
  days?: number;
  /** `s3://` address of the folder for the report of what was refused. */
  report: string;
  /** The same token with the same options is the same job, 1 to 64 characters. */
  token: string;
  /** At most 256 characters. */
  description: string;
  tags?: Record<string, string>;
}

export interface RestoreJobState {
  /** As S3 calls it: `Active`, `Complete`, `Failed`, … */
  status: string;
  /** Objects of the manifest, once it has been read; those that were asked for, and those S3 has refused. */
  total: number;
  succeeded: number;
  failed: number;
  /** Why the job failed. */
  reasons: string[];
}

export interface BatchOperations {
  /** @returns the job's id; that of the first call for every further one with the same token and options */
  createRestoreJob(options: RestoreJobOptions): Promise<string>;
  describe(accountId: string, jobId: string): Promise<RestoreJobState>;
  /** Does nothing where the job is over, or about to be. What it has asked for goes on. */
  cancel(accountId: string, jobId: string): Promise<void>;
}

export function createBatchOperations(client: S3ControlClient): BatchOperations {
  const describe = async (accountId: string, jobId: string): Promise<RestoreJobState> => {
    const { Job } = await client.send(new DescribeJobCommand({ AccountId: accountId, JobId: jobId }));
    if (!Job?.Status) throw new Error(`S3 Batch Operations gave job ${jobId} no status`);
    const { TotalNumberOfTasks = 0, NumberOfTasksSucceeded = 0, NumberOfTasksFailed = 0 } = Job.ProgressSummary ?? {};
    return {
      status: Job.Status,
      total: TotalNumberOfTasks,
      succeeded: NumberOfTasksSucceeded,
      failed: NumberOfTasksFailed,
      reasons: (Job.FailureReasons ?? []).map(({ FailureCode = '', FailureReason = '' }) =>
        [FailureCode, FailureReason].filter((part) => part !== '').join(': '),
      ),
    };
  };
  return {
    async createRestoreJob(options) {
      const { JobId } = await client.send(new CreateJobCommand(requestOf(options)));
      if (!JobId) throw new Error('S3 Batch Operations gave a job no id');
      return JobId;
    },
    describe,
    async cancel(accountId, jobId) {
      const command = new UpdateJobStatusCommand({
        AccountId: accountId,
        JobId: jobId,
        RequestedJobStatus: 'Cancelled',
      });
      try {
        await client.send(command);
      } catch (error) {
        if (!(error instanceof JobStatusException)) throw error;
        if (!PAST_CANCELLING.includes((await describe(accountId, jobId)).status)) throw error;
      }
    },
  };
}

function requestOf(options: RestoreJobOptions): CreateJobCommand['input'] {
  const { manifest, tags = {}, days } = options;
  // aws, aws-cn or aws-us-gov.
  const [, partition = 'aws'] = options.roleArn.split(':');
  const at = parseS3Address(manifest.address);
  const report = parseS3Address(options.report);
  const prefix = folder(report.key);
  return {
    AccountId: options.accountId,
    ClientRequestToken: options.token,
    ConfirmationRequired: false,
    Priority: PRIORITY,
    RoleArn: options.roleArn,
    Description: options.description,
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    Operation: {
      S3InitiateRestoreObject: {
        GlacierJobTier: options.tier === 'Bulk' ? 'BULK' : 'STANDARD',
        ...(days !== undefined && { ExpirationInDays: days }),
      },
    },
    Manifest: {
      Spec: {
        Format: 'S3BatchOperations_CSV_20180820',
        Fields: manifest.versioned ? ['Bucket', 'Key', 'VersionId'] : ['Bucket', 'Key'],
      },
      Location: { ObjectArn: `arn:${partition}:s3:::${at.bucket}/${at.key}`, ETag: manifest.etag.replaceAll('"', '') },
    },
    Report: {
      Enabled: true,
      Bucket: `arn:${partition}:s3:::${report.bucket}`,
      Format: 'Report_CSV_20180820',
      ReportScope: 'FailedTasksOnly',
      ...(prefix !== '' && { Prefix: prefix }),
    },
  };
}

/** S3 puts a slash of its own behind it. */
const folder = (key: string): string => key.replace(/\/+$/, '');

/** One line of a manifest, with its end. What is URL-encoded has no comma, quote or line end that CSV would mind. */
export function encodeManifestRow(bucket: string, key: string, versionId?: string): string {
  const encoded = encodeURIComponent(key).replaceAll('%2F', '/');
  return `${[bucket, encoded, ...(versionId === undefined ? [] : [versionId])].join(',')}\n`;
}

/** An object that S3 has refused to restore. */
export interface FailedTask {
  bucket: string;
  key: string;
  versionId?: string;
  /** S3's: `InvalidObjectState`, `RestoreAlreadyInProgress`, … */
  code: string;
  message: string;
}

interface ReportFile {
  TaskExecutionStatus: string;
  Bucket: string;
  Key: string;
}

/**
 * What the report of a job that is over says of its failed tasks, one after the other.
 * @param report the `report` of the job
 * @throws NoSuchKey of S3 when there is none, as for a job that has run no task
 */
export async function* readReport(s3: S3Client, report: string, jobId: string): AsyncGenerator<FailedTask> {
  const { bucket, key } = parseS3Address(report);
  const prefix = folder(key);
  const where = { Bucket: bucket, Key: `${prefix === '' ? '' : `${prefix}/`}job-${jobId}/manifest.json` };
  const { Body } = await s3.send(new GetObjectCommand(where));
  for (const file of reportFiles((await Body?.transformToString()) ?? '', `s3://${where.Bucket}/${where.Key}`)) {
    if (file.TaskExecutionStatus !== 'failed') continue;
    const { Body: rows } = await s3.send(new GetObjectCommand({ Bucket: file.Bucket, Key: file.Key }));
    yield* failedTasks(rows as AsyncIterable<Uint8Array>, `s3://${file.Bucket}/${file.Key}`);
  }
}

function reportFiles(text: string, address: string): ReportFile[] {
  const { Format, Results } = JSON.parse(text) as { Format?: unknown; Results?: unknown };
  if (Format !== 'Report_CSV_20180820' || !Array.isArray(Results))
    throw new Error(`${address} is not the manifest of a report of S3 Batch Operations`);
  return (Results as Partial<ReportFile>[]).map(({ TaskExecutionStatus, Bucket, Key }) => {
    if (typeof TaskExecutionStatus !== 'string' || typeof Bucket !== 'string' || typeof Key !== 'string')
      throw new Error(`${address} names a file without status, bucket or key`);
    return { TaskExecutionStatus, Bucket, Key };
  });
}

/**
 * Rows of bucket, key, version, status, and code, HTTP status and message. AWS writes code and HTTP status in an order
 * other than the one it announces, so the number tells which is which.
 */
export async function* failedTasks(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  address: string,
): AsyncGenerator<FailedTask> {
  for await (const row of csvRows(pieces)) {
    const [bucket, key, versionId, status, one, other, message] = row;
    if (row.length !== 7 || bucket === undefined || key === undefined || one === undefined || other === undefined)
      throw new Error(`${address} has a row of ${row.length} fields instead of 7`);
    if (status !== 'failed') continue;
    yield {
      bucket,
      key: decodeKey(key),
      ...(versionId && { versionId }),
      code: /^\d{3}$/.test(one) && other !== '' ? other : one,
      message: message ?? '',
    };
  }
}

/** As in the manifest. A key that is not URL-encoded after all stays as it is. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}
