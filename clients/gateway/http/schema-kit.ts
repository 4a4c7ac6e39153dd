/**
 * JSON Schema, shortly written.
 *
 * @module
 */
export type Schema = Record<string, unknown>;

/** A shared schema by its name: see ./resources.ts. */
export const ref = (name: string): Schema => ({ $ref: `${name}#` });

export const object = (
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema => ({
  type: 'object',
  ...(Object.keys(required).length > 0 && { required: Object.keys(required) }),
  properties: { ...required, ...optional },
});
export const list = (items: Schema): Schema => ({ type: 'array', items });
export const map = (values: Schema): Schema => ({ type: 'object', additionalProperties: values });
export const text: Schema = { type: 'string' };
export const number: Schema = { type: 'number' };
export const integer: Schema = { type: 'integer' };
export const flag: Schema = { type: 'boolean' };
export const anything: Schema = {};
export const about = (schema: Schema, description: string): Schema => ({ ...schema, description });
export const epochMs: Schema = { type: 'integer', description: 'Epoch milliseconds.' };
export const isoTime: Schema = { type: 'string', description: 'ISO 8601, UTC.' };
export const decimal: Schema = { type: 'string', description: 'A decimal number.' };
