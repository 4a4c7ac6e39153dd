/** A hundred thousand items under time skipping: the real workflow, planner and activities; only the services are not. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import {
  ACTIVITY_TASK_QUEUE,
  JOBS_CHANGED_SIGNAL,
  type JobChange,
  WORKFLOW_TYPE,
} from '../../workflows/launch/model.ts';
import { sheet } from '../support/live-sheet.ts';
import { createNoOpWorld, type NoOpJob, noOpActivities } from '../support/no-op-world.ts';
import { openTimeSkipping, withWorkers } from '../support/time-skipping.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await openTimeSkipping();
});
afterAll(() => env.teardown());

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

it('runs 100,000 items as ten arrays, and again only the thousand that failed', async () => {
  const world = createNoOpWorld('longhaul');
  world.put(
    'sheets/lab-a/wide.yaml',
    sheet(
      'wide',
      {
        wide: { scatter: ['sample', 'region'], command: 'run ${{ sample }} ${{ region }}', retries: 1 },
        last: { command: 'true', after: ['wide'] },
      },
      { scatter: { sample: names('s', 1_000), region: names('r', 100) } },
    ),
  );
  const jobs: NoOpJob[] = [];
  const begun = performance.now();
  let firstSubmitted = 0;
  let waiting: (() => void) | undefined;
  world.onSubmit = (job) => {
    firstSubmitted ||= performance.now() - begun;
    jobs.push(job);
    waiting?.();
  };
  const submitted = async (count: number) => {
    while (jobs.length < count) await new Promise<void>((resolve) => (waiting = resolve));
  };
  await withWorkers(env, { [ACTIVITY_TASK_QUEUE]: noOpActivities(world) }, async () => {
    const handle = await env.client.workflow.start(WORKFLOW_TYPE, {
      workflowId: 'launch/wide',
      taskQueue: WORKFLOW_TASK_QUEUE,
      args: [{ launchId: 'wide', configurationFile: 's3://longhaul/sheets/lab-a/wide.yaml' }],
    });
    const end = async (some: readonly NoOpJob[]) => {
      const changes = some.map(
        ({ id: jobId, step, generation, shard }): JobChange => ({
          attempt: 1,
          step,
          generation,
          shard,
          jobId,
          status: 'FAILED',
          attempts: 1,
        }),
      );
      await handle.signal(JOBS_CHANGED_SIGNAL, changes);
    };
    await submitted(10);
    // The activity must have ended before time is let pass, or it would run into its timeout.
    await expect.poll(async () => (await handle.describe()).raw.pendingActivities?.length ?? 0).toBe(0);
    await env.sleep('6 hours');
    for (const job of jobs.slice(0, 10)) world.commit(job.id, (child) => job.shard === 3 && child < 1_000);
    await end(jobs.slice(0, 10));
    await submitted(11);
    world.commit(jobs[10]?.id ?? '');
    await end(jobs.slice(10, 11));
    await submitted(12);
    world.commit(jobs[11]?.id ?? '');
    await end(jobs.slice(11));
    expect(await handle.result()).toMatchObject({ status: 'COMPLETE' });
    expect(jobs.map(({ step, generation, shard, items }) => [step, generation, shard, items])).toEqual([
      ...Array.from({ length: 10 }, (_, shard) => ['wide', 1, shard, 10_000]),
      ['wide', 2, 0, 1_000],
      ['last', 1, 0, 1],
    ]);
    const { historyLength } = await handle.describe();
    expect(historyLength).toBeLessThan(200);
    const calls = [...world.calls.values()].reduce((sum, count) => sum + count, 0);
    expect(calls / 100_000).toBeLessThan(0.05);
    console.log(
      `100,000 items: planned and first array submitted in ${Math.round(firstSubmitted)} ms, ${historyLength} events, ${calls} calls`,
    );
  });
}, 240_000);
