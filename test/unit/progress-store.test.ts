/** The log of a run against a model: writers that get in one another's way, repeats, old attempts, lost answers, bounds. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ProgressBusyError, ProgressStore } from '../../lib/store/progress.ts';
import type { ProgressTable } from '../../lib/store/progress-table.ts';
import type { Report } from '../../workflows/progress/model.ts';
import { mergeEvents, RunPicture } from '../../workflows/progress/picture.ts';
import { changes, FACTS, foldAll, kinds, RUN, rounded } from '../support/progress-reports.ts';
import { memoryTable } from '../support/progress-table.ts';

interface Call {
  reports: Report[];
  /** It is sent again though it went through. */
  repeated: boolean;
}

const said = fc.record({ change: changes(), kind: kinds, shared: fc.boolean(), older: fc.boolean() });
type Said = typeof said extends fc.Arbitrary<infer T> ? T : never;
const script = fc.array(fc.record({ said: fc.array(said, { minLength: 1, maxLength: 4 }), repeated: fc.boolean() }), {
  maxLength: 6,
});
const faults = fc.array(fc.constantFrom('none', 'none', 'before', 'after'), { maxLength: 20 });

/** One writer's calls: its own source, and now and then one it shares with the other, in newer and older attempts. */
function callsOf(writer: number, calls: readonly { said: readonly Said[]; repeated: boolean }[]): Call[] {
  let localSeq = 0;
  return calls.map(({ said, repeated }) => ({
    repeated,
    reports: said.map(({ change, kind, shared, older }): Report => {
      localSeq += 1;
      const source = shared ? { name: 'shared', attempt: older ? 1 : 2 } : { name: `own ${writer}`, attempt: 1 };
      return { ...change, kind, source, localSeq, at: 1_000 + localSeq };
    }),
  }));
}

const keyOf = ({ source, localSeq }: { source: Report['source']; localSeq: number }) =>
  `${source.name} ${source.attempt} ${localSeq}`;

it('has every report once and in order, whatever comes between', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.tuple(script, script),
      faults,
      fc.integer({ min: 4, max: 12 }),
      async (scheduler, scripts, plan, most) => {
        const table = memoryTable();
        const failing = [...plan];
        const around = (): ProgressTable => ({
          ...table,
          head: scheduler.scheduleFunction(table.head),
          write: scheduler.scheduleFunction(async (...call: Parameters<ProgressTable['write']>) => {
            const fault = failing.shift();
            if (fault === 'before') throw new Error('not written');
            const written = await table.write(...call);
            if (fault === 'after') throw new Error('the answer is lost');
            return written;
          }),
        });
        const writers = scripts.map((script, index) => ({
          calls: callsOf(index, script),
          store: new ProgressStore(around(), {
            bounds: { events: most },
            now: () => 1_000_000,
            pause: scheduler.scheduleFunction(async () => {}),
          }),
        }));
        const answers: string[] = [];
        const writing = Promise.all(
          writers.map(async ({ calls, store }) => {
            for (const { reports, repeated } of calls) {
              // Of each call at most so many fail.
              for (let tries = 0; ; tries += 1) {
                expect(tries).toBeLessThanOrEqual(plan.length);
                const answer = await store.append(RUN, FACTS, reports).catch(() => undefined);
                answers.push(...(answer?.events.map(({ seq }) => String(seq)) ?? []));
                if (!answer) continue;
                expect(answer.events.length + answer.refused).toBe(reports.length);
                break;
              }
              if (repeated) {
                const again = await store.append(RUN, FACTS, reports).catch(() => ({ events: [] }));
                expect(again.events).toEqual([]);
              }
            }
          }),
        );
        await scheduler.waitFor(writing);

        const { written } = table;
        // Nobody is told of an event twice.
        expect(new Set(answers).size).toBe(answers.length);
        expect(written.map(({ seq }) => seq)).toEqual(written.map((_, index) => index + 1));
        expect(new Set(written.map(keyOf)).size).toBe(written.length);
        for (const [index, { calls }] of writers.entries()) {
          const own = calls.flatMap(({ reports }) => reports).filter(({ source }) => source.name === `own ${index}`);
          expect(written.filter(({ source }) => source.name === `own ${index}`).map(keyOf)).toEqual(own.map(keyOf));
        }
        const shared = written.filter(({ source }) => source.name === 'shared');
        for (const [index, event] of shared.entries()) {
          const before = shared[index - 1];
          if (!before) continue;
          const newer =
            event.source.attempt > before.source.attempt ||
            (event.source.attempt === before.source.attempt && event.localSeq > before.localSeq);
          expect(newer).toBe(true);
        }

        const store = new ProgressStore(table, { now: () => 1_000_000 });
        const head = await store.head(RUN);
        const snapshot = await store.snapshot(RUN);
        if (written.length === 0) {
          expect(head).toBeUndefined();
          return;
        }
        expect(head).toMatchObject({ seq: written.length, first: Math.max(1, written.length - most + 1) });
        const kept = await store.read(RUN, 0, 1_000);
        expect(kept.map(({ seq }) => seq)).toEqual(written.slice(-most).map(({ seq }) => seq));
        const events = written.map(({ localSeq: _ofSource, ...event }) => event);
        const folded = rounded(foldAll(events, head?.epoch));
        expect(snapshot && rounded(snapshot)).toEqual(folded);
        expect(rounded(foldAll(mergeEvents(events), head?.epoch, events[0]?.at))).toEqual(folded);
      },
    ),
    { numRuns: 60 },
  );
});

