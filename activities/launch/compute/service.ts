/**
 * What every compute service does for a launch. `batch` is the first; a new one is a file beside it.
 *
 * @module
 */
import type { ItemCounts, JobStatus } from '../../../workflows/launch/model.ts';
import type { SharedFileSystem } from '../../../workflows/launch/sheet/sheet.ts';

export interface JobRequest {
  /** Deterministic: looked up before a job is sent again, since SubmitJob has no client token. */
  name: string;
  /** Number of items; more than one makes an array. */
  items: number;
  image: string;
  argv: readonly string[];
  vcpus: number;
  memoryMiB: number;
  timeoutSeconds?: number;
  retries: number;
  environment: Readonly<Record<string, string>>;
  /** The submission key and where the manifest lies. */
  contract: Readonly<Record<string, string>>;
  sharedFileSystem?: SharedFileSystem;
  tags: Readonly<Record<string, string>>;
}

export interface Job {
  id: string;
  name: string;
  queue: string;
  /** Where it runs, for the poller. */
  account: string;
  region: string;
  logGroup: string;
}

/** What the service says of a job. `lost`: it does not know the job any more. */
export interface JobView {
  id: string;
  status: JobStatus | 'LOST';
  attempts: number;
  counts?: Omit<ItemCounts, 'total'>;
  startedAt?: number;
  reason?: string;
  /** Per container: log stream, and how the last attempt ended. */
  containers: readonly ContainerView[];
}

export interface ContainerView {
  name: string;
  exitCode?: number;
  reason?: string;
  logStream?: string;
}

export interface ComputeService {
  readonly name: string;
  /** Where its jobs log. */
  readonly logGroup: string;
  /** Submits, or finds what an earlier try has submitted. */
  submit(request: JobRequest): Promise<Job>;
  /** One call for up to 100 jobs; a job that is not known comes back as LOST. */
  describe(ids: readonly string[]): Promise<JobView[]>;
  /** The children of an array that failed, at most `limit`. */
  failedChildren(id: string, limit: number): Promise<JobView[]>;
  /** Asks for the end; ending an ended job does nothing. */
  terminate(id: string, reason: string): Promise<void>;
  /** The last lines of a log stream. */
  lastLogLines(stream: string, lines: number): Promise<string[]>;
}

/** Nothing more happens to the job; one that is not known any more counts as ended. */
export const hasEnded = ({ status }: JobView): boolean =>
  status === 'SUCCEEDED' || status === 'FAILED' || status === 'LOST';
