/**
 * Asking a restore to end: the same for the command line and for the gateway. What S3 has been asked for comes all the same.
 *
 * @module
 */
import type { Client } from '@temporalio/client';
import type { RestoreStore } from '../../lib/store/restores.ts';
import { isEnded, type RestoreStatus, workflowIdOf } from '../../workflows/restore/model.ts';
import { type CancelRequest, requestCancel } from '../cancel.ts';
import { restoreProgress } from './progress.ts';

export async function cancelRestore(
  { client, restores }: { client: Client; restores: Pick<RestoreStore, 'get'> },
  restoreId: string,
): Promise<CancelRequest<RestoreStatus>> {
  const progress = await restoreProgress({ client, restores }, restoreId);
  if (!progress) return { outcome: 'refused', reason: `there is no restore ${restoreId}` };
  const { status } = progress;
  if (isEnded(status))
    return { outcome: 'refused', status, reason: `restore ${restoreId} has ended already: ${status}` };
  if (status === 'READY') {
    const reason = `restore ${restoreId} keeps the inputs of a launch that runs: "longhaul launch cancel ${restoreId}" ends both`;
    return { outcome: 'refused', status, reason };
  }
  const gone = `the workflow of restore ${restoreId} has ended from outside`;
  return requestCancel(client, workflowIdOf(restoreId), status, gone);
}
