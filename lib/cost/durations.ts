/**
 * How long a launch was in each status, over all of its attempts.
 *
 * @module
 */

import type { Durations } from '../../workflows/cost/model.ts';
import type { LaunchItem } from '../store/launches.ts';

/** Seconds, to a tenth; a status that ends an attempt lasts no time. */
export function durationsOf({ statuses, earlier = [] }: Pick<LaunchItem, 'statuses' | 'earlier'>): Durations {
  const sums: Record<string, number> = {};
  for (const reached of [...earlier.map((attempt) => attempt.statuses), statuses]) {
    const inOrder = Object.entries(reached).sort(([, a], [, b]) => Date.parse(a) - Date.parse(b));
    for (const [place, [status, at]] of inOrder.entries()) {
      const next = inOrder[place + 1];
      if (next) sums[status] = (sums[status] ?? 0) + Date.parse(next[1]) - Date.parse(at);
    }
  }
  return Object.fromEntries(Object.entries(sums).map(([status, ms]) => [status, Math.round(ms / 100) / 10]));
}
