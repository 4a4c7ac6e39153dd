/**
 * What a launch knows of itself: its statuses, and what news of jobs do to its steps, in whatever order they come.
 *
 * @module
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canMove,
  isEnded,
  JOB_STATUSES,
  type JobChange,
  LAUNCH_STATUSES,
  type LaunchStatus,
  STEP_STATES,
} from '../../workflows/launch/model.ts';
import { LaunchState } from '../../workflows/launch/state.ts';

/** The table of the design, written out once more. */
const ALLOWED: readonly [LaunchStatus | undefined, readonly LaunchStatus[]][] = [
  [undefined, ['PREPARING']],
  ['PREPARING', ['WAITING', 'READY', 'FAILED', 'CANCELLED']],
  ['WAITING', ['READY', 'FAILED', 'CANCELLED']],
  ['READY', ['RUNNING', 'FAILED', 'CANCELLED']],
  ['RUNNING', ['COMPLETE', 'FAILED', 'CANCELLED']],
  ['COMPLETE', []],
  ['FAILED', ['PREPARING']],
  ['CANCELLED', ['PREPARING']],
];

describe('the statuses of a launch', () => {
  it.each(ALLOWED)('from %s go to %j and nowhere else', (from, allowed) => {
    for (const to of LAUNCH_STATUSES) {
      expect(canMove(from, to)).toBe(allowed.includes(to));
      const state = new LaunchState('run-1');
      state.status = from;
      if (allowed.includes(to)) {
        state.move(to, 5);
        expect(state.progress().status).toBe(to);
        expect(state.progress().statuses[to]).toBe(5);
      } else expect(() => state.move(to, 5)).toThrow(`cannot go from ${from} to ${to}`);
    }
  });

  it('rise in sequence with every move, and not with a refused one', () => {
    const state = new LaunchState('run-1');
    state.move('PREPARING', 1);
    expect(() => state.move('COMPLETE', 2)).toThrow('cannot go from PREPARING to COMPLETE');
    state.move('READY', 3);
    expect(state.sequence).toBe(2);
  });

  it('are ended in three of them', () => {
    expect(LAUNCH_STATUSES.filter(isEnded)).toEqual(['COMPLETE', 'FAILED', 'CANCELLED']);
  });
});

const begun = (): LaunchState => {
  const state = new LaunchState('run-1');
  state.plan([
    { name: 'a', after: [], items: 4 },
    { name: 'b', after: ['a'], items: 1 },
  ]);
  state.begin('a');
  return state;
};
const news = (status: JobChange['status'], attempts = 0, more: Partial<JobChange> = {}): JobChange => ({
  attempt: 1,
  step: 'a',
  generation: 1,
  shard: 0,
  jobId: 'job-a',
  status,
  attempts,
  ...more,
});
const JOB_A = { shard: 0, jobId: 'job-a', items: 4 };
const stepA = (state: LaunchState) => {
  const [a] = state.progress().steps;
  if (!a) throw new Error('no step a');
  return a;
};

describe('news of a job', () => {
  it('counts although it comes before SubmitJob has answered', () => {
    const state = begun();
    expect(state.observe(news('RUNNING'), 10)).toBe(true);
    state.submitted('a', [JOB_A], 20);
    expect(stepA(state)).toMatchObject({ state: 'RUNNING', jobId: 'job-a', submittedAt: 10, startedAt: 10 });
  });

  it('of RUNNABLE after RUNNING is progress on a later attempt of Batch', () => {
    const state = begun();
    state.observe(news('RUNNING', 0), 10);
    expect(state.observe(news('RUNNABLE', 1), 20)).toBe(true);
    expect(stepA(state).state).toBe('RUNNABLE');
  });

  it('of RUNNABLE after RUNNING on the same attempt is late and changes nothing', () => {
    const state = begun();
    state.observe(news('RUNNING', 0), 10);
    expect(state.observe(news('RUNNABLE', 0), 20)).toBe(false);
    expect(stepA(state).state).toBe('RUNNING');
  });

  it('of an earlier attempt changes nothing', () => {
    const state = begun();
    state.observe(news('RUNNABLE', 1), 10);
    expect(state.observe(news('RUNNING', 0), 20)).toBe(false);
    expect(stepA(state).state).toBe('RUNNABLE');
  });

  it('of another job or generation changes nothing', () => {
    const state = begun();
    state.submitted('a', [JOB_A], 5);
    expect(state.observe(news('SUCCEEDED', 1, { jobId: 'job-x' }), 10)).toBe(false);
    expect(state.observe(news('SUCCEEDED', 1, { generation: 2 }), 10)).toBe(false);
    expect(state.observe(news('SUCCEEDED', 1, { step: 'no such step' }), 10)).toBe(false);
    expect(state.jobsEnded('a')).toBe(false);
  });

  it('of a step that has not begun changes nothing, so the step still starts', () => {
    const state = begun();
    expect(state.observe(news('RUNNING', 0, { step: 'b', generation: 0 }), 10)).toBe(false);
    state.end('a', 'SUCCEEDED', 20, { succeeded: 4, failed: 0 });
    expect(state.free()).toEqual(['b']);
  });

  it('of an end counts whatever attempt its messenger knew of', () => {
    const state = begun();
    state.submitted('a', [JOB_A], 5);
    state.observe(news('RUNNING', 2), 10);
    expect(state.observe(news('FAILED', 1), 20)).toBe(true);
    expect(state.jobsEnded('a')).toBe(true);
  });

  it('of an end that a review did not confirm can come again', () => {
    const state = begun();
    state.submitted('a', [JOB_A], 5);
    state.observe(news('SUCCEEDED', 1), 10);
    state.reopen('a');
    expect(state.jobsEnded('a')).toBe(false);
    expect(state.observe(news('SUCCEEDED', 1), 20)).toBe(true);
    expect(state.jobsEnded('a')).toBe(true);
  });

  it('with counts shows running items although the parent of the array is PENDING', () => {
    const state = begun();
    state.observe(news('PENDING', 0, { counts: { running: 2, succeeded: 1, failed: 0 } }), 10);
    expect(stepA(state)).toMatchObject({ state: 'RUNNING', items: { total: 4, running: 2, succeeded: 1, failed: 0 } });
  });

  it('with older counts does not take ended items back', () => {
    const state = begun();
    state.observe(news('PENDING', 0, { counts: { running: 0, succeeded: 3, failed: 1 } }), 10);
    expect(state.observe(news('PENDING', 0, { counts: { running: 4, succeeded: 0, failed: 0 } }), 20)).toBe(false);
    expect(stepA(state).items).toEqual({ total: 4, running: 0, succeeded: 3, failed: 1 });
  });
});

