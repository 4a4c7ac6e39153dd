/**
 * The reference genome: one sequence, read from FASTA.
 *
 * @module
 */
import { gunzipSync } from 'node:zlib';

export interface Reference {
  /** The first word of the FASTA header: what aligners call the sequence. */
  name: string;
  /** A, C, G and T only. */
  sequence: string;
}

/**
 * @param bytes FASTA, gzipped or plain
 * @throws Error when it is not one sequence of A, C, G and T
 */
export function readReference(bytes: Uint8Array): Reference {
  const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = Buffer.from(gzipped ? gunzipSync(bytes) : bytes).toString('latin1');
  const [before, record = '', ...more] = text.split(/^>/m);
  if (before !== '' || more.length > 0) throw new Error('expected FASTA with exactly one sequence');
  const [header = '', ...lines] = record.split(/\r?\n/);
  const name = header.split(/\s/)[0] ?? '';
  const sequence = lines.join('').toUpperCase();
  if (name === '') throw new Error('the sequence has no name');
  const odd = /[^ACGT]/.exec(sequence);
  if (odd) throw new Error(`${name}: ${JSON.stringify(odd[0])} at ${odd.index + 1}; only A, C, G and T can be read`);
  return { name, sequence };
}
