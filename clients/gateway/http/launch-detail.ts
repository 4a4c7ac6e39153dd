/**
 * A launch as its page shows it: from the registry, its plan, its commits, its restore and its log.
 *
 * @module
 */
import type { LaunchItem } from '../../../lib/store/launches.ts';
import type { RestoreItem } from '../../../lib/store/restores.ts';
import { rowsOfAttempts, type StepItem } from '../../../lib/store/steps.ts';
import type { RestoreProgress } from '../../../workflows/restore/model.ts';
import { launchOutputs } from '../../launch/outputs.ts';
import { toProgress } from '../../launch/progress.ts';
import type { LaunchDetail, Output, RestoreSummary, StepDetail } from '../../live/api.ts';
import { restoreProgress, toProgress as restoreProgressOf } from '../../restore/progress.ts';
import type { Principal } from '../principal.ts';
import { actionsOf } from './actions.ts';
import type { ApiDependencies } from './dependencies.ts';
import { launchLinks } from './links.ts';
import { loggedSnapshot, type Warner } from './logged.ts';
import { inputsOf, type PlanReader } from './plans.ts';
import { launchSnapshot } from './stored-snapshot.ts';
import { launchSummary } from './summaries.ts';

/** Inputs, and outputs, that are shown with the rest. */
const SHOWN = 200;

export async function launchDetail(
  deps: ApiDependencies,
  { plans, log }: { plans: PlanReader; log: Warner },
  principal: Principal,
  item: LaunchItem,
): Promise<LaunchDetail> {
  const { launch_id: id, attempt } = item;
  const [rows, plan, restore, logged, outputs] = await Promise.all([
    rowsOfAttempts(deps.steps, id, attempt),
    plans.read(item.plan),
    deps.restores.get(id),
    loggedSnapshot(deps.progress, item.workflow_id, log),
    launchOutputs(deps.aws.s3, deps.settings.bucket, id, SHOWN),
  ]);
  const current = rows.filter((row) => row.attempt === attempt);
  const snapshot = logged ?? launchSnapshot(item, toProgress(item, current), plan);
  const own = restore?.launch_id === id ? restore : undefined;
  const summary = launchSummary(item);
  return {
    ...summary,
    ...(snapshot.percent !== undefined && { percent: snapshot.percent }),
    snapshot,
    actions: actionsOf(principal, { ...summary, completed: item.statuses.COMPLETE !== undefined }),
    links: launchLinks(deps.settings, item, own),
    sheet: item.configuration_file,
    earlier: item.earlier ?? [],
    steps: rows.toReversed().map(stepDetail),
    outputs: outputs.slice(0, SHOWN).map(outputOf),
    ...(item.error_type !== undefined && { error: { type: item.error_type, message: item.error_message ?? '' } }),
    ...(item.data_path !== undefined && { dataPath: item.data_path }),
    ...(item.results_path !== undefined && { resultsPath: item.results_path }),
    ...(plan && { inputs: inputsOf(plan, SHOWN) }),
    ...(own && { restore: restoreOf(own.workflow_id, await progressOf(deps, own)) }),
    ...(item.failed_jobs !== undefined && { failedJobs: item.failed_jobs }),
  };
}

/** The limit it waits above is known to its workflow alone. */
async function progressOf(
  { client, restores }: Pick<ApiDependencies, 'client' | 'restores'>,
  item: RestoreItem,
): Promise<RestoreProgress> {
  const asked = item.status === 'APPROVAL' ? await restoreProgress({ client, restores }, item.restore_id) : undefined;
  return asked ?? restoreProgressOf(item);
}

export const outputOf = ({ step, item, name, bytes, address }: Output): Output => ({
  step,
  item,
  name,
  bytes,
  address,
});

export function restoreOf(workflowId: string, progress: RestoreProgress): RestoreSummary {
  const { status, counts, plan, approval, readyBy } = progress;
  const { total, readable, requested, failed, bytes, readableBytes } = counts;
  return {
    workflowId,
    status,
    total,
    readable,
    requested,
    failed,
    bytes,
    readableBytes,
    ...(plan?.usd !== undefined && { usd: plan.usd }),
    ...(approval && { limitUsd: approval.limitUsd }),
    ...(readyBy !== undefined && { readyBy }),
  };
}

function stepDetail(row: StepItem): StepDetail {
  return {
    step: row.step,
    attempt: row.attempt,
    generation: row.generation,
    state: row.state,
    computeService: row.compute_service ?? 'batch',
    image: row.image,
    vcpus: row.vcpus,
    memoryMib: row.memory_mib,
    jobs: row.jobs.map(({ id, name, generation, items, memory_mib: memoryMib, submitted_at: submittedAt }) => ({
      id,
      name,
      generation,
      items,
      memoryMib,
      submittedAt,
    })),
    ...(row.items.cached !== undefined && { cached: row.items.cached }),
    ...(row.reused && { reused: row.reused }),
    ...(row.failed_jobs && { failedJobs: row.failed_jobs }),
    failures: (row.failures ?? []).map((failure) => ({
      item: failure.item,
      cause: failure.cause,
      generation: failure.generation,
      jobId: failure.job_id,
      ...(failure.container !== undefined && { container: failure.container }),
      ...(failure.exit_code !== undefined && { exitCode: failure.exit_code }),
      reason: failure.reason,
      lastLogLines: failure.last_log_lines ?? [],
    })),
  };
}
