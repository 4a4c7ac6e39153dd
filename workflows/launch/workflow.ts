/**
 * The launch: a sheet in S3 becomes finished results. The workflow orchestrates only; the plan, commands and data
 * stay in S3, its activities carry references.
 *
 * History: about 25 events, and at most 24 for each step (submit and review 12, two to four job changes 12), so the
 * 1,000 steps of {@link LIMITS} stay under 25,000 of the 51,200 Temporal allows. test/workflow/launch-history.test.ts
 * measures it. A scattered step is one array job and costs no more than a single one.
 *
 * @module
 */

import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  log,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { LaunchActivities } from '../../activities/launch/index.ts';
import type { Registration } from '../../activities/launch/register.ts';
import { rootCause } from '../kit/failures.ts';
import { now } from '../kit/time.ts';
import { setVersioning } from '../kit/versioning.ts';
import { describeProgress } from './details.ts';
import { jobsChanged, progressQuery, usableChanges } from './messages.ts';
import { ACTIVITY_TASK_QUEUE, type LaunchInput, type LaunchResult, type LaunchStatus } from './model.ts';
import { LaunchState } from './state.ts';

/** Reads and writes of small things. What cannot be mended says so itself, so retrying for long is right. */
const REGISTRY = {
  taskQueue: ACTIVITY_TASK_QUEUE,
  startToCloseTimeout: '30 seconds',
  retry: { maximumInterval: '30 seconds' },
} as const;
/** Listing inputs, writing manifests, submitting: long for wide steps, so they heartbeat. */
const WIDE = {
  taskQueue: ACTIVITY_TASK_QUEUE,
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '30 seconds',
  retry: { maximumInterval: '1 minute' },
} as const;

const registry = proxyActivities<LaunchActivities>(REGISTRY);
const wide = proxyActivities<LaunchActivities>(WIDE);

const STATUS = defineSearchAttributeKey('LonghaulStatus', SearchAttributeType.KEYWORD);
const WORKFLOW_TYPE = defineSearchAttributeKey('LonghaulWorkflowType', SearchAttributeType.KEYWORD);
const COMPUTE_SERVICE = defineSearchAttributeKey('LonghaulComputeService', SearchAttributeType.KEYWORD);
const CONSUMER = defineSearchAttributeKey('LonghaulConsumer', SearchAttributeType.KEYWORD);

setVersioning('PINNED', launch);
export async function launch(input: LaunchInput): Promise<LaunchResult> {
  const state = new LaunchState(input.launchId);
  setHandler(progressQuery, () => state.progress(), { description: 'status, steps and counts' });
  setHandler(
    jobsChanged,
    (changes) => {
      const usable = usableChanges(changes);
      if (usable.length === 0) log.warn('a signal that says nothing of any job was left out');
      for (const change of usable) state.observe(change, now());
      show(state);
    },
    { description: 'news of jobs, from events and from the poller' },
  );
  // A cancellation that comes this early still finds the launch in the registry, to be marked there.
  const registered = await CancellationScope.nonCancellable(() => register(input));
  state.attempt = registered.attempt;
  if (registered.outcome === 'existing') {
    log.info('this launch exists already with the same sheet; nothing to do', { status: registered.status });
    return { launchId: input.launchId, status: registered.status, outcome: 'existing', attempt: registered.attempt };
  }
  state.move('PREPARING', now());
  show(state);
  try {
    const planned = await wide.planLaunch.executeWithOptions({ ...WIDE, summary: 'read, check and plan the sheet' }, [
      { ...input, attempt: registered.attempt },
    ]);
    upsertSearchAttributes([
      { key: WORKFLOW_TYPE, value: planned.workflowType },
      { key: COMPUTE_SERVICE, value: planned.computeService },
      { key: CONSUMER, value: planned.consumer },
    ]);
    state.plan(planned.steps);
    await moveTo(state, 'READY');
    await runSteps(state, planned.planAddress);
    await CancellationScope.nonCancellable(() => moveTo(state, 'COMPLETE'));
    return { launchId: input.launchId, status: 'COMPLETE', outcome: 'ran', attempt: registered.attempt };
  } catch (error) {
    // Whatever ended the launch, a cancellation included, what it started has to be ended and written down.
    await CancellationScope.nonCancellable(() => wrapUp(state, error));
    throw isCancellation(error) ? error : toFailure(error);
  }
}

