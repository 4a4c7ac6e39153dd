/**
 * The launch: a sheet in S3 becomes finished results. The workflow orchestrates only; the plan, commands and data
 * stay in S3, its activities carry references.
 *
 * History: about 30 events, at most 32 for each submission of a step (submit and review 12, news of its job from events
 * and from the poller 20), 4 for each report of an array's counts, of which there are 2,000 at most (`reports` of a step's
 * row), and one for each of at most 2,000 reports to the log its watchers read; statuses go there with their write to the
 * registry. The 1,200 submissions of {@link LIMITS}, retries included, so stay under 49,000 of the 51,200 events Temporal
 * allows; a host that Batch loses costs 8 to 12 more. A head job has no array, but its log is followed: 8 more a submission
 * and 4 for each of under 550 reports of its tasks; with 800 reports to the log that is under 51,100.
 * test/workflow/launch-history.test.ts and launch-head.test.ts measure it. 10,000 items are one array job and cost no more
 * than one.
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
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { LaunchActivities } from '../../activities/launch/index.ts';
import type { Registration } from '../../activities/launch/register.ts';
import { rootCause, toFailure } from '../kit/failures.ts';
import { now } from '../kit/time.ts';
import { setVersioning } from '../kit/versioning.ts';
import { type BudgetGate, withinBudget } from './budget.ts';
import { jobsChanged, progressQuery, tasksReported, usableChanges, usableReport } from './messages.ts';
import { ACTIVITY_TASK_QUEUE, type LaunchInput, type LaunchResult, LIMITS } from './model.ts';
import type { Preflight } from './preflight.ts';
import { listenToRestore, type Restoring, startRestore, waitsFor } from './restoring.ts';
import { LaunchState, type StepOutline } from './state.ts';
import { learn, moveTo, REGISTRY, type Run, show, startReporting, waitFor } from './telling.ts';

/** Listing inputs, writing manifests, submitting: long for wide steps, so they heartbeat. */
const WIDE = {
  taskQueue: ACTIVITY_TASK_QUEUE,
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '10 seconds',
  retry: { maximumInterval: '1 minute' },
} as const;

const registry = proxyActivities<LaunchActivities>(REGISTRY);
const wide = proxyActivities<LaunchActivities>(WIDE);

const WORKFLOW_TYPE = defineSearchAttributeKey('LonghaulWorkflowType', SearchAttributeType.KEYWORD);
const COMPUTE_SERVICE = defineSearchAttributeKey('LonghaulComputeService', SearchAttributeType.KEYWORD);
const CONSUMER = defineSearchAttributeKey('LonghaulConsumer', SearchAttributeType.KEYWORD);

setVersioning('PINNED', launch);
export async function launch(input: LaunchInput): Promise<LaunchResult> {
  const state = new LaunchState(input.launchId);
  const run: Run = { state };
  setHandler(progressQuery, () => state.progress(), { description: 'status, steps and counts' });
  setHandler(
    jobsChanged,
    (changes) => {
      const usable = usableChanges(changes);
      if (usable.length === 0) log.warn('a signal that says nothing of any job was left out');
      for (const change of usable) state.observe(change, now());
      show(run);
    },
    { description: 'news of jobs, from events and from the poller' },
  );
  setHandler(
    tasksReported,
    (report) => {
      const usable = usableReport(report);
      if (!usable) log.warn('a signal that says nothing of any task was left out');
      else if (state.report(usable)) show(run);
    },
    { description: 'what the log of a head job says of its tasks' },
  );
  const gate: BudgetGate = {};
  const restoring = listenToRestore(state, gate, () => show(run));
  // A cancellation that comes this early still finds the launch in the registry, to be marked there.
  const at = now();
  const registered = await CancellationScope.nonCancellable(() => register(input, at));
  state.attempt = registered.attempt;
  if (registered.outcome === 'existing') {
    log.info('this launch exists already with the same sheet; nothing to do', { status: registered.status });
    return { launchId: input.launchId, status: registered.status, outcome: 'existing', attempt: registered.attempt };
  }
  state.move('PREPARING', now());
  startReporting(run, registered, at);
  show(run);
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
    learn(run, { consumer: planned.consumer, head: planned.steps.some(({ head }) => head) });
    show(run);
    await preflight(state, planned.planAddress);
    if (planned.hasBudget) {
      const wait = () => waitFor(run, 'budget');
      await withinBudget(state, gate, planned.consumer, { wait, show: () => show(run) });
    }
    if (planned.mayBeArchived) await restoreInputs(run, planned, restoring);
    await moveTo(run, 'READY');
    await runSteps(run, planned);
    await CancellationScope.nonCancellable(() => moveTo(run, 'COMPLETE'));
    return { launchId: input.launchId, status: 'COMPLETE', outcome: 'ran', attempt: registered.attempt };
  } catch (error) {
    // Whatever ended the launch, a cancellation included, what it started has to be ended and written down.
    await CancellationScope.nonCancellable(() => wrapUp(run, error));
    throw isCancellation(error) ? error : toFailure(error);
  } finally {
    await restoring.release();
  }
}

