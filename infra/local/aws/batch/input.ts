/**
 * Reads the members of a request with the checks the service makes before anything else.
 *
 * @module
 */
import { clientError, refused } from './errors.ts';

export type Json = Record<string, unknown>;

const NAME = /^[A-Za-z0-9_-]{1,128}$/;

export function optionalString(input: Json, member: string): string | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw clientError(`${member} must be a string`);
  return value;
}

export function requiredString(input: Json, member: string): string {
  const value = optionalString(input, member);
  if (value === undefined || value === '') throw refused(`${member} should not be empty`);
  return value;
}

export function optionalInteger(input: Json, member: string, least: number, most: number): number | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw clientError(`${member} must be an integer`);
  if (value < least || value > most) throw refused(`${member} must be between ${least} and ${most}`);
  return value;
}

export function oneOf<T extends string>(input: Json, member: string, values: readonly T[]): T | undefined {
  const value = optionalString(input, member);
  if (value === undefined) return undefined;
  if (!values.includes(value as T)) throw refused(`${member} must be one of [${values.join(', ')}]`);
  return value as T;
}

export function optionalObject(input: Json, member: string): Json | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw clientError(`${member} must be a structure`);
  return value as Json;
}

export function optionalList(input: Json, member: string, most?: number): Json[] | undefined {
  const list = anyList(input, member, most);
  if (list?.some((item) => typeof item !== 'object' || item === null)) {
    throw clientError(`${member} must be a list of structures`);
  }
  return list as Json[] | undefined;
}

export function stringList(input: Json, member: string, most?: number): string[] | undefined {
  const list = anyList(input, member, most);
  if (list?.some((item) => typeof item !== 'string')) throw clientError(`${member} must be a list of strings`);
  return list as string[] | undefined;
}

function anyList(input: Json, member: string, most = Number.POSITIVE_INFINITY): unknown[] | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw clientError(`${member} must be a list`);
  if (value.length > most) throw refused(`Maximum number of ${member} supported is ${most}`);
  return value;
}

export function stringMap(input: Json, member: string): Record<string, string> | undefined {
  const map = optionalObject(input, member);
  if (map === undefined) return undefined;
  for (const [key, value] of Object.entries(map)) {
    if (typeof value !== 'string') throw clientError(`${member}.${key} must be a string`);
  }
  return map as Record<string, string>;
}

/** Resource tags: at most 50, keys up to 128 characters and not `aws:`, values up to 256. */
export function tagMap(input: Json): Record<string, string> | undefined {
  const tags = stringMap(input, 'tags');
  if (tags === undefined) return undefined;
  const entries = Object.entries(tags);
  if (entries.length > 50) throw refused('Number of tags must not exceed 50');
  for (const [key, value] of entries) {
    if (key.length === 0 || key.length > 128) throw refused('Tag keys must be between 1 and 128 characters');
    if (/^aws:/i.test(key)) throw refused('Tag keys must not start with aws:');
    if (value.length > 256) throw refused('Tag values must not exceed 256 characters');
  }
  return tags;
}

/** Names of compute environments, queues and definitions. */
export function resourceName(input: Json, member: string): string {
  const name = requiredString(input, member);
  if (!NAME.test(name)) throw refused(`${member} should match valid pattern`);
  return name;
}

/** One page of `items`; the token is opaque to the caller. */
export function page<T>(input: Json, items: readonly T[], most = 100): { items: T[]; nextToken?: string } {
  const size = optionalInteger(input, 'maxResults', 1, most) ?? most;
  const from = readToken(optionalString(input, 'nextToken'));
  const next = from + size;
  return { items: items.slice(from, next), ...(next < items.length && { nextToken: writeToken(next) }) };
}

export function writeToken(value: number | string): string {
  return Buffer.from(JSON.stringify([value])).toString('base64url');
}

function readToken(token: string | undefined): number {
  if (token === undefined) return 0;
  const value = parseToken(token);
  if (typeof value !== 'number') throw refused('Invalid nextToken');
  return value;
}

export function parseToken(token: string): unknown {
  try {
    return (JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as unknown[])[0];
  } catch {
    throw refused('Invalid nextToken');
  }
}
