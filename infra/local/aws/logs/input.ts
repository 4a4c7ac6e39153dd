/**
 * Reading and checking the inputs of the CloudWatch Logs operations.
 *
 * @module
 */
import { AwsError } from '../../kit/service.ts';

export type Json = Record<string, unknown>;

export const invalid = (message: string) => new AwsError('InvalidParameterException', message);

export function requiredText(input: Json, field: string): string {
  const value = input[field];
  if (typeof value !== 'string' || value === '') {
    throw invalid(
      `1 validation error detected: Value at '${field}' failed to satisfy constraint: Member must not be null`,
    );
  }
  return value;
}

export function wholeNumber(input: Json, field: string, least: number, most: number): number | undefined {
  const value = input[field];
  if (value === undefined || value === null) return undefined;
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw invalid(
      `1 validation error detected: Value '${String(value)}' at '${field}' failed to satisfy constraint: Member must have value between ${least} and ${most}`,
    );
  }
  return value as number;
}

/** The group by name, or by the ARN that `logGroupIdentifier` may also be. */
export function groupName(input: Json): string {
  const identifier = input.logGroupIdentifier;
  if (input.logGroupName === undefined && typeof identifier === 'string') {
    return identifier.startsWith('arn:') ? (identifier.split(':')[6] ?? '') : identifier;
  }
  return requiredText(input, 'logGroupName');
}

/** One page of named things: the token is the last name given out. */
export function pageByName<Item>(items: readonly Item[], position: (item: Item) => string, input: Json, limit: number) {
  const token = typeof input.nextToken === 'string' ? Buffer.from(input.nextToken, 'base64url').toString() : undefined;
  const start = token === undefined ? 0 : items.findIndex((item) => position(item) === token) + 1;
  if (token !== undefined && start === 0) throw invalid('The specified nextToken is invalid.');
  const page = items.slice(start, start + limit);
  const last = page.at(-1);
  const more = last !== undefined && start + limit < items.length;
  return { page, next: more ? { nextToken: Buffer.from(position(last)).toString('base64url') } : {} };
}
