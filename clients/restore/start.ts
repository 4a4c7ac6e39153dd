/**
 * Starting a restore: the same for the command line and for request files, so both together still make one.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import { type RestoreInput, WORKFLOW_TYPE, workflowIdOf } from '../../workflows/restore/model.ts';

const STATUS = defineSearchAttributeKey('LonghaulStatus', SearchAttributeType.KEYWORD);
const CONSUMER = defineSearchAttributeKey('LonghaulConsumer', SearchAttributeType.KEYWORD);

/** The same file, or the same sources and wishes, is the same restore while it is open. */
export function restoreIdFor(input: Omit<RestoreInput, 'restoreId'>): string {
  const { configurationFile, configurationFileVersion, sources, wishes } = input;
  const what = JSON.stringify([configurationFile, configurationFileVersion, sources, wishes]);
  return `restore-${createHash('sha256').update(what).digest('hex').slice(0, 20)}`;
}

/**
 * Safe to repeat: one that is open is not started again.
 * @returns whether this call has started it
 */
export async function startRestore(
  client: Client,
  input: RestoreInput,
): Promise<{ workflowId: string; started: boolean }> {
  const workflowId = workflowIdOf(input.restoreId);
  const sources = input.sources ?? [];
  const what = input.configurationFile ?? `${sources.slice(0, 3).join(', ')}${sources.length > 3 ? ' and more' : ''}`;
  try {
    await client.workflow.start(WORKFLOW_TYPE, {
      workflowId,
      taskQueue: WORKFLOW_TASK_QUEUE,
      args: [input],
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: `restore ${input.restoreId}`,
      staticDetails: `${what}\n\n\`longhaul restore show ${input.restoreId}\``,
      typedSearchAttributes: [
        { key: STATUS, value: 'PLANNING' },
        ...(input.consumer === undefined ? [] : [{ key: CONSUMER, value: input.consumer }]),
      ],
    });
    return { workflowId, started: true };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return { workflowId, started: false };
  }
}
