/**
 * What a watcher gets, whatever happens meanwhile: each event once and in order, or a verdict that says what it missed.
 *
 * @module
 */
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { Hub } from '../../clients/gateway/live/hub.ts';
import type { Batch } from '../../clients/gateway/live/message.ts';
import type { Problem, Sink } from '../../clients/gateway/live/subscription.ts';
import { verdictOf } from '../../clients/gateway/live/verdict.ts';
import type { Resume } from '../../clients/live/protocol.ts';
import type { Position, ProgressEvent } from '../../workflows/progress/model.ts';
import { FACTS, report, tell } from '../support/gateway.ts';
import { createMemoryLog, type MemoryLog } from '../support/memory-log.ts';

const RUN = 'launch/run-1';
const log = pino({ level: 'silent' });

/** Believes nothing: holds every event against what it has seen. */
class Watcher implements Sink {
  full = false;
  readonly resumes: Resume[] = [];
  readonly problems: Problem[] = [];
  readonly taken: ProgressEvent[] = [];
  held = (_batch: Batch): void => {};
  /** Seen by events and snapshots. */
  position: Position | undefined;
  /** Sequences of kept events it got itself, by epoch. */
  readonly kept = new Set<string>();

  allowed(): boolean {
    return true;
  }

  begun(_run: string, resume: Resume): void {
    this.resumes.push(resume);
    if ('position' in resume) expect(resume.position).toEqual(this.position ?? resume.position);
    const at = 'position' in resume ? resume.position : resume.snapshot;
    this.position = at && { epoch: at.epoch, seq: at.seq };
  }

  events(_run: string, { entries }: Batch): void {
    for (const { event } of entries) {
      const { position } = this;
      if (!position) throw new Error('an event came before the verdict');
      expect(event.seq - (event.merged ?? 1)).toBe(position.seq);
      if (event.merged !== undefined) expect(event.kind).toBe('progress');
      this.position = { epoch: position.epoch, seq: event.seq };
      this.taken.push(event);
    }
  }

  failed(_run: string, problem: Problem): void {
    this.problems.push(problem);
  }
}

function open(memory: MemoryLog, { nudges = true } = {}) {
  let now = 1_000_000;
  const hub = new Hub({ reader: memory, log, now: () => now });
  if (nudges) memory.onAppend = (run, { epoch, events }) => hub.told(run, epoch, events);
  return {
    hub,
    async watch(position?: Position | 'start', watcher = new Watcher()) {
      if (position !== 'start') watcher.position = position;
      const subscription = hub.subscribe(RUN, watcher);
      await subscription.begin(position);
      return { watcher, subscription };
    },
    /** As if so much time had passed. */
    async later(ms: number) {
      now += ms;
      await hub.tick();
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('the verdict', () => {
  const of = (position?: Position) => verdictOf({ epoch: 'e', first: 5, tail: 9 }, position).verdict;
  it('is one of five', () => {
    expect(of()).toBe('fresh');
    expect(of({ epoch: 'e', seq: 9 })).toBe('current');
    expect(of({ epoch: 'e', seq: 8 })).toBe('replayed');
    expect(of({ epoch: 'e', seq: 4 })).toBe('replayed');
    expect(of({ epoch: 'e', seq: 3 })).toBe('gap');
    expect(of({ epoch: 'old', seq: 9 })).toBe('purged');
    expect(of({ epoch: 'e', seq: 10 })).toBe('purged');
  });

  it('counts exactly what is missing', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), fc.nat(110), (dropped, kept, seq) => {
        const tail = dropped + kept;
        const verdict = verdictOf({ epoch: 'e', first: dropped + 1, tail }, { epoch: 'e', seq });
        const missing = tail - seq;
        if (missing < 0) expect(verdict.verdict).toBe('purged');
        else if (missing === 0) expect(verdict.verdict).toBe('current');
        else if (seq < dropped) expect(verdict).toEqual({ verdict: 'gap', from: seq + 1, to: dropped });
        else expect(verdict).toMatchObject({ verdict: 'replayed', count: missing });
      }),
    );
  });
});

