/**
 * What launches, restores and stories share when they are asked to end.
 *
 * @module
 */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';

export type CancelRequest<Status> =
  | { outcome: 'requested'; status: Status }
  | { outcome: 'refused'; status?: Status; reason: string };

/** @param gone why it is refused where no such workflow is open */
export async function requestCancel<Status>(
  client: Client,
  workflowId: string,
  status: Status,
  gone: string,
): Promise<CancelRequest<Status>> {
  try {
    await client.workflow.getHandle(workflowId).cancel();
    return { outcome: 'requested', status };
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    return { outcome: 'refused', status, reason: gone };
  }
}
