/**
 * The variants of a cohort: where they are planted, who carries them, and the genome they make.
 *
 * @module
 */
import type { Random } from './random.ts';

/** As in VCF: position from 1; an indel begins with the base before it. */
export interface Variant {
  position: number;
  ref: string;
  alt: string;
}

export interface Site extends Variant {
  /** Names of the samples that have it. */
  carriers: readonly string[];
}

/** Bases left alone around each variant: two in one read could be written as another pair. */
export const SPACING = 50;
const LONGEST_INDEL = 8;
const BASES = 'ACGT';
const TRANSITION: Readonly<Record<string, string>> = { A: 'G', G: 'A', C: 'T', T: 'C' };
/** Draws for each variant before the reference counts as full. */
const ATTEMPTS = 200;

/**
 * @param margin bases at either end that stay as they are: few reads cover them
 * @returns in the order of their positions; one half shared by two or more samples, the other private to one
 * @throws RangeError when the reference has no room for them
 */
export function plantVariants(
  random: Random,
  sequence: string,
  { snvs, indels, samples, margin }: { snvs: number; indels: number; samples: readonly string[]; margin: number },
): Site[] {
  const taken = new Uint8Array(sequence.length);
  taken.fill(1, 0, margin);
  taken.fill(1, Math.max(0, sequence.length - margin));
  const variants: Variant[] = [];
  const plant = (count: number, draw: (start: number) => Variant | undefined) => {
    for (let planted = 0, attempt = 0; planted < count; attempt += 1) {
      if (attempt === ATTEMPTS * count) {
        throw new RangeError(`${sequence.length} bases have no room for ${snvs} SNVs and ${indels} indels`);
      }
      const variant = draw(random.below(sequence.length));
      if (!variant) continue;
      const start = variant.position - 1;
      const end = start + variant.ref.length;
      if (end > sequence.length || taken.subarray(start, end).includes(1)) continue;
      taken.fill(1, Math.max(0, start - SPACING), end + SPACING);
      variants.push(variant);
      planted += 1;
    }
  };
  // Indels first: they are harder to place.
  plant(indels, (start) => drawIndel(random, sequence, start));
  plant(snvs, (start) => drawSnv(random, sequence, start));
  variants.sort((one, other) => one.position - other.position);
  return assignCarriers(random, variants, samples);
}

/** Two transitions (A-G, C-T) for each transversion, about what evolution does. */
function drawSnv(random: Random, sequence: string, start: number): Variant | undefined {
  const ref = sequence[start] ?? '';
  const transition = TRANSITION[ref] ?? '';
  const transversions = [...BASES].filter((base) => base !== ref && base !== transition);
  const alt = random.below(3) < 2 ? transition : (transversions[random.below(2)] ?? '');
  return { position: start + 1, ref, alt };
}

/** An insertion or a deletion that can be written in one way only; undefined when this one could be shifted. */
function drawIndel(random: Random, sequence: string, start: number): Variant | undefined {
  const length = 1 + random.below(LONGEST_INDEL);
  const anchor = sequence[start] ?? '';
  const deletes = random.below(2) === 0;
  const changed = deletes
    ? sequence.slice(start + 1, start + 1 + length)
    : Array.from({ length }, () => BASES[random.below(BASES.length)]).join('');
  const next = sequence[start + 1 + (deletes ? length : 0)];
  // It could move left if it ended with the base before it, and right if it began with the base after it.
  if (changed.at(-1) === anchor || changed[0] === next) return undefined;
  return { position: start + 1, ref: deletes ? anchor + changed : anchor, alt: deletes ? anchor : anchor + changed };
}

function assignCarriers(random: Random, variants: readonly Variant[], samples: readonly string[]): Site[] {
  return variants.map((variant, index) => {
    const shared = samples.length > 1 && index % 2 === 0;
    const carriers = shuffled(random, samples).slice(0, shared ? 2 + random.below(samples.length - 1) : 1);
    return { ...variant, carriers: samples.filter((sample) => carriers.includes(sample)) };
  });
}

/** Fisher and Yates. */
function shuffled<T>(random: Random, values: readonly T[]): T[] {
  const result = [...values];
  for (let index = result.length - 1; index > 0; index -= 1) {
    const other = random.below(index + 1);
    [result[index], result[other]] = [result[other] as T, result[index] as T];
  }
  return result;
}

/** @param variants in the order of their positions */
export function applyVariants(sequence: string, variants: readonly Variant[]): string {
  const parts: string[] = [];
  let done = 0;
  for (const { position, ref, alt } of variants) {
    parts.push(sequence.slice(done, position - 1), alt);
    done = position - 1 + ref.length;
  }
  return parts.join('') + sequence.slice(done);
}
