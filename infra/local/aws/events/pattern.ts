/**
 * EventBridge's event patterns: checked when a rule is made, matched when an event comes. Pure.
 *
 * A pattern names fields; every named field must match, each by any one of its listed matchers. An array in the event
 * matches when any element does; objects in an array are matched one by one, all fields on the same object.
 *
 * @module
 */

export type Pattern = { readonly [field: string]: unknown };

/** Why a pattern is refused, in words for the message of InvalidEventPatternException. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

type Test = (value: unknown) => boolean;
type Scalar = string | number | boolean | null;

const isScalar = (value: unknown): value is Scalar =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * @param text the pattern as JSON
 * @throws PatternError
 */
export function parsePattern(text: string): Pattern {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new PatternError('it is not valid JSON');
  }
  if (!isObject(parsed)) throw new PatternError('Filter is not an object');
  checkObject(parsed);
  return parsed;
}

export function matches(pattern: Pattern, event: unknown): boolean {
  if (Array.isArray(event)) return event.some((element) => matches(pattern, element));
  const fields = isObject(event) ? event : {};
  return Object.entries(pattern).every(([field, expected]) => {
    if (field === '$or' && isAlternatives(expected)) return expected.some((alternative) => matches(alternative, event));
    const value = Object.hasOwn(fields, field) ? fields[field] : undefined;
    return Array.isArray(expected) ? matchesLeaf(expected, value) : matches(expected as Pattern, value);
  });
}

function matchesLeaf(matchers: readonly unknown[], value: unknown): boolean {
  const values = flatten(value);
  return matchers.some((matcher) => {
    // `exists` is the only one that can match an absent field.
    if (isObject(matcher) && 'exists' in matcher) return matcher.exists === values.length > 0;
    const test = compile(matcher);
    return values.some(test);
  });
}

/** The leaves of a field: an object is none, an array is each of its leaves. */
function flatten(value: unknown): Scalar[] {
  if (Array.isArray(value)) return value.flatMap(flatten);
  return isScalar(value) ? [value] : [];
}

function isAlternatives(value: unknown): value is Pattern[] {
  return Array.isArray(value) && value.length > 1 && value.every(isObject) && !value.every(isMatcher);
}

/** `{"$or": [{"prefix": ...}]}` is a field called `$or`: Ruler takes reserved words for matchers, not for fields. */
function isMatcher(value: Record<string, unknown>): boolean {
  return Object.keys(value).some((key) => Object.hasOwn(OPERATORS, key));
}

function checkObject(pattern: Record<string, unknown>): void {
  const entries = Object.entries(pattern);
  if (entries.length === 0) throw new PatternError('Empty objects are not allowed');
  for (const [field, expected] of entries) {
    if (field === '$or' && isAlternatives(expected)) for (const alternative of expected) checkObject(alternative);
    else if (Array.isArray(expected)) checkLeaf(expected);
    else if (isObject(expected)) checkObject(expected);
    else throw new PatternError(`"${field}" must be an object or an array`);
  }
}

function checkLeaf(matchers: readonly unknown[]): void {
  if (matchers.length === 0) throw new PatternError('Empty arrays are not allowed');
  for (const matcher of matchers) compile(matcher);
}

/** @throws PatternError for what is no matcher */
function compile(matcher: unknown): Test {
  if (isScalar(matcher)) return (value) => value === matcher;
  if (!isObject(matcher)) throw new PatternError('Match value must be String, number, true, false, or null');
  const [name, ...more] = Object.keys(matcher);
  if (name === undefined || more.length > 0) throw new PatternError('Only one key allowed in match expression');
  const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
  if (!operator) throw new PatternError(`Unrecognized match type ${name}`);
  return operator(matcher[name]);
}

const lower = (text: string) => text.toLowerCase();

/** A test on text, its operand a text or `{"equals-ignore-case": text}` where that is allowed. */
function textTest(name: string, compare: (value: string, operand: string) => boolean, foldable = false) {
  return (operand: unknown): Test => {
    if (foldable && isObject(operand) && Object.keys(operand).join() === 'equals-ignore-case') {
      const folded = lower(text(name, operand['equals-ignore-case']));
      return (value) => typeof value === 'string' && compare(lower(value), folded);
    }
    const expected = text(name, operand);
    return (value) => typeof value === 'string' && compare(value, expected);
  };
}

