/**
 * What an estimate is asked, and what it answers. Seconds are of work: the time of every item added up; money is in the
 * currency of the prices it was given.
 *
 * @module
 */

/** A step of a launch that has not begun. */
export interface StepQuestion {
  step: string;
  /** Steps that must have ended first. */
  after: readonly string[];
  /** By what history knows it: `workOf`. */
  work: string;
  /** That have to run; those whose results are known are in `cached`. */
  items: number;
  cached: number;
  /** Of items that have to run, in any order, as far as they are known beforehand. */
  inputBytes: readonly number[];
  /** Of each item. */
  vcpus: number;
  memoryMib: number;
}

/** In eight of ten launches the truth should lie from `p10` to `p90`. */
export interface Band {
  expected: number;
  p10: number;
  p90: number;
}

/** What one step is thought to be. */
export interface StepEstimate {
  step: string;
  items: number;
  cached: number;
  /** Absent where history does not tell. */
  seconds?: Band;
  /** The launches it has been learnt from, the newest first. */
  launches: readonly string[];
  /** Inputs are smaller or larger than any it has learnt from: the line goes on where nobody has been. */
  extrapolated?: true;
  /** What history lacks. */
  missing?: string;
}

export interface LaunchEstimate {
  steps: readonly StepEstimate[];
  /** Of the steps that are known. */
  seconds: Band;
  /** From the first job to the last, at the parallelism that was assumed. */
  wallSeconds: Band;
  /** Some step is not in it. */
  incomplete: boolean;
  /** All that any step has been learnt from, the newest first. */
  launches: readonly string[];
}

/** Fewer launches do not say how launches differ. */
export const LEAST_LAUNCHES = 3;

export const NOTHING: Band = { expected: 0, p10: 0, p90: 0 };
