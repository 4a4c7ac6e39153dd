/** Any run as text on a terminal: what is shown of it, in what room, and that nothing of it moves the cursor. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeResume, drawRun, hasFailed, plain, type RunView, runDrawing } from '../../clients/cli/run-picture.ts';
import type { Snapshot, StepView } from '../../workflows/progress/model.ts';

const SNAPSHOT: Snapshot = {
  run: 'order/1042',
  domain: 'order',
  epoch: 'e',
  seq: 7,
  attempt: 1,
  status: 'RUNNING',
  statuses: [],
  steps: [],
  startedAt: 1_000,
  changedAt: 2_000,
};

const viewOf = (snapshot: Partial<Snapshot> = {}, view: Partial<RunView> = {}): RunView => ({
  snapshot: { ...SNAPSHOT, ...snapshot },
  text: '',
  resume: { verdict: 'current', position: { epoch: 'e', seq: 7 } },
  way: 'websocket',
  offline: false,
  merged: 0,
  ...view,
});

/** Without colours. */
const drawn = (view: RunView, now = 5_000, rows = 40) =>
  drawRun(view, now, rows).map((line) => line.replaceAll(/\u001b\[[0-9;]*m/g, ''));

describe('a run', () => {
  it('is drawn with status, bar, message, counts, cost and steps, its time going on until it has ended', () => {
    const snapshot = {
      percent: 50.9,
      message: 'packing',
      counts: { parcels: 3 },
      cost: { total: '0.42', currency: 'USD' },
      steps: [
        { name: 'inventory', state: 'SUCCEEDED', startedAt: 1_000, endedAt: 2_500 },
        {
          name: 'payment',
          state: 'RUNNING',
          startedAt: 2_500,
          items: { total: 4, running: 2, succeeded: 1, failed: 1 },
        },
      ] satisfies StepView[],
    };
    expect(drawn(viewOf(snapshot))).toEqual([
      'order/1042  RUNNING  4.0 s',
      `  ${'█'.repeat(12)}${'░'.repeat(12)}  50 %  packing`,
      '  parcels 3',
      '  0.42 USD so far',
      `  ✔ inventory ${'█'.repeat(24)} succeeded  1.5 s`,
      `  ● payment   ${'█'.repeat(12)}${'░'.repeat(12)} 1/4, 1 failed  running  2.5 s`,
      '  websocket: nothing was missed',
    ]);
    expect(drawn(viewOf({ status: 'COMPLETE', endedAt: 3_000 }), 99_000)[0]).toBe('order/1042  COMPLETE  2.0 s');
  });

  it('says what it waits for, which attempt it is, and why it failed', () => {
    const lines = drawn(
      viewOf({
        attempt: 2,
        status: 'WAITING',
        waitingFor: 'approval',
        error: { type: 'PaymentDeclinedError', message: 'no money' },
        steps: [{ name: 'payment', state: 'FAILED', attempt: 3, cause: 'declined' }],
      }),
    );
    expect(lines[0]).toBe('order/1042  WAITING for approval  4.0 s  attempt 2');
    expect(lines[1]).toMatch(/✖ payment .* failed {2}attempt 3 {2}declined$/);
    expect(lines.slice(2, 4)).toEqual(['PaymentDeclinedError', 'no money']);
  });

  it('that is too tall has the steps that are worth looking at, and counts the rest', () => {
    const state = (nth: number) =>
      nth === 70 ? 'FAILED' : nth === 80 ? 'RUNNING' : nth < 70 ? 'SUCCEEDED' : 'PENDING';
    const steps = Array.from({ length: 100 }, (_, nth): StepView => ({ name: `step-${nth}`, state: state(nth) }));
    const lines = drawn(viewOf({ steps }), 5_000, 13);
    expect(lines).toHaveLength(6);
    expect(lines.slice(1, 4).map((line) => line.trim().split(/\s+/)[1])).toEqual(['step-70', 'step-71', 'step-80']);
    expect(lines[4]).toBe('  and 97 more: 70 succeeded, 1 failed, 28 pending, 1 running');
  });

  it('says how its watching goes on', () => {
    const last = (view: Partial<RunView>) => drawn(viewOf({}, view)).at(-1);
    expect(last({ offline: true })).toBe(
      '  websocket: the connection is lost; it is made again, and nothing is missed',
    );
    expect(last({ way: 'sse', merged: 12 })).toBe('  sse: nothing was missed; 12 events were told as fewer');
    const snapshot = SNAPSHOT;
    expect(
      [
        { verdict: 'fresh', snapshot } as const,
        { verdict: 'replayed', position: { epoch: 'e', seq: 1 }, count: 6 } as const,
        { verdict: 'gap', from: 2, to: 4, snapshot } as const,
        { verdict: 'purged', snapshot } as const,
        { verdict: 'purged' } as const,
      ].map(describeResume),
    ).toEqual([
      'begins at event 7',
      '6 events are told again',
      'events 2 to 4 are no longer kept; the picture has what they said',
      'the log was removed and has begun anew',
      'the log was removed',
    ]);
  });

  it('is one line elsewhere', () => {
    const { line, begun } = runDrawing(() => undefined);
    const view = viewOf(
      { percent: 33.3, message: 'packing', steps: [{ name: 'parcel', state: 'RUNNING' }] },
      { text: 'abc', offline: true },
    );
    expect(line(view)).toBe('RUNNING | 33 % | parcel running | packing | 3 characters | offline');
    expect(begun(view)).toBe(1_000);
  });

  it('has failed with an error, FAILED or CANCELLED', () => {
    expect(hasFailed({ status: 'COMPLETE' })).toBe(false);
    expect(hasFailed({ status: 'PAUSED' })).toBe(false);
    expect(['FAILED', 'CANCELLED'].map((status) => hasFailed({ status }))).toEqual([true, true]);
    expect(hasFailed({ status: 'COMPLETE', error: { type: 'T', message: 'm' } })).toBe(true);
  });
});

describe('what others wrote', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
  const MOVES = /[\u0000-\u001f\u007f-\u009f]/;
  const hostile = fc.string({ unit: 'binary', maxLength: 60 });

  it('cannot move the cursor', () => {
    expect(plain('a\u001b[2Jb\r\nc\u009bd')).toBe('a [2Jb c d');
    fc.assert(
      fc.property(hostile, hostile, hostile, fc.nat(120), (one, other, third, percent) => {
        const view = viewOf(
          {
            run: one,
            status: other,
            waitingFor: third,
            message: one,
            percent: Math.min(100, percent),
            counts: { [other]: 1 },
            error: { type: third, message: one },
            cost: { total: other, currency: third },
            steps: [{ name: other, state: 'FAILED', cause: third, stuck: { reason: one, remedy: '', since: 0 } }],
          },
          { text: third },
        );
        for (const line of [...drawn(view), runDrawing(() => 24).line(view)]) expect(line).not.toMatch(MOVES);
      }),
    );
  });
});
