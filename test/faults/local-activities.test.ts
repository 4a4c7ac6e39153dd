/**
 * Local activities that are under way while workflow tasks pass: reports take their time, workflow tasks have a second, so that
 * what activities bring comes in between. Whoever replays it must come to the same commands.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import { ACTIVITY_TASK_QUEUE } from '../../workflows/progress/model.ts';
import { openDevServer } from '../support/dev-server.ts';
import type { branches } from '../support/progress-workflows.ts';
import { createStoredLog } from '../support/stored-log.ts';
import { withWorkers, workflowBundle } from '../support/time-skipping.ts';

const WORKFLOWS = 'test/support/progress-workflows.ts';
const RUNS = 8;

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await openDevServer();
});
afterAll(() => env?.teardown());

/** Workflow tasks that were kept alive for a local activity: the next one begins within the same millisecond. */
async function keptAlive(handle: WorkflowHandle): Promise<number> {
  const { events } = await handle.fetchHistory();
  const at = ({ eventTime }: NonNullable<typeof events>[number]) =>
    Number(eventTime?.seconds) * 1000 + Math.floor((eventTime?.nanos ?? 0) / 1e6);
  const completed = new Set(events?.filter((event) => event.workflowTaskCompletedEventAttributes).map(at));
  return events?.filter((event) => event.workflowTaskScheduledEventAttributes && completed.has(at(event))).length ?? 0;
}

it('do not make a replay go another way', async () => {
  const log = createStoredLog();
  log.before = () => delay(900);
  let began = 0;
  const work = {
    async work() {
      began += 1;
      await delay(100 + ((began * 337) % 700));
    },
  };
  const queues = { [WORKFLOW_TASK_QUEUE]: log.activities, [ACTIVITY_TASK_QUEUE]: log.activities, work };
  const bundle = workflowBundle(WORKFLOWS);

  const handles = await withWorkers(
    env,
    queues,
    async () => {
      const started = await Promise.all(
        Array.from({ length: RUNS }, (_, nth) =>
          env.client.workflow.start<typeof branches>('branches', {
            workflowId: `branches/${nth}`,
            taskQueue: WORKFLOW_TASK_QUEUE,
            workflowTaskTimeout: '1 second',
            args: [3, 3],
          }),
        ),
      );
      await Promise.all(started.map((handle) => handle.result()));
      return started;
    },
    bundle,
  );

  // Else nothing has been shown.
  const held = await Promise.all(handles.map(keptAlive));
  expect(Math.max(...held)).toBeGreaterThan(0);
  for (const handle of handles) {
    const replayed = Worker.runReplayHistory({ workflowBundle: await bundle }, await handle.fetchHistory());
    await expect(replayed, handle.workflowId).resolves.toBeUndefined();
  }
});