/** A launch that cannot be registered (no id, another sheet's id) fails by the reason's own name. */
async function register(input: LaunchInput, at: number): Promise<Registration> {
  const { workflowId, runId } = workflowInfo();
  try {
    return await registry.registerLaunch.executeWithOptions({ ...REGISTRY, summary: `register ${input.launchId}` }, [
      { ...input, workflowId, runId, at },
    ]);
  } catch (error) {
    throw isCancellation(error) ? error : toFailure(error);
  }
}

/** What preflight may take altogether, tries included; a service that is down for longer is no reason not to start. */
const PREFLIGHT = { ...WIDE, startToCloseTimeout: '2 minutes', scheduleToCloseTimeout: '4 minutes' } as const;

/** @throws ApplicationFailure PreflightFailedError naming everything that would have gone wrong */
async function preflight({ launchId, attempt }: LaunchState, planAddress: string): Promise<void> {
  let found: Preflight;
  try {
    found = await wide.preflightLaunch.executeWithOptions({ ...PREFLIGHT, summary: 'check what jobs will need' }, [
      { launchId, attempt, planAddress },
    ]);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('the launch starts unchecked: what it was to be checked with did not answer', { error: String(error) });
    return;
  }
  const errors = found.findings.filter(({ level }) => level === 'error');
  if (errors.length === 0) return;
  const lines = errors.map(({ at, message, remedy }) => `${at}: ${message}: ${remedy}`);
  throw ApplicationFailure.nonRetryable(lines.join('\n'), 'PreflightFailedError');
}

/** Waits, before anything is submitted, until every archived input of an item that has to run can be read. */
async function restoreInputs(run: Run, planned: Planned, restoring: Restoring): Promise<void> {
  const { state } = run;
  const { launchId, attempt } = state;
  const found = await wide.findArchivedInputs.executeWithOptions(
    { ...WIDE, summary: 'find archived inputs that are needed' },
    [{ launchId, attempt, planAddress: planned.planAddress }],
  );
  if (!found) return;
  await waitFor(run, 'restore');
  await startRestore(state, restoring, { ...found, wishes: planned.restore ?? {}, consumer: planned.consumer });
  const ready = () => restoring.progress?.status === 'READY' || restoring.failure !== undefined;
  const other = () => {
    const now = waitsFor(restoring);
    return now === state.waitingFor ? undefined : now;
  };
  while (!ready()) {
    await condition(() => ready() || other() !== undefined);
    const next = other();
    if (!ready() && next) await waitFor(run, next);
  }
  if (restoring.failure !== undefined) throw restoring.failure;
}

type Planned = Awaited<ReturnType<LaunchActivities['planLaunch']>>;

/**
 * Starts every step as soon as it is free. The first that fails ends the others, or lets them finish, as the sheet says.
 * Returns when none is under way.
 */
