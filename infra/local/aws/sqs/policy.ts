/**
 * Queue policies: whether a service of AWS may put a message into a queue. Pure. Without a statement that allows it,
 * it may not; an explicit Deny wins; what is not understood here refuses.
 *
 * @module
 */
import type { ServiceSender } from '../ports.ts';

export interface PolicyRequest extends ServiceSender {
  queueArn: string;
  accountId: string;
}

/** What a statement says of a request; `unclear` when it uses what is not understood here. */
type Verdict = 'covers' | 'differs' | 'unclear';

type Context = Readonly<Record<string, string>>;
type Json = Record<string, unknown>;

const ACTION = 'sqs:SendMessage';
const NOT_UNDERSTOOD = ['NotPrincipal', 'NotAction', 'NotResource'];

/**
 * @param policy the queue's attribute `Policy`
 */
export function allowsSend(policy: string | undefined, request: PolicyRequest): boolean {
  if (policy === undefined) return false;
  const statements = statementsOf(policy);
  const context: Context = {
    'aws:sourcearn': request.sourceArn,
    'aws:sourceaccount': request.accountId,
    'aws:securetransport': 'true',
    'aws:principalisawsservice': 'true',
  };
  let allowed = false;
  for (const statement of statements) {
    const verdict = judge(statement, request, context);
    if (statement.Effect === 'Deny' && verdict !== 'differs') return false;
    if (statement.Effect === 'Allow' && verdict === 'covers') allowed = true;
  }
  return allowed;
}

/** Why SQS would not take this policy; undefined when it would. */
export function policyFault(policy: string): string | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(policy);
  } catch {
    return 'it is not JSON';
  }
  const version = isObject(parsed) ? parsed.Version : undefined;
  if (version !== undefined && version !== '2012-10-17' && version !== '2008-10-17') return 'unknown Version';
  const statements = list(isObject(parsed) ? parsed.Statement : undefined);
  if (statements.length === 0) return 'no Statement';
  for (const statement of statements) {
    if (!isObject(statement)) return 'a Statement is no object';
    if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny') return 'a Statement without Effect';
    for (const part of ['Principal', 'Action', 'Resource']) {
      if (statement[part] === undefined && statement[`Not${part}`] === undefined) return `a Statement without ${part}`;
    }
  }
  return undefined;
}

function statementsOf(policy: string): Json[] {
  return list((JSON.parse(policy) as Json).Statement).filter(isObject);
}

function judge(statement: Json, request: PolicyRequest, context: Context): Verdict {
  if (NOT_UNDERSTOOD.some((name) => name in statement)) return 'unclear';
  const covered =
    namesPrincipal(statement.Principal, request.service) &&
    texts(statement.Action).some((action) => like(action.toLowerCase(), ACTION.toLowerCase())) &&
    texts(statement.Resource).some((resource) => like(resource, request.queueArn));
  return covered ? judgeCondition(statement.Condition, context) : 'differs';
}

/** `{ "AWS": "*" }` is everyone, as `"*"` is. */
function namesPrincipal(principal: unknown, service: string): boolean {
  if (principal === '*') return true;
  return isObject(principal) && (texts(principal.Service).includes(service) || texts(principal.AWS).includes('*'));
}

type Test = (wanted: string, actual: string) => boolean;

/** ARNs are compared part by part: a `*` does not reach over a colon but in the last part. */
const likeArn: Test = (wanted, actual) => {
  const parts = (arn: string) => [...arn.split(':', 5), arn.split(':').slice(5).join(':')];
  const given = parts(actual);
  return wanted.split(':').length >= 6 && parts(wanted).every((part, index) => like(part, given[index] ?? ''));
};
const same: Test = (wanted, actual) => wanted === actual;
const sameText: Test = (wanted, actual) => wanted.toLowerCase() === actual.toLowerCase();

const OPERATORS: Readonly<Record<string, { test: Test; negated?: true }>> = {
  StringEquals: { test: same },
  StringNotEquals: { test: same, negated: true },
  StringEqualsIgnoreCase: { test: sameText },
  StringNotEqualsIgnoreCase: { test: sameText, negated: true },
  StringLike: { test: like },
  StringNotLike: { test: like, negated: true },
  ArnEquals: { test: likeArn },
  ArnNotEquals: { test: likeArn, negated: true },
  ArnLike: { test: likeArn },
  ArnNotLike: { test: likeArn, negated: true },
  Bool: { test: sameText },
};

/** All operators and all their keys must hold; of a key's values one is enough. A key the request lacks never equals. */
function judgeCondition(condition: unknown, context: Context): Verdict {
  if (condition === undefined) return 'covers';
  if (!isObject(condition)) return 'unclear';
  let verdict: Verdict = 'covers';
  for (const [name, keys] of Object.entries(condition)) {
    const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
    if (!operator || !isObject(keys)) {
      verdict = 'unclear';
      continue;
    }
    for (const [key, wanted] of Object.entries(keys)) {
      const actual = context[key.toLowerCase()];
      const equal = actual !== undefined && texts(wanted).some((one) => operator.test(one, actual));
      if (equal === (operator.negated ?? false)) return 'differs';
    }
  }
  return verdict;
}

/** `*` is any text, `?` any one character. */
function like(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

function list(value: unknown): unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function texts(value: unknown): string[] {
  return list(value)
    .filter((one) => typeof one === 'string' || typeof one === 'boolean' || typeof one === 'number')
    .map(String);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
