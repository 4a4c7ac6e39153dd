/**
 * Structured output: what strict mode asks of a schema, and an answer that fits it.
 *
 * @module
 */
import type { AwsError } from '../../kit/service.ts';
import { notInStandIn, openAiError } from '../errors.ts';
import { isObject } from '../input.ts';
import type { Json } from '../service.ts';
import type { Story } from '../story/writer.ts';

/** Strict mode has these and no others. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  object: ['type', 'properties', 'required', 'additionalProperties', 'description', 'title', '$defs', '$schema'],
  array: ['type', 'items', 'minItems', 'maxItems', 'description', 'title'],
  string: ['type', 'enum', 'const', 'pattern', 'format', 'description', 'title'],
  number: [
    'type',
    'enum',
    'const',
    'multipleOf',
    'minimum',
    'maximum',
    'exclusiveMinimum',
    'exclusiveMaximum',
    'description',
    'title',
  ],
  boolean: ['type', 'enum', 'const', 'description', 'title'],
};

/** @throws AwsError 400 as OpenAI refuses a schema in strict mode */
export function checkStrict(name: string, schema: Json): void {
  if (schema.type !== 'object') {
    throw invalidSchema(
      name,
      [],
      `schema must be a JSON Schema of 'type: "object"', got 'type: "${String(schema.type)}"'.`,
    );
  }
  check(name, schema, []);
}

function check(name: string, node: unknown, path: readonly string[]): void {
  if (!isObject(node)) throw invalidSchema(name, path, `${JSON.stringify(node)} is not of type 'object', 'boolean'.`);
  const type = typeof node.type === 'string' ? node.type : undefined;
  if (type === undefined) {
    if (['$ref', 'anyOf'].some((key) => key in node) || Array.isArray(node.type)) return;
    throw invalidSchema(name, path, "schema must have a 'type' key.");
  }
  const allowed = ALLOWED[type === 'integer' ? 'number' : type];
  if (!allowed && type !== 'null') throw invalidSchema(name, path, `'${type}' is not a valid type.`);
  const strange = Object.keys(node).find((key) => allowed && !allowed.includes(key));
  if (strange !== undefined) throw invalidSchema(name, path, `'${strange}' is not permitted.`);
  if (type === 'object') checkObject(name, node, path);
  if (type === 'array') {
    if (node.items === undefined) throw invalidSchema(name, path, 'array schema missing items.');
    check(name, node.items, [...path, 'items']);
  }
}

function checkObject(name: string, node: Json, path: readonly string[]): void {
  if (node.additionalProperties !== false) {
    throw invalidSchema(name, path, "'additionalProperties' is required to be supplied and to be false.");
  }
  const properties = isObject(node.properties) ? node.properties : {};
  const required: unknown[] = Array.isArray(node.required) ? node.required : [];
  const left = Object.keys(properties).find((key) => !required.includes(key));
  if (left !== undefined) {
    throw invalidSchema(
      name,
      path,
      `'required' is required to be supplied and to be an array including every key in properties. Missing '${left}'.`,
    );
  }
  for (const [key, child] of Object.entries(properties)) check(name, child, [...path, 'properties', key]);
}

function invalidSchema(name: string, path: readonly string[], problem: string): AwsError {
  const context = path.length === 1 ? `('${path[0]}',)` : `(${path.map((part) => `'${part}'`).join(', ')})`;
  return openAiError(`Invalid schema for response_format '${name}': In context=${context}, ${problem}`, {
    param: 'response_format',
  });
}

/**
 * The story in the members of the schema: a text whose name speaks of a title is the title; the first list of texts is the
 * story, else the first other text is; every further text is its summary.
 * @throws AwsError 400 not_in_stand_in for a schema with anything else in it
 */
export function fill(schema: Json, story: Story): Json {
  const members = Object.entries(isObject(schema.properties) ? schema.properties : {});
  const listName = members.find(([, node]) => isTextList(node))?.[0];
  let told = listName !== undefined;
  return Object.fromEntries(
    members.map(([name, node]): [string, unknown] => {
      if (name === listName) return [name, story.paragraphs];
      if (isTextList(node)) return [name, [story.summary]];
      if (!isObject(node) || node.type !== 'string' || node.enum !== undefined || node.const !== undefined) {
        throw notInStandIn(
          `an answer for the member '${name}' of this schema: only texts and lists of texts`,
          'response_format',
        );
      }
      if (/titl|headline/i.test(name)) return [name, story.title];
      if (told) return [name, story.summary];
      told = true;
      return [name, story.paragraphs.join('\n\n')];
    }),
  );
}

const isTextList = (node: unknown): boolean =>
  isObject(node) &&
  node.type === 'array' &&
  isObject(node.items) &&
  node.items.type === 'string' &&
  node.items.enum === undefined;
