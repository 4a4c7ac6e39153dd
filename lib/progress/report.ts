/**
 * The border of the log: what a source says is checked, cut to size and split here, whoever sent it. What is left has known
 * fields only, and folds without surprises.
 *
 * @module
 */
import {
  type Change,
  EVENT_KINDS,
  LIMITS,
  type ProgressEvent,
  type Report,
  type RunFacts,
  type Source,
  STEP_STATES,
  type StepView,
} from '../../workflows/progress/model.ts';
import { clip, type Fields, fail, list, number, optional, record, share, text, whole } from './shape.ts';

export { InvalidProgressError } from './shape.ts';

/** Bytes of UTF-8: a run is a partition key, a step's name part of a sort key, sources stand in the head by name. */
const RUN_BYTES = 1_000;
const NAME_BYTES = 600;
const SOURCE_BYTES = 256;
const WORD_BYTES = 256;
const COUNTS = 100;

/** @throws InvalidProgressError */
export const checkRun = (run: unknown): string => text(run, 'run', RUN_BYTES);

/** @throws InvalidProgressError */
export function checkFacts(facts: unknown): RunFacts {
  const given = record(facts, 'facts');
  const fact = (name: string) => optional(given[name], (value) => text(value, `facts.${name}`, RUN_BYTES));
  return defined({
    domain: text(given.domain, 'facts.domain', WORD_BYTES),
    consumer: fact('consumer'),
    owner: fact('owner'),
    parent: fact('parent'),
  });
}

/**
 * A report as the log takes it: unknown fields are gone, messages are cut.
 * @throws InvalidProgressError of what cannot be understood, or is too large
 */
export function checkReport(report: unknown): Report {
  const checked = readReport(report);
  if ((checked.steps?.length ?? 0) > LIMITS.stepsInReport)
    fail('steps', `at most ${LIMITS.stepsInReport} steps`, 'split the report (takeReport)');
  checkBytes(checked);
  return checked;
}

/**
 * A report of any number of steps, as reports the log takes.
 * @throws InvalidProgressError
 */
export function takeReport(report: unknown): Report[] {
  const parts = splitReport(readReport(report));
  for (const part of parts) checkBytes(part);
  return parts;
}

/** Checked, and not split yet. */
export function readReport(report: unknown): Report {
  const given = record(report, 'report');
  return {
    kind: oneOf(given.kind, 'kind', EVENT_KINDS),
    source: checkSource(given.source),
    localSeq: number(given.localSeq, 'localSeq', 0),
    at: number(given.at, 'at', 0),
    ...checkChange(given),
  };
}

function checkBytes(report: Report): void {
  const bytes = bytesOf(report);
  if (bytes <= LIMITS.reportBytes) return;
  const expected = `at most ${LIMITS.reportBytes} bytes, not ${bytes}`;
  fail(`report of ${report.source.name}`, expected, 'put the data into S3 and report its address');
}

/**
 * An event of somebody's nudge.
 * @throws InvalidProgressError
 */
export function checkEvent(event: unknown): ProgressEvent {
  const given = record(event, 'event');
  const merged = optional(given.merged, (value) => whole(value, 'merged', 1));
  return {
    seq: whole(given.seq, 'seq', 1),
    kind: oneOf(given.kind, 'kind', EVENT_KINDS),
    source: checkSource(given.source),
    at: number(given.at, 'at', 0),
    ...(merged !== undefined && { merged }),
    ...checkChange(given),
  };
}

function checkSource(source: unknown): Source {
  const given = record(source, 'source');
  return { name: text(given.name, 'source.name', SOURCE_BYTES), attempt: whole(given.attempt, 'source.attempt', 0) };
}

/** What changes, of a report or of an event. */
function checkChange(given: Fields): Change {
  const words = (name: string) => optional(given[name], (value) => text(value, name, WORD_BYTES));
  const orNull = <T>(name: string, check: (value: unknown) => T): T | null | undefined =>
    given[name] === null ? null : optional(given[name], check);
  return defined({
    begins: optional(given.begins, (value) => ({
      attempt: whole(record(value, 'begins').attempt, 'begins.attempt', 1),
    })),
    status: words('status'),
    waitingFor: orNull('waitingFor', (value) => text(value, 'waitingFor', WORD_BYTES)),
    percent: optional(given.percent, (value) => share(value, 'percent')),
    message: orNull('message', (value) => clip(value, 'message')),
    steps: optional(given.steps, (value) => list(value, 'steps').map(checkStep)),
    counts: optional(given.counts, checkCounts),
    etaAt: orNull('etaAt', (value) => number(value, 'etaAt', 0)),
    error: orNull('error', (value) => {
      const error = record(value, 'error');
      return { type: text(error.type, 'error.type', WORD_BYTES), message: clip(error.message, 'error.message') };
    }),
    cost: optional(given.cost, (value) => {
      const cost = record(value, 'cost');
      return defined({
        total: text(cost.total, 'cost.total', WORD_BYTES),
        currency: text(cost.currency, 'cost.currency', WORD_BYTES),
        status: optional(cost.status, (status) => oneOf(status, 'cost.status', ['PENDING', 'FINAL'] as const)),
      });
    }),
    data: given.data,
  });
}

