/**
 * Paired reads of a genome, as FASTQ. Each record's comment says where it comes from and which of its bases are
 * wrong, so that anything made from it can be checked.
 *
 * @module
 */
import { DRAWS, PROBABILITIES, qualityTable } from './qualities.ts';
import type { Random } from './random.ts';

export interface ReadOptions {
  /** Mean number of reads over each base. */
  coverage: number;
  readLength: number;
  /** Mean length of the fragments, both reads included; they are normally distributed. */
  insertSize: number;
  /** Share of wrong bases; 0 for none at all. */
  errorRate: number;
}

/** Deviation of the fragments' lengths over their mean: a well-made library. */
const INSERT_DEVIATION = 0.1;
/** Bits of a random number that choose the quality; the others decide whether the base is wrong. */
const DRAW_BITS = Math.log2(DRAWS);
const BASES = Buffer.from('ACGT');
const BEST_QUALITY = 40;

/** @returns the texts of the two files; the nth records of both are the ends of one fragment */
export function simulateReads(random: Random, sample: string, genome: string, options: ReadOptions): [string, string] {
  const { coverage, readLength, insertSize } = options;
  const forward = Buffer.from(genome, 'latin1');
  const backward = reverseComplement(forward);
  const sequence = createSequencer(random, options);
  const pairs = Math.round((coverage * genome.length) / (2 * readLength));
  const files: [string[], string[]] = [[], []];
  for (let pair = 1; pair <= pairs; pair += 1) {
    const drawn = Math.round(insertSize * (1 + INSERT_DEVIATION * random.normal()));
    const insert = Math.min(Math.max(drawn, readLength), genome.length);
    const start = random.below(genome.length - insert + 1);
    const strand = random.below(2) === 0 ? '+' : '-';
    const left = sequence(forward, start);
    const right = sequence(backward, genome.length - start - insert);
    const origin = `fragment=${start + 1}-${start + insert} strand=${strand}`;
    for (const [end, read] of (strand === '+' ? [left, right] : [right, left]).entries()) {
      files[end]?.push(
        `@${sample}:${pair} ${origin} errors=${read.errors || '-'}\n${read.bases}\n+\n${read.qualities}\n`,
      );
    }
  }
  return [files[0].join(''), files[1].join('')];
}

interface Read {
  bases: string;
  qualities: string;
  /** Cycles from 1, joined by commas. */
  errors: string;
}

function createSequencer(
  random: Random,
  { readLength, errorRate }: ReadOptions,
): (from: Buffer, start: number) => Read {
  const table = errorRate > 0 ? qualityTable(readLength, errorRate) : undefined;
  const thresholds = PROBABILITIES.map((probability) => probability * 2 ** (32 - DRAW_BITS));
  const bases = Buffer.alloc(readLength);
  const qualities = Buffer.alloc(readLength);
  return (from, start) => {
    from.copy(bases, 0, start, start + readLength);
    const errors: number[] = [];
    for (let cycle = 0; cycle < readLength; cycle += 1) {
      const draw = table ? random.uint32() : 0;
      const quality = table?.[cycle * DRAWS + (draw & (DRAWS - 1))] ?? BEST_QUALITY;
      qualities[cycle] = quality + 33;
      if (!table || draw >>> DRAW_BITS >= (thresholds[quality] ?? 0)) continue;
      bases[cycle] = BASES[(BASES.indexOf(bases[cycle] ?? 0) + 1 + random.below(3)) % 4] ?? 0;
      errors.push(cycle + 1);
    }
    return { bases: bases.toString('latin1'), qualities: qualities.toString('latin1'), errors: errors.join(',') };
  };
}

/** @param bases A, C, G and T in ASCII */
function reverseComplement(bases: Buffer): Buffer {
  const result = Buffer.from(bases).reverse();
  for (let index = 0; index < result.length; index += 1) {
    result[index] = BASES[3 - BASES.indexOf(result[index] ?? 0)] ?? 0;
  }
  return result;
}
