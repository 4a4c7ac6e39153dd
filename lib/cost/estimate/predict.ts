/**
 * From fits to a band: the sum over items and steps by its moments, a logarithmic normal distribution with Student's t for
 * the few launches behind it.
 *
 * @module
 */
import { awayOf, type Fit, weightOf } from './fit.ts';
import type { Band } from './model.ts';
import { sum, t90 } from './numbers.ts';

/** Of a sum: mean and variance, and how well the variance is known. */
export interface Moments {
  mean: number;
  variance: number;
  /** Squares of the variance's parts over their degrees of freedom: half the variance of the variance. */
  doubt: number;
  /** The deviation that is the launch's own, and the degrees of freedom it is known by. */
  launch: number;
  freedom: number;
}

/** Items of one step that have to run. */
export interface Load {
  items: number;
  /** Logarithms of the sizes that are known. */
  sizes: readonly number[];
  /** What they will run on; absent: what most launches ran on. */
  family?: string;
}

const LEAST_FREEDOM = 2;
/** From here on Student's t is the normal distribution. */
const MOST_FREEDOM = 1000;
const NONE: Moments = { mean: 0, variance: 0, doubt: 0, launch: 0, freedom: MOST_FREEDOM };

/** On a family no launch has run on: a tenth more or less, as generations of instances differ. */
const UNKNOWN_FAMILY = 0.1 ** 2;
/** History has seconds to two places, and rounds all of a kind the same way. */
const RESOLUTION = 0.01;

export function momentsOf(fit: Fit, load: Load): Moments {
  const { items, sizes, family } = load;
  const weights = sizes.map((x) => weightOf(fit.slope, x));
  const others = items - sizes.length;
  const total = sum(weights) + others * fit.unsized;
  if (total <= 0) return NONE;
  const squares = sum(weights.map((weight) => weight ** 2)) + others * fit.unsized ** 2;
  const speed = family === undefined ? 1 : (fit.families.get(family) ?? 1);
  const off =
    sizes.length === 0 ? 0 : sum(sizes.map((x, index) => awayOf(fit.slope, x) * (weights[index] ?? 0))) / total;
  const unknown = family === undefined || fit.families.has(family) ? 0 : UNKNOWN_FAMILY;
  const expected = fit.level * total * speed;
  const chance = (fit.within * squares) / total ** 2;
  const launches = fit.between + fit.levelVariance + fit.slope.variance * off ** 2 + unknown;
  return {
    mean: expected,
    variance: (chance + launches) * expected ** 2 + (RESOLUTION * items) ** 2,
    doubt: (chance ** 2 / fit.freedom.within + launches ** 2 / fit.freedom.between) * expected ** 4,
    launch: Math.sqrt(fit.between) * expected,
    freedom: fit.freedom.between,
  };
}

/** @param together by how much a launch that is slow in one part is slow in the others: 0 to 1 */
export function addMoments(parts: readonly Moments[], together: number): Moments {
  const mean = sum(parts.map((part) => part.mean));
  const launch = sum(parts.map((part) => part.launch));
  const apart = sum(parts.map((part) => part.launch ** 2));
  const common = together * (launch ** 2 - apart);
  const freedom = parts.reduce((least, part) => Math.min(least, part.freedom), MOST_FREEDOM);
  return {
    mean,
    variance: sum(parts.map((part) => part.variance)) + common,
    doubt: sum(parts.map((part) => part.doubt)) + common ** 2 / freedom,
    launch: Math.sqrt(apart + common),
    freedom,
  };
}

/** Of a step, what it costs at so much a second. */
export const atPrice = ({ mean, variance, doubt, launch, freedom }: Moments, price: number): Moments => ({
  mean: mean * price,
  variance: variance * price ** 2,
  doubt: doubt * price ** 4,
  launch: launch * price,
  freedom,
});

/** Of the logarithm. */
export function logOf({ mean, variance }: Pick<Moments, 'mean' | 'variance'>): { middle: number; deviation: number } {
  const square = Math.log1p(variance / mean ** 2);
  return { middle: Math.log(mean) - square / 2, deviation: Math.sqrt(square) };
}

/** Degrees of freedom of a variance that has several parts: Satterthwaite, doi.org/10.2307/3002019. */
const freedomOf = ({ variance, doubt }: Moments): number =>
  doubt > 0 ? Math.min(Math.max(variance ** 2 / doubt, LEAST_FREEDOM), MOST_FREEDOM) : MOST_FREEDOM;
/** @param width by how much what has been missed before makes it wider, or narrower */
export function bandOf(moments: Moments, width: number): Band {
  if (!(moments.mean > 0)) return { expected: 0, p10: 0, p90: 0 };
  const { middle, deviation } = logOf(moments);
  const reach = t90(freedomOf(moments)) * deviation * width;
  return {
    expected: moments.mean,
    p10: Math.min(Math.exp(middle - reach), moments.mean),
    p90: Math.max(Math.exp(middle + reach), moments.mean),
  };
}
