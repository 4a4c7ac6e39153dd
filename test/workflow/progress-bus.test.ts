/** The route over the bus, from a workflow to the log: EventBridge and SQS by their protocols. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import { ACTIVITY_TASK_QUEUE } from '../../workflows/progress/model.ts';
import { type BusWorld, openBusWorld } from '../support/bus-world.ts';
import { openTimeSkipping, withWorkers, workflowBundle } from '../support/time-skipping.ts';

let env: TestWorkflowEnvironment;
let world: BusWorld;
beforeAll(async () => {
  env = await openTimeSkipping();
  world = await openBusWorld();
  void world.start();
});
afterAll(async () => {
  await world?.close();
  await env?.teardown();
});

it('a run that reports over the bus looks to its watchers like any other', async () => {
  const workflowId = 'order/bus';
  await withWorkers(
    env,
    { [ACTIVITY_TASK_QUEUE]: world.activities, work: { work: async () => {} } },
    () =>
      env.client.workflow.execute('order', {
        workflowId,
        taskQueue: WORKFLOW_TASK_QUEUE,
        args: [{ route: 'bus', steps: ['inventory', 'payment', 'parcel'], says: 3 }],
      }),
    workflowBundle('test/support/progress-workflows.ts'),
  );
  await world.drained();

  expect(await world.log.picture(workflowId)).toMatchObject({
    domain: 'order',
    status: 'COMPLETE',
    percent: 100,
    steps: [
      { name: 'inventory', state: 'SUCCEEDED', percent: 100 },
      { name: 'payment', state: 'SUCCEEDED', after: ['inventory'] },
      { name: 'parcel', state: 'SUCCEEDED', after: ['payment'] },
    ],
  });
});
