/**
 * A restore of any number of objects on the time-skipping server: the real workflow and activities, over a made-up
 * archive. What it needs in history, calls and memory.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { createRestoreActivities } from '../../activities/restore/index.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import {
  ACTIVITY_TASK_QUEUE,
  OBJECTS_RESTORED_SIGNAL,
  type RestoreInput,
  type RestoreResult,
  type Wishes,
  WORKFLOW_TYPE,
  workflowIdOf,
} from '../../workflows/restore/model.ts';
import { PRICES } from './restore-world.ts';
import { SyntheticArchive, type SyntheticCounts } from './synthetic-archive.ts';
import { withWorkers } from './time-skipping.ts';

const BUCKET = 'longhaul';

export interface RestoreScaleOptions {
  objects: number;
  wishes?: Wishes;
  /** News of completions, spread over the time objects become readable in. */
  news?: { times: number; from: string; every: string };
  /** Live memory is measured before each so many pages of listings: a collection each time. */
  pagesBetweenHeaps?: number;
}

export interface RestoreScaleResult {
  result: RestoreResult;
  /** Of all runs. */
  historyEvents: number;
  runs: number;
  sweeps: number;
  counts: SyntheticCounts;
  asked: number;
  askedTwice: number;
  /** Bytes of the largest object of the restore's own. */
  largestObject: number;
  /** The most that lived after a collection in the middle of a listing, MiB. */
  liveMiB: number;
}

let nth = 0;

export async function restoreMany(
  env: TestWorkflowEnvironment,
  { objects, wishes = {}, news, pagesBetweenHeaps = 100 }: RestoreScaleOptions,
): Promise<RestoreScaleResult> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-restore-'));
  const collect = collector();
  let [ahead, pages, live, sweeps] = [0, 0, 0, 0];
  const now = () => Date.now() + ahead;
  const archive = new SyntheticArchive({
    objects,
    directory,
    now,
    listing() {
      pages += 1;
      if (pages % pagesBetweenHeaps !== 0) return;
      collect();
      live = Math.max(live, process.memoryUsage().heapUsed);
    },
  });
  const real = createRestoreActivities({
    s3: archive.asClient(),
    restores: { record: async () => true },
    prices: async () => PRICES,
    settings: { bucket: BUCKET, restorePollSeconds: 0 },
    now,
  });
  const activities = Object.fromEntries(
    Object.entries(real).map(([name, run]) => [
      name,
      async (input: never) => {
        ahead = Math.max(ahead, (await env.currentTimeMs()) - Date.now());
        if (name === 'sweepRestores') sweeps += 1;
        return run(input);
      },
    ]),
  );
  nth += 1;
  const restoreId = `scale-${nth}`;
  try {
    return await withWorkers(env, { [ACTIVITY_TASK_QUEUE]: activities }, async () => {
      const handle = await env.client.workflow.start<(input: RestoreInput) => Promise<RestoreResult>>(WORKFLOW_TYPE, {
        workflowId: workflowIdOf(restoreId),
        taskQueue: WORKFLOW_TASK_QUEUE,
        args: [{ restoreId, sources: [`s3://${archive.bucket}/${archive.prefix}`], wishes }],
      });
      if (news) await tellNews(env, handle.workflowId, news);
      const result = await handle.result();
      return {
        result,
        ...(await historyOf(env.client, handle.workflowId, handle.firstExecutionRunId)),
        sweeps,
        counts: archive.counts,
        asked: archive.asked,
        askedTwice: archive.askedTwice,
        largestObject: archive.largest,
        liveMiB: Math.round(live / 2 ** 20),
      };
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function tellNews(
  env: TestWorkflowEnvironment,
  workflowId: string,
  { times, from, every }: NonNullable<RestoreScaleOptions['news']>,
): Promise<void> {
  const handle = env.client.workflow.getHandle(workflowId);
  for (let time = 0; time < times; time += 1) {
    // Where time is let pass in the middle of an activity, that runs into its timeout.
    await idle(env.client, workflowId);
    await env.sleep(time === 0 ? from : every);
    if ((await handle.describe()).status.name !== 'RUNNING') return;
    await handle.signal(OBJECTS_RESTORED_SIGNAL);
  }
}

async function idle(client: Client, workflowId: string): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  for (let calm = 0; calm < 3; ) {
    const { raw, status } = await handle.describe();
    if (status.name !== 'RUNNING') return;
    calm = (raw.pendingActivities?.length ?? 0) === 0 && !raw.pendingWorkflowTask ? calm + 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Follows runs that continued as new. */
async function historyOf(
  client: Client,
  workflowId: string,
  first: string,
): Promise<{ historyEvents: number; runs: number }> {
  let [historyEvents, runs] = [0, 0];
  for (let runId: string | undefined = first; runId; runs += 1) {
    const history: temporal.api.history.v1.IHistory = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    historyEvents += history.events?.length ?? 0;
    runId = history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  }
  return { historyEvents, runs };
}

/** What lives is what is left after a collection; without one the figure says when V8 collected last. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
