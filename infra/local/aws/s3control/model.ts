/**
 * What the stand-in for S3 Batch Operations keeps: jobs, how far each is, and the journal's entries.
 *
 * @module
 */

export type JobStatus =
  | 'New'
  | 'Preparing'
  | 'Suspended'
  | 'Ready'
  | 'Active'
  | 'Completing'
  | 'Complete'
  | 'Cancelling'
  | 'Cancelled'
  | 'Failing'
  | 'Failed';

export const isEnded = (status: JobStatus): boolean =>
  status === 'Complete' || status === 'Cancelled' || status === 'Failed';

export const FIELDS = ['Bucket', 'Key', 'VersionId', 'Ignore'] as const;
export type Field = (typeof FIELDS)[number];

/** As CreateJob has it. */
export interface JobRequest {
  confirmationRequired: boolean;
  description?: string;
  priority: number;
  roleArn: string;
  tags: { Key: string; Value: string }[];
  restore: { tier?: 'STANDARD' | 'BULK'; days?: number };
  manifest: { fields: Field[]; objectArn: string; etag: string };
  /** Undefined when no report is wanted. */
  report?: { bucketArn: string; prefix?: string; scope: 'AllTasks' | 'FailedTasksOnly' };
}

export interface Job extends JobRequest {
  id: string;
  /** Of CreateJob, and a hash of all the rest of it. */
  token: string;
  fingerprint: string;
  status: JobStatus;
  /** Why somebody changed it. */
  statusUpdateReason?: string;
  failure?: { code: string; reason: string };
  /** Milliseconds since the epoch. */
  createdAt: number;
  suspendedAt?: number;
  activeAt?: number;
  /** Since then it has run no more tasks. */
  inactiveAt?: number;
  endedAt?: number;
  /** Tasks; those that were run are the first ones of the manifest. */
  total: number;
  succeeded: number;
  failed: number;
}

/** A task S3 has refused. */
export interface TaskFailure {
  /** Place in the manifest, from 0. */
  index: number;
  code: string;
  status: number;
  message: string;
}

export type Entry =
  | { op: 'job'; job: Job; failures?: TaskFailure[] }
  | { op: 'task'; id: string; failure?: TaskFailure }
  | { op: 'end'; id: string };
