/**
 * Deciding on what waits for an approval, or for its budget: the same for the command line and for the gateway.
 *
 * @module
 */
import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { APPROVE_UPDATE, type Approval } from '../../workflows/restore/model.ts';

export type Decision =
  | { outcome: 'approved' | 'refused'; status: string }
  /** `missing`: no open workflow. `conflict`: it waits for no decision. */
  | { outcome: 'missing' | 'conflict'; reason: string };

export async function decide(client: Client, workflowId: string, decision: Approval): Promise<Decision> {
  try {
    const status = await client.workflow
      .getHandle(workflowId)
      .executeUpdate<string, [Approval]>(APPROVE_UPDATE, { args: [decision] });
    return { outcome: decision.refuse ? 'refused' : 'approved', status };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError)
      return {
        outcome: 'missing',
        reason: `there is no open workflow ${workflowId}: its id is launch/<launch id> or restore/<restore id>, as "longhaul launch show" says`,
      };
    if (error instanceof WorkflowUpdateFailedError)
      return { outcome: 'conflict', reason: error.cause?.message ?? error.message };
    throw error;
  }
}
