import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Axis,
  clampWindow,
  foldIdle,
  makeAxis,
  makeScale,
  type Span,
  toActive,
  toTime,
  wholeWindow,
  worthFolding,
  zoomWindow,
} from '../../clients/console/src/views/timeline-axis.ts';
import { busySpans, domainOf, makeRow } from '../../clients/console/src/views/timeline-rows.ts';
import { makeTicks } from '../../clients/console/src/views/timeline-ticks.ts';
import type { StepDetail } from '../../clients/live/api.ts';
import type { Snapshot, StepView } from '../../workflows/progress/model.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 10, 24, 9, 51);
const within: Span = { from: START, to: START + 3 * DAY };

const spans = fc.array(
  fc
    .record({ from: fc.integer({ min: 0, max: 3 * DAY }), length: fc.integer({ min: 0, max: 6 * HOUR }) })
    .map(({ from, length }): Span => ({ from: START + from, to: Math.min(within.to, START + from + length) })),
  { maxLength: 30 },
);
const folded = fc
  .tuple(spans, fc.integer({ min: 1_000, max: 12 * HOUR }))
  .map(([busy, minGap]) => ({ busy, minGap, gaps: foldIdle(busy, minGap, within) }));
const axes = folded.map(({ gaps }): Axis => makeAxis(within, gaps));

describe('folding of idle time', () => {
  it('folds what is idle for longer than the least, and nothing in which something ran', () => {
    fc.assert(
      fc.property(folded, fc.integer({ min: 0, max: 3 * DAY }), ({ busy, minGap, gaps }, offset) => {
        for (const [place, gap] of gaps.entries()) {
          expect(gap.to - gap.from).toBeGreaterThan(minGap);
          expect(gap.from).toBeGreaterThanOrEqual(gaps[place - 1]?.to ?? within.from);
          expect(busy.some((span) => span.from < gap.to && span.to > gap.from)).toBe(false);
        }
        // A moment that is idle on both sides for long enough is within a fold.
        const at = START + offset;
        const before = Math.max(within.from, ...busy.filter((span) => span.from <= at).map((span) => span.to));
        const after = Math.min(within.to, ...busy.filter((span) => span.from > at).map((span) => span.from));
        const idle = before <= at && after - before > minGap;
        expect(gaps.some((gap) => gap.from <= at && at < gap.to)).toBe(idle && at < after);
      }),
    );
  });

  it('folds two days in Glacier, not a pause of a minute', () => {
    const busy = [
      { from: START, to: START + 120_000 },
      { from: START + 2 * DAY, to: START + 2 * DAY + HOUR },
      { from: START + 2 * DAY + HOUR + 60_000, to: within.to },
    ];

    const gaps = foldIdle(busy, worthFolding(busy.slice(0, 2)), within);

    expect(gaps).toEqual([{ from: START + 120_000, to: START + 2 * DAY }]);
  });

  it('folds everything where nothing ran, and the axis still has a length', () => {
    const axis = makeAxis(within, foldIdle([], 1_000, within));

    expect(axis.length).toBeGreaterThan(0);
    expect(makeScale(axis, wholeWindow(axis), 800).x(START + DAY)).toBeGreaterThan(0);
  });
});