/** A launch that cannot be registered (no id, another sheet's id) fails by the reason's own name. */
async function register(input: LaunchInput): Promise<Registration> {
  const { workflowId, runId } = workflowInfo();
  try {
    return await registry.registerLaunch.executeWithOptions({ ...REGISTRY, summary: `register ${input.launchId}` }, [
      { ...input, workflowId, runId, at: now() },
    ]);
  } catch (error) {
    throw isCancellation(error) ? error : toFailure(error);
  }
}

/** Starts every step as soon as it is free; the first that fails ends the others. Returns when none is under way. */
async function runSteps(state: LaunchState, planAddress: string): Promise<void> {
  await CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    const startFree = async (): Promise<void> => {
      if (scope.consideredCancelled) throw new CancelledFailure('the launch is being ended');
      const branches = state.free().map(async (name) => {
        try {
          await runStep(state, planAddress, name);
        } catch (error) {
          scope.cancel();
          throw error;
        }
        await startFree();
      });
      // All of them, also after one failed: a submission still under way belongs to the jobs that must be ended.
      const settled = await Promise.allSettled(branches);
      const failures = settled.flatMap((branch) => (branch.status === 'rejected' ? [branch.reason as unknown] : []));
      if (failures.length > 0) throw failures.find((failure) => !isCancellation(failure)) ?? failures[0];
    };
    await startFree();
  });
}

async function runStep(state: LaunchState, planAddress: string, step: string): Promise<void> {
  const generation = state.begin(step);
  const { launchId, attempt } = state;
  // A submission that was cut off half-way could leave a job nobody knows, so it always runs to its end.
  const job = await CancellationScope.nonCancellable(() =>
    wide.submitStep.executeWithOptions({ ...WIDE, summary: `submit ${step}` }, [
      { launchId, attempt, workflowId: workflowInfo().workflowId, planAddress, step, generation, at: now() },
    ]),
  );
  state.submitted(step, { jobId: job.jobId, generation }, now());
  if (state.status === 'READY') await CancellationScope.nonCancellable(() => moveTo(state, 'RUNNING'));
  show(state);
  for (;;) {
    await condition(() => state.jobEnded(step));
    const review = await wide.reviewStep.executeWithOptions({ ...WIDE, summary: `check the results of ${step}` }, [
      { launchId, attempt, planAddress, step, generation, jobId: job.jobId, at: now() },
    ]);
    if (review.state === 'OPEN') {
      state.reopen(step);
      continue;
    }
    state.end(step, review.state, now(), review);
    show(state);
    if (review.state === 'FAILED')
      throw ApplicationFailure.nonRetryable(`step ${step}: ${review.cause}`, review.errorType);
    return;
  }
}

/** Ends open jobs and writes the last status. */
async function wrapUp(state: LaunchState, error: unknown): Promise<void> {
  const open = state.openJobs();
  if (open.length > 0) {
    const cause = rootCause(error);
    const reason = isCancellation(error) ? 'the launch was cancelled' : `the launch failed: ${cause.type}`;
    await wide.terminateJobs.executeWithOptions({ ...WIDE, summary: `end ${open.length} job(s): ${reason}` }, [
      { launchId: state.launchId, attempt: state.attempt, jobs: open, reason, at: now() },
    ]);
  }
  state.cancelOpenSteps(now());
  if (!isCancellation(error)) state.error = rootCause(error);
  await moveTo(state, isCancellation(error) ? 'CANCELLED' : 'FAILED');
}

/** Moves on, shows it, and writes it down; the write is fenced by (attempt, sequence), so it may arrive twice. */
async function moveTo(state: LaunchState, status: LaunchStatus): Promise<void> {
  state.move(status, now());
  show(state);
  const { launchId, attempt, sequence, error } = state;
  await registry.recordStatus.executeWithOptions({ ...REGISTRY, summary: `status ${status}` }, [
    { launchId, attempt, sequence, status, at: now(), ...(error && { error }) },
  ]);
}

function show(state: LaunchState): void {
  const progress = state.progress();
  setCurrentDetails(describeProgress(progress));
  if (workflowInfo().typedSearchAttributes.get(STATUS) !== progress.status) {
    upsertSearchAttributes([{ key: STATUS, value: progress.status }]);
  }
}

function toFailure(error: unknown): ApplicationFailure {
  const { type, message } = rootCause(error);
  return ApplicationFailure.create({
    message,
    type,
    nonRetryable: true,
    ...(error instanceof Error && { cause: error }),
  });
}
