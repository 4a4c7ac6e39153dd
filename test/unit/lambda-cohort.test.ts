/** The demo's cohort: the same again by seed, honest about what was planted and what was read wrong. */
import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COHORT_DEFAULTS, type Cohort, generateCohort, readReference } from '../../examples/lambda/generate.ts';

const file = new URL('../../examples/lambda/lambda_virus.fa.gz', import.meta.url);
const reference = readReference(readFileSync(file));
/** Enough reads for statistics, few enough to be quick. */
const SMALL = { ...COHORT_DEFAULTS, reference, seed: 1, coverage: 4 };

interface Read {
  name: string;
  bases: string;
  qualities: number[];
  from: number;
  to: number;
  strand: string;
  /** Indices of the wrong bases. */
  errors: Set<number>;
}

function readsOf(bytes: Buffer): Read[] {
  const lines = gunzipSync(bytes).toString('latin1').trimEnd().split('\n');
  return Array.from({ length: lines.length / 4 }, (_, index) => {
    const [header = '', bases = '', plus, quality = ''] = lines.slice(index * 4, index * 4 + 4);
    const parsed = /^@(\S+) fragment=(\d+)-(\d+) strand=([+-]) errors=(-|[\d,]+)$/.exec(header);
    if (!parsed || plus !== '+') throw new Error(`not a record: ${header}`);
    const [, name = '', from, to, strand = '', errors = ''] = parsed;
    return {
      name,
      bases,
      qualities: [...quality].map((letter) => letter.charCodeAt(0) - 33),
      from: Number(from),
      to: Number(to),
      strand,
      errors: new Set(errors === '-' ? [] : errors.split(',').map((cycle) => Number(cycle) - 1)),
    };
  });
}

const COMPLEMENT: Record<string, string> = { A: 'T', C: 'G', G: 'C', T: 'A' };
const reverseComplement = (bases: string): string =>
  [...bases]
    .reverse()
    .map((base) => COMPLEMENT[base])
    .join('');

/** The reads of one end without their errors, and with them, as the fragment they name gives them. */
function check(genome: string, read: Read, end: 1 | 2): void {
  const fragment = genome.slice(read.from - 1, read.to);
  const fromLeft = (read.strand === '+') === (end === 1);
  const expected = (fromLeft ? fragment : reverseComplement(fragment)).slice(0, read.bases.length);
  const differing = [...read.bases].flatMap((base, index) => (base === expected[index] ? [] : [index]));
  expect(differing).toEqual([...read.errors]);
}

const textsOf = (cohort: Cohort): string[] => [
  cohort.truth,
  ...cohort.samples.flatMap(({ reads }) => reads.map(({ bytes }) => gunzipSync(bytes).toString('latin1'))),
];

interface Record_ {
  chromosome: string;
  position: number;
  ref: string;
  alt: string;
  genotypes: string[];
}

function recordsOf(truth: string): Record_[] {
  return truth
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [chromosome = '', position, , ref = '', alt = '', , , , , ...genotypes] = line.split('\t');
      return { chromosome, position: Number(position), ref, alt, genotypes };
    });
}

