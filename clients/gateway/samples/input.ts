/**
 * Reading what clients ask with, and failing so that they understand it.
 *
 * @module
 */
import { ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { RequestError } from '../requests.ts';

/** How long Temporal may take to answer. */
const ANSWER_WITHIN_MS = 10_000;

type Fields = Readonly<Record<string, unknown>>;

/** @throws RequestError */
export function fieldsOf(input: unknown, known: readonly string[]): Fields {
  const given = input ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) throw bad('the input', 'an object');
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) throw bad(`the field ${unknown.slice(0, 50)}`, `one of ${known.join(', ')}`);
  return given as Fields;
}

export const bad = (what: string, expected: string): RequestError =>
  new RequestError('bad-message', `${what} cannot be used`, `expected ${expected}`);

/** @throws RequestError */
export function oneOf<const T extends string>(value: unknown, what: string, known: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  if (known.includes(value as T)) return value as T;
  throw bad(what, `one of ${known.join(', ')}`);
}

export const soon = (): number => Date.now() + ANSWER_WITHIN_MS;

/** What failed on the way to Temporal is worth another try, and says nothing else to the client. */
export function unavailable(error: unknown): unknown {
  if (error instanceof RequestError || error instanceof WorkflowNotFoundError) return error;
  const isOfTheWay =
    error instanceof ServiceError || (error as Error).name === 'WorkflowUpdateRPCTimeoutOrCancelledError';
  if (!isOfTheWay) return error;
  return new RequestError('unavailable', 'Temporal or its workers do not answer now', 'ask again in a while');
}
