/**
 * The progress of a launch, from its workflow while that runs, from the registry afterwards.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { LaunchItem, LaunchStore } from '../../lib/store/launches.ts';
import type { StepItem, StepStore } from '../../lib/store/steps.ts';
import { stuckReason } from '../../workflows/launch/causes.ts';
import {
  isEnded,
  type LaunchProgress,
  type LaunchStatus,
  PROGRESS_QUERY,
  workflowIdOf,
} from '../../workflows/launch/model.ts';
import { isOutage } from '../events/outage.ts';

interface Sources {
  launches: LaunchStore;
  steps: StepStore;
}

/** How long the registry may be out of reach while somebody watches. */
const OUTAGE_MS = 60_000;
/** How often the workflow is asked while somebody watches. */
const LOOK_EVERY_MS = 400;
/** A worker that does not answer must not stop the picture: the registry answers then. */
const QUERY_TIMEOUT_MS = 2_000;

/** As the registry has it; undefined for a launch that is not there. */
export async function storedProgress(
  { launches, steps }: Sources,
  launchId: string,
): Promise<LaunchProgress | undefined> {
  const item = await launches.get(launchId);
  if (!item) return undefined;
  return toProgress(item, await steps.ofLaunch(launchId, item.attempt));
}

/**
 * Pictures of a launch, one after the other, the last when it has ended. A launch that is only just being started
 * counts as PREPARING for `patienceMs`; so does an `attempt` of it that has only just been asked for.
 * @throws Error when there is no such launch
 */
export async function* followLaunch(
  sources: Sources & { client: Client },
  launchId: string,
  options: { signal?: AbortSignal; patienceMs?: number; attempt?: number } = {},
): AsyncGenerator<LaunchProgress> {
  const until = Date.now() + (options.patienceMs ?? 5_000);
  let downSince: number | undefined;
  while (!options.signal?.aborted) {
    let stored: LaunchProgress | undefined;
    try {
      stored = newerThan(options.attempt, await storedProgress(sources, launchId));
      downSince = undefined;
    } catch (error) {
      // Who watches for hours meets a throttled or restarting table; only a lasting outage ends the watch.
      downSince ??= Date.now();
      if (!isOutage(error) || Date.now() - downSince > OUTAGE_MS) throw error;
    }
    if (stored && isEnded(stored.status)) {
      yield stored;
      return;
    }
    const live = newerThan(options.attempt, await askWorkflow(sources.client, launchId));
    // The workflow knows of the end a moment before the registry does; the registry's picture is the last.
    const picture = live && !isEnded(live.status) ? live : stored;
    if (picture) yield picture;
    else if (downSince === undefined && Date.now() > until) throw new Error(`there is no launch ${launchId}`);
    await delay(LOOK_EVERY_MS, undefined, { ...(options.signal && { signal: options.signal }) }).catch(() => {});
  }
}

const newerThan = (attempt: number | undefined, picture: LaunchProgress | undefined) =>
  picture && (attempt === undefined || picture.attempt >= attempt) ? picture : undefined;

async function askWorkflow(client: Client, launchId: string): Promise<LaunchProgress | undefined> {
  try {
    const handle = client.workflow.getHandle(workflowIdOf(launchId));
    return await client.connection.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () =>
      handle.query<LaunchProgress>(PROGRESS_QUERY),
    );
  } catch {
    return undefined;
  }
}

/** The registry knows the reason, not since when; its job has waited no longer than since it was submitted. */
const toStuck = (reason: string, submittedAt: string) => ({
  reason,
  remedy: stuckReason(reason)?.remedy ?? '',
  since: Date.parse(submittedAt),
});

/** What the registry has of a launch and the steps of its present attempt. */
export function toProgress(item: LaunchItem, steps: readonly StepItem[]): LaunchProgress {
  const statuses: LaunchProgress['statuses'] = {};
  for (const [status, at] of Object.entries(item.statuses)) statuses[status as LaunchStatus] = Date.parse(at);
  return {
    launchId: item.launch_id,
    status: item.status,
    ...(item.waiting_for && { waitingFor: item.waiting_for }),
    attempt: item.attempt,
    statuses,
    steps: steps
      .toSorted((a, b) => a.submitted_at.localeCompare(b.submitted_at))
      .map((step) => ({
        name: step.step,
        after: [],
        state: step.state,
        items: step.items,
        ...(step.job_id !== undefined && { jobId: step.job_id }),
        ...(step.stuck !== undefined && { stuck: toStuck(step.stuck, step.submitted_at) }),
        generation: step.generation,
        submittedAt: Date.parse(step.submitted_at),
        ...(step.started_at && { startedAt: Date.parse(step.started_at) }),
        ...(step.ended_at && { endedAt: Date.parse(step.ended_at) }),
        ...(step.cause && { cause: step.cause }),
        ...(step.tasks && { tasks: step.tasks }),
      })),
    ...(item.error_type && { error: { type: item.error_type, message: item.error_message ?? '' } }),
  };
}
