/**
 * Makes the cohort of the demo: a few relatives of the lambda phage, each with variants planted into its genome, and
 * the reads a sequencer would give of them. The same options give the same cohort.
 *
 * @module
 */
import { gzipSync } from 'node:zlib';
import { GREATEST_ERROR_RATE, LEAST_ERROR_RATE } from './cohort/qualities.ts';
import { createRandom } from './cohort/random.ts';
import { type ReadOptions, simulateReads } from './cohort/reads.ts';
import type { Reference } from './cohort/reference.ts';
import { formatTruth } from './cohort/truth.ts';
import { applyVariants, plantVariants, type Site, SPACING } from './cohort/variants.ts';

export { type Reference, readReference } from './cohort/reference.ts';

export interface CohortOptions extends ReadOptions {
  /** Any whole number. */
  seed: number;
  /** How many samples; they are called sample-1, sample-2, ... */
  samples: number;
  /** How many places of the genome differ by one base in at least one sample. */
  snvs: number;
  /** How many places lack, or have more, 1 to 8 bases in at least one sample. */
  indels: number;
  reference: Reference;
}

export interface Cohort {
  samples: readonly CohortSample[];
  /** In the order of their positions. */
  sites: readonly Site[];
  /** The sites and who carries them, as VCF 4.2. */
  truth: string;
}

export interface CohortSample {
  name: string;
  /** The reference with the sample's variants: what was sequenced. */
  genome: string;
  /** `<name>_1.fq.gz` and `<name>_2.fq.gz`. */
  reads: readonly [FastqFile, FastqFile];
}

export interface FastqFile {
  fileName: string;
  bytes: Buffer;
}

/** The demo's own cohort, all but its seed and reference. */
export const COHORT_DEFAULTS = {
  samples: 3,
  coverage: 30,
  readLength: 100,
  insertSize: 300,
  errorRate: 0.005,
  snvs: 90,
  indels: 30,
} as const satisfies Partial<CohortOptions>;

/** @throws RangeError when an option cannot be met */
export function generateCohort(options: CohortOptions): Cohort {
  check(options);
  const { seed, snvs, indels, reference } = options;
  const names = Array.from({ length: options.samples }, (_, index) => `sample-${index + 1}`);
  // Towards the ends of a linear genome coverage falls to nothing within the length of a read.
  const margin = Math.max(SPACING, options.readLength);
  const sites = plantVariants(createRandom(seed, 'variants'), reference.sequence, {
    snvs,
    indels,
    samples: names,
    margin,
  });
  const samples = names.map((name): CohortSample => {
    const own = sites.filter((site) => site.carriers.includes(name));
    const genome = applyVariants(reference.sequence, own);
    const [first, second] = simulateReads(createRandom(seed, name), name, genome, options);
    return { name, genome, reads: [toFile(`${name}_1.fq.gz`, first), toFile(`${name}_2.fq.gz`, second)] };
  });
  return { samples, sites, truth: formatTruth(reference, names, sites) };
}

/** The lowest level: qualities hardly shrink, and the demo should not spend its time here. */
const toFile = (fileName: string, text: string): FastqFile => ({ fileName, bytes: gzipSync(text, { level: 1 }) });

function check({ reference, ...options }: CohortOptions): void {
  const { seed, samples, coverage, readLength, insertSize, errorRate, snvs, indels } = options;
  const wrong = (name: keyof typeof options, expected: string) => {
    throw new RangeError(`${name}: expected ${expected}, got ${options[name]}`);
  };
  const wholeFrom = (least: number, value: number) => Number.isSafeInteger(value) && value >= least;
  const length = reference.sequence.length;
  if (!Number.isSafeInteger(seed)) wrong('seed', 'a whole number');
  if (!wholeFrom(1, samples)) wrong('samples', 'a whole number from 1');
  if (!(coverage > 0 && Number.isFinite(coverage))) wrong('coverage', 'a number above 0');
  if (!wholeFrom(1, readLength) || readLength > length) wrong('readLength', `a whole number from 1 to ${length}`);
  if (!(insertSize >= readLength && insertSize <= length)) {
    wrong('insertSize', `a number from ${readLength} (readLength) to ${length}`);
  }
  if (errorRate !== 0 && !(errorRate >= LEAST_ERROR_RATE && errorRate <= GREATEST_ERROR_RATE)) {
    wrong('errorRate', `0, or a share from ${LEAST_ERROR_RATE} to ${GREATEST_ERROR_RATE}`);
  }
  if (!wholeFrom(0, snvs)) wrong('snvs', 'a whole number from 0');
  if (!wholeFrom(0, indels)) wrong('indels', 'a whole number from 0');
}
