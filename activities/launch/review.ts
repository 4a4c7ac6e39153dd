/**
 * How a step ended: the commits say what is done, the compute service says why the rest is not.
 *
 * @module
 */
import { Context, heartbeat, log } from '@temporalio/activity';
import type { Claim } from '../../jobs/commit.ts';
import { EXIT } from '../../jobs/exit-codes.ts';
import { listKeys, readObject } from '../../lib/s3-objects.ts';
import { type JobFailure, stepKey } from '../../lib/store/steps.ts';
import { claimAddress } from '../../workflows/launch/manifest.ts';
import type { LaunchErrorType } from '../../workflows/launch/model.ts';
import { launchState } from '../../workflows/launch/places.ts';
import { itemsOf, type Plan, type PlannedStep } from '../../workflows/launch/plan.ts';
import { type ComputeService, type ContainerView, hasEnded, type JobView } from './compute/service.ts';
import { type LaunchDependencies } from './dependencies.ts';
import { readPlan } from './plan-reader.ts';

export interface ReviewInput {
  launchId: string;
  attempt: number;
  planAddress: string;
  step: string;
  generation: number;
  jobId: string;
  at: number;
}

/** `OPEN`: the job has not ended after all. */
export type Review =
  | { state: 'OPEN' }
  | { state: 'SUCCEEDED'; succeeded: number; failed: number }
  | { state: 'FAILED'; succeeded: number; failed: number; cause: string; errorType: LaunchErrorType };

/** Failed children that are looked at closely; the first few say why all the others failed too. */
const EXAMINED = 5;
const LOG_LINES = 20;
/** A log line in the registry is cut here: an item of DynamoDB holds 400 KB. */
const LINE_LENGTH = 500;
const LOST = 'AWS Batch does not know this job any more';
/** A claim is a job id. */
const CLAIM_LIMIT = 4_096;
/** How long ended jobs may take to say so before the launch goes on without them. */
const TERMINATION_SECONDS = 90;

