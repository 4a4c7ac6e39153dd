/**
 * What a job leaves behind: its commit, and for each attempt a record of its start. See docs/job-contract.md.
 *
 * @module
 */
import { compare, digestOf } from '../lib/digest.ts';
import type { JobContainer } from './log-streams.ts';

/** Written once, with If-None-Match, when everything of the item is stored. */
export interface Commit {
  version: 2;
  step: string;
  item: string;
  /** See "The key of an item" in docs/job-contract.md. */
  key: string;
  /** `<job id>` of Batch; a child's is `<parent>:<index>`. */
  jobId: string;
  jobAttempt: number;
  generation: number;
  exitCode: 0;
  /** Output name to its files; an empty list cannot be. */
  outputs: Record<string, CommittedFile[]>;
  /** ISO times. */
  startedAt: string;
  committedAt: string;
  /** Absent in commits of earlier versions. */
  usage?: JobUsage;
  /** What the command has reported of itself: see {@link ./metrics.ts}. */
  metrics?: Metrics;
}

/** What the job program has moved, for cost and estimates. */
export interface JobUsage {
  /** Bytes copied from S3, and stored there. */
  inputBytes: number;
  outputBytes: number;
  /** Requests to S3, as it bills them: `put` is PUT, COPY, POST and LIST, `get` all others. */
  requests: { put: number; get: number };
}

/** A number, or a distribution: label to number. */
export type Metrics = Record<string, number | Record<string, number>>;

export interface CommittedFile {
  /** Relative to the folder of the outputs. */
  path: string;
  /** `s3://…`, or `shared:<path>` on a shared file system. */
  address: string;
  bytes: number;
  /** SHA-256 of the content, hex. */
  sha256: string;
}

/** Of the outputs an item has committed: the same exactly if every file has the same name, place and content. */
export function outputsDigest(outputs: Commit['outputs']): string {
  const files = Object.entries(outputs).flatMap(([name, list]) =>
    list.map(({ path, bytes, sha256 }) => [name, path, bytes, sha256] as const),
  );
  return digestOf(files.toSorted((a, b) => compare(a[0], b[0]) || compare(a[1], b[1])));
}

/** Body of a claim: who works on this item. */
export interface Claim {
  jobId: string;
}

/**
 * Written when an attempt starts: what it runs on, for its cost, which the instance does not outlive, and where it
 * logs, which AWS Batch forgets a day after the job's end.
 */
export interface StartRecord {
  item: string;
  jobId: string;
  jobAttempt: number;
  generation?: number;
  startedAt: string;
  instance?: {
    id: string;
    type: string;
    zone: string;
    lifecycle: string;
    /** ISO 8601. */
    launchedAt?: string;
    /** `x86_64`, `arm64`. */
    architecture?: string;
  };
  /** By ECS: what a task on Fargate is billed for. */
  task?: { launchType: string; vcpus?: number; memoryMib?: number; zone?: string };
  /** Size in bytes of the file system the job works on: its volume can be gone when its cost is reckoned. */
  volumeBytes?: number;
  logs?: { group: string; streams: Record<JobContainer, string> };
}
