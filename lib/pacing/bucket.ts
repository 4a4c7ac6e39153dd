/**
 * The arithmetic of pacing, without waiting and without a table: slices of time, the rate after throttling, and how
 * many tokens a lease takes. A token is one call.
 *
 * @module
 */

/** Length of a slice, ms. Quotas are published per second. */
export const SLICE_MS = 1000;
/** The rate after a throttled call is this much of the rate before. */
export const CUT_FACTOR = 0.7;
/** What comes back each second after a cut, as a share of the ceiling: from one cut to full again in 15 s. */
export const RECOVERY_PER_SECOND = 0.02;
/** No cut goes below this share of the ceiling. */
const LEAST_SHARE = 0.05;
/** A lease takes at most this share of a slice, so that several processes under load share each slice. */
const LEASE_SHARE = 0.25;
/**
 * This share of a slice's tokens may be leased from its start, the rest bit by bit until only as much of the slice is
 * left. Else the end of one slice and the start of the next could see two slices' tokens at once; so it is 1.25 times
 * 80 %, the published quota, and a service whose own bucket holds one second's worth has no cause to throttle.
 */
const HEAD_START = 0.25;
/**
 * What a process allows itself of the rate while the table cannot be reached. It does not know how many do the same:
 * five processes at a quarter of 80 % are the whole published quota, and not more.
 */
export const LOCAL_SHARE = 0.25;

/** The last cut of a quota's rate: calls a second, and the slice whose call was throttled. */
export interface Cut {
  rate: number;
  slice: number;
}

/** Number of the slice a time (epoch ms) lies in: the epoch second. */
export const sliceAt = (now: number): number => Math.floor(now / SLICE_MS);

/** The share of its slice that is still to come, above 0 and up to 1. */
export const restOfSlice = (now: number): number => 1 - (now - sliceAt(now) * SLICE_MS) / SLICE_MS;

/**
 * The rate in a slice, calls a second: up again steadily since the last cut. A function of time, so that every process
 * that knows of the cut has the same rate, and nobody has to write one that rises.
 */
export function rateAt(cut: Cut | undefined, slice: number, ceiling: number): number {
  if (cut === undefined) return ceiling;
  const recovered = cut.rate + Math.max(0, slice - cut.slice) * RECOVERY_PER_SECOND * ceiling;
  return Math.min(ceiling, Math.max(LEAST_SHARE * ceiling, recovered));
}

/** Tokens of a slice. At least one, or nothing would ever go on. */
export const allowanceOf = (rate: number): number => Math.max(1, Math.floor(rate));

/** Tokens of a slice that must not be leased yet. */
export const reserveOf = (allowance: number, rest: number): number =>
  Math.floor(allowance * Math.max(0, rest - HEAD_START));

/** What is left of a slice, as {@link restOfSlice}, when its reserve has come down to `reserve`. */
export const restWhenReserveIs = (reserve: number, allowance: number): number => HEAD_START + reserve / allowance;

/** Tokens of a slice for one process alone, without the table. */
export const localAllowanceOf = (rate: number): number => allowanceOf(rate * LOCAL_SHARE);

/**
 * The cut for a throttled call whose token was of `slice`.
 * @returns undefined when the rate has been cut for that slice or a later one: many calls are throttled at once
 */
export function cutFor(cut: Cut | undefined, slice: number, ceiling: number): Cut | undefined {
  if (cut !== undefined && cut.slice >= slice) return undefined;
  return { rate: Math.max(LEAST_SHARE * ceiling, rateAt(cut, slice, ceiling) * CUT_FACTOR), slice };
}

export interface Demand {
  /** Calls that wait now, in this process. */
  waiting: number;
  /** Tokens this process has used of the current slice, and of the one before. */
  used: number;
  before: number;
  /** As {@link restOfSlice}. */
  rest: number;
  /** Tokens of the whole slice. */
  allowance: number;
}

/**
 * Tokens of the next lease: what waits, or, where more, what the use so far lets expect for the rest of the slice.
 * What is leased and not used is lost to all, so with little demand it is one.
 */
export function leaseSize({ waiting, used, before, rest, allowance }: Demand): number {
  // At most doubled: the first calls of a slice tell little.
  const likeNow = Math.min(used, rest < 1 ? (used * rest) / (1 - rest) : 0);
  const expected = Math.max(1, waiting, Math.round(likeNow), Math.round(before * rest));
  return Math.min(expected, Math.ceil(allowance * LEASE_SHARE));
}
