/**
 * Reading values of unknown shape, with errors that name the place and what was expected, never the value.
 *
 * @module
 */
import { LIMITS } from '../../workflows/progress/model.ts';

/** What was sent as progress cannot be used: to send it again would not help. */
export class InvalidProgressError extends Error {
  override readonly name = 'InvalidProgressError';
}

export type Fields = Readonly<Record<string, unknown>>;

/** @throws InvalidProgressError */
export function fail(where: string, expected: string, remedy?: string): never {
  throw new InvalidProgressError(`progress: ${where}: expected ${expected}${remedy ? `: ${remedy}` : ''}`);
}

export function record(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(where, 'an object');
  return value as Fields;
}

export function list(value: unknown, where: string): readonly unknown[] {
  return Array.isArray(value) ? value : fail(where, 'a list');
}

export function text(value: unknown, where: string, mostBytes: number): string {
  if (typeof value !== 'string' || value === '') return fail(where, 'a text');
  if (Buffer.byteLength(value) > mostBytes) return fail(where, `at most ${mostBytes} bytes`);
  return value;
}

export function number(value: unknown, where: string, least = -Number.MAX_VALUE, most = Number.MAX_VALUE): number {
  if (typeof value !== 'number' || !(value >= least && value <= most))
    return fail(where, least === -Number.MAX_VALUE ? 'a finite number' : `a number from ${least} to ${most}`);
  return value;
}

/** A percentage: what a sum of fractions is off by is cut. */
export const share = (value: unknown, where: string): number => Math.min(100, Math.max(0, number(value, where)));

export function whole(value: unknown, where: string, least: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < least) return fail(where, `a whole number from ${least} on`);
  return value as number;
}

export const optional = <T>(value: unknown, check: (value: unknown) => T): T | undefined =>
  value === undefined ? undefined : check(value);

/** A text for people, cut with an ellipsis. */
export function clip(value: unknown, where: string): string {
  if (typeof value !== 'string') return fail(where, 'a text');
  if (value.length <= LIMITS.message) return value;
  const cut = value.slice(0, LIMITS.message - 1);
  // Half of a pair would be no character.
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}
