/**
 * Pieces of which the JSON schemas of routes are made. What comes in is bounded: lengths, numbers, patterns, no unknown
 * field. What goes out is described only.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify';
import { RESOURCES } from './resources.ts';
import { object, ref, type Schema } from './schema-kit.ts';
import { STORY_RESOURCES } from './story-resources.ts';

export { object, ref, type Schema } from './schema-kit.ts';

export const ID_PATTERN = '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$';
/** As `LAUNCH_ID_PATTERN` and `RESTORE_ID_PATTERN`. */
export const id = (what: string): Schema => ({
  type: 'string',
  pattern: ID_PATTERN,
  description: `Id of the ${what}.`,
});
/** `<domain>/<id>`: what Temporal takes, less what has no place in an address or a log. */
export const workflowId: Schema = {
  type: 'string',
  pattern: '^[A-Za-z0-9][A-Za-z0-9._~/:@+=,-]{0,254}$',
  description: 'Workflow id, such as `launch/cohort-7`.',
};
export const s3Address: Schema = {
  type: 'string',
  maxLength: 1_100,
  pattern: '^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\\u0000-\\u001f]+$',
  description: '`s3://bucket/key`',
};
export const consumer: Schema = {
  type: 'string',
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$',
  description: 'A consumer; one of those of the token.',
};
export const name = (description: string, maxLength = 256): Schema => ({
  type: 'string',
  minLength: 1,
  maxLength,
  pattern: '^[^\\u0000-\\u001f]*$',
  description,
});
export const whole = (minimum: number, maximum: number, description: string, more: Schema = {}): Schema => ({
  type: 'integer',
  minimum,
  maximum,
  description,
  ...more,
});
export const oneOf = (values: readonly string[], description: string, more: Schema = {}): Schema => ({
  type: 'string',
  enum: [...values],
  description,
  ...more,
});

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'Something in the request cannot be used; the message names the field.',
  401: 'No token, or one that is not valid now.',
  403: 'The role, or the consumers, of the token do not allow it.',
  404: 'There is no such thing, or it is not for this token to see.',
  409: 'It is not in a state in which this can be done; the message says why.',
  413: 'The request is larger than the gateway takes.',
  429: 'Too many requests; `retry-after` says how long to wait.',
  503: 'Temporal or AWS does not answer now; nothing was done, or it may be repeated.',
};
const ALWAYS = [400, 401, 403, 404, 429, 503];

/** The responses of a route: its own, and the refusals. */
export function answers(
  schema: Schema,
  options: { also?: readonly number[]; text?: string; description?: string } = {},
): Record<number, Schema> {
  const { also = [], text, description = 'As asked for.' } = options;
  const content = {
    'application/json': { schema },
    ...(text !== undefined && { [text]: { schema: { type: 'string' } } }),
  };
  return { 200: { description, content }, ...refusals(also) };
}

export const refusals = (also: readonly number[] = []): Record<number, Schema> =>
  Object.fromEntries(
    [...ALWAYS, ...also].map((status) => [
      status,
      { description: REFUSALS[status], content: { 'application/json': { schema: ref('ApiError') } } },
    ]),
  );

/** Bodies take no field that is not known. */
export const body = (required: Readonly<Record<string, Schema>>, optional: Readonly<Record<string, Schema>> = {}) => ({
  ...object(required, optional),
  additionalProperties: false,
});

/** A request without a body is one with an empty one. */
export const optional = (schema: object) => ({ ...schema, type: ['object', 'null'] });

export function addSchemas(app: FastifyInstance): void {
  for (const [$id, schema] of Object.entries({ ...RESOURCES, ...STORY_RESOURCES })) app.addSchema({ $id, ...schema });
}
