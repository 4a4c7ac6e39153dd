/**
 * Telling the log together with another record that is written anyway: it costs a workflow's history nothing, and is as
 * sure as the record.
 *
 * @module
 */
import { Context, log } from '@temporalio/activity';
import type { ProgressWriter } from '../../lib/progress/log.ts';
import type { Batch } from '../../workflows/progress/outbox.ts';

/** A log that cannot be written holds nobody up for ever: after so many tries of the activity it is left, of an end later. */
const TRIES = { any: 5, end: 20 } as const;

/**
 * To be called when the record has been written.
 * @returns whether the log has it; the workflow keeps what it has not, and tells it with the next
 * @throws whatever the log says, so that the activity is tried again
 */
export async function tellInPassing(progress: ProgressWriter | undefined, batch: Batch | undefined): Promise<boolean> {
  if (!progress || !batch) return false;
  try {
    await progress.append(batch.run, batch.facts, batch.reports);
    return true;
  } catch (error) {
    const tries = batch.reports.some(({ kind }) => kind === 'end') ? TRIES.end : TRIES.any;
    if (Context.current().info.attempt < tries) throw error;
    log.error('progress could not be told', { run: batch.run, error: (error as Error).name });
    return false;
  }
}