describe('a cohort', () => {
  it('is the same for the same seed', () => {
    expect(textsOf(generateCohort(SMALL))).toEqual(textsOf(generateCohort(SMALL)));
  });

  it('differs in every file for another seed', () => {
    const other = textsOf(generateCohort({ ...SMALL, seed: 2 }));

    textsOf(generateCohort(SMALL)).forEach((text, index) => expect(text).not.toBe(other[index]));
  });

  it('has two files of equally many reads for each sample, at the coverage asked for', () => {
    const { samples } = generateCohort(SMALL);

    expect(samples.map(({ name }) => name)).toEqual(['sample-1', 'sample-2', 'sample-3']);
    for (const { name, genome, reads } of samples) {
      expect(reads.map(({ fileName }) => fileName)).toEqual([`${name}_1.fq.gz`, `${name}_2.fq.gz`]);
      const [first, second] = reads.map(({ bytes }) => readsOf(bytes));
      expect(first?.map((read) => read.name)).toEqual(second?.map((read) => read.name));
      const bases = 2 * 100 * (first?.length ?? 0);
      expect(Math.abs(bases / genome.length - 4)).toBeLessThan(0.01);
    }
  });

  it('has reads that are the sample, except where they say so', () => {
    for (const { genome, reads } of generateCohort(SMALL).samples) {
      for (const read of readsOf(reads[0].bytes)) check(genome, read, 1);
      for (const read of readsOf(reads[1].bytes)) check(genome, read, 2);
    }
  });

  it('has fragments of both strands, normally distributed around the insert size', () => {
    const reads = generateCohort({ ...SMALL, coverage: 20 }).samples.flatMap((sample) =>
      readsOf(sample.reads[0].bytes),
    );

    const lengths = reads.map(({ from, to }) => to - from + 1);
    const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
    const deviation = Math.sqrt(lengths.reduce((sum, length) => sum + (length - mean) ** 2, 0) / lengths.length);
    const near = lengths.filter((length) => Math.abs(length - mean) <= deviation).length / lengths.length;
    expect(mean).toBeGreaterThan(298);
    expect(mean).toBeLessThan(302);
    expect(deviation).toBeGreaterThan(29);
    expect(deviation).toBeLessThan(31);
    // Of a normal distribution 68.3 % lie within one deviation; whole numbers make it a little more.
    expect(near).toBeGreaterThan(0.66);
    expect(near).toBeLessThan(0.71);
    const plus = reads.filter(({ strand }) => strand === '+').length / reads.length;
    expect(Math.abs(plus - 0.5)).toBeLessThan(0.03);
  });

  it('has qualities that keep their word', () => {
    const { samples } = generateCohort({ ...SMALL, coverage: 20 });
    const bases = new Map<number, { all: number; wrong: number }>();
    for (const read of samples.flatMap(({ reads }) => reads.flatMap(({ bytes }) => readsOf(bytes)))) {
      for (const [index, quality] of read.qualities.entries()) {
        const count = bases.get(quality) ?? { all: 0, wrong: 0 };
        count.all += 1;
        if (read.errors.has(index)) count.wrong += 1;
        bases.set(quality, count);
      }
    }

    const total = [...bases.values()].reduce((sum, { all }) => sum + all, 0);
    const wrong = [...bases.values()].reduce((sum, count) => sum + count.wrong, 0);
    expect(wrong / total).toBeGreaterThan(0.0047);
    expect(wrong / total).toBeLessThan(0.0053);
    expect(bases.size).toBeGreaterThan(3);
    for (const [quality, count] of bases) {
      const expected = count.all * 10 ** (-quality / 10);
      expect(Math.abs(count.wrong - expected), `errors at quality ${quality}`).toBeLessThan(
        5 * Math.sqrt(expected) + 1,
      );
    }
  });

  it('has no errors at an error rate of 0', () => {
    const [sample] = generateCohort({ ...SMALL, errorRate: 0, samples: 1 }).samples;

    const reads = sample?.reads.flatMap(({ bytes }) => readsOf(bytes)) ?? [];
    expect(reads.length).toBeGreaterThan(0);
    for (const read of reads) expect(read.errors.size).toBe(0);
  });
});