describe('the scale of a timeline', () => {
  it('goes from left to right with time, and back from pixels to the same moment', () => {
    fc.assert(
      fc.property(
        axes,
        fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
        fc.array(fc.integer({ min: 0, max: 3 * DAY }), { minLength: 2, maxLength: 20 }),
        (axis, [one, other], offsets) => {
          const window = clampWindow(axis, {
            from: Math.min(one, other) * axis.length,
            to: Math.max(one, other) * axis.length,
          });
          const scale = makeScale(axis, window, 900);
          const times = offsets.map((offset) => START + offset).sort((a, b) => a - b);
          const places = times.map((time) => scale.x(time));
          for (const [index, x] of places.entries()) {
            expect(x).toBeGreaterThanOrEqual((places[index - 1] ?? Number.NEGATIVE_INFINITY) - 1e-6);
            const back = scale.time(x);
            const shown = scale.folds.some(
              (fold) => fold.from <= (times[index] as number) && fold.to >= (times[index] as number),
            );
            const hidden = axis.gaps.some(
              (gap) => gap.from <= (times[index] as number) && gap.to >= (times[index] as number),
            );
            // Within a fold that is not to be seen all moments are one.
            if (shown || !hidden) expect(Math.abs(scale.x(back) - x)).toBeLessThan(1e-3);
          }
        },
      ),
    );
  });

  it('has the window from edge to edge, folds included, each as wide as the others', () => {
    fc.assert(
      fc.property(axes, (axis) => {
        const scale = makeScale(axis, wholeWindow(axis), 900);
        expect(scale.x(within.from)).toBeCloseTo(0, 3);
        expect(scale.x(within.to)).toBeLessThan(901);
        const widths = scale.folds.map((fold) => fold.x1 - fold.x0);
        for (const width of widths) expect(width).toBeCloseTo(widths[0] as number, 6);
        expect(widths.reduce((sum, width) => sum + width, 0)).toBeLessThanOrEqual(451);
      }),
    );
  });

  it('turns active time into a moment and back', () => {
    fc.assert(
      fc.property(axes, fc.double({ min: 0, max: 1, noNaN: true }), (axis, share) => {
        const active = share * Math.max(0, axis.length - 51);
        expect(toActive(axis, toTime(axis, active))).toBeCloseTo(active, 3);
      }),
    );
  });

  it('zooms where the pointer is, and never out of the axis', () => {
    fc.assert(
      fc.property(
        axes,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.array(fc.double({ min: 0.2, max: 4, noNaN: true }), { maxLength: 12 }),
        (axis, share, factors) => {
          let window = wholeWindow(axis);
          for (const factor of factors) {
            const anchor = window.from + share * (window.to - window.from);
            const next = zoomWindow(axis, window, factor, anchor);
            expect(next.from).toBeGreaterThanOrEqual(0);
            expect(next.to).toBeLessThanOrEqual(axis.length + 1e-6);
            expect(next.to).toBeGreaterThan(next.from);
            const free = next.from > 1e-6 && next.to < axis.length - 1e-6;
            if (free) expect((anchor - next.from) / (next.to - next.from)).toBeCloseTo(share, 3);
            window = next;
          }
        },
      ),
    );
  });
});

describe('ticks', () => {
  it('are at round times, apart from one another, and outside folds', () => {
    fc.assert(
      fc.property(axes, fc.integer({ min: 300, max: 2_000 }), (axis, width) => {
        const scale = makeScale(axis, wholeWindow(axis), width);
        const ticks = makeTicks(scale, { timeZone: 'UTC' });
        for (const [index, tick] of ticks.entries()) {
          const last = ticks[index - 1];
          if (last) expect(tick.x - last.x).toBeGreaterThanOrEqual(84 - 1e-6);
          expect(scale.folds.some((fold) => tick.x > fold.x0 + 1 && tick.x < fold.x1 - 1)).toBe(false);
          expect(tick.at % 10).toBe(0);
        }
        expect(ticks.length).toBeLessThanOrEqual(width / 84 + 1);
      }),
    );
  });

  it('follow the wall clock of a zone that is half an hour off', () => {
    const axis = makeAxis({ from: START, to: START + 6 * HOUR });
    const ticks = makeTicks(makeScale(axis, wholeWindow(axis), 700), {
      offset: 5.5 * HOUR,
      timeZone: 'Asia/Kolkata',
    });

    expect(ticks.length).toBeGreaterThan(3);
    expect(ticks[0]?.label).toBe('24 Nov 16:00');
    expect(ticks.every((tick) => tick.label.endsWith(':00'))).toBe(true);
  });

  it('say the day again once it is another one', () => {
    const from = Date.UTC(2026, 10, 24, 20);
    const axis = makeAxis({ from, to: from + 8 * HOUR });
    const labels = makeTicks(makeScale(axis, wholeWindow(axis), 1_200), { timeZone: 'UTC' }).map((tick) => tick.label);

    expect(labels.filter((label) => label.includes('Nov'))).toEqual(['24 Nov 20:00', '25 Nov 00:00']);
  });
});

