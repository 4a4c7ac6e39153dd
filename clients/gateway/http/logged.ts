/**
 * What a run's log knows, where it can be read now: a log out of reach is no reason to show nothing of a run.
 *
 * @module
 */
import type { LogHead, ProgressReader } from '../../../lib/progress/log.ts';
import type { Snapshot } from '../../../workflows/progress/model.ts';

export interface Warner {
  warn(about: object, message: string): void;
}

async function orNothing<T>(reading: Promise<T | undefined>, log: Warner): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    log.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'a log of progress cannot be read');
    return undefined;
  }
}

export const loggedSnapshot = (progress: ProgressReader, run: string, log: Warner): Promise<Snapshot | undefined> =>
  orNothing(progress.snapshot(run), log);

export const loggedHead = (progress: ProgressReader, run: string, log: Warner): Promise<LogHead | undefined> =>
  orNothing(progress.head(run), log);
