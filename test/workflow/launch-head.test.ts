/** A head job under time skipping: its log is followed beside it, and never in its way. */
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportsOf } from '../../activities/launch/follow.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import {
  ACTIVITY_TASK_QUEUE,
  type LaunchProgress,
  LIMITS,
  PROGRESS_QUERY,
  TASKS_REPORTED_SIGNAL,
  type TasksReport,
  WORKFLOW_TYPE,
} from '../../workflows/launch/model.ts';
import { HEAD_REPORTS } from '../../workflows/launch/report.ts';
import { ACTIVITY_TASK_QUEUE as PROGRESS_QUEUE } from '../../workflows/progress/model.ts';
import { createWorld, tell, type WorldOptions } from '../support/launch-world.ts';
import { createStoredLog } from '../support/stored-log.ts';
import { openTimeSkipping, withWorkers } from '../support/time-skipping.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await openTimeSkipping();
});
afterAll(() => env.teardown());

/** Temporal ends a workflow at 51,200 events (server default, limit.historyCount.error). */
const TEMPORAL_LIMIT = 51_200;

const HEAD = { name: 'snakemake', after: [], items: 1, head: true };
const counts = (name: string, succeeded: number) => ({ name, total: 3, running: 1, succeeded, failed: 0 });
const report = (more: Partial<TasksReport> = {}): TasksReport => ({
  attempt: 1,
  step: 'snakemake',
  generation: 1,
  tasks: [counts('align', 1)],
  ...more,
});

let nth = 0;
async function run(options: Omit<WorldOptions, 'steps'>) {
  nth += 1;
  const workflowId = `launch/head-${nth}`;
  const world = createWorld({ steps: [HEAD], ...options });
  const { log } = options;
  const queues = {
    [ACTIVITY_TASK_QUEUE]: world.activities,
    ...(log && { [WORKFLOW_TASK_QUEUE]: log.activities, [PROGRESS_QUEUE]: log.activities }),
  };
  return withWorkers(env, queues, async () => {
    const args = [{ launchId: `head-${nth}`, configurationFile: 's3://b/k' }];
    const handle = await env.client.workflow.start(WORKFLOW_TYPE, { workflowId, taskQueue: WORKFLOW_TASK_QUEUE, args });
    const ended = await handle.result().catch((error: Error) => error);
    const { steps } = await handle.query<LaunchProgress>(PROGRESS_QUERY);
    return {
      workflowId,
      world,
      ended,
      tasks: steps[0]?.tasks,
      events: Number((await handle.describe()).historyLength),
    };
  });
}

const signal = (workflowId: string, news: unknown) =>
  env.client.workflow.getHandle(workflowId).signal(TASKS_REPORTED_SIGNAL, news);
const endsAtOnce: Pick<WorldOptions, 'onSubmit'> = {
  onSubmit: (name, job) => tell(env.client.workflow, job, name, 'SUCCEEDED'),
};

describe('a report of its tasks', () => {
  it('is shown; one of another attempt, step or generation, or of nothing, is not', async () => {
    const { tasks } = await run({
      ...endsAtOnce,
      async follow({ workflowId }) {
        await signal(workflowId, report());
        for (const other of [{ attempt: 2 }, { step: 'other' }, { generation: 2 }])
          await signal(workflowId, report({ ...other, tasks: [counts('wrong', 9)] }));
        for (const nothing of [undefined, 'text', { tasks: 1 }, report({ tasks: [{ name: 1 }] as never })])
          await signal(workflowId, nothing);
      },
    });

    expect(tasks).toEqual([counts('align', 1)]);
  });

  it('gives way to what the review has read to the end', async () => {
    const { tasks } = await run({
      ...endsAtOnce,
      follow: ({ workflowId }) => signal(workflowId, report()),
      review: () => ({ state: 'SUCCEEDED', succeeded: 1, failed: 0, tasks: [counts('align', 3)] }),
    });

    expect(tasks).toEqual([counts('align', 3)]);
  });
});

describe('following its log', () => {
  it('that fails does not hurt the launch', async () => {
    const { ended } = await run({
      ...endsAtOnce,
      async follow() {
        throw ApplicationFailure.nonRetryable('CloudWatch Logs says no');
      },
    });

    expect(ended).toMatchObject({ status: 'COMPLETE' });
  });

  it('begins anew with each generation', async () => {
    const followed: number[] = [];
    await run({
      ...endsAtOnce,
      async follow({ generation }) {
        followed.push(generation);
      },
      review: (_, time) =>
        time === 1 ? { state: 'RETRY', again: 1, causes: {} } : { state: 'SUCCEEDED', succeeded: 1, failed: 0 },
    });

    expect(followed).toEqual([1, 2]);
  });
});

it('costs the history what its header says: eight events a generation, the reports, and one for each that is told', async () => {
  const quiet = await run(endsAtOnce);
  const reports = 20;
  const log = createStoredLog();
  const loud = await run({
    ...endsAtOnce,
    log,
    async follow({ workflowId }) {
      for (let count = 0; count < reports; count += 1)
        await signal(workflowId, report({ tasks: [counts('align', count / 10)] }));
    },
  });
  const told = log.batches.length;
  const picture = await log.picture(loud.workflowId);

  expect(picture).toMatchObject({ status: 'COMPLETE', consumer: 'lab-a', steps: [{ state: 'SUCCEEDED', attempt: 1 }] });
  expect(told).toBeGreaterThan(3);
  expect(quiet.events).toBeLessThanOrEqual(40 + 32 + 8);
  expect(loud.events - quiet.events).toBeLessThanOrEqual(reports * 4 + told);
  // All generations a launch can have, each with its own reports.
  let all = 0;
  for (let generation = 1; generation <= LIMITS.submissions; generation += 1) all += reportsOf(generation);
  expect(40 + LIMITS.submissions * (32 + 8) + all * 4 + HEAD_REPORTS).toBeLessThan(TEMPORAL_LIMIT);
});
