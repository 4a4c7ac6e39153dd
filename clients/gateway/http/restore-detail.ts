/**
 * A restore as its page shows it: from its workflow while that runs, from the registry, and from its log.
 *
 * @module
 */
import type { RestoreItem } from '../../../lib/store/restores.ts';
import type { RestoreProgress } from '../../../workflows/restore/model.ts';
import type { RestoreDetail } from '../../live/api.ts';
import { restoreProgress } from '../../restore/progress.ts';
import type { Principal } from '../principal.ts';
import { actionsOf } from './actions.ts';
import type { ApiDependencies } from './dependencies.ts';
import { notFound } from './errors.ts';
import { requireSeen } from './guard.ts';
import { restoreOf } from './launch-detail.ts';
import { restoreLinks } from './links.ts';
import { loggedSnapshot, type Warner } from './logged.ts';
import { restoreSnapshot } from './stored-snapshot.ts';
import { restoreSummary } from './summaries.ts';

/** @throws ApiProblem 404 */
export async function restoreDetail(
  deps: ApiDependencies,
  principal: Principal,
  restoreId: string,
  log: Warner,
): Promise<RestoreDetail> {
  const item = await seenRestore(deps, principal, restoreId);
  const [progress, logged] = await Promise.all([
    restoreProgress(deps, restoreId),
    loggedSnapshot(deps.progress, item.workflow_id, log),
  ]);
  if (!progress) throw notFound(`restore ${restoreId}`);
  return detailOf(deps, principal, item, progress, logged ?? restoreSnapshot(progress, item));
}

/** @throws ApiProblem 404; also for one that has only just been started and is not registered yet */
export async function seenRestore(
  { restores }: Pick<ApiDependencies, 'restores'>,
  principal: Principal,
  restoreId: string,
): Promise<RestoreItem> {
  return requireSeen(principal, await restores.get(restoreId), `restore ${restoreId}`);
}

function detailOf(
  { settings }: ApiDependencies,
  principal: Principal,
  item: RestoreItem,
  progress: RestoreProgress,
  snapshot: RestoreDetail['snapshot'],
): RestoreDetail {
  const summary = { ...restoreSummary(item), status: progress.status };
  const waits = progress.status === 'APPROVAL' && { waitingFor: 'approval' };
  const { plan, failures, error } = progress;
  return {
    ...summary,
    ...waits,
    ...(snapshot.percent !== undefined && { percent: snapshot.percent }),
    snapshot,
    actions: actionsOf(principal, { ...summary, ...waits }),
    links: restoreLinks(settings, item),
    restore: restoreOf(item.workflow_id, progress),
    ...(plan && {
      plan: {
        tiers: { ...plan.tiers },
        objects: plan.objects,
        bytes: plan.bytes,
        ...(plan.usd !== undefined && { usd: plan.usd }),
        seconds: plan.seconds,
        days: plan.days,
      },
    }),
    failures: (failures?.first ?? []).map(({ address, code, reason }) => ({ address, code, reason })),
    ...(error && { error }),
  };
}
