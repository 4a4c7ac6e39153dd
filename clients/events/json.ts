/**
 * Looking into messages that may be anything.
 *
 * @module
 */
export type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A field that is a text and not empty. */
export function text(holder: unknown, name: string): string | undefined {
  const value = isObject(holder) ? holder[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}
