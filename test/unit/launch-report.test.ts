/** What watchers of a launch are told adds up to what it knows of itself. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JobStatus, LaunchProgress } from '../../workflows/launch/model.ts';
import { changeOf, stepView } from '../../workflows/launch/report.ts';
import { LaunchState } from '../../workflows/launch/state.ts';
import { RunPicture } from '../../workflows/progress/picture.ts';

const NAMES = ['a', 'b', 'c'];

/** Anything that can happen to a launch; what makes no sense at a moment changes nothing. */
const happening = fc.oneof(
  fc.record({ is: fc.constant('begin' as const), step: fc.constantFrom(...NAMES) }),
  fc.record({
    is: fc.constant('news' as const),
    step: fc.constantFrom(...NAMES),
    status: fc.constantFrom<JobStatus>('SUBMITTED', 'RUNNABLE', 'RUNNING', 'SUCCEEDED', 'FAILED'),
    running: fc.nat(5),
    stuck: fc.option(fc.constant('MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE'), { nil: undefined }),
  }),
  fc.record({ is: fc.constant('tasks' as const), step: fc.constantFrom(...NAMES), done: fc.nat(3) }),
  fc.record({
    is: fc.constant('end' as const),
    step: fc.constantFrom(...NAMES),
    state: fc.constantFrom('SUCCEEDED' as const, 'FAILED' as const, 'CANCELLED' as const),
  }),
  fc.record({ is: fc.constant('restore' as const), readable: fc.nat(9) }),
  fc.record({ is: fc.constant('wait' as const), for: fc.constantFrom('restore' as const, 'approval' as const) }),
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

function happen(state: LaunchState, what: Happening, now: number): void {
  if (what.is === 'wait') return void state.wait(what.for, now);
  if (what.is === 'restore') {
    state.restore = { objects: 9, readable: what.readable, bytes: 90, readyBy: 1_000, limitUsd: 1 };
    return;
  }
  const { attempt } = state;
  const generation = state.progress().steps.find(({ name }) => name === what.step)?.generation ?? 0;
  if (what.is === 'begin') {
    state.begin(what.step);
    state.submitted(what.step, [{ shard: 0, jobId: `job-${what.step}-${generation + 1}`, items: 9 }], now);
  }
  if (what.is === 'tasks') {
    const tasks = [{ name: 't', total: 3, running: 0, succeeded: what.done, failed: 0 }];
    state.report({ attempt, step: what.step, generation, tasks });
  }
  if (what.is === 'news') {
    const { status, running, stuck } = what;
    const jobId = `job-${what.step}-${generation}`;
    const counts = { running, succeeded: 1, failed: 0 };
    const news = { attempt, step: what.step, generation, shard: 0, jobId, status, attempts: 0, counts };
    state.observe({ ...news, ...(stuck && { stuck }) }, now);
  }
  if (what.is === 'end' && generation > 0)
    state.end(what.step, what.state, now, { succeeded: 1, failed: 0, cause: 'because' });
}

function launch(): LaunchState {
  const state = new LaunchState('l');
  state.move('PREPARING', 1);
  return state;
}

const plan = (state: LaunchState) =>
  state.plan(NAMES.map((name, index) => ({ name, after: NAMES.slice(0, index), items: 9 })));

describe('what changes', () => {
  it('adds up to what the launch knows of itself, whatever happens, and whichever moments are told', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(happening, fc.boolean()), { maxLength: 40 }), (all) => {
        const state = launch();
        const picture = RunPicture.empty('launch/l', { domain: 'launch' }, 'e', 0);
        let told: LaunchProgress | undefined;
        const tell = () => {
          const now = state.progress();
          const change = changeOf(told, now);
          told = now;
          if (change)
            picture.apply({
              kind: 'progress',
              source: { name: 'workflow', attempt: 1 },
              at: 1,
              seq: picture.seq + 1,
              ...change,
            });
        };
        tell();
        plan(state);
        tell();
        all.forEach(([what, isTold], index) => {
          happen(state, what, index + 2);
          if (isTold) tell();
        });
        tell();

        const now = state.progress();
        expect(picture.snapshot().steps).toEqual(now.steps.map(stepView));
        expect(changeOf(told, now)).toBeUndefined();
        const { counts, etaAt } = picture.snapshot();
        expect(counts?.restored).toBe(now.restore?.readable);
        expect(etaAt).toBe(now.waitingFor === 'restore' ? now.restore?.readyBy : undefined);
      }),
    );
  });

  it('is the whole graph at first, then only the steps something happened to', () => {
    const state = launch();
    const empty = state.progress();
    plan(state);
    const planned = state.progress();
    state.begin('a');
    state.submitted('a', [{ shard: 0, jobId: 'j', items: 9 }], 5);

    expect(changeOf(empty, planned)?.steps).toMatchObject([
      { name: 'a', state: 'PENDING', after: [] },
      { name: 'b', after: ['a'] },
      { name: 'c', after: ['a', 'b'] },
    ]);
    expect(changeOf(planned, state.progress())).toEqual({
      steps: [
        {
          name: 'a',
          state: 'SUBMITTED',
          items: { total: 9, running: 0, succeeded: 0, failed: 0 },
          attempt: 1,
          jobId: 'j',
          submittedAt: 5,
        },
      ],
    });
  });

  it('says what it waits for in words, and takes that back', () => {
    const state = launch();
    state.wait('approval', 2);
    state.restore = { objects: 4, readable: 0, bytes: 10, usd: 12, limitUsd: 5 };
    const waits = state.progress();
    state.budget = { month: '2026-11', spent: '90', limit: '100', currency: 'USD', warning: true, over: false };
    state.move('READY', 3);

    expect(changeOf(undefined, waits)?.message).toMatch(/cost \$12.*above the limit of \$5.*waits for an approval/);
    expect(changeOf(waits, state.progress())?.message).toBe('its consumer has spent 90 of 100 USD in 2026-11');
    state.budget = undefined;
    expect(changeOf(waits, state.progress())?.message).toBeNull();
  });

  it('knows the percent of a head by its tasks, where their number is known', () => {
    const step = {
      name: 'h',
      after: [],
      state: 'RUNNING',
      items: { total: 1, running: 1, succeeded: 0, failed: 0 },
    } as const;
    const tasks = (total: number) => [{ name: 't', total, running: 1, succeeded: 1, failed: 0 }];

    expect(stepView({ ...step, tasks: tasks(4) }).percent).toBe(25);
    expect(stepView({ ...step, tasks: tasks(0) }).percent).toBeUndefined();
    expect(stepView(step).percent).toBeUndefined();
  });
});