it('gives a snapshot from which later events lead to the same, also while others append', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), script, async (scheduler, calls) => {
      const table = memoryTable();
      const options = { now: () => 1_000_000 };
      const writer = new ProgressStore({ ...table, write: scheduler.scheduleFunction(table.write) }, options);
      const reader = new ProgressStore(
        { ...table, head: scheduler.scheduleFunction(table.head), steps: scheduler.scheduleFunction(table.steps) },
        options,
      );
      const writing = (async () => {
        for (const { reports } of callsOf(0, calls)) await writer.append(RUN, FACTS, reports);
      })();
      const reading = (async () => [await reader.snapshot(RUN), await reader.snapshot(RUN)])();
      await scheduler.waitFor(Promise.all([writing, reading]));
      const last = await scheduler.waitFor(reader.snapshot(RUN));

      for (const snapshot of await reading) {
        if (!snapshot) continue;
        const picture = new RunPicture(snapshot);
        for (const { localSeq: _ofSource, ...event } of table.written) picture.apply(event);
        expect(rounded(picture.snapshot())).toEqual(last && rounded(last));
      }
    }),
    { numRuns: 80 },
  );
});

const report = (name: string, localSeq: number): Report => ({
  kind: 'progress',
  source: { name, attempt: 1 },
  localSeq,
  at: localSeq,
});

it('forgets the source heard of longest ago when there are too many, never the workflow', async () => {
  const store = new ProgressStore(memoryTable(), { bounds: { sources: 3 } });
  for (const [place, name] of ['workflow', 'a', 'b', 'a', 'c'].entries())
    await store.append(RUN, FACTS, [report(name, 1 + place)]);
  const again = await store.append(
    RUN,
    FACTS,
    ['workflow', 'c', 'a', 'b'].map((name) => report(name, 1)),
  );

  expect(again).toMatchObject({ refused: 3, events: [{ source: { name: 'b' } }] });
});

it('gives up when it is never its turn, and says so', async () => {
  const pauses: number[] = [];
  const store = new ProgressStore(
    { ...memoryTable(), write: async () => false },
    { pause: async (ms) => void pauses.push(ms) },
  );

  await expect(store.append(RUN, FACTS, [report('a', 1)])).rejects.toThrow(ProgressBusyError);
  expect(pauses).toHaveLength(39);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(400);
});

it('reads on where a query saw a transaction half', async () => {
  const table = memoryTable();
  const store = new ProgressStore(table);
  await store.append(
    RUN,
    FACTS,
    [1, 2, 3, 4].map((localSeq) => report('a', localSeq)),
  );
  let looks = 0;
  const torn = new ProgressStore({
    ...table,
    events: async (...query) => {
      looks += 1;
      return (await table.events(...query)).filter(({ seq }) => looks > 1 || seq !== 1);
    },
  });
  const behind = new ProgressStore({
    ...table,
    events: async (...query) => (await table.events(...query)).filter(({ seq }) => seq !== 3),
  });

  expect((await torn.read(RUN, 0, 10)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  expect((await behind.read(RUN, 0, 10)).map(({ seq }) => seq)).toEqual([1, 2]);
});
