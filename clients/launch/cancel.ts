/**
 * Asking a launch to end: the same for the command line and for the gateway.
 *
 * @module
 */
import type { Client } from '@temporalio/client';
import type { LaunchStore } from '../../lib/store/launches.ts';
import { isEnded, type LaunchStatus, workflowIdOf } from '../../workflows/launch/model.ts';
import { type CancelRequest, requestCancel } from '../cancel.ts';

/** It ends its jobs and writes its status itself, a while after this has returned. Safe to repeat. */
export async function cancelLaunch(
  { client, launches }: { client: Client; launches: Pick<LaunchStore, 'get'> },
  launchId: string,
): Promise<CancelRequest<LaunchStatus>> {
  const item = await launches.get(launchId);
  if (!item)
    return {
      outcome: 'refused',
      reason: `there is no launch ${launchId}: "longhaul launch list" shows those there are`,
    };
  const { status } = item;
  if (isEnded(status)) return { outcome: 'refused', status, reason: `launch ${launchId} has ended already: ${status}` };
  const gone = `launch ${launchId} is ${status}, but its workflow has ended from outside: retry it, which makes that good`;
  return requestCancel(client, workflowIdOf(launchId), status, gone);
}
