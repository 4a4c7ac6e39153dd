/**
 * JSON Schemas by Ajv, compiled at their first use: compiling takes longer than most commands, which check nothing by them.
 * For clients and activities: no workflow imports it, or its bundle would have Ajv in it.
 *
 * @module
 */
import { Ajv2020, type Options, type ValidateFunction } from 'ajv/dist/2020.js';

/** @returns gives the compiled schema */
export function schemaCheck<T>(schema: object, options: Options = {}): () => ValidateFunction<T> {
  let compiled: ValidateFunction<T> | undefined;
  return () => {
    compiled ??= new Ajv2020({ strict: true, ...options }).compile<T>(schema);
    return compiled;
  };
}
