/**
 * Reads a launch sheet (YAML or JSON) and checks it against the published schema. Every problem names the file, the
 * line and what was expected.
 *
 * @module
 */
import type { ErrorObject } from 'ajv/dist/2020.js';
import { type Document, isMap, isNode, LineCounter, parseAllDocuments, parseDocument } from 'yaml';
import { schemaCheck } from '../../kit/schema.ts';
import { LIMITS } from '../model.ts';
import { type Problem, SheetError } from './problems.ts';
import schema from './sheet.schema.json' with { type: 'json' };
import type { Sheet } from './sheet.ts';

const check = schemaCheck<Sheet>(schema, {
  allErrors: true,
  allowUnionTypes: true,
  strictRequired: false,
  verbose: true,
});

/** A parsed sheet and a way back from a path inside it to the line it stands on. */
export interface ParsedSheet {
  sheet: Sheet;
  lineOf(path: readonly string[]): number | undefined;
}

/**
 * @param file the name the user knows the sheet by; used in messages only
 * @throws SheetError with every problem found
 */
export function parseSheet(text: string, file: string): ParsedSheet {
  const { document, lines } = parseYaml(text, file);
  const lineOf = (path: readonly string[]) => lineOfPath(document, lines, path);
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  const validate = check();
  if (!validate(value)) throw new SheetError(file, toProblems(validate.errors ?? [], lineOf));
  // The schema and the type say the same; test/unit/sheet.test.ts holds them together by the examples.
  return { sheet: value, lineOf };
}

/**
 * The launch id a sheet asks for, even when the rest of it is no good: a broken sheet is registered under its own id
 * where it has one.
 */
export function launchIdIn(text: string): string | undefined {
  if (text.length > LIMITS.sheetBytes) return undefined;
  const document = parseDocument(text, { prettyErrors: false });
  const id: unknown = isMap(document.contents) ? document.contents.get('launchId') : undefined;
  return typeof id === 'string' ? id : undefined;
}

/** Adds the line a problem's place stands on, where it has none yet. */
export function withLine(problem: Problem, lineOf: ParsedSheet['lineOf']): Problem {
  const line = problem.line ?? lineOf(problem.at.split('.'));
  return line === undefined ? problem : { ...problem, line };
}

function parseYaml(text: string, file: string): { document: Document.Parsed; lines: LineCounter } {
  const invalid = (message: string, line?: number): never => {
    throw new SheetError(file, [{ kind: 'invalid', at: '', message, ...(line !== undefined && { line }) }]);
  };
  if (Buffer.byteLength(text) > LIMITS.sheetBytes) invalid(`the sheet is larger than ${LIMITS.sheetBytes} bytes`);
  if (text.trim() === '') invalid('the sheet is empty');
  if (/[\uFFFD\u0000]/.test(text)) invalid('the sheet is not text in UTF-8');
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  if (!Array.isArray(documents)) return invalid('the sheet is empty');
  const [document] = documents;
  if (document === undefined) return invalid('the sheet is empty');
  if (documents.length > 1)
    invalid(
      'the sheet holds more than one YAML document; give each launch a file of its own',
      lines.linePos(documents[1]?.range[0] ?? 0).line,
    );
  const [error] = document.errors;
  if (error) invalid(`not valid YAML or JSON: ${withoutContent(error.message)}`, lines.linePos(error.pos[0]).line);
  if (!isMap(document.contents))
    invalid('expected a mapping of settings at the top, such as "apiVersion: longhaul/v1"', 1);
  try {
    document.toJS({ maxAliasCount: 100 });
  } catch (thrown) {
    invalid(`not valid YAML: ${withoutContent((thrown as Error).message)}`);
  }
  return { document, lines };
}

