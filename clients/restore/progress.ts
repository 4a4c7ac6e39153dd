/**
 * The progress of a restore, from its workflow while that runs, from the registry afterwards.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { RestoreItem, RestoreStore } from '../../lib/store/restores.ts';
import {
  isEnded,
  PROGRESS_QUERY,
  type RestoreCounts,
  type RestoreProgress,
  type RestoreStatus,
  workflowIdOf,
} from '../../workflows/restore/model.ts';

/** How often the workflow is asked while somebody watches. */
const LOOK_EVERY_MS = 500;
/** A worker that does not answer must not stop the picture: the registry answers then. */
const QUERY_TIMEOUT_MS = 2_000;
const NO_COUNTS: RestoreCounts = {
  total: 0,
  bytes: 0,
  requested: 0,
  readable: 0,
  readableBytes: 0,
  restoring: 0,
  failed: 0,
};

interface Sources {
  client: Client;
  restores: Pick<RestoreStore, 'get'>;
}

/** @returns undefined for a restore that is not there */
export async function restoreProgress(
  { client, restores }: Sources,
  restoreId: string,
): Promise<RestoreProgress | undefined> {
  const stored = await restores.get(restoreId);
  if (stored && isEnded(stored.status)) return toProgress(stored);
  try {
    const handle = client.workflow.getHandle(workflowIdOf(restoreId));
    return await client.connection.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () =>
      handle.query<RestoreProgress>(PROGRESS_QUERY),
    );
  } catch {
    return stored && toProgress(stored);
  }
}

/**
 * Pictures of a restore, the last when it has ended, or is READY and kept for a launch.
 * @throws Error when there is no such restore
 */
export async function* followRestore(
  sources: Sources,
  restoreId: string,
  patienceMs = 5_000,
): AsyncGenerator<RestoreProgress> {
  const until = Date.now() + patienceMs;
  for (;;) {
    const picture = await restoreProgress(sources, restoreId);
    if (picture) yield picture;
    else if (Date.now() > until) throw new Error(`there is no restore ${restoreId}`);
    if (picture && (isEnded(picture.status) || picture.status === 'READY')) return;
    await delay(LOOK_EVERY_MS);
  }
}

/** What the registry has of a restore. */
export function toProgress(item: RestoreItem): RestoreProgress {
  const statuses: RestoreProgress['statuses'] = {};
  for (const [status, at] of Object.entries(item.statuses)) statuses[status as RestoreStatus] = Date.parse(at);
  return {
    restoreId: item.restore_id,
    status: item.status,
    counts: item.counts ?? NO_COUNTS,
    statuses,
    ...(item.plan && { plan: item.plan }),
    ...(item.error_type !== undefined && { error: { type: item.error_type, message: item.error_message ?? '' } }),
  };
}
