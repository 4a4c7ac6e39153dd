/**
 * Workflow tasks that fail: the workflow's own code is what does not get through, such as on a build its history does not fit.
 *
 * @module
 */
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';

/** Events looked back at: a signal to a run that fails makes a new task each time, so that attempts alone do not tell. */
const LOOKED_BACK = 200;

export interface TaskFailures {
  /** In a row, since the workflow last went on. */
  taskFailures: number;
  /** Of what the last one failed. */
  taskFailure?: string;
}

export async function taskFailuresOf(
  { workflowService }: Client,
  namespace: string,
  { workflowId, runId, raw }: WorkflowExecutionDescription,
): Promise<TaskFailures> {
  // Of a task that is tried again only the first failure is in the history.
  const tried = Math.max(0, Number(raw.pendingWorkflowTask?.attempt ?? 0) - 1);
  const { history } = await workflowService.getWorkflowExecutionHistoryReverse({
    namespace,
    execution: { workflowId, runId },
    maximumPageSize: LOOKED_BACK,
  });
  const events = history?.events ?? [];
  const wentOn = events.findIndex(({ workflowTaskCompletedEventAttributes: completed }) => completed != null);
  const failures = events
    .slice(0, wentOn === -1 ? undefined : wentOn)
    .flatMap(({ workflowTaskFailedEventAttributes: failed }) => failed ?? []);
  const message = failures[0]?.failure?.message;
  return { taskFailures: Math.max(tried, failures.length), ...(message && { taskFailure: message }) };
}
