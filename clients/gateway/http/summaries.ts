/**
 * Rows of the list of runs: of launches and restores by their registries, of all others by what Temporal can be asked for.
 *
 * @module
 */
import type { WorkflowExecutionInfo } from '@temporalio/client';
import type { LaunchItem } from '../../../lib/store/launches.ts';
import type { RestoreItem } from '../../../lib/store/restores.ts';
import { isEnded } from '../../../workflows/launch/model.ts';
import { isEnded as isRestored } from '../../../workflows/restore/model.ts';
import type { RunSummary } from '../../live/api.ts';

export function launchSummary(item: LaunchItem): RunSummary {
  const endedAt = isEnded(item.status) ? item.statuses[item.status] : undefined;
  return {
    workflowId: item.workflow_id,
    domain: 'launch',
    id: item.launch_id,
    status: item.status,
    createdAt: item.created_at,
    attempt: item.attempt,
    ...(item.waiting_for && { waitingFor: item.waiting_for }),
    ...(item.consumer !== undefined && { consumer: item.consumer }),
    ...(endedAt !== undefined && { endedAt }),
    ...(item.workflow_type !== undefined && { workflowType: item.workflow_type }),
    ...(item.compute_service !== undefined && { computeService: item.compute_service }),
    ...(item.error_type !== undefined && { errorType: item.error_type }),
    ...costOf(item),
  };
}

export function costOf({
  total_cost: total,
  currency = 'USD',
  cost_status: status,
}: LaunchItem): Pick<RunSummary, 'cost'> {
  return total === undefined ? {} : { cost: { total, currency, ...(status && { status }) } };
}

export function restoreSummary(item: RestoreItem): RunSummary {
  const { status, counts } = item;
  const endedAt = isRestored(status) ? item.statuses[status] : undefined;
  const percent = counts && counts.total > 0 ? (100 * (counts.readable + counts.failed)) / counts.total : undefined;
  return {
    workflowId: item.workflow_id,
    domain: 'restore',
    id: item.restore_id,
    status,
    createdAt: item.created_at,
    ...(status === 'APPROVAL' && { waitingFor: 'approval' }),
    ...(item.consumer !== undefined && { consumer: item.consumer }),
    ...(endedAt !== undefined && { endedAt }),
    ...(percent !== undefined && { percent: Math.min(100, percent) }),
    ...(item.error_type !== undefined && { errorType: item.error_type }),
  };
}

type Info = Pick<
  WorkflowExecutionInfo,
  'workflowId' | 'type' | 'status' | 'startTime' | 'closeTime' | 'searchAttributes'
>;

/** `order/2026-1` is run `2026-1` of the domain `order`; an id without a slash is all of it. */
export function splitWorkflowId(workflowId: string, type = ''): { domain: string; id: string } {
  const slash = workflowId.indexOf('/');
  if (slash <= 0) return { domain: type, id: workflowId };
  return { domain: workflowId.slice(0, slash), id: workflowId.slice(slash + 1) };
}

export function temporalSummary(info: Info): RunSummary {
  const { workflowId, type, startTime, closeTime } = info;
  const consumer = attributeOf(info, 'LonghaulConsumer');
  return {
    workflowId,
    ...splitWorkflowId(workflowId, type),
    status: statusOf(info),
    createdAt: startTime.toISOString(),
    ...(consumer !== undefined && { consumer }),
    ...(closeTime && { endedAt: closeTime.toISOString() }),
  };
}

/** What it says of itself; of one that was ended from outside only Temporal knows. */
function statusOf(info: Info): string {
  const own = attributeOf(info, 'LonghaulStatus');
  switch (info.status.name) {
    case 'COMPLETED':
      return own ?? 'COMPLETE';
    case 'FAILED':
    case 'TIMED_OUT':
    case 'TERMINATED':
      return 'FAILED';
    case 'CANCELLED':
      return 'CANCELLED';
    default:
      return own ?? 'RUNNING';
  }
}

export function attributeOf({ searchAttributes }: Pick<Info, 'searchAttributes'>, name: string): string | undefined {
  const [value] = searchAttributes[name] ?? [];
  return typeof value === 'string' ? value : undefined;
}