const detail = (attempt: number, jobs: [generation: number, at: number][], failed: number[] = []): StepDetail => ({
  step: 'align',
  attempt,
  generation: jobs.at(-1)?.[0] ?? 1,
  state: 'RUNNING',
  jobs: jobs.map(([generation, at], index) => ({
    id: `${attempt}-${index}`,
    name: 'align',
    generation,
    items: 1,
    submittedAt: new Date(at).toISOString(),
  })),
  failures: failed.map((generation) => ({
    item: 'sample',
    cause: 'OUT_OF_MEMORY',
    generation,
    jobId: 'job',
    reason: 'killed',
    lastLogLines: [],
  })),
});

describe('rows of a timeline', () => {
  const step: StepView = {
    name: 'align',
    state: 'RUNNING',
    attempt: 2,
    submittedAt: START,
    startedAt: START + 60_000,
    items: { total: 3, running: 1, succeeded: 1, failed: 1 },
  };

  it('tell attempts and generations apart, and mark those that failed', () => {
    const now = START + HOUR;
    const details = [
      detail(2, [
        [1, START + 30 * 60_000],
        [2, START + 40 * 60_000],
      ]),
      detail(
        1,
        [
          [1, START],
          [1, START + 1],
        ],
        [1],
      ),
    ];

    const { generations } = makeRow(step, details, now);

    expect(
      generations.map(({ attempt, generation, jobs, failed, earlier }) => [attempt, generation, jobs, failed, earlier]),
    ).toEqual([
      [1, 1, 2, true, true],
      [2, 1, 1, false, false],
      [2, 2, 1, false, false],
    ]);
    expect(generations.map((generation) => generation.to)).toEqual([START + 30 * 60_000, START + 40 * 60_000, now]);
  });

  it('say in words what the bars show', () => {
    const { text } = makeRow({ ...step, cause: 'out of memory' }, [], START + HOUR);

    expect(text).toBe('Running, ran 59 min, waited 1 min, attempt 2, 1 of 3 items, 1 failed, out of memory');
  });

  it('go on up to now while the step does, and end with it', () => {
    const ended = { ...step, state: 'SUCCEEDED' as const, endedAt: START + 90_000 };

    expect(makeRow(step, [], START + HOUR).running?.to).toBe(START + HOUR);
    expect(makeRow(ended, [], START + HOUR).running?.to).toBe(START + 90_000);
    expect(makeRow({ ...step, state: 'CANCELLED' }, [], START + HOUR).running?.to).toBe(START + 60_000);
  });

  it('stand clocks that disagree, and times that are no times', () => {
    const odd: StepView = { ...step, startedAt: START - 5_000, endedAt: START - 10_000 };
    const row = makeRow(
      odd,
      [{ ...detail(1, []), jobs: [{ id: 'a', name: 'a', generation: 1, items: 1, submittedAt: 'soon' }] }],
      START,
    );

    expect(row.running).toEqual({ from: START - 5_000, to: START - 5_000 });
    expect(row.waiting).toEqual({ from: START, to: START });
    expect(row.generations).toEqual([]);
  });

  it('have a domain that holds every step', () => {
    const snapshot = {
      steps: [step, { ...step, submittedAt: START - HOUR }],
      startedAt: START,
      changedAt: START,
    } as unknown as Snapshot;

    expect(domainOf(snapshot, START + HOUR)).toEqual({ from: START - HOUR, to: START + HOUR });
    expect(busySpans(snapshot.steps, START + HOUR)).toHaveLength(2);
  });
});
