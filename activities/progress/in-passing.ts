/**
 * Telling the log together with another record that is written anyway: it costs a workflow's history nothing, and is as
 * sure as the record.
 *
 * @module
 */
import { activityInfo, log } from '@temporalio/activity';
import type { ProgressWriter } from '../../lib/progress/log.ts';
import type { Batch } from '../../workflows/progress/outbox.ts';

/** A log that cannot be written holds nobody up for ever: after so many tries of the activity it is left, of an end later. */
const TRIES = { any: 5, end: 20 } as const;

/**
 * To be called when the record has been written.
 * @returns whether the log has it, or can never have it; the workflow keeps what it has not, and tells it with the next
 * @throws whatever the log says, so that the activity is tried again
 */
export async function tellInPassing(progress: ProgressWriter | undefined, batch: Batch | undefined): Promise<boolean> {
  if (!progress || !batch) return false;
  const { run, facts, reports } = batch;
  const tries = reports.some(({ kind }) => kind === 'end') ? TRIES.end : TRIES.any;
  return inPassing(run, () => progress.append(run, facts, reports), tries);
}

/** The same of whatever has to do with a log. */
export async function inPassing(
  run: string,
  tell: () => Promise<unknown>,
  tries: number = TRIES.any,
): Promise<boolean> {
  try {
    await tell();
    return true;
  } catch (error) {
    const { name, message } = error as Error;
    // It never will be.
    const invalid = name === 'InvalidProgressError';
    if (!invalid && activityInfo().attempt < tries) throw error;
    log.error('progress could not be told', { run, error: name, ...(invalid && { reason: message }) });
    return invalid;
  }
}
