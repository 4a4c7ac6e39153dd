/**
 * The picture of a run from the registry, in the form of its log's: for runs whose log has expired, and those from before
 * there was one.
 *
 * @module
 */
import type { LaunchItem } from '../../../lib/store/launches.ts';
import type { RestoreItem } from '../../../lib/store/restores.ts';
import { isEnded, type LaunchProgress, type StepProgress } from '../../../workflows/launch/model.ts';
import type { Plan } from '../../../workflows/launch/plan.ts';
import { type Change, LIMITS, type RunFacts, type Snapshot, type StepView } from '../../../workflows/progress/model.ts';
import { RunPicture } from '../../../workflows/progress/picture.ts';
import { isEnded as isRestored, type RestoreProgress } from '../../../workflows/restore/model.ts';
import { STORED_EPOCH } from '../../live/api.ts';
import { costOf } from './summaries.ts';

type Reached = Snapshot['statuses'][number];

/** @param plan tells of steps that have not been submitted, and what comes after what */
export function launchSnapshot(item: LaunchItem, progress: LaunchProgress, plan?: Plan): Snapshot {
  const { status, attempt, waitingFor, restore, error } = progress;
  const statuses = [
    ...(item.earlier ?? []).flatMap((before) => reachedIn(isoTimes(before.statuses), before.attempt)),
    ...reachedIn(progress.statuses, attempt),
  ];
  return snapshotOf(item.workflow_id, {
    facts: { domain: 'launch', ...(item.consumer !== undefined && { consumer: item.consumer }) },
    attempt,
    status,
    waitingFor,
    statuses,
    change: {
      steps: stepViews(progress, plan),
      ...(restore && { counts: { objects: restore.objects, bytes: restore.bytes, restored: restore.readable } }),
      ...(restore?.readyBy !== undefined && { etaAt: restore.readyBy }),
      ...(error && { error }),
      ...costOf(item),
    },
    startedAt: Date.parse(item.created_at),
    endedAt: isEnded(status) ? progress.statuses[status] : undefined,
  });
}

export function restoreSnapshot(
  { restoreId, status, statuses, counts, readyBy, approval, error }: RestoreProgress,
  item: Pick<RestoreItem, 'workflow_id' | 'created_at' | 'consumer' | 'launch_id'> | undefined,
): Snapshot {
  const { total, bytes, requested, readable, readableBytes, restoring, failed } = counts;
  return snapshotOf(item?.workflow_id ?? `restore/${restoreId}`, {
    facts: {
      domain: 'restore',
      ...(item?.consumer !== undefined && { consumer: item.consumer }),
      ...(item?.launch_id !== undefined && { parent: `launch/${item.launch_id}` }),
    },
    attempt: 1,
    status,
    waitingFor: approval || status === 'APPROVAL' ? 'approval' : undefined,
    statuses: reachedIn(statuses, 1),
    change: {
      ...(total > 0 && { percent: Math.min(100, (100 * (readable + failed)) / total) }),
      counts: { objects: total, bytes, requested, restored: readable, restoredBytes: readableBytes, restoring, failed },
      ...(readyBy !== undefined && { etaAt: readyBy }),
      ...(error && { error }),
    },
    startedAt: item ? Date.parse(item.created_at) : Math.min(...Object.values(statuses), Date.now()),
    endedAt: isRestored(status) ? statuses[status] : undefined,
  });
}

interface Told {
  facts: RunFacts;
  attempt: number;
  status: string;
  waitingFor: string | undefined;
  statuses: readonly Reached[];
  change: Change;
  /** Epoch ms. */
  startedAt: number;
  endedAt: number | undefined;
}

/** Folded as events are, so that percent and counts mean the same. */
export function snapshotOf(run: string, told: Told): Snapshot {
  const { facts, attempt, status, waitingFor, statuses, change, startedAt, endedAt } = told;
  const picture = RunPicture.empty(run, facts, STORED_EPOCH, startedAt);
  const changedAt = Math.max(startedAt, ...statuses.map(({ at }) => at), ...latest(change.steps ?? []));
  picture.apply({ ...change, seq: 1, kind: 'progress', source: { name: 'registry', attempt: 1 }, at: changedAt });
  return {
    ...picture.snapshot(),
    // Nothing of a log has been seen.
    seq: 0,
    attempt,
    status,
    ...(waitingFor !== undefined && { waitingFor }),
    statuses: statuses.slice(-LIMITS.statuses),
    ...(endedAt !== undefined && { endedAt }),
  };
}

const latest = (steps: readonly StepView[]): number[] =>
  steps.flatMap(({ submittedAt = 0, startedAt = 0, endedAt = 0 }) => Math.max(submittedAt, startedAt, endedAt));

const isoTimes = (statuses: Readonly<Record<string, string>>): Record<string, number> =>
  Object.fromEntries(Object.entries(statuses).map(([status, at]) => [status, Date.parse(at)]));

/** In the order in which they were reached. */
const reachedIn = (statuses: Readonly<Record<string, number>>, attempt: number): Reached[] =>
  Object.entries(statuses)
    .map(([status, at]) => ({ status, at, attempt }))
    .sort((a, b) => a.at - b.at);

function stepViews({ steps, status }: LaunchProgress, plan: Plan | undefined): StepView[] {
  const known = new Map(steps.map((step) => [step.name, step]));
  const planned = (plan?.steps ?? []).map(({ name, after, items }): StepView => {
    const step = known.get(name);
    known.delete(name);
    if (step) return { ...stepView(step), after };
    // What had not begun when a launch ended will not begin any more.
    const state = isEnded(status) ? 'CANCELLED' : 'PENDING';
    return { name, state, after, items: { total: items, running: 0, succeeded: 0, failed: 0 } };
  });
  return [...planned, ...[...known.values()].map(stepView)].slice(0, LIMITS.steps);
}

function stepView({ generation, tasks, ...step }: StepProgress): StepView {
  return { ...step, ...(generation !== undefined && { attempt: generation }), ...(tasks && { tasks }) };
}