/** The parser quotes what it stumbled over, after a colon; that may be a secret, so only punctuation is let through. */
const withoutContent = (message: string): string =>
  message.replace(/(?<=[\w)]): (?=.*[^\s"'{}[\],:]).*$/s, '').replace(/(?<=^Invalid escape sequence).*$/s, '');

/** The line of the deepest part of `path` that exists. */
function lineOfPath(document: Document.Parsed, lines: LineCounter, path: readonly string[]): number | undefined {
  for (let length = path.length; length >= 0; length -= 1) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    if (length > 0 && isMap(parent)) {
      const pair = parent.items.find((item) => String(item.key) === key);
      const at = isNode(pair?.key) ? pair.key.range?.[0] : undefined;
      if (at !== undefined) return lines.linePos(at).line;
      continue;
    }
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}

function toProblems(errors: readonly ErrorObject[], lineOf: ParsedSheet['lineOf']): Problem[] {
  // A oneOf that failed reports every branch as well; the branches only confuse.
  const alternatives = errors.filter((error) => error.keyword === 'oneOf');
  const covered = (error: ErrorObject) =>
    alternatives.some(
      (one) => error !== one && error.schemaPath.startsWith(one.schemaPath.replace(/oneOf$/, 'oneOf/')),
    );
  const wanted = errors.filter((error) => !covered(error) && !['if', 'propertyNames'].includes(error.keyword));
  const problems = wanted.map((error): Problem => {
    const base = error.instancePath
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const path =
      error.keyword === 'required'
        ? [...base, String(error.params.missingProperty)]
        : error.keyword === 'additionalProperties'
          ? [...base, String(error.params.additionalProperty)]
          : error.propertyName === undefined
            ? base
            : [...base, error.propertyName];
    const line = lineOf(path);
    return {
      kind: error.keyword === 'required' ? 'missing' : 'invalid',
      at: path.join('.'),
      message: explain(error),
      ...(line !== undefined && { line }),
    };
  });
  const seen = new Set<string>();
  return problems.filter(
    (problem) => !seen.has(`${problem.at}|${problem.message}`) && seen.add(`${problem.at}|${problem.message}`),
  );
}

function explain(error: ErrorObject): string {
  // What people put into parameters and environments may be secret, and errors end up in logs.
  const got = /^\/parameters|\/environment/.test(error.instancePath) ? 'a value not shown here' : show(error.data);
  const { params } = error;
  const description: unknown = error.parentSchema?.description;
  const hint = typeof description === 'string' ? ` (${description})` : '';
  if (error.propertyName !== undefined) return `this name cannot be used; it must match ${params.pattern}`;
  switch (error.keyword) {
    case 'required':
      return 'missing; this parameter is required';
    case 'additionalProperties':
      return `unknown field; known here: ${Object.keys(error.parentSchema?.properties ?? {}).join(', ')}`;
    case 'const':
      return `expected ${show(params.allowedValue)}, got ${got}`;
    case 'enum':
      return `expected one of ${(params.allowedValues as unknown[]).map(show).join(', ')}, got ${got}${hint}`;
    case 'type':
      // A secret indented wrongly may stand where a mapping should.
      if (params.type === 'object' && typeof error.data === 'string') return `expected object, got a text${hint}`;
      return `expected ${([] as string[]).concat(params.type as string | string[]).join(' or ')}, got ${got}${hint}`;
    case 'pattern':
      return `${got} does not have the expected form ${params.pattern}${hint}`;
    case 'oneOf':
      return `got ${got}; ${alternativesOf(error)}`;
    case 'minItems':
    case 'minProperties':
      return 'must not be empty';
    case 'uniqueItems':
      return 'holds the same value twice';
    default:
      return `${error.message ?? 'is not valid'}, got ${got}${hint}`;
  }
}

function alternativesOf(error: ErrorObject): string {
  if (/\/inputs\//.test(error.instancePath))
    return 'expected a path, or { from: <step>.<output>, gather: true | false }';
  if (/^\/scatter\/[^/]+$/.test(error.instancePath))
    return 'expected a list of items that is not empty, or { discover: <pattern with one *> }';
  return 'expected a name of letters, digits and . _ : -, or a mapping with at least a name of that form';
}

/** Values are shown short: a sheet may hold what should not be spread over logs. */
function show(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}..."` : text;
}
