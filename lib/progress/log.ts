/**
 * The log of a run, as its writers and readers see it. `lib/store/progress.ts` is the one there is; tests may have another.
 *
 * @module
 */
import type { ProgressEvent, Report, RunFacts, Snapshot } from '../../workflows/progress/model.ts';

/** What is known of a log without reading it. */
export interface LogHead extends RunFacts {
  epoch: string;
  /** Of the newest event. */
  seq: number;
  /** Of the oldest event that is kept; `seq + 1` when none is. */
  first: number;
  status?: string;
  /** Epoch ms; of the present attempt. */
  endedAt?: number;
  changedAt: number;
}

export interface ProgressReader {
  /** @returns undefined where there is no log, or no longer */
  head(run: string): Promise<LogHead | undefined>;
  /**
   * Events after a sequence, in order, without gaps, read consistently.
   * @param limit at most so many
   */
  read(run: string, after: number, limit: number): Promise<ProgressEvent[]>;
  /** The picture up to the newest event, or a few before it: its `seq` says which. */
  snapshot(run: string): Promise<Snapshot | undefined>;
}

/** What became of reports. */
export interface Appended {
  epoch: string;
  /** Those that were taken, as the log has them now. */
  events: ProgressEvent[];
  /** Those that were told before, or by an attempt that has been superseded. */
  refused: number;
}

export interface ProgressWriter {
  /** Appends what is new of the reports, in their order; repeating it changes nothing. */
  append(run: string, facts: RunFacts, reports: readonly Report[]): Promise<Appended>;
}
