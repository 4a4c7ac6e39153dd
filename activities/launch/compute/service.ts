/**
 * What every compute service does for a launch. `batch` is the first; a new one is a file beside it.
 *
 * @module
 */
import { ApplicationFailure } from '@temporalio/common';
import type { BatchRequest } from '../../../lib/launch/batch-submission.ts';
import type { CauseName } from '../../../workflows/launch/causes.ts';
import type { JobStatus, RunningCounts } from '../../../workflows/launch/model.ts';
import type { SharedFileSystem } from '../../../workflows/launch/sheet/sheet.ts';

/** What of a job goes into its submission, and what into its definition. */
export interface JobRequest extends BatchRequest {
  image: string;
  sharedFileSystem?: SharedFileSystem;
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
  counts?: RunningCounts;
  startedAt?: number;
  /** The service's own words: how it ended, or why it cannot be placed. */
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

/** An attempt of a job or child that has ended. */
export interface AttemptView {
  /** The service's own number, from 1. */
  attempt: number;
  /** Epoch ms; absent where the service does not say. */
  from?: number;
  to: number;
  /** Absent: nothing of it failed. */
  cause?: CauseName;
}

/** A job that was submitted, and those of its children that are asked for; of a single job its own id. */
export interface AskedJob {
  id: string;
  name: string;
  ids: readonly string[];
}

export interface ComputeService {
  readonly name: string;
  /** Where its jobs log. */
  readonly logGroup: string;
  /** Submits; with `lookFirst` only what an earlier try has not submitted already. */
  submit(request: JobRequest, options: { lookFirst: boolean }): Promise<Job>;
  /** Ids one call of `describe` takes. */
  readonly describeLimit: number;
  /** One call; a job that is not known comes back as LOST. */
  describe(ids: readonly string[]): Promise<JobView[]>;
  /** The children of an array that failed, in pages: one call lists up to 1,000, one describes up to 100. */
  failedChildren(id: string): AsyncIterable<JobView[]>;
  /** Why a child of this array cannot be placed; undefined when the service says nothing of it. */
  whyNotPlaced(id: string): Promise<string | undefined>;
  /** When attempts ran and how they ended, as long as the service knows, by id of the job or child; for their cost. */
  attempts?(jobs: readonly AskedJob[], beat: () => void): Promise<Map<string, AttemptView[]>>;
  /** Asks for the end; ending an ended job does nothing. */
  terminate(id: string, reason: string): Promise<void>;
  /**
   * Jobs that have hosts of their own, by what the hosts themselves say: of a job that nobody has recorded they would go
   * on, and cost, for nobody.
   */
  held?(): Promise<{ id: string; workflowId: string }[]>;
  /**
   * Lines of a log stream from its beginning, page by page; at the end the same token comes back. A service without it
   * cannot have its head jobs followed: their tasks are known when they have ended.
   */
  logPage?(stream: string, token: string | undefined): Promise<{ lines: string[]; token?: string }>;
  /** The last lines of a log stream. */
  lastLogLines(stream: string, lines: number): Promise<string[]>;
}

/**
 * @param name absent in rows written before there were several
 * @throws JobRejectedError when this worker has no such service: its settings leave it out
 */
export function serviceNamed<T>(compute: ReadonlyMap<string, T>, name: string = 'batch'): T {
  const service = compute.get(name);
  if (service) return service;
  const known = [...compute.keys()].join(', ');
  throw ApplicationFailure.nonRetryable(
    `this worker has no compute service ${name}; it has: ${known}. docs/compute.md says which settings each needs`,
    'JobRejectedError',
  );
}

/** The service takes so many ids a call. */
export async function describeAll(
  service: Pick<ComputeService, 'describe' | 'describeLimit'>,
  ids: readonly string[],
  beat: () => void,
): Promise<JobView[]> {
  const views: JobView[] = [];
  for (let first = 0; first < ids.length; first += service.describeLimit) {
    beat();
    views.push(...(await service.describe(ids.slice(first, first + service.describeLimit))));
  }
  return views;
}

/** Nothing more happens to the job; one that is not known any more counts as ended. */
export const hasEnded = ({ status }: JobView): boolean =>
  status === 'SUCCEEDED' || status === 'FAILED' || status === 'LOST';
