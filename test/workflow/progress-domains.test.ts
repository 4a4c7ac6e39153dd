/** What watchers of restores, pricings and launches see, from the workflows and their own activities, under time skipping. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CostActivities } from '../../activities/cost/index.ts';
import { startCost } from '../../clients/cost/start.ts';
import { ACTIVITY_TASK_QUEUE as COST_QUEUE, workflowIdOf as costIdOf } from '../../workflows/cost/model.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import { ACTIVITY_TASK_QUEUE as LAUNCH_QUEUE } from '../../workflows/launch/model.ts';
import { ACTIVITY_TASK_QUEUE as PROGRESS_QUEUE } from '../../workflows/progress/model.ts';
import { ACTIVITY_TASK_QUEUE as RESTORE_QUEUE, type RestoreInput } from '../../workflows/restore/model.ts';
import { createWorld, tell, type WorldOptions } from '../support/launch-world.ts';
import { BUCKET, openRestoreWorld } from '../support/restore-world.ts';
import { createStoredLog, type StoredLog } from '../support/stored-log.ts';
import { openTimeSkipping, withWorkers } from '../support/time-skipping.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await openTimeSkipping();
});
afterAll(() => env.teardown());

const during = <T>(log: StoredLog, queue: string, activities: object, run: () => Promise<T>) =>
  withWorkers(
    env,
    { [WORKFLOW_TASK_QUEUE]: log.activities, [PROGRESS_QUEUE]: log.activities, [queue]: activities },
    run,
  );

const statuses = async (log: StoredLog, run: string) =>
  (await log.picture(run)).statuses.map(({ status, waitingFor }) =>
    waitingFor ? `${status} for ${waitingFor}` : status,
  );

async function restore(restoreId: string, sources: string[], input: Partial<RestoreInput> = {}) {
  const log = createStoredLog();
  const world = await openRestoreWorld({ env, log });
  try {
    await world.archive(['a/1', 'a/2'], 'GLACIER');
    await during(log, RESTORE_QUEUE, world.activities, () =>
      env.client.workflow
        .execute('restore', {
          workflowId: `restore/${restoreId}`,
          taskQueue: WORKFLOW_TASK_QUEUE,
          args: [{ restoreId, sources, consumer: 'lab-a', ...input }],
        })
        .catch(() => {}),
    );
  } finally {
    await world.close();
  }
  return { log, picture: await log.picture(`restore/${restoreId}`) };
}

it('a restore: its statuses, counts, percent and when it should be done', async () => {
  const { log, picture } = await restore('told', [`s3://${BUCKET}/a/`]);

  expect(picture).toMatchObject({
    domain: 'restore',
    consumer: 'lab-a',
    status: 'COMPLETE',
    percent: 100,
    counts: { objects: 2, bytes: 20, requested: 2, restored: 2, restoredBytes: 20, restoring: 0, failed: 0 },
  });
  expect(picture.endedAt).toBeDefined();
  expect(await statuses(log, 'restore/told')).toEqual(['PLANNING', 'REQUESTING', 'RESTORING', 'COMPLETE']);
  const etas = (await log.events('restore/told')).flatMap(({ etaAt }) => etaAt ?? []);
  expect(Math.max(...etas)).toBeGreaterThan(picture.startedAt + 3_600_000);
});

it('a restore that fails: the end, with its error', async () => {
  const { log, picture } = await restore('gone', [`s3://${BUCKET}/a/1`, `s3://${BUCKET}/gone`]);

  expect(picture).toMatchObject({ status: 'FAILED', error: { type: 'ObjectsNotRestorableError' } });
  expect((await log.events('restore/gone')).at(-1)?.kind).toBe('end');
});

it('a pricing: its stages, what it has come to, and which launch it is of', async () => {
  const log = createStoredLog();
  let looks = 0;
  const cost = { total_cost: '1.5000', instance_cost: '1.5', volume_cost: '0', filesystem_cost: '0', currency: 'USD' };
  const activities: Pick<CostActivities, 'collectUsage' | 'priceUsage'> = {
    async collectUsage() {
      looks += 1;
      return { attempt: 2, usageAddress: 's3://b/usage', live: looks === 1, progress: { consumer: 'lab-a' } };
    },
    priceUsage: async () => ({ cost, lines: 3, unpriced: 0 }),
  };
  const run = costIdOf('priced');
  const markers = await during(log, COST_QUEUE, activities, async () => {
    await startCost(env.client, { launchId: 'priced' });
    const handle = env.client.workflow.getHandle(run);
    await handle.result();
    const { events } = await handle.fetchHistory();
    return events?.filter((event) => event.markerRecordedEventAttributes != null).length;
  });

  expect(await log.picture(run)).toMatchObject({
    domain: 'cost',
    parent: 'launch/priced',
    consumer: 'lab-a',
    attempt: 2,
    status: 'DONE',
    cost: { total: '1.5000', currency: 'USD' },
  });
  expect(await statuses(log, run)).toEqual(['COLLECTING', 'PRICING', 'SETTLING', 'COLLECTING', 'PRICING', 'DONE']);
  // Stages are not worth more than an event of the history.
  expect(log.batches.length).toBe((markers ?? 0) + 1);
});

let nth = 0;
async function launch(options: Omit<WorldOptions, 'log'>, log = createStoredLog(), attempt = 1) {
  nth += attempt === 1 ? 1 : 0;
  const workflowId = `launch/told-${nth}`;
  const world = createWorld({ ...options, log });
  const retry = attempt > 1 ? { retry: { attempt } } : {};
  await during(log, LAUNCH_QUEUE, world.activities, () =>
    env.client.workflow
      .execute('launch', {
        workflowId,
        taskQueue: WORKFLOW_TASK_QUEUE,
        args: [{ launchId: `told-${nth}`, configurationFile: 's3://b/k', ...retry }],
      })
      .catch(() => {}),
  );
  return { log, workflowId };
}

const chain = [
  { name: 'a', after: [], items: 1 },
  { name: 'b', after: ['a'], items: 1 },
];

it('a launch: the graph before it runs, each step, statuses in order, the end', async () => {
  const { log, workflowId } = await launch({
    steps: chain,
    onSubmit: async (name, job) => {
      for (const status of ['RUNNABLE', 'RUNNING', 'SUCCEEDED'] as const)
        await tell(env.client.workflow, job, name, status);
    },
  });

  const events = await log.events(workflowId);
  const planned = events.find(({ steps }) => steps);
  expect(planned?.steps).toMatchObject([
    { name: 'a', state: 'PENDING' },
    { name: 'b', state: 'PENDING', after: ['a'] },
  ]);
  const ready = events.findIndex(({ status }) => status === 'READY');
  expect(events.indexOf(planned as (typeof events)[number])).toBeLessThan(ready);
  expect(await statuses(log, workflowId)).toEqual(['PREPARING', 'READY', 'RUNNING', 'COMPLETE']);
  expect(events.at(-1)).toMatchObject({ kind: 'end', status: 'COMPLETE' });
  expect(await log.picture(workflowId)).toMatchObject({
    consumer: 'lab-a',
    percent: 100,
    steps: [
      { name: 'a', state: 'SUCCEEDED', jobId: 'job-a-1' },
      { name: 'b', state: 'SUCCEEDED', after: ['a'] },
    ],
  });
});

it('a launch that fails, and is retried: the new attempt supersedes the failed one', async () => {
  const ends = {
    onSubmit: (name: string, job: Parameters<typeof tell>[1]) => tell(env.client.workflow, job, name, 'FAILED'),
  };
  const failing: WorldOptions = {
    steps: chain,
    ...ends,
    review: () => ({ state: 'FAILED', succeeded: 0, failed: 1, cause: 'exit code 3', errorType: 'StepFailedError' }),
  };
  const { log, workflowId } = await launch(failing);
  const failed = await log.picture(workflowId);
  // Its jobs are told of as of the second attempt.
  const again = { steps: chain, cached: ['a', 'b'] };
  await launch(again, log, 2);
  const late = {
    kind: 'status',
    source: { name: 'workflow', attempt: 1 },
    localSeq: 1e15,
    at: 1,
    status: 'LATE',
  } as const;

  expect(failed).toMatchObject({
    status: 'FAILED',
    error: { type: 'StepFailedError' },
    steps: [{ state: 'FAILED', cause: 'exit code 3' }, { state: 'CANCELLED' }],
  });
  expect((await log.store.append(workflowId, { domain: 'launch' }, [late])).refused).toBe(1);
  const picture = await log.picture(workflowId);
  expect(picture).toMatchObject({
    attempt: 2,
    status: 'COMPLETE',
    steps: [{ state: 'SUCCEEDED' }, { state: 'SUCCEEDED' }],
  });
  expect(picture.error).toBeUndefined();
});

it('a launch whose log cannot be written goes on, and tells it all with the next status', async () => {
  const log = createStoredLog();
  log.before = () => {
    throw new Error('the table is gone');
  };
  const { workflowId } = await launch(
    { steps: chain, cached: ['a'], onSubmit: (name, job) => tell(env.client.workflow, job, name, 'SUCCEEDED') },
    log,
  );

  expect(log.batches.length).toBeGreaterThan(0);
  expect(await log.picture(workflowId)).toMatchObject({
    status: 'COMPLETE',
    percent: 100,
    steps: [{ state: 'SUCCEEDED' }, { state: 'SUCCEEDED', after: ['a'] }],
  });
});
