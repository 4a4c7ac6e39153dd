/** The border of the log: hostile input, cutting, splitting, and merging of what waits. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DETAIL_BYTES, detailsOf, readDetail } from '../../lib/progress/bus.ts';
import { mergeableIn, mergeReports } from '../../lib/progress/merge.ts';
import { NUDGE_LIMITS, parseNudges } from '../../lib/progress/nudges.ts';
import {
  bytesOf,
  checkFacts,
  checkReport,
  checkRun,
  InvalidProgressError,
  takeReport,
} from '../../lib/progress/report.ts';
import { createSource } from '../../lib/progress/source.ts';
import { LIMITS, type ProgressEvent, type Report } from '../../workflows/progress/model.ts';
import { changes, FACTS, foldAll, kinds, RUN, rounded, stepOf } from '../support/progress-reports.ts';

const report = (more: object = {}) => ({
  kind: 'progress',
  source: { name: 'workflow', attempt: 1 },
  localSeq: 1,
  at: 1,
  ...more,
});
const asEvents = (reports: readonly Report[]): ProgressEvent[] =>
  reports.map(({ localSeq: _ofSource, ...event }, index) => ({ ...event, seq: index + 1 }));

describe('a report', () => {
  it.each([
    [null, 'report: expected an object'],
    [report({ kind: 'gossip' }), 'kind: expected one of progress, status'],
    [report({ source: { name: '', attempt: 1 } }), 'source.name: expected a text'],
    [report({ source: { name: 'x'.repeat(257), attempt: 1 } }), 'source.name: expected at most 256 bytes'],
    [report({ source: { name: 'x', attempt: 1.5 } }), 'source.attempt: expected a whole number'],
    [report({ localSeq: Number.NaN }), 'localSeq: expected a number'],
    [report({ at: '2026-01-01' }), 'at: expected a number'],
    [report({ percent: Number.NaN }), 'percent: expected a finite number'],
    [report({ steps: {} }), 'steps: expected a list'],
    [report({ steps: [{ name: 'a', state: 'DONE' }] }), 'steps[a].state: expected one of PENDING'],
    [report({ steps: [{ name: 'a', state: 'RUNNING', weight: -1 }] }), 'steps[a].weight: expected a number from 0'],
    [report({ counts: { objects: '7' } }), 'counts.objects: expected a finite number'],
    [report({ begins: { attempt: 0 } }), 'begins.attempt: expected a whole number from 1'],
    [
      report({ steps: Array.from({ length: 41 }, (_, index) => ({ name: `s${index}`, state: 'PENDING' })) }),
      'at most 40',
    ],
    [report({ data: 'x'.repeat(70_000) }), 'at most 65536 bytes'],
  ])('is refused with its place and what was expected', (given, message) => {
    expect(() => checkReport(given)).toThrow(InvalidProgressError);
    expect(() => checkReport(given)).toThrow(message);
  });

  it('never makes anything but an error of its own of what is sent', () => {
    const given = fc.oneof(
      fc.anything(),
      fc.record({
        kind: kinds,
        source: fc.anything(),
        localSeq: fc.anything(),
        at: fc.anything(),
        steps: fc.anything(),
      }),
      changes().chain((change) =>
        fc
          .record({ one: fc.constantFrom(...Object.keys(report(change))), by: fc.anything() })
          .map(({ one, by }) => report({ ...change, [one]: by })),
      ),
    );
    fc.assert(
      fc.property(given, (one) => {
        try {
          checkReport(one);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidProgressError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('passes as it is where it is right, but for what nobody knows, and what is too long', () => {
    fc.assert(
      fc.property(changes(), kinds, (change, kind) => {
        expect(checkReport({ ...report({ ...change, kind }), password: 'x' })).toEqual(report({ ...change, kind }));
      }),
    );
    const { message, percent } = checkReport(report({ message: `${'x'.repeat(998)}🥁🥁`, percent: 100.0000001 }));
    expect(message).toBe(`${'x'.repeat(998)}…`);
    expect(percent).toBe(100);
  });

  it('is no way into an object’s prototype', () => {
    const hostile: unknown = JSON.parse('{"__proto__":{"hacked":1},"constructor":2}');
    expect(Object.keys(checkReport(report({ counts: { objects: 1 }, ...(hostile as object) })))).not.toContain(
      'hacked',
    );
    expect(() => checkReport(report({ counts: hostile }))).toThrow('counts.__proto__');
    expect({}).not.toHaveProperty('hacked');
  });

  it('does not name what it was sent in an error', () => {
    expect(() => checkReport(report({ status: 5, message: { secret: 'hunter2' } }))).toThrow(/^(?!.*hunter2)/);
  });
});

it('has runs and facts with bounds', () => {
  expect(() => checkRun('')).toThrow('run: expected a text');
  expect(() => checkRun('ä'.repeat(501))).toThrow('run: expected at most 1000 bytes');
  expect(() => checkFacts({ consumer: 'lab-a' })).toThrow('facts.domain: expected a text');
  expect(checkFacts({ ...FACTS, other: 1 })).toEqual(FACTS);
});

describe('splitting', () => {
  const many = fc
    .tuple(
      changes(),
      kinds,
      fc.uniqueArray(stepOf(fc.string({ minLength: 1, maxLength: 4 })), {
        maxLength: 130,
        selector: ({ name }) => name,
      }),
    )
    .map(([change, kind, steps]): Report => ({ ...report(change), kind, localSeq: 1_790_000_000_000, steps }));

  it('gives parts the log takes, which add up to the same, in numbers below the next', () => {
    fc.assert(
      fc.property(many, (one) => {
        const parts = takeReport(one);
        expect(parts.map(checkReport)).toEqual(parts);
        expect(takeReport(one)).toEqual(parts);
        const numbers = parts.map(({ localSeq }) => localSeq);
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
        expect(numbers[0]).toBe(one.localSeq);
        expect(numbers.at(-1)).toBeLessThan(one.localSeq + 1);
        const [{ seq: _one, ...whole }, { seq: _parts, ...added }] = [[one], parts].map((all) =>
          rounded(foldAll(asEvents(all))),
        ) as [ReturnType<typeof rounded>, ReturnType<typeof rounded>];
        expect(added).toEqual(whole);
      }),
    );
  });

  it('heeds the bytes of steps, and of what is said beside them', () => {
    const large = report({
      kind: 'data',
      data: 'x'.repeat(60_000),
      steps: Array.from({ length: 100 }, (_, index) => ({
        name: `s${index}`,
        state: 'FAILED',
        message: 'ä'.repeat(1_000),
        cause: 'c'.repeat(1_000),
      })),
    });
    const parts = takeReport(large);

    expect(parts.length).toBeGreaterThan(5);
    expect(parts.flatMap(({ steps }) => steps ?? [])).toHaveLength(100);
    expect(parts.map(({ kind }) => kind).filter((kind) => kind === 'data')).toHaveLength(1);
    for (const part of parts) expect(bytesOf(part)).toBeLessThanOrEqual(LIMITS.reportBytes);
    expect(() => takeReport({ ...large, data: 'x'.repeat(70_000) })).toThrow('put the data into S3');
  });
});

it('merges what waits to what adds up to the same, keeps everything else and the order of each source', () => {
  const one = fc.record({
    change: changes(),
    kind: kinds,
    by: fc.nat({ max: 2 }),
    attempt: fc.integer({ min: 1, max: 2 }),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 25 }), (all) => {
      const reports = all.map(
        ({ change, kind, by, attempt }, index): Report => ({
          ...change,
          kind,
          source: { name: `s${by}`, attempt },
          localSeq: index + 1,
          at: index + 1,
        }),
      );
      const queue: Report[] = [];
      for (const report of reports) {
        const index = mergeableIn(queue, report);
        const [earlier] = index < 0 ? [] : queue.splice(index, 1);
        queue.push(earlier ? mergeReports(earlier, queue.slice(index), report) : report);
      }
      const picture = (of: readonly Report[]) => {
        const { seq: _seq, steps, startedAt: _at, ...rest } = rounded(foldAll(asEvents(of)));
        return { ...rest, steps: steps.toSorted((a, b) => a.name.localeCompare(b.name)) };
      };

      expect(picture(queue)).toEqual(picture(reports));
      expect(queue.filter(({ kind }) => kind !== 'progress')).toEqual(
        reports.filter(({ kind }) => kind !== 'progress'),
      );
      for (const name of ['s0', 's1', 's2']) {
        const numbers = queue.filter(({ source }) => source.name === name).map(({ localSeq }) => localSeq);
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      }
    }),
    { numRuns: 500 },
  );
});

describe('an event on the bus', () => {
  it('carries a batch there and back, in as many as it takes', () => {
    const reports = Array.from(
      { length: 30 },
      (_, index) => ({ ...report({ kind: 'data', data: 'ä'.repeat(15_000) }), localSeq: index + 1 }) as Report,
    );
    const details = detailsOf({ run: RUN, facts: FACTS, reports });

    expect(details.length).toBeGreaterThan(3);
    for (const detail of details) expect(Buffer.byteLength(detail)).toBeLessThanOrEqual(DETAIL_BYTES);
    const batches = details.map((detail) => readDetail(JSON.parse(detail)));
    expect(batches.flatMap((batch) => batch.reports)).toEqual(reports);
    expect(batches[0]).toMatchObject({ run: RUN, facts: FACTS });
  });

  it.each([
    [{ version: 2, run: RUN, facts: FACTS, reports: [] }, 'detail.version: expected 1: bring the consumer up to date'],
    [{ version: 1, run: RUN, facts: FACTS }, 'detail.reports: expected a list'],
    ['text', 'detail: expected an object'],
  ])('is refused with a reason', (detail, message) => {
    expect(() => readDetail(detail)).toThrow(message);
  });
});

describe('a nudge', () => {
  const event = { seq: 7, kind: 'progress', source: { name: 'workflow', attempt: 1 }, at: 1 };

  it('is read, alone or with others, with events or without', () => {
    expect(parseNudges({ run: RUN, epoch: 'e', events: [event], more: 1 })).toEqual([
      { run: RUN, epoch: 'e', events: [event] },
    ]);
    expect(
      parseNudges({
        nudges: [
          { run: RUN, epoch: 'e', seq: 7 },
          { run: 'r', epoch: 'e' },
        ],
      }),
    ).toEqual([
      { run: RUN, epoch: 'e', events: [], seq: 7 },
      { run: 'r', epoch: 'e', events: [] },
    ]);
    expect(parseNudges({ nudges: [] })).toEqual([]);
  });

  it.each([
    [undefined, 'nudge: expected an object'],
    [{ run: 1, epoch: 'e' }, 'run: expected a text'],
    [{ run: RUN, epoch: 'e'.repeat(65) }, 'epoch: expected at most 64 bytes'],
    [{ run: RUN, epoch: 'e', events: [{ ...event, seq: 0 }] }, 'seq: expected a whole number from 1'],
    [
      { run: RUN, epoch: 'e', events: Array.from({ length: NUDGE_LIMITS.events + 1 }, () => event) },
      'events: expected at most',
    ],
    [
      { nudges: Array.from({ length: NUDGE_LIMITS.nudges + 1 }, () => ({ run: RUN, epoch: 'e' })) },
      'nudges: expected at most',
    ],
    [{ nudges: [{ nudges: [] }] }, 'run: expected a text'],
  ])('is refused with a reason', (body, message) => {
    expect(() => parseNudges(body)).toThrow(message);
  });

  it('never makes anything but an error of its own of what is sent', () => {
    const body = fc.oneof(
      fc.anything(),
      fc.jsonValue(),
      fc.record(
        { run: fc.anything(), epoch: fc.anything(), events: fc.anything(), nudges: fc.anything() },
        { requiredKeys: [] },
      ),
      fc.record({
        run: fc.constant(RUN),
        epoch: fc.constant('e'),
        events: fc.array(
          fc.oneof(fc.anything(), fc.record({ seq: fc.anything(), kind: kinds, source: fc.anything(), at: fc.nat() })),
        ),
      }),
    );
    fc.assert(
      fc.property(body, (one) => {
        try {
          for (const { run, events } of parseNudges(one)) {
            expect(typeof run).toBe('string');
            for (const { seq } of events) expect(Number.isSafeInteger(seq)).toBe(true);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidProgressError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a source', () => {
  it('numbers by the clock, and never twice the same', () => {
    let now = 100;
    const source = createSource('a', 1, () => now);
    const numbers = [source.report({}), source.report({})].map(({ localSeq }) => localSeq);
    now = 90;
    numbers.push(source.report({}).localSeq);
    now = 200;
    numbers.push(source.report({}, 'status').localSeq);

    expect(numbers).toEqual([100, 101, 102, 200]);
  });

  it('has a name that fits, unlike others that begin the same', () => {
    const [one, other] = ['1', '2'].map((end) => createSource(`copy/${'🥁'.repeat(100)}${end}`, 1).source.name);

    expect(one).not.toBe(other);
    for (const name of [one, other]) expect(() => checkReport(report({ source: { name, attempt: 1 } }))).not.toThrow();
  });
});
