/**
 * Expressions that choose rows: dimensions and tags, and what is made of them by And, Or and Not.
 *
 * @module
 */
import { AwsError } from '../../kit/service.ts';
import type { BillingRow } from './rows.ts';

type Json = Record<string, unknown>;
type Test = (row: BillingRow) => boolean;

export const invalid = (message: string) => new AwsError('ValidationException', message);

/** The dimensions that are known here. */
export const DIMENSIONS: Readonly<Record<string, (row: BillingRow) => string>> = {
  SERVICE: ({ service }) => service,
  USAGE_TYPE: ({ usageType }) => usageType,
  REGION: ({ region }) => region,
  RECORD_TYPE: () => 'Usage',
};

export function readExpression(expression: unknown): Test {
  if (typeof expression !== 'object' || expression === null) throw invalid('An expression must be an object');
  const parts = Object.entries(expression as Json);
  const [part] = parts;
  if (!part || parts.length > 1) throw invalid('Expression should have exactly one operator or dimension');
  const [name, value] = part;
  if (name === 'And' || name === 'Or') {
    if (!Array.isArray(value) || value.length < 2) throw invalid(`${name} needs at least two expressions`);
    const tests = value.map(readExpression);
    return name === 'And' ? (row) => tests.every((test) => test(row)) : (row) => tests.some((test) => test(row));
  }
  if (name === 'Not') {
    const test = readExpression(value);
    return (row) => !test(row);
  }
  if (name === 'Dimensions') return readDimension(value as Json);
  if (name === 'Tags') return readTag(value as Json);
  throw invalid(`Expressions of ${name} are not known here`);
}

function readDimension({ Key, Values, MatchOptions = ['EQUALS'] }: Json): Test {
  const read = Object.hasOwn(DIMENSIONS, String(Key)) ? DIMENSIONS[String(Key)] : undefined;
  if (!read) throw invalid(`Dimension ${String(Key)} is not known here`);
  onlyEquals(MatchOptions);
  const values = readValues(Values);
  return (row) => values.includes(read(row));
}

/** A row without the tag has the value ''. */
function readTag({ Key, Values, MatchOptions = ['EQUALS'] }: Json): Test {
  if (typeof Key !== 'string' || Key === '') throw invalid('Tags must have a Key');
  if (Array.isArray(MatchOptions) && MatchOptions.length === 1 && MatchOptions[0] === 'ABSENT') {
    return ({ tags }) => !Object.hasOwn(tags, Key);
  }
  onlyEquals(MatchOptions);
  const values = readValues(Values);
  return ({ tags }) => values.includes(tags[Key] ?? '');
}

function onlyEquals(options: unknown): void {
  const known = ['EQUALS', 'CASE_SENSITIVE'];
  if (!Array.isArray(options) || !options.every((option) => known.includes(String(option)))) {
    throw invalid(`MatchOptions ${String(options)} are not known here`);
  }
}

function readValues(values: unknown): string[] {
  if (!Array.isArray(values) || values.length === 0) throw invalid('Values must not be empty');
  return values.map(String);
}
