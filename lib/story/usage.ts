/**
 * What a service says it has counted, before money is reckoned from it.
 *
 * @module
 */

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
