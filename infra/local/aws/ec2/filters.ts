/**
 * What EC2's Describe calls have in common: filters, pages, their words when something is wrong with them.
 *
 * @module
 */
import { listOf, type QueryParameters } from '../../kit/query-protocol.ts';
import { AwsError } from '../../kit/service.ts';

const MOST_FILTER_VALUES = 200;

export const FILTER_PARAMETERS = String.raw`Filter\.\d+\.Name|Filter\.\d+\.Value\.\d+|MaxResults|NextToken`;

export const invalid = (message: string) => new AwsError('InvalidParameterValue', message);

interface Filter {
  name: string;
  values: string[];
}

/** Values that a filter of this name looks at; undefined when there is no such filter. */
type Read<T> = (name: string) => ((item: T) => readonly string[]) | undefined;

export function readFilters(input: QueryParameters): Filter[] {
  const filters: Filter[] = [];
  for (let index = 1; ; index += 1) {
    const name = input.get(`Filter.${index}.Name`);
    if (name === undefined) return filters;
    filters.push({ name, values: listOf(input, `Filter.${index}.Value`) });
  }
}

/** Those that pass all filters. A value may have `*` and `?`; one that matches is enough. */
export function filtered<T>(items: readonly T[], filters: readonly Filter[], read: Read<T>): T[] {
  const tests = filters.map((filter) => toTest(filter, read));
  return items.filter((item) => tests.every((test) => test(item)));
}

function toTest<T>({ name, values }: Filter, read: Read<T>): (item: T) => boolean {
  const valuesOf = read(name);
  if (!valuesOf) throw invalid(`The filter '${name}' is invalid`);
  if (values.length > MOST_FILTER_VALUES) {
    throw new AwsError(
      'FilterLimitExceeded',
      `The maximum number of filter values specified on a single call is ${MOST_FILTER_VALUES}`,
    );
  }
  const patterns = values.map(
    (value) =>
      new RegExp(
        `^${value
          .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll('?', '.')}$`,
      ),
  );
  return (item) => valuesOf(item).some((value) => patterns.some((pattern) => pattern.test(value)));
}

/** `tag:<key>` and `tag-key`. */
export function tagFilter(name: string): ((item: { tags: Readonly<Record<string, string>> }) => string[]) | undefined {
  if (name === 'tag-key') return ({ tags }) => Object.keys(tags);
  if (!name.startsWith('tag:')) return undefined;
  const key = name.slice('tag:'.length);
  return ({ tags }) => (Object.hasOwn(tags, key) ? [tags[key] ?? ''] : []);
}

/**
 * One page.
 * @param options.ids what was asked for by name: EC2 does not take that and a page size at once
 */
export function pageOf<T>(
  all: readonly T[],
  input: QueryParameters,
  options: { least: number; most: number; usual?: number; ids?: { parameter: string; count: number } },
): { items: T[]; nextToken?: string } {
  const size = readPageSize(input, options);
  if (size !== undefined && options.ids && options.ids.count > 0) {
    throw new AwsError(
      'InvalidParameterCombination',
      `The parameter MaxResults cannot be used with the parameter ${options.ids.parameter}`,
    );
  }
  const from = readToken(input.get('NextToken'));
  const end = from + (size ?? options.usual ?? options.most);
  return {
    items: all.slice(from, end),
    ...(end < all.length && { nextToken: Buffer.from(String(end)).toString('base64url') }),
  };
}

function readPageSize(input: QueryParameters, { least, most }: { least: number; most: number }): number | undefined {
  const text = input.get('MaxResults');
  if (text === undefined) return undefined;
  const size = Number(text);
  if (!/^\d+$/.test(text) || size < least || size > most) {
    throw invalid(
      `Value ( ${text} ) for parameter maxResults is invalid. Expecting a value between ${least} and ${most}.`,
    );
  }
  return size;
}

function readToken(token: string | undefined): number {
  if (token === undefined) return 0;
  const from = Buffer.from(token, 'base64url').toString('utf8');
  if (!/^\d+$/.test(from)) throw new AwsError('InvalidNextToken', `The token '${token}' is invalid`);
  return Number(from);
}
