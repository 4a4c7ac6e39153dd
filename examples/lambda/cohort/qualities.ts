/**
 * Base qualities as a sequencer gives them: good at first, worse along the read, in the eight levels of Illumina's
 * binning. A quality keeps its word: a base of quality q is wrong with probability 10^(-q/10).
 *
 * @module
 */

/** Illumina's levels without the lowest, which means "not called". */
const LEVELS = [6, 15, 22, 27, 33, 37, 40] as const;
/** How much likelier an error is at the end of a read than at its beginning. */
const DECAY = 12;
/** Spread of the error probability from base to base, as the deviation of its natural logarithm. */
const NOISE = 0.8;
/** Draws for each cycle, a power of two: evenly spaced quantiles of the noise. */
export const DRAWS = 64;

/** What the lowest and the highest level can stand for. */
export const LEAST_ERROR_RATE = 0.0001;
export const GREATEST_ERROR_RATE = 0.25;

/** The probability that a base is wrong, by its quality. */
export const PROBABILITIES: readonly number[] = Array.from({ length: 41 }, (_, quality) => 10 ** (-quality / 10));

/**
 * @returns for each cycle of a read {@link DRAWS} qualities, each as likely as the others; their errors average to
 *   `errorRate`
 */
export function qualityTable(readLength: number, errorRate: number): Uint8Array {
  const shape = Float64Array.from({ length: readLength * DRAWS }, (_, index) => relativeQuality(readLength, index));
  const tableOf = (first: number) => Uint8Array.from(shape, (quality) => nearestLevel(first + quality));
  let low = -100;
  let high = 150;
  // The better the first cycle, the fewer errors: halve the interval until it is finer than any step of the table.
  for (let round = 0; round < 32; round += 1) {
    const middle = (low + high) / 2;
    if (meanError(tableOf(middle)) > errorRate) low = middle;
    else high = middle;
  }
  return tableOf(low);
}

/** How far a draw of a cycle lies from the typical quality of the first cycle. */
function relativeQuality(readLength: number, index: number): number {
  const progress = Math.floor(index / DRAWS) / Math.max(1, readLength - 1);
  const noise = NOISE * logisticQuantile(((index % DRAWS) + 0.5) / DRAWS);
  return -10 * Math.log10(DECAY ** progress * Math.exp(noise));
}

/** Of deviation 1: near the normal distribution, and with a closed form. */
const logisticQuantile = (share: number): number => (Math.log(share / (1 - share)) * Math.sqrt(3)) / Math.PI;

function nearestLevel(quality: number): number {
  let best: number = LEVELS[0];
  for (const level of LEVELS) if (Math.abs(level - quality) < Math.abs(best - quality)) best = level;
  return best;
}

function meanError(table: Uint8Array): number {
  let sum = 0;
  for (const quality of table) sum += PROBABILITIES[quality] ?? 0;
  return sum / table.length;
}
