/**
 * How an item's time grows with its input: a line through logarithms. What differs within launches and what differs between
 * them both tell, each weighed by how much it scatters; a prior keeps few points from telling much.
 *
 * @module
 */

import { mean, sum } from './numbers.ts';
import type { Observation } from './observations.ts';

export interface Slope {
  value: number;
  /** Of its error. */
  variance: number;
  /** The size at which the line has its middle. */
  centre: number;
  /** The smallest and the largest that was seen. */
  least: number;
  most: number;
}

/** What is believed before: a step's time grows by so much for each e-fold of input, give or take. */
export interface SlopePrior {
  value: number;
  deviation: number;
}

export const NO_SLOPE: Slope = { value: 0, variance: 0, centre: 0, least: 0, most: 0 };
/** Nothing is known: mostly less than in proportion. */
export const FLAT: SlopePrior = { value: 0, deviation: 0.3 };
/** More input never makes it faster; beyond the square nobody estimates. */
const MOST = 2;
/** A command that ended at once has no logarithm. */
const LEAST_SECONDS = 0.01;
/** Of the scatter, so that two points on a line are no proof: as if so many were known to scatter so much. */
const PRIOR = { points: 2, variance: 0.1 };

interface Group {
  x: number;
  y: number;
  points: readonly { x: number; y: number }[];
}

/** The same prior for all steps of a workflow type goes into each; what they find may become the next prior. */
export function slopeOf(observations: readonly Observation[], prior: SlopePrior): Slope {
  const groups = observations.flatMap(({ samples }): Group[] => {
    const points = samples.flatMap(({ x, seconds }) =>
      x === undefined ? [] : [{ x, y: Math.log(Math.max(seconds, LEAST_SECONDS)) }],
    );
    return points.length === 0
      ? []
      : [{ points, x: mean(points.map(({ x }) => x)), y: mean(points.map(({ y }) => y)) }];
  });
  if (groups.length === 0) return NO_SLOPE;
  const centre = mean(groups.map(({ x }) => x));
  const seen = groups.flatMap(({ points }) => points.map(({ x }) => x));
  const within = groups.flatMap(({ x, y, points }) => points.map((point) => ({ x: point.x - x, y: point.y - y })));
  const middle = mean(groups.map(({ y }) => y));
  const between = groups.map(({ x, y }) => ({ x: x - centre, y: y - middle }));
  let slope = { value: prior.value, variance: prior.deviation ** 2 };
  // The scatter is about the line, and the line depends on the scatter: this settles after a few rounds.
  for (let round = 0; round < 3; round += 1) {
    const precision = [
      { of: 1 / prior.deviation ** 2, value: prior.value },
      part(within, within.length - groups.length, slope.value),
      part(between, groups.length - 1, slope.value),
    ];
    const total = sum(precision.map(({ of }) => of));
    slope = { value: sum(precision.map(({ of, value }) => of * value)) / total, variance: 1 / total };
  }
  return { value: Math.min(Math.max(slope.value, 0), MOST), variance: slope.variance, centre, ...rangeOf(seen) };
}

const rangeOf = (values: readonly number[]) => ({
  least: values.reduce((a, b) => Math.min(a, b)),
  most: values.reduce((a, b) => Math.max(a, b)),
});

/** By least squares, and how much it is worth. */
function part(points: readonly { x: number; y: number }[], freedom: number, slope: number) {
  const xx = sum(points.map(({ x }) => x * x));
  if (xx < 1e-9 || freedom < 1) return { of: 0, value: 0 };
  const rest = sum(points.map(({ x, y }) => (y - slope * x) ** 2));
  const scatter = (rest + PRIOR.points * PRIOR.variance) / (freedom + PRIOR.points);
  return { of: xx / scatter, value: sum(points.map(({ x, y }) => x * y)) / xx };
}
