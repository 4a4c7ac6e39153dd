/**
 * The operations on rules and their targets.
 *
 * @module
 */
import type { JsonOperation } from '../../kit/json-protocol.ts';
import { AwsError } from '../../kit/service.ts';
import { type Pattern, PatternError, parsePattern } from './pattern.ts';
import type { Rule, RuleStore, Target } from './store.ts';

type Json = Record<string, unknown>;

const MAX_TARGETS = 5;
const TARGET_FIELDS = ['Id', 'Arn', 'Input', 'DeadLetterConfig', 'RoleArn', 'RetryPolicy'];

export const validation = (message: string) => new AwsError('ValidationException', message);

export function ruleOperations(store: RuleStore): Record<string, JsonOperation> {
  const named = (field: string, run: (rule: Rule, input: Json) => Json): JsonOperation => ({
    subject: (input) => String(input[field] ?? ''),
    run(input) {
      checkBus(input.EventBusName);
      const rule = store.find(requiredName(input, field));
      if (!rule) {
        throw new AwsError(
          'ResourceNotFoundException',
          `Rule ${String(input[field])} does not exist on EventBus default.`,
        );
      }
      return run(rule, input);
    },
  });

  return {
    PutRule: {
      subject: (input) => String(input.Name ?? ''),
      run(input) {
        checkBus(input.EventBusName);
        const name = requiredName(input, 'Name');
        if (input.ScheduleExpression !== undefined)
          throw validation('this stand-in has no schedules: no ScheduleExpression');
        if (typeof input.EventPattern !== 'string') {
          throw validation('Parameter(s) EventPattern or ScheduleExpression must be specified.');
        }
        checkedPattern(input.EventPattern);
        const state = input.State ?? 'ENABLED';
        if (state !== 'ENABLED' && state !== 'DISABLED')
          throw validation(`Value '${String(state)}' at 'state' is not valid.`);
        store.put({
          name,
          eventPattern: input.EventPattern,
          state,
          targets: store.find(name)?.targets ?? [],
          ...(typeof input.Description === 'string' && { description: input.Description }),
          ...(typeof input.RoleArn === 'string' && { roleArn: input.RoleArn }),
        });
        return { RuleArn: store.arn(name) };
      },
    },
    DescribeRule: named('Name', (rule) => describe(store, rule)),
    ListRules: {
      run(input) {
        checkBus(input.EventBusName);
        const prefix = String(input.NamePrefix ?? '');
        const rules = store.list().filter((rule) => rule.name.startsWith(prefix));
        const page = pageOf(rules, (rule) => rule.name, input);
        return { Rules: page.items.map((rule) => describe(store, rule)), ...page.next };
      },
    },
    EnableRule: named('Name', (rule) => {
      store.put({ ...rule, state: 'ENABLED' });
      return {};
    }),
    DisableRule: named('Name', (rule) => {
      store.put({ ...rule, state: 'DISABLED' });
      return {};
    }),
    DeleteRule: {
      subject: (input) => String(input.Name ?? ''),
      run(input) {
        checkBus(input.EventBusName);
        const rule = store.find(requiredName(input, 'Name'));
        if (rule && rule.targets.length > 0) throw validation("Rule can't be deleted since it has targets.");
        // Deleting what is not there succeeds.
        if (rule) store.end(rule.name);
        return {};
      },
    },
    PutTargets: named('Rule', (rule, input) => {
      const given = (input.Targets ?? []) as Target[];
      if (given.length === 0) throw validation("Value at 'targets' failed to satisfy constraint: at least one target");
      for (const target of given) checkTarget(target);
      const ids = new Set(given.map((target) => target.Id));
      if (ids.size < given.length) throw validation('Duplicate target id in the request.');
      const targets = [...rule.targets.filter((target) => !ids.has(target.Id)), ...given];
      if (targets.length > MAX_TARGETS) {
        throw new AwsError('LimitExceededException', 'The requested resource exceeds the maximum number allowed.');
      }
      store.put({ ...rule, targets });
      return { FailedEntryCount: 0, FailedEntries: [] };
    }),
    ListTargetsByRule: named('Rule', (rule, input) => {
      const page = pageOf(rule.targets, (target) => target.Id, input);
      return { Targets: page.items, ...page.next };
    }),
    RemoveTargets: named('Rule', (rule, input) => {
      const ids = (input.Ids ?? []) as string[];
      if (ids.length === 0) throw validation("Value at 'ids' failed to satisfy constraint: at least one id");
      const missing = ids.filter((id) => !rule.targets.some((target) => target.Id === id));
      store.put({ ...rule, targets: rule.targets.filter((target) => !ids.includes(target.Id)) });
      return {
        FailedEntryCount: missing.length,
        FailedEntries: missing.map((TargetId) => ({
          TargetId,
          ErrorCode: 'ResourceNotFoundException',
          ErrorMessage: `Target ${TargetId} does not exist.`,
        })),
      };
    }),
  };
}