describe('a watcher', () => {
  it('begins with a picture, and goes on after it', async () => {
    const memory = createMemoryLog();
    const { watch } = open(memory);
    await tell(memory, RUN, 3, { status: 'RUNNING' });
    const { watcher } = await watch();
    expect(watcher.resumes).toMatchObject([{ verdict: 'fresh', snapshot: { seq: 3, status: 'RUNNING' } }]);
    await tell(memory, RUN, 2);
    expect(watcher.taken.map(({ seq }) => seq)).toEqual([4, 5]);
  });

  it('reads nothing for what it is told, however many watch', async () => {
    const memory = createMemoryLog();
    const { watch } = open(memory);
    await tell(memory, RUN, 1);
    const watchers = [];
    for (let nth = 0; nth < 50; nth += 1) watchers.push(await watch());
    const { calls } = memory;
    expect(calls).toEqual({ head: 1, read: 1, snapshot: 1 });
    await tell(memory, RUN, 100);
    expect(calls).toEqual({ head: 1, read: 1, snapshot: 1 });
    for (const { watcher } of watchers) expect(watcher.taken).toHaveLength(100);
  });

  it('finds by looking what nobody told', async () => {
    const memory = createMemoryLog();
    const { watch, later } = open(memory, { nudges: false });
    await tell(memory, RUN, 1);
    const { watcher } = await watch();
    await tell(memory, RUN, 700);
    expect(watcher.taken).toEqual([]);
    await later(2_000);
    expect(watcher.taken).toHaveLength(700);
  });

  it('looks seldom at a run that has ended', async () => {
    const memory = createMemoryLog();
    const { watch, later } = open(memory);
    await tell(memory, RUN, 1, { kind: 'end', status: 'COMPLETE' });
    await watch();
    const { head } = memory.calls;
    for (let second = 0; second < 20; second += 1) await later(1_000);
    expect(memory.calls.head).toBe(head);
    await later(12_000);
    expect(memory.calls.head).toBe(head + 1);
  });

  it('is told of a gap, with what the lost ones said', async () => {
    const memory = createMemoryLog();
    const { watch } = open(memory);
    await tell(memory, RUN, 20);
    memory.keep(RUN, 5);
    const { watcher } = await watch({ epoch: 'epoch-1', seq: 3 });
    expect(watcher.resumes).toMatchObject([{ verdict: 'gap', from: 4, to: 15, snapshot: { seq: 20 } }]);
  });

  it('is told that the log it read is gone, and goes on with the next one', async () => {
    const memory = createMemoryLog();
    const { watch, later } = open(memory);
    await tell(memory, RUN, 5);
    const { watcher } = await watch('start');
    memory.remove(RUN);
    await later(2_000);
    expect(watcher.resumes.map(({ verdict }) => verdict)).toEqual(['replayed', 'purged']);
    await tell(memory, RUN, 2);
    await later(30_000);
    expect(watcher.resumes.at(-1)).toMatchObject({ verdict: 'fresh', snapshot: { epoch: 'epoch-2', seq: 2 } });
    await tell(memory, RUN, 1);
    expect(watcher.taken.at(-1)).toMatchObject({ seq: 3 });
  });

  it('waits a moment for a log that has not begun, and no longer', async () => {
    const memory = createMemoryLog();
    const { watch, later } = open(memory);
    const { watcher } = await watch();
    await later(1_000);
    await tell(memory, RUN, 1);
    await later(1_000);
    expect(watcher.resumes).toMatchObject([{ verdict: 'fresh', snapshot: { seq: 1 } }]);
    const other = await open(createMemoryLog()).watch();
    expect(other.watcher.problems).toEqual([]);
    const never = open(createMemoryLog());
    const { watcher: waiting } = await never.watch();
    await never.later(3_000);
    expect(waiting.problems).toMatchObject([{ code: 'not-found' }]);
  });

  it('that saw more through another gateway is not told it saw nothing', async () => {
    const memory = createMemoryLog();
    const { watch } = open(memory, { nudges: false });
    await tell(memory, RUN, 3);
    await watch();
    await tell(memory, RUN, 3);
    const { watcher } = await watch({ epoch: 'epoch-1', seq: 6 });
    expect(watcher.resumes).toMatchObject([{ verdict: 'current' }]);
  });

  it('that is full gets progress merged, and everything else as it was', async () => {
    const memory = createMemoryLog();
    const { watch } = open(memory);
    await tell(memory, RUN, 1);
    const { watcher, subscription } = await watch();
    watcher.full = true;
    await tell(memory, RUN, 10, { kind: 'progress', counts: { objects: 7 } });
    await tell(memory, RUN, 2, { kind: 'cost' });
    await tell(memory, RUN, 5, { kind: 'progress' });
    await tell(memory, RUN, 1, { kind: 'end' });
    expect(watcher.taken).toEqual([]);
    watcher.full = false;
    subscription.drained();
    expect(watcher.taken.map(({ kind, merged }) => [kind, merged])).toEqual([
      ['progress', 10],
      ['cost', undefined],
      ['cost', undefined],
      ['progress', 5],
      ['end', undefined],
    ]);
    await tell(memory, RUN, 2, { kind: 'progress' });
    expect(watcher.taken.slice(-2).map(({ merged }) => merged)).toEqual([undefined, undefined]);
  });

  it('that takes events again and has not said so gets first what it missed', async () => {
    const memory = createMemoryLog();
    const { watch } = open(memory);
    await tell(memory, RUN, 1);
    const { watcher } = await watch();
    watcher.full = true;
    await tell(memory, RUN, 3);
    watcher.full = false;
    await tell(memory, RUN, 1);
    expect(watcher.taken.map(({ seq }) => seq)).toEqual([2, 3, 4, 5]);
  });

  it('whose picture is newer than what others were told of gets only what comes after it', async () => {
    const memory = createMemoryLog();
    const { hub, watch } = open(memory, { nudges: false });
    await tell(memory, RUN, 3);
    const { watcher: first } = await watch('start');
    const { epoch, events } = await memory.append(RUN, FACTS, [report(), report()]);
    const { watcher: second } = await watch();
    expect(second.resumes).toMatchObject([{ verdict: 'fresh', snapshot: { seq: 5 } }]);
    const more = await memory.append(RUN, FACTS, [report()]);
    hub.told(RUN, epoch, [...events, ...more.events]);
    expect(first.taken.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(second.taken.map(({ seq }) => seq)).toEqual([6]);
  });

  describe('whose log is replaced while it begins', () => {
    /** It has begun with the log that came after; the reading for the first beginning is still to be answered. */
    async function overtaken() {
      const memory = createMemoryLog();
      const rig = open(memory);
      await tell(memory, RUN, 5);
      const answers: ((error?: Error) => void)[] = [];
      memory.before = (what) =>
        what === 'snapshot'
          ? new Promise((resolve, reject) => answers.push((error) => (error ? reject(error) : resolve())))
          : undefined;
      const watcher = new Watcher();
      const beginning = rig.watch(undefined, watcher);
      await expect.poll(() => answers.length, { interval: 1 }).toBe(1);
      memory.remove(RUN);
      await tell(memory, RUN, 2);
      await expect.poll(() => answers.length, { interval: 1 }).toBe(2);
      answers[1]?.();
      await expect.poll(() => watcher.resumes.length, { interval: 1 }).toBe(1);
      memory.before = () => {};
      return { memory, rig, watcher, beginning, answer: (error?: Error) => answers[0]?.(error) };
    }

    it('begins once, with the new one', async () => {
      const { memory, rig, watcher, beginning, answer } = await overtaken();
      await tell(memory, RUN, 1);
      answer();
      await beginning;
      await tell(memory, RUN, 1);
      await rig.later(2_000);
      expect(watcher.resumes).toMatchObject([{ verdict: 'fresh', snapshot: { epoch: 'epoch-2', seq: 2 } }]);
      expect(watcher.taken.map(({ seq }) => seq)).toEqual([3, 4]);
    });

    it('is not ended because the old one could not be read', async () => {
      const { memory, watcher, beginning, answer } = await overtaken();
      answer(new Error('down'));
      await beginning;
      await tell(memory, RUN, 1);
      expect(watcher.problems).toEqual([]);
      expect(watcher.taken.map(({ seq }) => seq)).toEqual([3]);
    });
  });

  it('whose log is replaced while it reads gets nothing of the old one after the new, nor does anybody else', async () => {
    const memory = createMemoryLog();
    const { watch, later } = open(memory);
    await tell(memory, RUN, 300);
    const { read } = memory;
    const old = await read(RUN, 1, 500);
    let answer = () => {};
    memory.read = (run, after, limit) => {
      if (after !== 1) return read(run, after, limit);
      memory.read = read;
      return new Promise((resolve) => {
        answer = () => resolve(old);
      });
    };
    const { watcher } = await watch({ epoch: 'epoch-1', seq: 1 });
    memory.remove(RUN);
    await tell(memory, RUN, 1);
    await expect.poll(() => watcher.resumes.length, { interval: 1 }).toBe(2);
    await tell(memory, RUN, 3_000, { kind: 'data', data: 'new' });
    const { watcher: other } = await watch({ epoch: 'epoch-2', seq: 1 });
    answer();
    await later(2_000);
    for (const { taken } of [watcher, other]) {
      await expect.poll(() => taken.length, { interval: 1 }).toBe(3_000);
      expect(taken.map(({ seq }) => seq)).toEqual(Array.from({ length: 3_000 }, (_, nth) => nth + 2));
      expect(taken.every(({ data }) => data === 'new')).toBe(true);
    }
  });

  it('looks often again at a run that goes on after its end', async () => {
    const memory = createMemoryLog();
    const { watch, later } = open(memory);
    await tell(memory, RUN, 1, { kind: 'end', status: 'PAUSED' });
    await watch();
    await tell(memory, RUN, 1, { status: 'TYPING' });
    const { head } = memory.calls;
    await later(2_000);
    expect(memory.calls.head).toBe(head + 1);
  });

  it('goes on once the log can be read again', async () => {
    const memory = createMemoryLog();
    const { watch, later } = open(memory, { nudges: false });
    await tell(memory, RUN, 1);
    const { watcher } = await watch();
    memory.before = () => {
      throw new Error('down');
    };
    await tell(memory, RUN, 4);
    await later(2_000);
    expect(watcher.problems).toEqual([]);
    memory.before = () => {};
    await later(2_000);
    expect(watcher.taken.map(({ seq }) => seq)).toEqual([2, 3, 4, 5]);
  });
});

/** What may happen, in any order. */
type Happening =
  | { what: 'append'; events: number; kind: 'progress' | 'status' | 'data' }
  | { what: 'lost' | 'doubled' | 'full' | 'free' | 'back' | 'look' | 'wait' }
  | { what: 'trim'; keep: number }
  | { what: 'remove' };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('append' as const),
      events: fc.integer({ min: 1, max: 6 }),
      kind: fc.constantFrom('progress' as const, 'status' as const, 'data' as const),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constantFrom(
        'lost' as const,
        'doubled' as const,
        'full' as const,
        'free' as const,
        'back' as const,
        'look' as const,
        'wait' as const,
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('trim' as const), keep: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('remove' as const) }) },
);

