/**
 * Starting the poller of a place, or keeping it from ending.
 *
 * @module
 */
import type { Client } from '@temporalio/client';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import {
  type Place,
  type PollerInput,
  WAKE_SIGNAL,
  WORKFLOW_TYPE,
  workflowIdOf,
} from '../../workflows/poller/model.ts';

/** Idempotent: a running poller gets a signal, an ended one is started. */
export async function wakePoller(client: Client, place: Place, intervalSeconds: number): Promise<void> {
  const input: PollerInput = { account: place.account, region: place.region, intervalSeconds };
  await client.workflow.signalWithStart(WORKFLOW_TYPE, {
    workflowId: workflowIdOf(place),
    taskQueue: WORKFLOW_TASK_QUEUE,
    args: [input],
    signal: WAKE_SIGNAL,
    signalArgs: [],
    staticSummary: `looks at the open jobs of ${place.account} in ${place.region} every ${intervalSeconds} s`,
  });
}
