/** What a source has to say until the log has it: numbered once, in order, nothing lost, within bounds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkReport } from '../../lib/progress/report.ts';
import { addDraft, type Draft, split } from '../../workflows/progress/draft.ts';
import { LIMITS, type Report, type StepView } from '../../workflows/progress/model.ts';
import { MOST_REPORTS, Outbox } from '../../workflows/progress/outbox.ts';
import { RunPicture } from '../../workflows/progress/picture.ts';

const SOURCE = { name: 'workflow', attempt: 1 };
const FACTS = { domain: 'order' };

const step = (name: string, more: Partial<StepView> = {}): StepView => ({ name, state: 'RUNNING', ...more });
const steps = (count: number, more: Partial<StepView> = {}) =>
  Array.from({ length: count }, (_, index) => step(`s${index}`, more));

/** As the log folds what it has taken. */
function fold(reports: readonly Report[]) {
  const picture = RunPicture.empty('order/1', FACTS, 'e', 0);
  let last = -1;
  for (const report of reports) {
    if (report.localSeq <= last) continue;
    last = report.localSeq;
    picture.apply({ ...report, seq: picture.seq + 1 });
  }
  return picture.snapshot();
}

describe('an outbox', () => {
  it('has one batch under way; what is said meanwhile goes next, as one report', () => {
    const outbox = new Outbox(SOURCE, 0);
    outbox.add('progress', { message: 'a' }, 1);
    const first = outbox.take(1);
    outbox.add('progress', { message: 'b', counts: { x: 1 } }, 2);
    outbox.add('progress', { message: 'c' }, 3);

    expect(outbox.mayGo(3)).toBe(false);
    outbox.settle(true, 4);
    expect(outbox.mayGo(4)).toBe(true);
    expect([...first, ...outbox.take(4)]).toMatchObject([
      { message: 'a', localSeq: 1 },
      { message: 'c', counts: { x: 1 }, localSeq: 4 },
    ]);
  });

  it('sends again what failed, by its number, before what came after it, and not at once', () => {
    const outbox = new Outbox(SOURCE, 0);
    outbox.add('progress', { message: 'a' }, 1_000);
    const first = outbox.take(1_000);
    outbox.settle(false, 1_000);
    outbox.add('progress', { message: 'b' }, 2_000);

    expect(outbox.mayGo(5_999)).toBe(false);
    expect(outbox.mayGo(6_000)).toBe(true);
    const again = outbox.take(6_000);
    expect(again).toMatchObject([first[0], { message: 'b', localSeq: 6_000 }]);
    outbox.settle(false, 6_000);
    expect([outbox.mayGo(15_999), outbox.mayGo(16_000)]).toEqual([false, true]);
  });

  it('keeps statuses, data and the end one by one', () => {
    const outbox = new Outbox(SOURCE, 0);
    outbox.add('status', { status: 'READY' }, 1);
    outbox.add('status', { status: 'RUNNING' }, 1);
    outbox.add('progress', { message: 'a' }, 1);
    outbox.add('data', { data: 'x' }, 1);
    outbox.add('end', { status: 'COMPLETE' }, 1);

    expect(outbox.maySurely(1)).toBe(true);
    expect(outbox.take(1).map(({ kind }) => kind)).toEqual(['status', 'status', 'progress', 'data', 'end']);
  });

  it('goes on numbering where an earlier run of the same attempt was, also within one moment', () => {
    const before = new Outbox(SOURCE, 0);
    before.add('progress', { message: 'a' }, 10_000);
    const after = new Outbox(SOURCE, 10_001);
    after.toldUpTo(10_005);
    after.add('progress', { message: 'b' }, 10_001);

    expect([before.take(10_000)[0]?.localSeq, after.take(10_001)[0]?.localSeq]).toEqual([10_000, 10_006]);
  });

  it('sends no more than its bound by best effort, and spreads the second half over the rest of the run', () => {
    const outbox = new Outbox(SOURCE, 0);
    let sent = 0;
    const at: number[] = [];
    // Something new every ten seconds for a month.
    for (let now = 10_000; now <= 30 * 86_400_000; now += 10_000) {
      outbox.add('progress', { message: String(now) }, now);
      if (!outbox.mayGo(now)) continue;
      sent += outbox.take(now).length;
      outbox.settle(true, now);
      at.push(now);
    }

    expect(at.length).toBeLessThanOrEqual(MOST_REPORTS);
    expect(sent).toBe(at.length);
    // The first thousand as they come, and some on every day after that.
    expect(at[MOST_REPORTS / 2 - 1]).toBe(10_000_000);
    expect(new Set(at.map((moment) => Math.floor(moment / 86_400_000))).size).toBe(30);
    expect(outbox.waits).toBe(true);
  });

  it('tells the log what it takes, whatever is said', () => {
    const long = 'ä'.repeat(5_000);
    const outbox = new Outbox(SOURCE, 0);
    const tasks = Array.from({ length: 500 }, () => ({ name: long, total: 1, running: 0, succeeded: 0, failed: 0 }));
    const after = Array.from({ length: 999 }, (_, index) => `step-${String(index).padStart(59, '0')}`);
    outbox.add('progress', { message: long, steps: [step('wide', { after, tasks, cause: long })] }, 1);
    outbox.add('progress', { steps: steps(200, { message: long }) }, 1);
    outbox.add('end', { status: 'FAILED', error: { type: long, message: long } }, 1);

    const all: Report[] = [];
    while (outbox.waits) {
      all.push(...outbox.take(1));
      outbox.settle(true, 1);
    }

    for (const report of all) expect(() => checkReport(report)).not.toThrow();
    expect(new Set(all.flatMap((report) => report.steps ?? []).map(({ name }) => name)).size).toBe(201);
    expect(all.at(-1)).toMatchObject({ kind: 'end', status: 'FAILED' });
  });

  it('leads to the same picture however batches are cut, delayed, lost and repeated', () => {
    const change = fc.record(
      {
        message: fc.option(fc.string({ maxLength: 5 }), { nil: null }),
        percent: fc.integer({ min: 0, max: 100 }),
        counts: fc.dictionary(fc.constantFrom('a', 'b'), fc.nat(9)),
        steps: fc.uniqueArray(
          fc.record({
            name: fc.constantFrom(...Array.from({ length: 60 }, (_, index) => `s${index}`)),
            state: fc.constantFrom('RUNNING' as const, 'SUCCEEDED' as const),
          }),
          { selector: ({ name }) => name, maxLength: 60 },
        ),
      },
      { requiredKeys: [] },
    );
    const said = fc.array(
      fc.record({ kind: fc.constantFrom('progress' as const, 'status' as const), change, fails: fc.boolean() }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(said, fc.integer({ min: 1, max: 3 }), (all, most) => {
        const outbox = new Outbox(SOURCE, 0);
        const arrived: Report[] = [];
        const inOrder: Report[] = [];
        all.forEach(({ kind, change, fails }, index) => {
          const named = kind === 'status' ? { ...change, status: `S${index}` } : change;
          outbox.add(kind, named, index);
          inOrder.push({ ...named, kind, source: SOURCE, localSeq: index, at: index });
          const batch = outbox.take(index, { most });
          // What fails may have arrived all the same.
          if (!fails || index % 2 === 0) arrived.push(...batch);
          outbox.settle(!fails, index);
        });
        while (outbox.waits) {
          arrived.push(...outbox.take(1_000, { most }));
          outbox.settle(true, 1_000);
        }
        const got = fold(arrived);
        const want = fold(inOrder);
        expect(got.statuses.map(({ status }) => status)).toEqual(want.statuses.map(({ status }) => status));
        expect(byName(got.steps)).toEqual(byName(want.steps));
        expect([got.message, got.counts]).toEqual([want.message, want.counts]);
      }),
    );
  });
});

const byName = (views: readonly StepView[]) => new Map(views.map((view) => [view.name, view]));

describe('a draft', () => {
  it('is cut into reports of as many steps as one may have; what begins comes first, an end last', () => {
    const many = steps(LIMITS.stepsInReport * 2 + 1);
    const begin: Draft = { kind: 'status', at: 1, begins: { attempt: 2 }, status: 'RUNNING', steps: many };
    const end: Draft = { kind: 'end', at: 1, status: 'FAILED', steps: many };

    expect(split(begin).map(({ kind, begins, steps }) => [kind, begins?.attempt, steps?.length])).toEqual([
      ['status', 2, 40],
      ['progress', undefined, 40],
      ['progress', undefined, 1],
    ]);
    expect(split(end).map(({ kind, status }) => [kind, status])).toEqual([
      ['progress', undefined],
      ['progress', undefined],
      ['end', 'FAILED'],
    ]);
  });

  it('keeps what a step comes after when a later word of it does not say', () => {
    const drafts: Draft[] = [];
    addDraft(drafts, { kind: 'progress', at: 1, steps: [step('b', { after: ['a'], state: 'PENDING' })] });
    addDraft(drafts, { kind: 'progress', at: 2, steps: [step('b')] });

    expect(drafts).toEqual([{ kind: 'progress', at: 2, steps: [step('b', { after: ['a'] })] }]);
  });
});
