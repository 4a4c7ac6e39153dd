/**
 * Jobs as DescribeJob and ListJobs tell them.
 *
 * @module
 */
import type { XmlObject } from '../../kit/xml.ts';
import type { Place } from '../ports.ts';
import type { Job } from './model.ts';

export const describeJob = (job: Job, place: Place, now: number): XmlObject => ({
  ...common(job, now),
  JobArn: `arn:aws:s3:${place.region}:${place.accountId}:job/${job.id}`,
  ConfirmationRequired: job.confirmationRequired,
  Manifest: {
    Spec: { Format: 'S3BatchOperations_CSV_20180820', Fields: { member: job.manifest.fields } },
    Location: { ObjectArn: job.manifest.objectArn, ETag: job.manifest.etag },
  },
  Operation: { S3InitiateRestoreObject: { ExpirationInDays: job.restore.days, GlacierJobTier: job.restore.tier } },
  StatusUpdateReason: job.statusUpdateReason,
  ...(job.failure && {
    FailureReasons: { member: [{ FailureCode: job.failure.code, FailureReason: job.failure.reason }] },
  }),
  Report: job.report
    ? {
        Enabled: true,
        Bucket: job.report.bucketArn,
        Format: 'Report_CSV_20180820',
        Prefix: job.report.prefix,
        ReportScope: job.report.scope,
      }
    : { Enabled: false },
  RoleArn: job.roleArn,
  SuspendedDate: time(job.suspendedAt),
  ...(job.status === 'Suspended' && { SuspendedCause: 'AwaitingConfirmation' }),
});

export const listedJob = (job: Job, now: number): XmlObject => ({
  ...common(job, now),
  Operation: 'S3InitiateRestoreObject',
});

const common = (job: Job, now: number): XmlObject => ({
  JobId: job.id,
  Description: job.description,
  Priority: job.priority,
  Status: job.status,
  CreationTime: time(job.createdAt),
  TerminationDate: time(job.endedAt),
  ProgressSummary: {
    TotalNumberOfTasks: job.total,
    NumberOfTasksSucceeded: job.succeeded,
    NumberOfTasksFailed: job.failed,
    Timers: { ElapsedTimeInActiveSeconds: activeSeconds(job, now) },
  },
});

const activeSeconds = ({ activeAt, inactiveAt }: Job, now: number): number =>
  activeAt === undefined ? 0 : Math.round(((inactiveAt ?? now) - activeAt) / 1000);

const time = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : new Date(at).toISOString();
