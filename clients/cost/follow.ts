/**
 * Waiting until a launch that has ended has its cost.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { LaunchItem, LaunchStore } from '../../lib/store/launches.ts';

const LOOK_EVERY_MS = 250;

/**
 * By the registry, which the pricing writes last: its workflow may go on for a day, until the bill is there.
 * @throws Error when it has none after so long
 */
export async function awaitCost(
  launches: Pick<LaunchStore, 'get'>,
  launchId: string,
  patienceMs: number,
): Promise<LaunchItem> {
  for (const deadline = Date.now() + patienceMs; ; await delay(LOOK_EVERY_MS)) {
    const item = await launches.get(launchId);
    if (item?.total_cost !== undefined) return item;
    if (Date.now() > deadline)
      throw new Error(
        `launch ${launchId} has no cost after ${patienceMs / 1000} s: look at the workflow cost/${launchId} in the Temporal Web UI`,
      );
  }
}