/** Only the default bus exists; it may be named by name or ARN. */
export function checkBus(name: unknown): void {
  if (name === undefined || name === 'default' || (typeof name === 'string' && name.endsWith(':event-bus/default')))
    return;
  throw new AwsError('ResourceNotFoundException', `Event bus ${String(name)} does not exist.`);
}

/** @throws AwsError InvalidEventPatternException */
export function checkedPattern(text: string): Pattern {
  try {
    return parsePattern(text);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new AwsError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${error.message}`);
  }
}

function describe(store: RuleStore, rule: Rule): Json {
  return {
    Name: rule.name,
    Arn: store.arn(rule.name),
    EventPattern: rule.eventPattern,
    State: rule.state,
    EventBusName: 'default',
    ...(rule.description !== undefined && { Description: rule.description }),
    ...(rule.roleArn !== undefined && { RoleArn: rule.roleArn }),
  };
}

function requiredName(input: Json, field: string): string {
  const name = input[field];
  if (typeof name !== 'string' || !/^[.\-_A-Za-z0-9]{1,64}$/.test(name)) {
    throw validation(
      `1 validation error detected: Value '${String(name)}' at '${field.toLowerCase()}' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+`,
    );
  }
  return name;
}

function checkTarget(target: Target): void {
  if (typeof target.Id !== 'string' || !/^[.\-_A-Za-z0-9]{1,64}$/.test(target.Id)) {
    throw validation(`Value '${String(target.Id)}' at 'targets.id' is not valid.`);
  }
  if (typeof target.Arn !== 'string' || !/^arn:aws[\w-]*:sqs:[\w-]+:\d{12}:[\w-]+$/.test(target.Arn)) {
    throw validation(
      `Parameter ${String(target.Arn)} is not valid. Reason: Provided Arn is not in correct format; this stand-in delivers to SQS queues.`,
    );
  }
  const unknown = Object.keys(target).find((field) => !TARGET_FIELDS.includes(field));
  if (unknown !== undefined) throw validation(`this stand-in delivers events whole or as Input: no ${unknown}`);
}

function pageOf<Item>(items: readonly Item[], nameOf: (item: Item) => string, input: Json) {
  const limit = Number(input.Limit ?? 100);
  if (!(limit >= 1 && limit <= 100)) throw validation("Value at 'limit' failed to satisfy constraint: 1 to 100");
  const token = input.NextToken;
  const after = typeof token === 'string' ? Buffer.from(token, 'base64').toString() : undefined;
  const start = after === undefined ? 0 : items.findIndex((item) => nameOf(item) === after) + 1;
  const page = items.slice(start, start + limit);
  const last = page.at(-1);
  const more = last !== undefined && start + limit < items.length;
  return { items: page, next: more ? { NextToken: Buffer.from(nameOf(last)).toString('base64') } : {} };
}