describe('open jobs', () => {
  it('are those submitted and not ended, and none is left after all are cancelled', () => {
    const state = begun();
    state.submitted('a', [JOB_A], 5);
    expect(state.openJobs()).toEqual([{ step: 'a', jobId: 'job-a' }]);
    state.cancelOpenSteps(9);
    expect(state.openJobs()).toEqual([]);
    expect(state.progress().steps.map((step) => step.state)).toEqual(['CANCELLED', 'CANCELLED']);
    expect(state.free()).toEqual([]);
  });
});

/** Three steps in a row with a fourth beside; everything that can happen to them, in any order. */
const OUTLINES = [
  { name: 'a', after: [], items: 2 },
  { name: 'b', after: ['a'], items: 1 },
  { name: 'c', after: ['a', 'b'], items: 3 },
  { name: 'd', after: [], items: 1 },
];
const change: fc.Arbitrary<JobChange> = fc.record(
  {
    attempt: fc.integer({ min: 1, max: 2 }),
    step: fc.constantFrom('a', 'b', 'c', 'd', 'x'),
    generation: fc.integer({ min: 0, max: 3 }),
    shard: fc.integer({ min: 0, max: 2 }),
    jobId: fc.constantFrom('job-a', 'job-b', 'job-c', 'job-d'),
    status: fc.constantFrom(...JOB_STATUSES),
    attempts: fc.integer({ min: 0, max: 3 }),
    counts: fc.record({ running: fc.nat(2), succeeded: fc.nat(2), failed: fc.nat(2) }),
  },
  { requiredKeys: ['attempt', 'step', 'generation', 'shard', 'jobId', 'status', 'attempts'] },
);
type Move = { kind: 'news'; change: JobChange; times: number } | { kind: 'start' | 'answer' | 'review'; pick: number };
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('news' as const), change, times: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('start' as const, 'answer' as const, 'review' as const),
      pick: fc.nat(),
    }),
  },
);

describe('whatever comes in whatever order', () => {
  it('no step is offered twice or before its inputs, un-ends, or gets an illegal state', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
        const state = new LaunchState('run-1');
        state.plan(OUTLINES);
        const started = new Set<string>();
        const ended = new Map<string, string>();
        const seenEnd = new Set<string>();
        let now = 0;
        for (const next of moves) {
          now += 1;
          if (next.kind === 'news') {
            for (let time = 0; time < next.times; time += 1) {
              const changed = state.observe(next.change, now);
              if (time > 0) expect(changed).toBe(false);
            }
          } else if (next.kind === 'start') {
            for (const name of state.free()) {
              expect(started).not.toContain(name);
              for (const need of OUTLINES.find((step) => step.name === name)?.after ?? [])
                expect(ended.get(need)).toBe('SUCCEEDED');
              started.add(name);
              state.begin(name);
            }
          } else {
            const open = [...started].filter((name) => !ended.has(name));
            const name = open[next.pick % open.length];
            if (name === undefined) continue;
            if (next.kind === 'answer') state.submitted(name, [{ shard: 0, jobId: `job-${name}`, items: 1 }], now);
            else if (state.jobsEnded(name)) {
              const end = next.pick % 3 === 0 ? 'FAILED' : 'SUCCEEDED';
              state.end(name, end, now, { succeeded: 1, failed: 0 });
              ended.set(name, end);
            }
          }
          for (const step of state.progress().steps) {
            expect(STEP_STATES).toContain(step.state);
            if (ended.has(step.name)) expect(step.state).toBe(ended.get(step.name));
            else expect(['SUCCEEDED', 'FAILED', 'CANCELLED']).not.toContain(step.state);
            if (!started.has(step.name)) expect(step.state).toBe('PENDING');
            if (seenEnd.has(step.name)) expect(state.jobsEnded(step.name)).toBe(true);
            if (state.jobsEnded(step.name)) seenEnd.add(step.name);
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  it('ends at the same state of each job, whichever way the same news were shuffled', () => {
    const ordered = fc.array(
      fc.tuple(
        fc.integer({ min: 0, max: 2 }),
        fc.constantFrom('SUBMITTED', 'RUNNABLE', 'STARTING', 'RUNNING') as fc.Arbitrary<JobChange['status']>,
      ),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(
        ordered.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([first, second]) => {
          const after = (list: typeof first) => {
            const state = begun();
            for (const [attempts, status] of list) state.observe(news(status, attempts), 1);
            return stepA(state).state;
          };
          expect(after(first)).toBe(after(second));
        },
      ),
    );
  });
});
