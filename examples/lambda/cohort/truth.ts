/**
 * What was planted, as VCF 4.2: one file for the cohort, haploid genotypes, sorted.
 *
 * @module
 */
import type { Reference } from './reference.ts';
import type { Site } from './variants.ts';

/** @param sites in the order of their positions */
export function formatTruth(reference: Reference, samples: readonly string[], sites: readonly Site[]): string {
  const header = [
    '##fileformat=VCFv4.2',
    '##source=longhaul examples/lambda',
    '##FILTER=<ID=PASS,Description="All filters passed">',
    `##contig=<ID=${reference.name},length=${reference.sequence.length}>`,
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    ['#CHROM', 'POS', 'ID', 'REF', 'ALT', 'QUAL', 'FILTER', 'INFO', 'FORMAT', ...samples].join('\t'),
  ];
  const records = sites.map(({ position, ref, alt, carriers }) => {
    const genotypes = samples.map((sample) => (carriers.includes(sample) ? '1' : '0'));
    return [reference.name, position, '.', ref, alt, '.', 'PASS', '.', 'GT', ...genotypes].join('\t');
  });
  return `${[...header, ...records].join('\n')}\n`;
}
