/**
 * Filters of GetProducts: a product has to pass all of them.
 *
 * @module
 */
import { AwsError } from '../../kit/service.ts';
import type { ListedProduct } from './offers.ts';

type Test = (product: ListedProduct) => boolean;

const invalid = (message: string) => new AwsError('InvalidParameterException', message);
const valuesOf = (value: string) => value.split(',').map((one) => one.trim());

/** Given a product's value, or none, and the filter's. */
const TYPES: Readonly<Record<string, (has: string | undefined, value: string) => boolean>> = {
  TERM_MATCH: (has, value) => has === value,
  EQUALS: (has, value) => has === value,
  CONTAINS: (has, value) => has?.includes(value) ?? false,
  ANY_OF: (has, value) => has !== undefined && valuesOf(value).includes(has),
  NONE_OF: (has, value) => has === undefined || !valuesOf(value).includes(has),
};

export function readFilters(filters: unknown): Test[] {
  if (filters === undefined) return [];
  if (!Array.isArray(filters)) throw invalid('Filters must be a list');
  return (filters as { Type?: unknown; Field?: unknown; Value?: unknown }[]).map(({ Type, Field, Value }) => {
    const passes = typeof Type === 'string' && Object.hasOwn(TYPES, Type) ? TYPES[Type] : undefined;
    if (!passes) throw invalid(`Filter type ${String(Type)} is invalid`);
    if (typeof Field !== 'string' || Field === '') throw invalid('A filter must have a Field');
    if (typeof Value !== 'string' || Value === '') throw invalid(`The filter of ${Field} must have a Value`);
    return ({ fields }) => passes(fieldOf(fields, Field), Value);
  });
}

/** `ServiceCode` is the attribute `servicecode`. */
const fieldOf = (fields: ListedProduct['fields'], field: string): string | undefined =>
  fields[field === 'ServiceCode' ? 'servicecode' : field];
