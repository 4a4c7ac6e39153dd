/** The bound on a launch's history that stands in its doc comment, measured. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import { ACTIVITY_TASK_QUEUE, LIMITS, WORKFLOW_TYPE } from '../../workflows/launch/model.ts';
import type { StepOutline } from '../../workflows/launch/state.ts';
import { ACTIVITY_TASK_QUEUE as PROGRESS_QUEUE } from '../../workflows/progress/model.ts';
import { MOST_REPORTS } from '../../workflows/progress/outbox.ts';
import { createWorld, tell } from '../support/launch-world.ts';
import { createStoredLog, type StoredLog } from '../support/stored-log.ts';
import { openTimeSkipping, withWorkers, workflowBundle } from '../support/time-skipping.ts';

/** Temporal ends a workflow at 51,200 events (server default, limit.historyCount.error). */
const TEMPORAL_LIMIT = 51_200;
const OVERHEAD = 40;
const EVENTS_A_SUBMISSION = 32;
/** Of counts of arrays, all steps together, and what each costs: a signal and a workflow task. */
const REPORTS = 2_000 * 4;

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await openTimeSkipping();
});
afterAll(() => env.teardown());

/** @returns its events but for those of progress, which are counted by themselves */
async function historyOf(steps: StepOutline[], log?: StoredLog): Promise<{ events: number; reports: number }> {
  const world = createWorld({
    steps,
    ...(log && { log }),
    onSubmit: async (name, job) => {
      // As much news as there can be of a job that Batch did not retry: from its events, and from the poller too.
      for (const status of ['RUNNABLE', 'RUNNABLE', 'RUNNING', 'RUNNING', 'SUCCEEDED'] as const)
        await tell(env.client.workflow, job, name, status);
    },
  });
  const queues = {
    [ACTIVITY_TASK_QUEUE]: world.activities,
    ...(log && { [WORKFLOW_TASK_QUEUE]: log.activities, [PROGRESS_QUEUE]: log.activities }),
  };
  return withWorkers(env, queues, async () => {
    const workflowId = `launch/bound-${steps.length}${log ? '-told' : ''}`;
    const args = [{ launchId: 'bound', configurationFile: 's3://b/k' }];
    const handle = await env.client.workflow.start(WORKFLOW_TYPE, { workflowId, taskQueue: WORKFLOW_TASK_QUEUE, args });
    await handle.result();
    const { events = [] } = await handle.fetchHistory();
    const reports = events?.filter((event) => event.markerRecordedEventAttributes != null).length ?? 0;
    return { events: (events?.length ?? 0) - reports, reports };
  });
}

/** A chain is the worst case: nothing shares a workflow task. */
const chain = (length: number): StepOutline[] =>
  Array.from({ length }, (_, index) => ({ name: `s${index}`, after: index === 0 ? [] : [`s${index - 1}`], items: 1 }));

it.each([
  ['without a log', () => undefined],
  ['with one', createStoredLog],
])('grows by no more than it says with each step, %s', async (_, logOf) => {
  const { events: short } = await historyOf(chain(2), logOf());
  const { events: long, reports } = await historyOf(chain(22), logOf());

  expect(short).toBeLessThanOrEqual(OVERHEAD + 2 * EVENTS_A_SUBMISSION);
  expect((long - short) / 20).toBeLessThanOrEqual(EVENTS_A_SUBMISSION);
  expect(LIMITS.submissions).toBeGreaterThan(LIMITS.steps);
  expect(reports > 0).toBe(logOf() !== undefined);
  expect(OVERHEAD + LIMITS.submissions * EVENTS_A_SUBMISSION + REPORTS + MOST_REPORTS).toBeLessThan(TEMPORAL_LIMIT);
});

it('does not grow with the number of items', async () => {
  const [one, many] = [
    await historyOf([{ name: 'a', after: [], items: 1 }]),
    await historyOf([{ name: 'a', after: [], items: 10_000 }]),
  ];
  expect(many.events).toBeLessThanOrEqual(one.events + 3);
});

it('the bundle holds no parser and no schema: they would make every workflow heavy', async () => {
  const { code } = await workflowBundle();
  for (const module of ['node_modules/ajv', 'node_modules/yaml', 'node_modules/@aws-sdk', 'sheet.schema.json']) {
    expect(code).not.toContain(module);
  }
});
