/**
 * How long a launch takes from its first job to its last: steps begin when those they need have ended, all items of a step
 * at once as far as there are vCPUs. What jobs wait for (a queue, an instance that starts) is not in it.
 *
 * Steps are drawn, not added up, since the longest item and the slowest branch decide: the same numbers every time.
 *
 * @module
 */
import { type Fit, weightOf } from './fit.ts';
import type { Band, StepQuestion } from './model.ts';
import { mean, normalOf, quantile, randomOf } from './numbers.ts';
import { type Load, logOf, momentsOf } from './predict.ts';

export interface WallStep extends Pick<StepQuestion, 'step' | 'after' | 'items' | 'vcpus'> {
  /** Absent: not known, or nothing to run; it takes no time then. */
  known?: { fit: Fit; load: Load };
}

const DRAWS = 400;
/** Probabilities at which the longest item is worked out; between them it is interpolated. */
const LEVELS = 40;
/** Sizes are taken together within so much of a logarithm. */
const BIN = 0.05;
/** What lies above the longest item ever seen gets rarer with this power (Pareto), of items that differ by their mean. */
const TAIL = 4;

export interface WallOptions {
  parallelVcpus: number;
  /** Of the calibration. */
  width: number;
  /** By how much a launch that is slow in one step is slow in the others: 0 to 1. */
  together: number;
}

/** @param steps in an order in which each comes after those it needs */
export function wallOf(steps: readonly WallStep[], options: WallOptions): Band {
  const random = randomOf('launch');
  const common = Array.from({ length: DRAWS }, () => normalOf(random));
  const drawn = steps.map((step) => ({ ...step, ends: drawsOf(step, options, common) }));
  const ends = new Map<string, readonly number[]>();
  for (const { step, after, ends: own } of drawn) {
    const before = after.flatMap((name) => [ends.get(name) ?? []]);
    ends.set(
      step,
      own.map((seconds, draw) => seconds + Math.max(0, ...before.map((times) => times[draw] ?? 0))),
    );
  }
  const launch = Array.from({ length: DRAWS }, (_, draw) =>
    Math.max(0, ...[...ends.values()].map((times) => times[draw] ?? 0)),
  ).sort((a, b) => a - b);
  return { expected: mean(launch), p10: quantile(launch, 0.1), p90: quantile(launch, 0.9) };
}

/** Of one step, from its begin. */
function drawsOf(
  { step, vcpus, known }: WallStep,
  { parallelVcpus, width, together }: WallOptions,
  common: readonly number[],
): number[] {
  if (!known || known.load.items === 0) return Array.from({ length: DRAWS }, () => 0);
  const { fit, load } = known;
  const moments = momentsOf(fit, load);
  const sequential = moments.mean / Math.max(1, Math.floor(parallelVcpus / vcpus));
  const apart = width * Math.sqrt(Math.log1p(fit.between + fit.levelVariance));
  const { middle, deviation } = logOf(moments);
  const longest = longestOf(fit, load, Math.exp(middle + deviation ** 2 / 2));
  const random = randomOf(step);
  return common.map((shared) => {
    const place = random() * (LEVELS - 1);
    const [below, above] = [longest[Math.floor(place)] ?? 0, longest[Math.ceil(place)] ?? 0];
    const luck = Math.sqrt(together) * shared + Math.sqrt(1 - together) * normalOf(random);
    const launch = Math.exp(apart * luck - apart ** 2 / 2);
    return launch * Math.max(sequential, below + (above - below) * (place % 1));
  });
}

/** Quantiles of the longest of all items: where the product of their probabilities to be shorter is the level. */
function longestOf(fit: Fit, { items, sizes, family }: Load, most: number): number[] {
  const speed = family === undefined ? 1 : (fit.families.get(family) ?? 1);
  const bins = new Map<number, number>();
  const add = (weight: number, count: number) => {
    const bin = Math.round(Math.log(weight) / BIN);
    bins.set(bin, (bins.get(bin) ?? 0) + count);
  };
  for (const x of sizes) add(weightOf(fit.slope, x), 1);
  if (items > sizes.length) add(fit.unsized, items - sizes.length);
  const tail = TAIL / Math.min(Math.max(Math.sqrt(fit.within), 0.001), 1);
  const parts = [...bins].map(([bin, count]) => ({ unit: fit.level * speed * Math.exp(bin * BIN), count }));
  return Array.from({ length: LEVELS }, (_, nth) => {
    const wanted = Math.log((nth + 0.5) / LEVELS);
    let [low, high] = [0, most * 4];
    for (let round = 0; round < 40; round += 1) {
      const time = (low + high) / 2;
      const chance = parts.reduce(
        (total, { unit, count }) => total + count * Math.log(shorter(fit.ratios, tail, time / unit)),
        0,
      );
      if (chance < wanted) low = time;
      else high = time;
    }
    return high;
  });
}

/** The probability that an item takes less than `ratio` of what is expected of it. */
function shorter(ratios: readonly number[], tail: number, ratio: number): number {
  const count = ratios.length;
  const last = ratios.at(-1) ?? 1;
  if (ratio >= last) return 1 - (last / ratio) ** tail / (count + 1);
  let [low, high] = [0, count];
  while (low < high) {
    const half = (low + high) >> 1;
    if ((ratios[half] ?? 0) <= ratio) low = half + 1;
    else high = half;
  }
  const [below, above] = [ratios[low - 1] ?? 0, ratios[low] ?? last];
  return Math.max((low + (above > below ? (ratio - below) / (above - below) : 0)) / (count + 1), 1e-12);
}
