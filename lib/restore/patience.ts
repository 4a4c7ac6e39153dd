/**
 * Requests that are made again in place: one of thousands that meets an error that passes is no reason to begin anew.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { refused } from './outcome.ts';

/** Pauses after which a request that may pass is made again, ms; the SDK has tried three times by then. */
const PAUSES_MS = [500, 1_000, 2_000, 4_000, 8_000];
const LONGEST_MS = 8_000;

/** Whether that many tries are enough; then the caller's caller tries again later. */
export const isPatienceAtItsEnd = (tried: number): boolean => tried > PAUSES_MS.length;

/** After a try, counted from 1. Not everybody comes back at once. */
export async function pauseAfter(tried: number): Promise<void> {
  await delay((PAUSES_MS[tried - 1] ?? LONGEST_MS) * (0.5 + Math.random() / 2));
}

/**
 * @param beat called before each try; may throw to end it
 * @throws what `request` threw: at once where it will not pass
 */
export async function patiently<T>(beat: () => void, request: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    beat();
    try {
      return await request();
    } catch (error) {
      if (refused(error).kind !== 'retry' || isPatienceAtItsEnd(tried)) throw error;
    }
    await pauseAfter(tried);
  }
}