function text(name: string, operand: unknown): string {
  if (typeof operand !== 'string') throw new PatternError(`${name} match pattern must be a string`);
  return operand;
}

const OPERATORS: Readonly<Record<string, (operand: unknown) => Test>> = {
  prefix: textTest('prefix', (value, operand) => value.startsWith(operand), true),
  suffix: textTest('suffix', (value, operand) => value.endsWith(operand), true),
  'equals-ignore-case': textTest('equals-ignore-case', (value, operand) => lower(value) === lower(operand)),
  wildcard(operand) {
    const expression = wildcard(text('wildcard', operand));
    return (value) => typeof value === 'string' && expression.test(value);
  },
  exists(operand) {
    if (typeof operand !== 'boolean') throw new PatternError('exists match pattern must be either true or false');
    return () => operand;
  },
  numeric(operand) {
    const bounds = numericBounds(operand);
    return (value) => typeof value === 'number' && bounds.every((bound) => bound(value));
  },
  'anything-but'(operand) {
    const excluded = anythingBut(operand);
    return (value) => !excluded(value);
  },
};

function anythingBut(operand: unknown): Test {
  if (isObject(operand)) {
    const [name, ...more] = Object.keys(operand);
    if (
      name === undefined ||
      more.length > 0 ||
      !['prefix', 'suffix', 'equals-ignore-case', 'wildcard'].includes(name)
    ) {
      throw new PatternError(`Unsupported anything-but pattern: ${String(name)}`);
    }
    const tests = listOf(operand[name]).map((one) => compile({ [name]: one }));
    return (value) => tests.some((test) => test(value));
  }
  const values = listOf(operand);
  const kinds = new Set(values.map((value) => typeof value));
  if (!values.every((value) => typeof value === 'string' || typeof value === 'number') || kinds.size > 1) {
    throw new PatternError('Inside anything-but list, values must be all strings or all numbers');
  }
  return (value) => (values as unknown[]).includes(value);
}

function listOf(operand: unknown): unknown[] {
  if (!Array.isArray(operand)) return [operand];
  if (operand.length === 0) throw new PatternError('Empty arrays are not allowed');
  return operand;
}

/** `*` stands for any run of characters; `\*` and `\\` for themselves. */
function wildcard(pattern: string): RegExp {
  let source = '';
  for (let index = 0; index < pattern.length; index += 1) {
    const char = pattern.charAt(index);
    const next = pattern.charAt(index + 1);
    if (char === '*' && next === '*') throw new PatternError('Consecutive wildcard characters');
    if (char === '\\' && next !== '*' && next !== '\\')
      throw new PatternError('Invalid escape character at pos ' + index);
    if (char === '*') source += '[^]*';
    else if (char === '\\') {
      source += `\\${next}`;
      index += 1;
    } else source += char.replace(/[$()*+./?[\\\]^{|}-]/g, '\\$&');
  }
  return new RegExp(`^${source}$`);
}

/** `["=", 5]`, or a lower bound, an upper bound, or both in this order. */
function numericBounds(operand: unknown): ((value: number) => boolean)[] {
  if (!Array.isArray(operand) || operand.length === 0) throw new PatternError('Value of numeric must be an array');
  const operators = operand.filter((_, index) => index % 2 === 0).join(' ');
  const numbers = operand.filter((_, index) => index % 2 === 1);
  if (!/^(=|[<>]=?|>=? <=?)$/.test(operators))
    throw new PatternError(`Unrecognized numeric range operator: ${operators}`);
  const [first, second] = numbers;
  if (numbers.length * 2 !== operand.length || !numbers.every((number) => Number.isFinite(number))) {
    throw new PatternError('Value of numeric operator must be numeric');
  }
  if (numbers.some((number) => Math.abs(number as number) > 5e9)) {
    throw new PatternError('Value must be between -5.0E9 and 5.0E9, inclusive');
  }
  if (second !== undefined && !((first as number) < (second as number)))
    throw new PatternError('Bottom must be less than top');
  return operators.split(' ').map((operator, index) => {
    const limit = numbers[index] as number;
    if (operator === '=') return (value) => value === limit;
    if (operator === '<') return (value) => value < limit;
    if (operator === '<=') return (value) => value <= limit;
    if (operator === '>') return (value) => value > limit;
    return (value) => value >= limit;
  });
}