describe('whatever happens between', () => {
  it('no event is lost, doubled or out of order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { maxLength: 60 }),
        fc.infiniteStream(fc.nat(3)),
        async (happenings, waits) => {
          const memory = createMemoryLog();
          const rig = open(memory, { nudges: false });
          // Reads take as many turns as the case says, so that anything comes between them.
          memory.before = async () => {
            for (let turn = waits.next().value ?? 0; turn > 0; turn -= 1) await Promise.resolve();
          };
          await tell(memory, RUN, 3);
          const watcher = new Watcher();
          let { subscription } = await rig.watch('start', watcher);
          let beginning: Promise<void> | undefined;
          let last: { epoch: string; events: ProgressEvent[] } | undefined;
          for (const one of happenings) {
            switch (one.what) {
              case 'append': {
                const reports = Array.from({ length: one.events }, () => report({ kind: one.kind }));
                last = await memory.append(RUN, FACTS, reports);
                rig.hub.told(RUN, last.epoch, last.events);
                break;
              }
              case 'lost':
                last = await memory.append(RUN, FACTS, [report({ kind: 'data' })]);
                break;
              case 'doubled':
                if (last) rig.hub.told(RUN, last.epoch, last.events);
                break;
              case 'full':
                watcher.full = true;
                break;
              case 'free':
                watcher.full = false;
                subscription.drained();
                break;
              case 'back':
                // The connection is lost, and another one goes on from what was seen.
                await beginning;
                subscription.end();
                subscription = rig.hub.subscribe(RUN, watcher);
                beginning = subscription.begin(watcher.position);
                break;
              case 'look':
                void rig.later(2_000);
                break;
              case 'wait':
                await new Promise((resolve) => setImmediate(resolve));
                break;
              case 'trim':
                memory.keep(RUN, one.keep);
                break;
              case 'remove':
                memory.remove(RUN);
                break;
            }
          }
          await memory.append(RUN, FACTS, [report({ kind: 'end' })]);
          watcher.full = false;
          subscription.drained();
          for (let round = 0; round < 6; round += 1) {
            await rig.later(30_000);
            for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
          }
          expect(watcher.problems).toEqual([]);
          const head = await memory.head(RUN);
          expect(watcher.position).toEqual({ epoch: head?.epoch, seq: head?.seq });
        },
      ),
      { numRuns: 400 },
    );
  });
});