function checkStep(step: unknown): StepView {
  const given = record(step, 'step');
  const name = text(given.name, 'step.name', NAME_BYTES);
  const where = (field: string) => `steps[${name}].${field}`;
  const at = (field: string) => optional(given[field], (value) => number(value, where(field), 0));
  const words = (field: string) => optional(given[field], (value) => clip(value, where(field)));
  return defined({
    name,
    state: oneOf(given.state, where('state'), STEP_STATES),
    after: optional(given.after, (value) =>
      list(value, where('after')).map((one) => text(one, where('after'), NAME_BYTES)),
    ),
    weight: at('weight'),
    percent: optional(given.percent, (value) => share(value, where('percent'))),
    message: words('message'),
    items: optional(given.items, (value) => {
      const items = record(value, where('items'));
      const count = (field: string) => number(items[field], where(`items.${field}`), 0);
      return defined({
        total: count('total'),
        running: count('running'),
        succeeded: count('succeeded'),
        failed: count('failed'),
        cached: optional(items.cached, () => count('cached')),
      });
    }),
    attempt: at('attempt'),
    submittedAt: at('submittedAt'),
    startedAt: at('startedAt'),
    endedAt: at('endedAt'),
    jobId: words('jobId'),
    cause: words('cause'),
    stuck: optional(given.stuck, (value) => {
      const stuck = record(value, where('stuck'));
      return {
        reason: clip(stuck.reason, where('stuck.reason')),
        remedy: clip(stuck.remedy, where('stuck.remedy')),
        since: number(stuck.since, where('stuck.since'), 0),
      };
    }),
    tasks: optional(given.tasks, (value) =>
      list(value, where('tasks')).map((one) => {
        const task = record(one, where('tasks'));
        const count = (field: string) => number(task[field], where(`tasks.${field}`), 0);
        return {
          name: clip(task.name, where('tasks.name')),
          total: count('total'),
          running: count('running'),
          succeeded: count('succeeded'),
          failed: count('failed'),
        };
      }),
    ),
  });
}

function checkCounts(value: unknown): Readonly<Record<string, number>> {
  const entries = Object.entries(record(value, 'counts'));
  if (entries.length > COUNTS) fail('counts', `at most ${COUNTS} of them`, 'report steps, or sums');
  return Object.fromEntries(
    entries.map(([name, count]) => [text(name, 'counts', WORD_BYTES), number(count, `counts.${name}`)]),
  );
}

/**
 * A report in parts the log takes one by one. All have numbers below the next whole one, so that a repeat is split into the
 * same. What begins comes with the first part, what else is said with the last.
 */
export function splitReport(report: Report): Report[] {
  const { steps = [], begins, ...rest } = report;
  if (steps.length <= LIMITS.stepsInReport && bytesOf(report) <= LIMITS.reportBytes) return [report];
  const { kind: _kind, source, localSeq, at, ...said } = rest;
  const groups = groupSteps(steps, LIMITS.reportBytes - HEADROOM);
  // What else is said may be large by itself: then it goes alone.
  const last = groups.at(-1);
  if (!last || bytesOf(last) + bytesOf(said) > LIMITS.reportBytes - HEADROOM) groups.push([]);
  return groups.map((group, index) => {
    const isLast = index === groups.length - 1;
    return {
      ...(isLast ? rest : { kind: 'progress' as const, source, at }),
      localSeq: localSeq + index / groups.length,
      ...(begins && index === 0 && { begins }),
      ...(group.length > 0 && { steps: group }),
    };
  });
}

/** For what a part has beside its steps: source, numbers, attempt. */
const HEADROOM = 1_024;

function groupSteps(steps: readonly StepView[], room: number): StepView[][] {
  const groups: StepView[][] = [];
  let bytes = 0;
  for (const step of steps) {
    const more = bytesOf(step) + 1;
    const group = groups.at(-1);
    if (group && group.length < LIMITS.stepsInReport && bytes + more <= room) {
      group.push(step);
      bytes += more;
    } else {
      groups.push([step]);
      bytes = more;
    }
  }
  return groups;
}

/** Of its JSON. */
export const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? '');

function oneOf<const T extends string>(value: unknown, where: string, known: readonly T[]): T {
  if (known.includes(value as T)) return value as T;
  return fail(where, `one of ${known.join(', ')}`);
}

type Defined<T> = { [Name in keyof T as undefined extends T[Name] ? never : Name]: T[Name] } & {
  [Name in keyof T as undefined extends T[Name] ? Name : never]?: Exclude<T[Name], undefined>;
};

/** Without the fields that are undefined. */
function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
