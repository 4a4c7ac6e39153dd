/**
 * From what a part of a job throws to its exit code.
 *
 * @module
 */
import { EXIT } from './exit-codes.ts';
import { JobError } from './job.ts';

/** @returns the exit code; what went wrong has been said */
export async function guarded(say: (line: string) => void, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    // The last line of the log is what the user is shown, so it says what happened and nothing else.
    const known = error instanceof JobError;
    say(known ? error.message : `failed: ${error instanceof Error ? error.message : String(error)}`);
    return known ? error.exitCode : EXIT.failed;
  }
}