export function createReviewActivities(dependencies: LaunchDependencies) {
  const { s3, steps, compute, settings } = dependencies;
  return {
    /** Compares commits with items, finds the cause of what is missing, and writes both down. */
    async reviewStep(input: ReviewInput): Promise<Review> {
      const { plan, step } = await readPlan(s3, input.planAddress, input.step);
      const service = serviceOf(plan);
      const [job] = await service.describe([input.jobId]);
      if (!job || !hasEnded(job)) return { state: 'OPEN' };
      const done = await committed(input.launchId, step.name);
      const missing = itemsOf(plan, step).filter((item) => !done.has(item.key));
      const key = {
        launch_id: input.launchId,
        step_key: stepKey(input.attempt, step.name),
        generation: input.generation,
      };
      const items = { total: step.items, running: 0, succeeded: step.items - missing.length, failed: missing.length };
      const facts = {
        items,
        ended_at: new Date(input.at).toISOString(),
        log_streams: Object.fromEntries(
          job.containers.flatMap(({ name, logStream }) => (logStream ? [[name, logStream]] : [])),
        ),
        ...(job.startedAt && { started_at: new Date(job.startedAt).toISOString() }),
      };
      if (missing.length === 0) {
        await steps.ended(key, { ...facts, state: 'SUCCEEDED' });
        return { state: 'SUCCEEDED', succeeded: items.succeeded, failed: 0 };
      }
      const failures = await examine(service, plan, step, job);
      if (await workedOnElsewhere(service, input, failures)) return { state: 'OPEN' };
      const { cause, errorType } = explain(
        job,
        missing.map((item) => item.key),
        failures,
      );
      await steps.ended(key, { ...facts, state: 'FAILED', cause, error_type: errorType, failures });
      log.warn('step failed', { launchId: input.launchId, step: step.name, jobId: input.jobId, failed: items.failed });
      return { state: 'FAILED', succeeded: items.succeeded, failed: items.failed, cause, errorType };
    },

    /** Ends jobs and waits, within bounds, until the compute service says that they have ended. */
    async terminateJobs(input: {
      launchId: string;
      attempt: number;
      jobs: { step: string; jobId: string }[];
      reason: string;
      at: number;
    }): Promise<void> {
      const rows = await steps.ofLaunch(input.launchId, input.attempt);
      // Only Batch so far, and a launch has one compute service; the row's queue tells them apart once there are more.
      const service = compute.get('batch') as ComputeService;
      for (const { jobId } of input.jobs) {
        heartbeat();
        await service.terminate(jobId, input.reason);
      }
      let open = input.jobs.map(({ jobId }) => jobId);
      const until = Date.now() + TERMINATION_SECONDS * 1000;
      while (open.length > 0 && Date.now() < until) {
        heartbeat();
        const views: JobView[] = [];
        for (let first = 0; first < open.length; first += 100)
          views.push(...(await service.describe(open.slice(first, first + 100))));
        open = views.filter((view) => !hasEnded(view)).map((view) => view.id);
        if (open.length > 0) await Context.current().sleep(500);
      }
      for (const row of rows.filter((candidate) => input.jobs.some(({ jobId }) => jobId === candidate.job_id))) {
        const cause = open.includes(row.job_id)
          ? `${input.reason}; the job had not ended ${TERMINATION_SECONDS} s later`
          : input.reason;
        await steps.ended(row, {
          state: 'CANCELLED',
          items: { ...row.items, running: 0 },
          ended_at: new Date(input.at).toISOString(),
          cause,
        });
      }
      log.info('jobs ended', { launchId: input.launchId, jobs: input.jobs.length, stillOpen: open.length });
    },
  };

  function serviceOf(plan: Plan): ComputeService {
    const service = compute.get(plan.computeService);
    if (!service) throw new Error(`this worker knows no compute service ${plan.computeService}`);
    return service;
  }

  async function committed(launchId: string, step: string): Promise<Set<string>> {
    const prefix = `${launchState(settings.bucket, launchId)}commits/${step}/`;
    const start = prefix.replace(/^s3:\/\/[^/]+\//, '').length;
    const done = new Set<string>();
    for await (const keys of listKeys(s3, prefix)) {
      heartbeat();
      for (const key of keys) done.add(key.slice(start).replace(/\.json$/, ''));
    }
    return done;
  }

  /**
   * A job that was submitted twice loses its items to its twin: the step is open for as long as the twin works on
   * them. The poller tells of the ended job again at each look, until there is a commit or the twin has ended too.
   */
  async function workedOnElsewhere(
    service: ComputeService,
    input: ReviewInput,
    failures: readonly JobFailure[],
  ): Promise<boolean> {
    const superseded = failures.filter((failure) => failure.exit_code === EXIT.superseded);
    for (const { item } of superseded) {
      const address = claimAddress(launchState(settings.bucket, input.launchId), input.step, item, input.generation);
      const { bytes } = await readObject(s3, address, { limit: CLAIM_LIMIT });
      const holder = JSON.parse(bytes.toString('utf8')) as Claim;
      const [view] = await service.describe([holder.jobId]);
      if (view && !hasEnded(view)) return true;
    }
    return false;
  }

  async function examine(service: ComputeService, plan: Plan, step: PlannedStep, job: JobView): Promise<JobFailure[]> {
    const items = itemsOf(plan, step);
    const views = step.items === 1 ? [job] : await service.failedChildren(job.id, EXAMINED);
    const failures: JobFailure[] = [];
    for (const view of views.filter((candidate) => candidate.status !== 'SUCCEEDED')) {
      heartbeat();
      const culprit = firstFailure(view.containers);
      const index = step.items === 1 ? 0 : Number(view.id.split(':')[1] ?? 0);
      const lines = culprit?.logStream ? await service.lastLogLines(culprit.logStream, LOG_LINES) : [];
      failures.push({
        item: items[index]?.key ?? String(index),
        job_id: view.id,
        ...(culprit && { container: culprit.name }),
        ...(culprit?.exitCode !== undefined && { exit_code: culprit.exitCode }),
        reason: culprit?.reason ?? view.reason ?? (view.status === 'LOST' ? LOST : ''),
        ...(culprit?.logStream && { log_stream: culprit.logStream }),
        ...(lines.length > 0 && { last_log_lines: lines.map((line) => line.slice(0, LINE_LENGTH)) }),
      });
    }
    return failures;
  }
}

/** The containers run one after the other, so the first that failed is the cause and later ones are consequences. */
function firstFailure(containers: readonly ContainerView[]): ContainerView | undefined {
  return containers.find(
    (container) => (container.exitCode !== undefined && container.exitCode !== 0) || container.reason,
  );
}

function explain(
  job: JobView,
  missing: readonly string[],
  failures: readonly JobFailure[],
): { cause: string; errorType: LaunchErrorType } {
  const others = missing.length > 1 ? ` (and ${missing.length - 1} more items)` : '';
  const [failure] = failures;
  if (!failure) {
    const cause = `AWS Batch says ${job.status}, but item ${missing[0]} has no commit${others}`;
    return { cause, errorType: 'OutputsMissingError' };
  }
  const last = failure.last_log_lines?.findLast((line) => line.trim() !== '');
  const said = last === undefined ? '' : `: ${last.trim().slice(0, 200)}`;
  const item = `item ${failure.item}`;
  const code = failure.exit_code;
  if (failure.container === 'stage')
    return { cause: `${item}: its inputs could not be brought in${said}${others}`, errorType: 'StepFailedError' };
  if (failure.container === 'publish' && code === EXIT.outputsMissing) {
    return {
      cause: `${item}: the command succeeded but left outputs out${said}${others}`,
      errorType: 'OutputsMissingError',
    };
  }
  const how =
    code === undefined
      ? failure.reason || 'it failed, and AWS Batch gives no reason'
      : `${failure.container} exited with ${code}${failure.reason ? ` (${failure.reason})` : ''}`;
  return { cause: `${item}: ${how}${said}${others}`, errorType: 'StepFailedError' };
}
