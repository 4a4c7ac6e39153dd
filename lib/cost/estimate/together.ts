/**
 * Whether launches that are slow in one step are slow in the others: a disk, a day, a patient with more reads. Without it
 * the band of a sum would be too narrow.
 *
 * @module
 */
import type { Fit } from './fit.ts';
import { sum } from './numbers.ts';

/** As many launches as the belief that it is half so is worth. */
const PRIOR = { launches: 2, together: 0.5 };
/** A launch that went all wrong in two steps is one launch. */
const MOST_OFF = 1;

/**
 * By moments: items' luck is each step's own, so products of two steps' deviations have the mean that launches put there.
 * @param steps what each weighs in the sum
 * @returns the correlation of what launches do to steps: 0 to 1
 */
export function togetherOf(steps: readonly { fit: Fit; mean: number }[]): number {
  const launches = new Set(steps.flatMap(({ fit }) => fit.launches));
  const whole = possible(steps);
  if (whole <= 0) return 0;
  let found = PRIOR.launches * PRIOR.together * whole;
  let most = PRIOR.launches * whole;
  for (const launch of [...launches].sort()) {
    const present = steps.filter(({ fit }) => fit.offs.has(launch));
    const offs = present.map(({ fit, mean }) => mean * Math.min(fit.offs.get(launch) ?? 0, MOST_OFF));
    found += sum(offs) ** 2 - sum(offs.map((off) => off ** 2));
    // Deviations are from a mean that this launch is in.
    most += possible(present) * (1 - 1 / launches.size);
  }
  return Math.min(Math.max(found / most, 0), 1);
}

/** What the products would be if launches did the same to all steps. */
function possible(steps: readonly { fit: Fit; mean: number }[]): number {
  const deviations = steps.map(({ fit, mean }) => Math.sqrt(fit.between) * mean);
  return sum(deviations) ** 2 - sum(deviations.map((deviation) => deviation ** 2));
}
