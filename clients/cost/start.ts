/**
 * Having a launch priced: the same for the stream of the table and for the command line.
 *
 * @module
 */
import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { type CostInput, LAUNCH_ENDED_SIGNAL, WORKFLOW_TYPE, workflowIdOf } from '../../workflows/cost/model.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';

const STATUS = defineSearchAttributeKey('LonghaulStatus', SearchAttributeType.KEYWORD);

/** Safe to repeat: a launch that has its cost keeps it, and one whose cost is being found is looked at once more. */
export async function startCost(client: Client, input: CostInput): Promise<{ workflowId: string }> {
  const { launchId } = input;
  const workflowId = workflowIdOf(launchId);
  await client.workflow.signalWithStart(WORKFLOW_TYPE, {
    workflowId,
    taskQueue: WORKFLOW_TASK_QUEUE,
    args: [input],
    signal: LAUNCH_ENDED_SIGNAL,
    signalArgs: [],
    staticSummary: `cost of launch ${launchId}`,
    staticDetails: `\`longhaul cost show ${launchId}\``,
    typedSearchAttributes: [{ key: STATUS, value: 'COLLECTING' }],
  });
  return { workflowId };
}
