import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beginningOf, createHistory } from '../../clients/console/src/views/history.ts';
import { positionOf, stepFrom, thinMarks, timeAt } from '../../clients/console/src/views/scrub-axis.ts';
import { EVENT_KINDS, type ProgressEvent, type Snapshot, STEP_STATES } from '../../workflows/progress/model.ts';
import { RunPicture } from '../../workflows/progress/picture.ts';
import { cpuMs } from '../support/cpu.ts';

const START = Date.UTC(2026, 10, 24);
const base = (): Snapshot =>
  RunPicture.empty('launch-a', { domain: 'launch', consumer: 'lab' }, 'epoch', START).snapshot();

const changes = fc.record(
  {
    kind: fc.constantFrom(...EVENT_KINDS),
    // Clocks of sources disagree: an event may be from before the one before it.
    ahead: fc.integer({ min: -5_000, max: 60_000 }),
    status: fc.constantFrom('RESTORING', 'RUNNING', 'COMPLETE'),
    percent: fc.integer({ min: 0, max: 100 }),
    begins: fc.record({ attempt: fc.integer({ min: 2, max: 4 }) }),
    steps: fc.array(fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), state: fc.constantFrom(...STEP_STATES) }), {
      minLength: 1,
      maxLength: 3,
    }),
  },
  { requiredKeys: ['kind', 'ahead'] },
);
const logs = (most: number) =>
  fc.array(changes, { maxLength: most, size: 'max' }).map((drawn) => {
    let at = START;
    return drawn.map(({ ahead, ...change }, place): ProgressEvent => {
      at += ahead;
      return { seq: place + 1, source: { name: 'workflow', attempt: 1 }, at, ...change };
    });
  });

function foldOf(events: readonly ProgressEvent[]): Snapshot {
  const picture = new RunPicture(base());
  for (const event of events) picture.apply(event);
  return picture.snapshot();
}

