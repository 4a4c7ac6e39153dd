/**
 * How wide a band has to be: every launch of the past is estimated from the others, and what it was is held against that.
 * The same thought as conformal prediction (normalised residuals, doi.org/10.1080/01621459.2017.1307116), with a prior in
 * place of quantiles, which few launches do not have.
 *
 * @module
 */
import { type Fit, fitStep, type Prior } from './fit.ts';
import { LEAST_LAUNCHES } from './model.ts';
import { sum } from './numbers.ts';
import type { Observation } from './observations.ts';
import { addMoments, logOf, type Moments, momentsOf } from './predict.ts';

export interface Learnt {
  observations: readonly Observation[];
  prior: Prior;
  sized: boolean;
  fit: Fit;
}

/** As many launches as the model itself is worth. */
const PRIOR_LAUNCHES = 3;
/** A launch that went all wrong must not make every band useless. */
const MOST_OFF = 3;
/** Bands stay in order of size within these. */
const WIDTHS = { least: 0.5, most: 1.5 };

/** A launch of the past, as the others would have had it estimated, and what it took. */
export interface LeftOut {
  moments: Moments;
  took: number;
}

/** By launch; those whose others are too few are not in it. */
export function leaveOut({ observations, prior, sized, fit: { launches } }: Learnt): Map<string, LeftOut> {
  const known = new Map<string, LeftOut>();
  if (launches.length < LEAST_LAUNCHES) return known;
  for (const launch of launches) {
    const fit = fitStep(
      observations.filter((one) => one.launch !== launch),
      prior,
      sized,
    );
    const own = observations.filter((one) => one.launch === launch);
    const parts = own.map(({ family, samples }) => {
      const sizes = sized ? samples.flatMap(({ x }) => (x === undefined ? [] : [x])) : [];
      return momentsOf(fit, { items: samples.length, sizes, family });
    });
    const took = sum(own.flatMap(({ samples }) => samples.map(({ seconds }) => seconds)));
    known.set(launch, { moments: addMoments(parts, 1), took });
  }
  return known;
}

/** @returns a factor of the deviation, of the steps together */
export function widthOf(steps: readonly ReadonlyMap<string, LeftOut>[], together: number): number {
  const squares: number[] = [];
  for (const launch of [...new Set(steps.flatMap((step) => [...step.keys()]))].sort()) {
    const parts = steps.flatMap((step) => step.get(launch) ?? []);
    const took = sum(parts.map((part) => part.took));
    const moments = addMoments(
      parts.map((part) => part.moments),
      together,
    );
    if (!(took > 0 && moments.mean > 0)) continue;
    const { middle, deviation } = logOf(moments);
    if (deviation > 1e-9) squares.push(Math.min(Math.abs(Math.log(took) - middle) / deviation, MOST_OFF) ** 2);
  }
  const square = (PRIOR_LAUNCHES + sum(squares)) / (PRIOR_LAUNCHES + squares.length);
  return Math.min(Math.max(Math.sqrt(square), WIDTHS.least), WIDTHS.most);
}
