/**
 * How the user's container ended, whoever knows it.
 *
 * @module
 */
import type { Job } from './job.ts';

export interface MainEnding {
  exitCode: number;
  /** ISO time. */
  startedAt: string;
}

export interface EndingProvider {
  /** @returns undefined while the command runs, or has not begun */
  mainEnding(job: Job): Promise<MainEnding | undefined>;
  /** In `publish`: the command has ended, and this says how. */
  mainContainer(job: Job): Promise<MainEnding>;
}
