/**
 * So many a second, and the same in one burst: a token bucket without a timer.
 *
 * @module
 */
export interface Allowance {
  left: number;
  /** Epoch ms. */
  at: number;
}

/**
 * @param perSecond also the most there can be
 * @param cost 1 is one message
 * @returns whether there was enough; otherwise nothing is taken
 */
export function spend(allowance: Allowance, perSecond: number, now: number, cost = 1): boolean {
  const left = Math.min(perSecond, allowance.left + (Math.max(0, now - allowance.at) * perSecond) / 1000);
  allowance.at = now;
  allowance.left = left >= cost ? left - cost : left;
  return left >= cost;
}
