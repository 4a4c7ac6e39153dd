/**
 * Waiting a moment until what was asked for shows: an answer that leads to a run should lead to one that is there.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 100;
const PATIENCE_MS = 10_000;

/** @returns undefined when it does not show soon enough: no worker may be there now */
export async function shows<T>(look: () => Promise<T | undefined>, patienceMs = PATIENCE_MS): Promise<T | undefined> {
  for (const deadline = Date.now() + patienceMs; ; await delay(LOOK_EVERY_MS)) {
    const found = await look();
    if (found !== undefined || Date.now() > deadline) return found;
  }
}
