/**
 * Reads parameters of a request, and refuses them in OpenAI's words.
 *
 * @module
 */
import type { AwsError } from '../kit/service.ts';
import { openAiError } from './errors.ts';
import type { Json } from './service.ts';

export const missing = (param: string): AwsError =>
  openAiError(`Missing required parameter: '${param}'.`, { param, code: 'missing_required_parameter' });

export const wrongType = (param: string, expected: string, got: unknown): AwsError =>
  openAiError(`Invalid type for '${param}': expected ${expected}, but got ${typeName(got)} instead.`, {
    param,
    code: 'invalid_type',
  });

export const wrongValue = (param: string, value: unknown, supported: readonly string[]): AwsError =>
  openAiError(`Invalid value: '${String(value)}'. Supported values are: ${listed(supported)}.`, {
    param,
    code: 'invalid_value',
  });

export const unknownParameter = (param: string): AwsError =>
  openAiError(`Unknown parameter: '${param}'.`, { param, code: 'unknown_parameter' });

/** `'a', 'b', and 'c'` */
export function listed(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')}, and ${quoted.at(-1)}`;
}

/** Null counts as not given. */
export function readString(input: Json, param: string, path = param): string | undefined {
  const value = input[param] ?? undefined;
  if (value !== undefined && typeof value !== 'string') throw wrongType(path, 'a string', value);
  return value;
}

export function readChoice(input: Json, param: string, supported: readonly string[]): string | undefined {
  const value = readString(input, param);
  if (value !== undefined && !supported.includes(value)) throw wrongValue(param, value, supported);
  return value;
}

export function readBoolean(input: Json, param: string, path = param): boolean | undefined {
  const value = input[param] ?? undefined;
  if (value !== undefined && typeof value !== 'boolean') throw wrongType(path, 'a boolean', value);
  return value;
}

export function readInteger(input: Json, param: string, from: number, to: number): number | undefined {
  const value = input[param] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(param, 'an integer', value);
  const [bound, code, word] =
    value < from
      ? [`>= ${from}`, 'integer_below_min_value', 'minimum']
      : [`<= ${to}`, 'integer_above_max_value', 'maximum'];
  if (value >= from && value <= to) return value;
  throw openAiError(
    `Invalid '${param}': integer ${word === 'minimum' ? 'below' : 'above'} ${word} value. Expected a value ${bound}, but got ${value} instead.`,
    { param, code },
  );
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal number';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