describe('the truth', () => {
  const cohort = generateCohort({ ...SMALL, coverage: 1 });
  const records = recordsOf(cohort.truth);

  it('is VCF 4.2 with the contig, the samples and haploid genotypes', () => {
    const lines = cohort.truth.split('\n');

    expect(lines[0]).toBe('##fileformat=VCFv4.2');
    expect(lines).toContain(`##contig=<ID=${reference.name},length=48502>`);
    expect(lines.find((line) => line.startsWith('#CHROM'))).toBe(
      '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tsample-1\tsample-2\tsample-3',
    );
    expect(lines.at(-1)).toBe('');
    for (const { chromosome, ref, alt, genotypes } of records) {
      expect(chromosome).toBe('gi|9626243|ref|NC_001416.1|');
      expect(ref).toMatch(/^[ACGT]+$/);
      expect(alt).toMatch(/^[ACGT]+$/);
      expect(genotypes.join('')).toMatch(/^[01]{3}$/);
      expect(genotypes).toContain('1');
    }
  });

  it('holds as many SNVs and indels as were asked for, shared ones and private ones', () => {
    const snvs = records.filter(({ ref, alt }) => ref.length === 1 && alt.length === 1);
    const private_ = records.filter(({ genotypes }) => genotypes.filter((one) => one === '1').length === 1);

    expect(snvs).toHaveLength(90);
    expect(records).toHaveLength(120);
    expect(private_).toHaveLength(60);
    expect(records.some(({ ref }) => ref.length > 1)).toBe(true);
    expect(records.some(({ alt }) => alt.length > 1)).toBe(true);
  });

  it('makes the sequenced genomes of the reference', () => {
    for (const [index, sample] of cohort.samples.entries()) {
      const own = records.filter(({ genotypes }) => genotypes[index] === '1');
      // From the right end, so that the positions still to come stay what they are.
      const genome = own.reduceRight((bases, { position, ref, alt }) => {
        expect(bases.slice(position - 1, position - 1 + ref.length)).toBe(ref);
        return bases.slice(0, position - 1) + alt + bases.slice(position - 1 + ref.length);
      }, reference.sequence);
      expect(sample.genome).toBe(genome);
    }
  });

  it('is sorted, spaced, away from the ends and written in the only way there is, for any seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.integer({ min: 1, max: 5 }), (seed, samples) => {
        const made = recordsOf(generateCohort({ ...SMALL, seed, samples, coverage: 0.01, errorRate: 0 }).truth);

        let before = 100 - 50;
        for (const { position, ref, alt } of made) {
          expect(position - 1 - before).toBeGreaterThanOrEqual(50);
          before = position - 1 + ref.length;
          expect(reference.sequence.slice(position - 1, before)).toBe(ref);
          expect(waysToWrite(position, ref, alt)).toBe(1);
        }
        expect(before).toBeLessThanOrEqual(reference.sequence.length - 100);
      }),
      { numRuns: 25 },
    );
  });

  /** How many indels of the same length within 20 bases give the same sequence: the definition, tried out. */
  function waysToWrite(position: number, ref: string, alt: string): number {
    if (ref.length === alt.length) return 1;
    expect(ref[0]).toBe(alt[0]);
    expect(Math.min(ref.length, alt.length)).toBe(1);
    expect(Math.abs(ref.length - alt.length)).toBeLessThanOrEqual(8);
    const from = position - 21;
    const window = reference.sequence.slice(from, position + 40);
    const at = position - 1 - from;
    const mutated = window.slice(0, at) + alt + window.slice(at + ref.length);
    let ways = 0;
    for (let place = 1; place <= 40; place += 1) {
      if (ref.length > 1) {
        if (window.slice(0, place) + window.slice(place + ref.length - 1) === mutated) ways += 1;
      } else {
        const inserted = mutated.slice(place, place + alt.length - 1);
        if (window.slice(0, place) + inserted + window.slice(place) === mutated) ways += 1;
      }
    }
    return ways;
  }
});

describe('what cannot be met', () => {
  it.each([
    [{ seed: 0.5 }, 'seed: expected a whole number, got 0.5'],
    [{ samples: 0 }, 'samples: expected a whole number from 1, got 0'],
    [{ coverage: 0 }, 'coverage: expected a number above 0, got 0'],
    [{ readLength: 50_000 }, 'readLength: expected a whole number from 1 to 48502, got 50000'],
    [{ insertSize: 99 }, 'insertSize: expected a number from 100 (readLength) to 48502, got 99'],
    [{ errorRate: 0.5 }, 'errorRate: expected 0, or a share from 0.0001 to 0.25, got 0.5'],
    [{ snvs: -1 }, 'snvs: expected a whole number from 0, got -1'],
    [{ indels: 1.5 }, 'indels: expected a whole number from 0, got 1.5'],
    [{ snvs: 5_000 }, '48502 bases have no room for 5000 SNVs and 30 indels'],
  ])('%j is refused', (options, message) => {
    expect(() => generateCohort({ ...SMALL, ...options })).toThrow(new RangeError(message));
  });

  it.each([
    ['no FASTA', 'ACGT\n', 'expected FASTA with exactly one sequence'],
    ['two sequences', '>a\nACGT\n>b\nACGT\n', 'expected FASTA with exactly one sequence'],
    ['a sequence without a name', '> a\nACGT\n', 'the sequence has no name'],
    ['unknown bases', '>a\nAC\nNT\n', 'a: "N" at 3; only A, C, G and T can be read'],
  ])('a reference of %s is refused', (_, text, message) => {
    expect(() => readReference(Buffer.from(text))).toThrow(message);
  });

  it('a reference may be gzipped or plain, in capitals or not', () => {
    const plain = Buffer.from('>a b\nac\r\nGT\n');

    expect(readReference(plain)).toEqual({ name: 'a', sequence: 'ACGT' });
    expect(readReference(gzipSync(plain))).toEqual({ name: 'a', sequence: 'ACGT' });
  });
});
