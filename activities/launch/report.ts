/**
 * Telling a launch what the log of its head job says.
 *
 * @module
 */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { TASKS_REPORTED_SIGNAL, type TasksReport } from '../../workflows/launch/model.ts';

/** A launch that has ended is not told. */
export async function reportTasks(client: Client, workflowId: string, report: TasksReport): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId).signal(TASKS_REPORTED_SIGNAL, report);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
