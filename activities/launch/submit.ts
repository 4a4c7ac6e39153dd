/**
 * Submitting a generation of a step: its items get keys and are looked up, its manifests go to S3, its jobs to the
 * compute service, its row to the registry. Every part can be repeated: items are settled once, a manifest is the same
 * again, a job is found by its name, the row is fenced.
 *
 * @module
 */
import { activityInfo, heartbeat, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { pinReference } from '../../lib/images/reference.ts';
import { jobName } from '../../lib/launch/job-name.ts';
import { putText } from '../../lib/s3-objects.ts';
import { stepKey as rowKey, type StepItem as StepRow } from '../../lib/store/steps.ts';
import {
  encodeManifest,
  expandArgv,
  expandEnvironment,
  keepsState,
  manifestRow,
} from '../../workflows/launch/manifest.ts';
import { formatSubmission, JOB_ENVIRONMENT } from '../../workflows/launch/model.ts';
import { cacheGroup, inventoryAddress, launchState } from '../../workflows/launch/places.ts';
import { itemsOf, type Plan, type PlannedStep, type StepItem } from '../../workflows/launch/plan.ts';
import { type Shard, shardsOfGeneration } from '../../workflows/launch/retries.ts';
import type { SubmittedJob } from '../../workflows/launch/step-jobs.ts';
import { placeOf } from '../../workflows/poller/model.ts';
import { type Job, serviceNamed } from './compute/service.ts';
import { type LaunchDependencies } from './dependencies.ts';
import { imageDigests, inventories, readPlan } from './plan-reader.ts';
import { leavesResults, settleItems } from './settle.ts';
import { SourceFinder } from './sources.ts';
import { createStepFiles, type StepItems, type StepPlace } from './step-files.ts';

export interface SubmitInput extends StepPlace {
  workflowId: string;
  planAddress: string;
  generation: number;
  /** False when an earlier run of this workflow may have submitted the same: it was reset. */
  first: boolean;
  /** Milliseconds since the epoch, by the workflow. */
  at: number;
}

export interface Submitted {
  /** None when everything was done before. */
  jobs: SubmittedJob[];
  /** Items that need no job in this attempt of the launch, `cached` of them. */
  done: { succeeded: number; cached: number };
}

/** Of those whose results are used. */
const LAUNCHES_NAMED = 10;
/** Steps of a plan may tell their counts this often altogether: see the bound in workflow.ts. */
const REPORTS = { ofAll: 2_000, ofOne: 20 };

export function createSubmitActivities(dependencies: LaunchDependencies) {
  const { s3, steps, compute, settings, wakePoller } = dependencies;
  const { bucket } = settings;
  const files = createStepFiles(s3, bucket);
  return {
    /**
     * @returns the jobs, and what is done already
     * @throws JobRejectedError when the compute service refuses a job for good
     */
    async submitStep(input: SubmitInput): Promise<Submitted> {
      const { plan, step } = await readPlan(s3, input.planAddress, input.step);
      const service = serviceNamed(compute, plan.computeService);
      const inventory = await inventories.read(s3, inventoryAddress(bucket, input.launchId, input.attempt));
      const finder = new SourceFinder({ s3, bucket, files, plan, inventory }, step);
      const all = itemsOf(plan, step);
      // Somebody has been here before: this activity, or a run that was reset.
      const again = !input.first || activityInfo().attempt > 1;
      const digest = (await imageDigests(s3, bucket, input))[step.image];
      const image = digest ?? step.image;
      const items = await settleItems({ s3, bucket, files }, { place: input, plan, step, all, finder, image, again });
      const before = await files.review(input, input.generation - 1);
      const done = countDone(
        items,
        all.length,
        before ? all.length - before.again.length - before.final.length : undefined,
      );
      const shards = shardsOfGeneration(step, items, before);
      const jobs: Job[] = [];
      for (const shard of shards) {
        heartbeat(jobs.map(({ id }) => id));
        const request = await prepare(input, plan, step, all, items, finder, shard);
        // By digest, so that what runs is what the keys say, also when a tag has moved meanwhile.
        if (digest !== undefined) request.image = pinReference(step.image, digest);
        jobs.push(await service.submit(request, { lookFirst: again }));
      }
      await steps.submitted({
        ...toRow(input, plan, step, shards, jobs, done),
        ...reused(items),
        ...(digest !== undefined && { image_digest: digest }),
      });
      const [first] = jobs;
      if (first) await wakePoller(first);
      log.info('step submitted', {
        launchId: input.launchId,
        step: step.name,
        generation: input.generation,
        jobIds: jobs.map(({ id }) => id),
        ...done,
      });
      return { jobs: jobs.map(({ id }, index) => toSubmitted(shards[index] as Shard, id)), done };
    },
  };

  /** Writes a shard's manifest; the same shard has the same one. */
  async function prepare(
    input: SubmitInput,
    plan: Plan,
    planned: PlannedStep,
    all: readonly StepItem[],
    items: StepItems,
    finder: SourceFinder,
    { shard, indexes, memoryMiB }: Shard,
  ) {
    const { generation, attempt, launchId } = input;
    // A command that asks how much memory it has gets the raised one.
    const step = { ...planned, memoryMiB };
    const state = launchState(bucket, launchId);
    const cached = !plan.sharedFileSystem && leavesResults(step);
    const cache = cached ? cacheGroup(bucket, plan.consumer, items.stepKey) : undefined;
    const rows = [];
    let argv: string[] | undefined;
    for (const index of indexes) {
      heartbeat();
      const item = all[index] as StepItem;
      const sources = await finder.sources(item);
      const place = { launchState: state, attempt, generation, key: items.keys[index] ?? '', ...(cache && { cache }) };
      rows.push(manifestRow(plan, step, item, sources, place));
      if (step.main.kind === 'argv') argv = sameArgv(step, argv, expandArgv(plan, step, step.main.argv, sources));
    }
    const { rowBytes, text } = encodeManifest(rows);
    const manifest = files.manifest(input, generation, shard);
    await putText(s3, manifest, text, 'application/x-ndjson');
    return {
      name: jobName({ launchId, step: step.name, attempt, generation, shard }),
      items: indexes.length,
      image: step.image,
      // The script of each item lies on its volume, so one command serves all children of an array.
      argv: argv ?? ['/bin/sh', '/longhaul/work/command.sh'],
      vcpus: step.vcpus,
      memoryMiB,
      ...(step.timeoutSeconds !== undefined && { timeoutSeconds: step.timeoutSeconds }),
      hostRetries: step.retries.hostLoss,
      environment: expandEnvironment(plan, step),
      contract: {
        [JOB_ENVIRONMENT.submission]: formatSubmission({ ...input, shard }),
        [JOB_ENVIRONMENT.manifest]: manifest,
        [JOB_ENVIRONMENT.rowBytes]: String(rowBytes),
      },
      ...(plan.sharedFileSystem && { sharedFileSystem: plan.sharedFileSystem }),
      ...(step.head && { head: true }),
      ...(keepsState(step) && { keep: true }),
      tags: { 'longhaul:launch': launchId, 'longhaul:step': step.name, 'longhaul:consumer': plan.consumer },
    };
  }

  function toRow(
    input: SubmitInput,
    plan: Plan,
    step: PlannedStep,
    shards: readonly Shard[],
    jobs: readonly Job[],
    done: Submitted['done'],
  ): StepRow {
    const [job] = jobs;
    const at = new Date(input.at).toISOString();
    const { cached } = done;
    return {
      launch_id: input.launchId,
      step_key: rowKey(input.attempt, step.name),
      step: step.name,
      attempt: input.attempt,
      generation: input.generation,
      state: job ? 'SUBMITTED' : 'SUCCEEDED',
      workflow_id: input.workflowId,
      compute_service: plan.computeService,
      ...(job && { job_id: job.id, job_name: job.name, job_queue: job.queue, open_in: placeOf(job) }),
      jobs: jobs.map(({ id, name }, index) => ({
        id,
        name,
        generation: input.generation,
        shard: shards[index]?.shard ?? index,
        items: shards[index]?.indexes.length ?? 1,
        memory_mib: shards[index]?.memoryMiB ?? step.memoryMiB,
        submitted_at: at,
      })),
      items: { total: step.items, running: 0, succeeded: done.succeeded, failed: 0, ...(cached > 0 && { cached }) },
      settled: done.succeeded,
      reports: Math.max(1, Math.min(REPORTS.ofOne, Math.floor(REPORTS.ofAll / plan.steps.length))),
      image: step.image,
      vcpus: step.vcpus,
      memory_mib: shards[0]?.memoryMiB ?? step.memoryMiB,
      submitted_at: at,
      ...(!job && { ended_at: at }),
      log_group: serviceNamed(compute, plan.computeService).logGroup,
    };
  }
}

const toSubmitted = ({ shard, indexes }: Shard, jobId: string): SubmittedJob => ({
  shard,
  jobId,
  items: indexes.length,
});

/** @param settled items done before a later generation; of the first, those found done */
function countDone(items: StepItems, total: number, settled: number | undefined): Submitted['done'] {
  const found = Object.keys(items.done).length;
  return { succeeded: Math.min(total, settled ?? found), cached: found };
}

/** Launches whose results are used; beyond the first few they are only counted. */
function reused(items: StepItems): Pick<StepRow, 'reused'> {
  const counts: Record<string, number> = {};
  for (const { launch } of Object.values(items.done)) {
    const name = counts[launch] !== undefined || Object.keys(counts).length < LAUNCHES_NAMED ? launch : 'others';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return Object.keys(counts).length > 0 ? { reused: counts } : {};
}

function sameArgv(step: PlannedStep, first: string[] | undefined, argv: string[]): string[] {
  if (first && JSON.stringify(first) !== JSON.stringify(argv)) {
    throw ApplicationFailure.nonRetryable(
      `steps.${step.name}.argv: differs between items (${first.join(' ')}; ${argv.join(' ')}), but an array job has one argv; use command`,
      'InvalidSheetError',
    );
  }
  return argv;
}