async function runSteps(run: Run, planned: Planned): Promise<void> {
  await CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    const startFree = async (): Promise<void> => {
      if (scope.consideredCancelled) throw new CancelledFailure('the launch is being ended');
      const branches = run.state.free().map(async (name) => {
        try {
          await runStep(run, planned, name);
        } catch (error) {
          if (planned.onFailure === 'stop' || isCancellation(error)) scope.cancel();
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

/** Submits a step, and again what failed of it, until all of its items are done or one has failed for good. */
async function runStep(run: Run, { planAddress, steps }: Planned, step: string): Promise<void> {
  const { state } = run;
  const outline = steps.find(({ name }) => name === step) as StepOutline;
  for (;;) {
    const generation = state.begin(step);
    const input = { launchId: state.launchId, attempt: state.attempt, planAddress, step, generation };
    const { workflowId, runId, firstExecutionRunId } = workflowInfo();
    const summary = generation === 1 ? `submit ${step}` : `submit ${step} again, generation ${generation}`;
    // A submission that was cut off half-way could leave a job nobody knows, so it always runs to its end.
    const { jobs, done } = await CancellationScope.nonCancellable(() =>
      // A run that was reset submits for the second time what an earlier run has submitted.
      wide.submitStep.executeWithOptions({ ...WIDE, summary }, [
        { ...input, workflowId, first: runId === firstExecutionRunId, at: now() },
      ]),
    );
    state.submitted(step, jobs, now(), done);
    if (state.status === 'READY') await CancellationScope.nonCancellable(() => moveTo(run, 'RUNNING'));
    show(run);
    if (jobs.length === 0) {
      state.end(step, 'SUCCEEDED', now(), { succeeded: done.succeeded, failed: 0 });
      show(run);
      return;
    }
    const [head] = outline.head ? jobs : [];
    const following = head && follow({ ...input, workflowId, jobId: head.jobId });
    try {
      if ((await settle(run, planAddress, outline, { generation, jobs, following })) === 'done') return;
    } finally {
      following?.stop();
    }
    if (state.submissions >= LIMITS.submissions) {
      const message = `step ${step}: ${LIMITS.submissions} submissions of this launch are used up; "longhaul launch retry" goes on`;
      throw ApplicationFailure.nonRetryable(message, 'StepFailedError');
    }
  }
}

/** As long as nobody has cancelled it, it follows the log of a head job; what it says is worth no failure. */
const FOLLOWING = {
  ...WIDE,
  startToCloseTimeout: '14 days',
  cancellationType: 'TRY_CANCEL',
} as const;

/** How long the rest of a log may take to be read once the job has ended. */
const REST_OF_LOG = '30 seconds';

interface Following {
  /** Waits until the log has been read to its end, within bounds. */
  toItsEnd(): Promise<void>;
  stop(): void;
}

function follow(head: Parameters<LaunchActivities['followHead']>[0]): Following {
  const scope = new CancellationScope();
  let done = false;
  void scope
    .run(() => wide.followHead.executeWithOptions({ ...FOLLOWING, summary: `follow the log of ${head.step}` }, [head]))
    .catch((error: unknown) => {
      if (!isCancellation(error)) log.warn('the log of the head could not be followed', { error: String(error) });
    })
    .finally(() => {
      done = true;
    });
  return {
    async toItsEnd() {
      await condition(() => done, REST_OF_LOG, { summary: `the rest of the log of ${head.step}` });
    },
    stop: () => scope.cancel(),
  };
}

/** Waits until the jobs of a generation have ended and have been compared with their commits. */
async function settle(
  run: Run,
  planAddress: string,
  outline: StepOutline,
  {
    following,
    ...submitted
  }: {
    generation: number;
    jobs: { shard: number; jobId: string; items: number }[];
    following: Following | undefined;
  },
): Promise<'done' | 'again'> {
  const { state } = run;
  const { name: step } = outline;
  const { launchId, attempt } = state;
  for (;;) {
    if ((await waitForJobs(state, outline)) === 'stuck') await giveUp(state, step);
    await following?.toItsEnd();
    const review = await wide.reviewStep.executeWithOptions({ ...WIDE, summary: `check the results of ${step}` }, [
      { launchId, attempt, planAddress, step, ...submitted, at: now() },
    ]);
    if (review.state === 'OPEN') {
      state.reopen(step);
      continue;
    }
    if (review.state === 'RETRY') {
      log.info('items that failed are tried again', { step, items: review.again, causes: review.causes });
      return 'again';
    }
    state.end(step, review.state, now(), review);
    show(run);
    if (review.state === 'FAILED')
      throw ApplicationFailure.nonRetryable(`step ${step}: ${review.cause}`, review.errorType);
    return 'done';
  }
}

async function waitForJobs(
  state: LaunchState,
  { name, failWhenStuckSeconds: limit }: StepOutline,
): Promise<'ended' | 'stuck'> {
  const ended = () => state.jobsEnded(name);
  for (;;) {
    await condition(() => ended() || (limit !== undefined && state.stuckSince(name) !== undefined));
    const since = state.stuckSince(name);
    if (ended() || since === undefined || limit === undefined) return 'ended';
    const moved = () => ended() || state.stuckSince(name) === undefined;
    const left = Math.max(1, since + limit * 1000 - now());
    if (!(await condition(moved, left, { summary: `${name} cannot be placed: until it is given up` }))) return 'stuck';
  }
}

/** @throws ApplicationFailure JobStuckError, always */
async function giveUp(state: LaunchState, step: string): Promise<never> {
  const stuck = state.progress().steps.find(({ name }) => name === step)?.stuck;
  const reason = `could not be placed on any host: ${stuck?.reason ?? 'the compute service gives no reason'}`;
  await endJobs(state, state.openJobs(step), reason, 'FAILED');
  state.end(step, 'FAILED', now(), { succeeded: 0, failed: 0, cause: reason });
  throw ApplicationFailure.nonRetryable(`step ${step}: ${reason}. ${stuck?.remedy ?? ''}`.trim(), 'JobStuckError');
}

/** Ends open jobs and writes the last status. */
async function wrapUp(run: Run, error: unknown): Promise<void> {
  const { state } = run;
  const open = state.openJobs();
  const cause = rootCause(error);
  const reason = isCancellation(error) ? 'the launch was cancelled' : `the launch failed: ${cause.type}`;
  if (open.length > 0) await endJobs(state, open, reason, 'CANCELLED');
  state.cancelOpenSteps(now());
  if (!isCancellation(error)) state.error = cause;
  await moveTo(run, isCancellation(error) ? 'CANCELLED' : 'FAILED');
}

async function endJobs(
  state: LaunchState,
  jobs: { step: string; jobId: string }[],
  reason: string,
  as: 'CANCELLED' | 'FAILED',
): Promise<void> {
  const { launchId, attempt } = state;
  await wide.terminateJobs.executeWithOptions({ ...WIDE, summary: `end ${jobs.length} job(s): ${reason}` }, [
    { launchId, attempt, jobs, reason, as, at: now() },
  ]);
}
