/**
 * How what comes in is checked: a field that is not known is an error, and never left out silently. Text of an address is
 * made the number or list it stands for; JSON is taken as it is.
 *
 * @module
 */
import { Ajv } from 'ajv';
import type { FastifyInstance } from 'fastify';

export function checkStrictly(app: FastifyInstance): void {
  const common = { useDefaults: true, allErrors: false, strictTypes: false } as const;
  const ofText = new Ajv({ ...common, coerceTypes: 'array' });
  const ofJson = new Ajv({ ...common, coerceTypes: false });
  app.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? ofJson : ofText).compile(schema as object));
}
