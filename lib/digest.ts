/**
 * One digest for values that are equal, whatever order their fields were written in.
 *
 * @module
 */
import { createHash } from 'node:crypto';

/** 128 bits: among a billion digests the odds of two alike are below 1 in 10^20. */
const DIGITS = 32;

/** @returns the first 32 hexadecimal digits of SHA-256 over the canonical JSON */
export const digestOf = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, DIGITS);

/** JSON with the fields of every object in order; undefined fields are left out, as JSON.stringify does. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  const fields = entries.toSorted(([a], [b]) => compare(a, b));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`).join(',')}}`;
}

/** By code units, whatever the locale. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
