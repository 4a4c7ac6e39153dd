/**
 * A restore of any number of objects on the time-skipping server: the real workflow and activities, over a made-up
 * archive. What it needs in history, calls and memory.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { activityInfo } from '@temporalio/activity';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { createRestoreActivities } from '../../activities/restore/index.ts';
import { readSources } from '../../lib/restore/sources.ts';
import { partsOf, type SurveyOptions, survey } from '../../lib/restore/survey.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import {
  ACTIVITY_TASK_QUEUE,
  OBJECTS_RESTORED_SIGNAL,
  PROGRESS_QUERY,
  type RestoreInput,
  type RestoreProgress,
  type RestoreResult,
  type RestoreStatus,
  restoreState,
  type Wishes,
  WORKFLOW_TYPE,
  workflowIdOf,
} from '../../workflows/restore/model.ts';
import { PRICES } from './restore-prices.ts';
import { SyntheticArchive, type SyntheticCounts } from './synthetic-archive.ts';
import { withWorkers } from './time-skipping.ts';

const BUCKET = 'longhaul';
/** Looks at a workflow, 5 ms apart, after which it counts as waiting. */
const CALM = 4;

export interface RestoreScaleOptions {
  objects: number;
  wishes?: Wishes;
  /**
   * As a launch has it: an index that is there already, in shards of so many objects; told of what changes (there is no
   * such launch), and kept until it is cancelled. News of completions come at these times.
   */
  launch?: { shardObjects: number; news: { times: number; firstAfterMs: number; everyMs: number } };
  /** Live memory is measured before each so many pages of listings: a collection each time. */
  pagesBetweenHeaps?: number;
}

export interface RestoreScaleResult {
  result: RestoreResult;
  /** Of all runs. */
  historyEvents: number;
  runs: number;
  sweeps: number;
  batches: number;
  /** Activities that were not the first try of what they do. */
  retried: number;
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
  { objects, wishes = {}, launch, pagesBetweenHeaps = 100 }: RestoreScaleOptions,
): Promise<RestoreScaleResult> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-restore-'));
  const collect = collector();
  let [ahead, pages, live] = [0, 0, 0];
  const ran = { sweeps: 0, batches: 0, retried: 0 };
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
        if (activityInfo().attempt > 1) ran.retried += 1;
        else if (name === 'sweepRestores') ran.sweeps += 1;
        else if (name === 'requestRestores') ran.batches += 1;
        return run(input);
      },
    ]),
  );
  nth += 1;
  const restoreId = `scale-${nth}`;
  const sources = [`s3://${archive.bucket}/${archive.prefix}`];
  try {
    const place = restoreState(BUCKET, restoreId, 'launch');
    if (launch) await makeIndex(archive, sources, place, { beat() {}, now, shardObjects: launch.shardObjects });
    return await withWorkers(env, { [ACTIVITY_TASK_QUEUE]: activities }, async () => {
      const handle = await env.client.workflow.start<(input: RestoreInput) => Promise<RestoreResult>>(WORKFLOW_TYPE, {
        workflowId: workflowIdOf(restoreId),
        taskQueue: WORKFLOW_TASK_QUEUE,
        args: [
          {
            restoreId,
            sources,
            wishes,
            ...(launch && { launch: { launchId: 'none', attempt: 1, workflowId: 'launch/none', place } }),
          },
        ],
      });
      if (launch) await endWhenReady(env, handle.workflowId, launch.news);
      const result = await handle.result();
      return {
        result,
        ...(await historyOf(env.client, handle.workflowId, handle.firstExecutionRunId)),
        ...ran,
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

async function makeIndex(
  archive: SyntheticArchive,
  sources: readonly string[],
  place: string,
  options: SurveyOptions,
): Promise<void> {
  const read = readSources(sources);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  await survey(archive.asClient(), place, partsOf(read), options);
}

/** Only here time passes: as long as nobody waits for the result, the server does not skip it. */
async function endWhenReady(
  env: TestWorkflowEnvironment,
  workflowId: string,
  { times, firstAfterMs, everyMs }: NonNullable<RestoreScaleOptions['launch']>['news'],
): Promise<void> {
  const handle = env.client.workflow.getHandle(workflowId);
  for (let time = 0; (await waiting(handle)) !== 'READY'; time += 1) {
    await env.sleep(time === 0 ? firstAfterMs : everyMs);
    if (time < times) await handle.signal(OBJECTS_RESTORED_SIGNAL);
  }
  await handle.cancel();
}

/** Until it waits for a timer or for news: nothing happens in it any more. */
async function waiting(handle: WorkflowHandle): Promise<RestoreStatus> {
  for (let [calm, before] = [0, 0]; ; ) {
    const { raw, status, historyLength } = await handle.describe();
    if (status.name !== 'RUNNING') throw new Error(`the restore has ended: ${status.name}`);
    const quiet = (raw.pendingActivities?.length ?? 0) === 0 && historyLength === before;
    calm = quiet ? calm + 1 : 0;
    before = historyLength;
    if (calm >= CALM) {
      const { status: reached } = await handle.query<RestoreProgress>(PROGRESS_QUERY);
      if (reached === 'RESTORING' || reached === 'READY') return reached;
    }
    await delay(5);
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