describe('the history of a run', () => {
  it('is at any number of events what their fold is, wherever one comes from', () => {
    fc.assert(
      fc.property(logs(700), fc.array(fc.nat(), { minLength: 1, maxLength: 12 }), (events, visits) => {
        const history = createHistory(events, base());
        for (const visit of visits) {
          const index = visit % (events.length + 1);
          expect(history.after(index)).toEqual(foldOf(events.slice(0, index)));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('is at a moment what had been told up to then', () => {
    fc.assert(
      fc.property(logs(120), fc.integer({ min: -10_000, max: 4_000_000 }), (events, offset) => {
        const history = createHistory(events, base());
        const time = START + offset;
        let latest = START;
        const told = events.filter((event) => {
          latest = Math.max(latest, event.at);
          return latest <= time;
        });
        expect(history.at(time)).toEqual(foldOf(told));
        expect(history.at(Number.MAX_SAFE_INTEGER)).toEqual(foldOf(events));
      }),
    );
  });

  it('grows, and is then as if it had been made of all', () => {
    fc.assert(
      fc.property(logs(600), fc.nat(), fc.nat(), (events, cut, overlap) => {
        const at = cut % (events.length + 1);
        const first = createHistory(events.slice(0, at), base());
        const grown = first.with(events.slice(Math.max(0, at - (overlap % 20))));
        const whole = createHistory(events, base());
        expect(first.length).toBe(at);
        expect(grown.length).toBe(events.length);
        expect(grown.marks).toEqual(whole.marks);
        expect(grown.after(events.length)).toEqual(whole.after(events.length));
        expect(grown.after(Math.floor(events.length / 2))).toEqual(whole.after(Math.floor(events.length / 2)));
      }),
      { numRuns: 40 },
    );
  });

  it('goes on after a gap with the snapshot of it', () => {
    const events = Array.from(
      { length: 600 },
      (_, place): ProgressEvent => ({
        seq: place + 1,
        kind: 'progress',
        source: { name: 'workflow', attempt: 1 },
        at: START + place * 1_000,
        percent: place / 6,
      }),
    );
    const gap = foldOf(events.slice(0, 300));

    const history = createHistory(events.slice(290), gap);

    expect(history.length).toBe(300);
    expect(history.after(0)).toEqual(gap);
    expect(history.after(300)).toEqual(foldOf(events));
  });

  it('knows where statuses, errors, attempts and the end are', () => {
    const event = (seq: number, more: Partial<ProgressEvent>): ProgressEvent => ({
      seq,
      kind: 'progress',
      source: { name: 'workflow', attempt: 1 },
      at: START + seq,
      ...more,
    });
    const { marks } = createHistory(
      [
        event(1, { kind: 'status', status: 'RUNNING' }),
        event(2, { percent: 4 }),
        event(3, { kind: 'error', error: { type: 'OutOfMemory', message: 'killed' } }),
        event(4, { kind: 'status', begins: { attempt: 2 }, status: 'RUNNING' }),
        event(5, { kind: 'end', status: 'COMPLETE' }),
      ],
      base(),
    );

    expect(marks).toEqual([
      { kind: 'status', at: START + 1, index: 1, label: 'RUNNING' },
      { kind: 'error', at: START + 3, index: 3, label: 'OutOfMemory: killed' },
      { kind: 'attempt', at: START + 4, index: 4, label: 'attempt 2 begins' },
      { kind: 'end', at: START + 5, index: 5, label: 'COMPLETE' },
    ]);
  });

  it('begins with the run before anything was told of it', () => {
    const now: Snapshot = { ...base(), seq: 9, percent: 40, steps: [{ name: 'a', state: 'RUNNING' }], attempt: 3 };

    expect(beginningOf(now)).toEqual(base());
  });

  it('is nothing without events, and has a moment all the same', () => {
    const history = createHistory([]);

    expect(history.length).toBe(0);
    expect(history.at(START).steps).toEqual([]);
    expect(positionOf(history, START)).toBeGreaterThanOrEqual(0);
    expect(timeAt(history, 0.5)).toBe(0);
  });

  it('seeks among 20,000 events of 10,000 steps, and does not fold them all anew', () => {
    const events = Array.from(
      { length: 20_000 },
      (_, place): ProgressEvent => ({
        seq: place + 1,
        kind: 'progress',
        source: { name: 'workflow', attempt: 1 },
        at: START + place * 500,
        steps: [{ name: `map_${place % 10_000}`, state: place < 10_000 ? 'RUNNING' : 'SUCCEEDED' }],
      }),
    );
    const history = createHistory(events, base());
    const whole = cpuMs(() => foldOf(events));
    const SEEKS = 60;
    const seeks = cpuMs(() => {
      for (let turn = 0; turn < SEEKS; turn += 1) {
        const index = (turn * 7_919) % 20_000;
        expect(history.after(index).steps).toHaveLength(Math.min(index, 10_000));
      }
    });
    expect(seeks / SEEKS).toBeLessThan(whole / 2);
  });
});

describe('the way of the scrubber', () => {
  it('goes on with time, and back from a place to its moment', () => {
    fc.assert(
      fc.property(
        logs(150),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 15 }),
        (events, shares) => {
          const history = createHistory(events, base());
          const inOrder = [...shares].sort((a, b) => a - b);
          let last = history.from;
          for (const share of inOrder) {
            const time = timeAt(history, share);
            expect(time).toBeGreaterThanOrEqual(last - 1e-3);
            expect(time).toBeLessThanOrEqual(history.to);
            last = time;
            const position = positionOf(history, time);
            expect(position).toBeGreaterThanOrEqual(0);
            expect(position).toBeLessThanOrEqual(1);
            expect(Math.abs(timeAt(history, position) - time)).toBeLessThan(1);
          }
        },
      ),
    );
  });

  it('gives a burst room beside two days of nothing', () => {
    const events = Array.from(
      { length: 1_001 },
      (_, place): ProgressEvent => ({
        seq: place + 1,
        kind: 'progress',
        source: { name: 'workflow', attempt: 1 },
        at: place === 0 ? START : START + 48 * 3_600_000 + place * 10,
      }),
    );
    const history = createHistory(events, base());

    expect(1 - positionOf(history, START + 48 * 3_600_000)).toBeGreaterThan(0.45);
  });

  it('goes from event to event, those of one moment together, and to both ends', () => {
    fc.assert(
      fc.property(logs(80), (events) => {
        const history = createHistory(events, base());
        let time = history.from - 1;
        let turns = 0;
        while (history.indexAt(time) < history.length && turns <= events.length) {
          const next = stepFrom(history, time, 1);
          expect(history.indexAt(next)).toBeGreaterThan(history.indexAt(time));
          time = next;
          turns += 1;
        }
        expect(history.indexAt(time)).toBe(history.length);
        while (time > history.from && turns >= -1) {
          const before = stepFrom(history, time, -1);
          expect(before).toBeLessThan(time);
          time = before;
          turns -= 1;
        }
        expect(time).toBeLessThanOrEqual(history.from);
      }),
    );
  });

  it('keeps of marks that fall together the gravest', () => {
    const event = (seq: number, more: Partial<ProgressEvent>): ProgressEvent => ({
      seq,
      kind: 'status',
      source: { name: 'workflow', attempt: 1 },
      at: START + seq,
      ...more,
    });
    const history = createHistory(
      [
        ...Array.from({ length: 500 }, (_, place) => event(place + 1, { status: `S${place}` })),
        event(501, { kind: 'error', error: { type: 'A', message: 'b' } }),
      ],
      base(),
    );

    const thin = thinMarks(history.marks, history, 200);

    expect(thin.length).toBeLessThanOrEqual(51);
    expect(thin.filter((mark) => mark.kind === 'error')).toHaveLength(1);
  });
});
