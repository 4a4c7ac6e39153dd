/**
 * What a job leaves behind: its commit, and for each attempt a record of its start. See docs/job-contract.md.
 *
 * @module
 */
import type { JobContainer } from './log-streams.ts';

/** Written once, with If-None-Match, when everything of the item is stored. */
export interface Commit {
  version: 1;
  item: string;
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
}

export interface CommittedFile {
  /** Relative to the folder of the outputs. */
  path: string;
  /** `s3://…`, or `shared:<path>` on a shared file system. */
  address: string;
  bytes: number;
  /** SHA-256 of the content, hex. */
  sha256: string;
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
  instance?: { id: string; type: string; zone: string; lifecycle: string };
  logs?: { group: string; streams: Record<JobContainer, string> };
}
