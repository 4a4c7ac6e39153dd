/**
 * The restore: archived objects become readable, and stay so as long as the launch needs them. The workflow orchestrates
 * only; the index, request ids and failures stay in S3, and S3's own word on each object is the only one that counts.
 *
 * History: 40 events at most but for these: 7 for a batch of requests and what its watchers are told of it, of which there are {@link LIMITS}.batches at most;
 * 20 for a sweep with its record; 4 for news; 5 for what the launch is told, 25 times at most. News come at most 100 times,
 * a poll at most every 20th of the time the restore takes, and a gap of a 50th of the time gone lies between two sweeps; so
 * a restore of ten million objects over 48 hours stays under 5,000. One that never ends continues as new after
 * {@link MOST_EVENTS}.
 * test/workflow/restore-history.test.ts measures it.
 *
 * @module
 */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { RestoreActivities } from '../../activities/restore/index.ts';
import type { Submitter, Surveyed } from '../../activities/restore/survey.ts';
import { rootCause, toFailure } from '../kit/failures.ts';
import { now } from '../kit/time.ts';
import { setVersioning } from '../kit/versioning.ts';
import { type Batch, Outbox } from '../progress/outbox.ts';
import { createPump, DIRECT, type Pump } from '../progress/pump.ts';
import { describeRestore, formatUsd } from './details.ts';
import { approve, decided, objectsRestored, restoreProgress } from './messages.ts';
import {
  ACTIVITY_TASK_QUEUE,
  type Approval,
  LIMITS,
  RESTORE_CHANGED_SIGNAL,
  type RestoreInput,
  type RestoreResult,
  type RestoreStatus,
  requestOf,
  type Wishes,
} from './model.ts';
import { factsOf, reportOf } from './report.ts';
import { EXTEND_WITHIN_MS, RestoreState } from './state.ts';

const QUICK = {
  taskQueue: ACTIVITY_TASK_QUEUE,
  startToCloseTimeout: '1 minute',
  // They beat by themselves: the death of a worker is not to cost the minute that a large index may take.
  heartbeatTimeout: '10 seconds',
  retry: { maximumInterval: '30 seconds' },
} as const;
/** Finding, asking for and looking at millions of objects; how far they are stands in S3 and in their heartbeats. */
const WIDE = {
  taskQueue: ACTIVITY_TASK_QUEUE,
  startToCloseTimeout: '24 hours',
  heartbeatTimeout: '10 seconds',
  retry: { maximumInterval: '1 minute' },
} as const;
/** Batches of requests at a time: the quota is shared anyway, so more than a few gain nothing. */
const BATCHES_AT_A_TIME = 4;
const MOST_EVENTS = 4_000;

const quick = proxyActivities<RestoreActivities>(QUICK);
const wide = proxyActivities<RestoreActivities>(WIDE);

const STATUS = defineSearchAttributeKey('LonghaulStatus', SearchAttributeType.KEYWORD);

/** What all parts of a run need. */
interface Run {
  input: RestoreInput;
  state: RestoreState;
  beganAt: number;
  place: string;
  /** News that nobody has looked after yet. */
  news: boolean;
  decision?: Approval;
  reporting: { outbox: Outbox; pump: Pump; told?: RestoreStatus; keepsLog: boolean };
}

setVersioning('PINNED', restore);
export async function restore(input: RestoreInput): Promise<RestoreResult> {
  const state = new RestoreState(input);
  const run: Run = {
    input,
    state,
    beganAt: input.carried?.beganAt ?? now(),
    place: input.carried?.place ?? input.launch?.place ?? '',
    news: false,
    reporting: reportingOf(input),
  };
  listen(run);
  try {
    if (!input.carried) await begin(run);
    if (state.status === 'RESTORING') await awaitObjects(run);
    if (input.launch) await keep(run);
    await finish(run);
    return state.result();
  } catch (error) {
    await CancellationScope.nonCancellable(() => wrapUp(run, error));
    throw isCancellation(error) ? error : toFailure(error);
  }
}

/** A run that continues another one goes on where that was. */
function reportingOf(input: RestoreInput): Run['reporting'] {
  const attempt = input.launch?.attempt ?? 1;
  const outbox = new Outbox({ name: 'workflow', attempt }, now());
  const pump = createPump(outbox, () => ({ run: workflowInfo().workflowId, facts: factsOf(input) }), DIRECT);
  if (!input.carried) outbox.add('status', { begins: { attempt }, status: 'PLANNING' }, now());
  const told = input.carried?.status ?? 'PLANNING';
  return { outbox, pump, told, keepsLog: input.carried?.keepsLog === true };
}

function listen(run: Run): void {
  const { state } = run;
  setHandler(restoreProgress, () => state.progress(), { description: 'status, counts, plan and failures' });
  setHandler(
    objectsRestored,
    () => {
      run.news = true;
    },
    { description: 'objects were restored, says an event: look' },
  );
  setHandler(
    decided,
    (decision) => {
      run.decision ??= usableDecision(decision);
    },
    { description: 'what was decided on the launch that waits for this' },
  );
  setHandler(
    approve,
    async (decision) => {
      run.decision = usableDecision(decision);
      // Answered when it shows, so that whoever asks sees what it led to.
      await condition(() => state.status !== 'APPROVAL');
      return state.status;
    },
    {
      description: 'let it spend more than its limit, or refuse',
      validator: (_decision: Approval) => {
        if (state.status !== 'APPROVAL' || run.decision)
          throw new Error(`restore ${state.restoreId} does not wait for an approval: it is ${state.status}`);
      },
    },
  );
}

/** Anybody can send anything; what is no refusal is an approval, of which nothing is kept but who gave it. */
function usableDecision(decision: unknown): Approval {
  const { refuse, by } = (typeof decision === 'object' && decision !== null ? decision : {}) as Approval;
  return { ...(refuse === true && { refuse: true }), ...(typeof by === 'string' && { by: by.slice(0, 100) }) };
}

/** Finds, plans, gets the money approved, asks for everything. */
async function begin(run: Run): Promise<void> {
  const { input, state } = run;
  show(run);
  const { restoreId, sources, configurationFile, configurationFileVersion, launch } = input;
  const found = await wide.surveyRestore.executeWithOptions({ ...WIDE, summary: 'find what is archived' }, [
    {
      restoreId,
      run: workflowInfo().firstExecutionRunId,
      ...(sources && { sources }),
      ...(configurationFile !== undefined && { configurationFile }),
      ...(configurationFileVersion !== undefined && { configurationFileVersion }),
      ...(launch && { place: launch.place }),
    },
  ]);
  run.place = found.place;
  state.counts.total = found.objects;
  state.counts.bytes = found.bytes;
  const wishes: Wishes = { ...found.wishes, ...input.wishes };
  const planned = await quick.planRestore.executeWithOptions({ ...QUICK, summary: 'choose tiers' }, [
    { place: found.place, totals: found.totals, wishes },
  ]);
  state.plan = planned.plan;
  state.pollSeconds = planned.pollSeconds;
  if (planned.needsApproval) await awaitApproval(run, planned.plan.usd, wishes.limitUsd ?? 0);
  await requestAll(run, found, planned.submitter);
}

/** @throws ApplicationFailure ApprovalRefusedError */
async function awaitApproval(run: Run, usd: number | undefined, limitUsd: number): Promise<void> {
  const { state } = run;
  state.approval = { ...(usd !== undefined && { usd }), limitUsd };
  await moveTo(run, 'APPROVAL');
  await condition(() => run.decision !== undefined);
  state.approval = undefined;
  if (run.decision?.refuse)
    throw ApplicationFailure.nonRetryable(
      `it would have cost ${formatUsd(usd)}, above the limit of ${formatUsd(limitUsd)}, and was refused: raise the limit, or ask for a slower tier`,
      'ApprovalRefusedError',
    );
  log.info('the restore was approved', { restoreId: state.restoreId, usd, limitUsd });
}

async function requestAll(run: Run, found: Surveyed, submitter: Submitter): Promise<void> {
  const { state } = run;
  await moveTo(run, 'REQUESTING');
  state.requestedAt = now();
  const { tiers = {}, days = 1 } = state.plan ?? {};
  const size = Math.max(1, Math.ceil(found.shards / LIMITS.batches));
  const starts = Array.from({ length: Math.ceil(found.shards / size) }, (_, batch) => batch * size);
  state.counts.failed = found.missing.count;
  if (found.missing.count > 0) state.failures = { first: found.missing.first, all: `${run.place}failures.ndjson` };
  stopIfFailed();
  if (submitter === 'batch-operations') {
    // What its jobs leave is asked for by the looks that follow.
    const { requested } = await wide.requestByBatchOperations.executeWithOptions(
      { ...WIDE, summary: 'ask for the objects by S3 Batch Operations' },
      [{ place: run.place, restoreId: state.restoreId, tiers, days }],
    );
    state.counts.requested += requested;
    await moveTo(run, 'RESTORING');
    return;
  }
  const lane = async () => {
    for (let from = starts.shift(); from !== undefined; from = starts.shift()) {
      const to = Math.min(found.shards, from + size);
      const summary = found.shards === 1 ? 'ask for the objects' : `ask for the objects of shards ${from} to ${to - 1}`;
      const done = await wide.requestRestores.executeWithOptions({ ...WIDE, summary }, [
        { place: run.place, from, to, tiers, days },
      ]);
      state.counts.requested += done.requested;
      state.counts.failed += done.failed;
      if (done.failures.length > 0 && !state.failures)
        state.failures = { first: done.failures, all: `${run.place}failures.ndjson` };
      stopIfFailed();
      show(run);
      note(run);
      // Not before a record has said that there is a log.
      if (run.reporting.keepsLog) run.reporting.pump.nudge();
    }
  };
  // All of them, also after one failed: what has been asked for belongs into the record.
  const lanes = await Promise.allSettled(Array.from({ length: BATCHES_AT_A_TIME }, lane));
  const failed = lanes.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  await moveTo(run, 'RESTORING');

  function stopIfFailed(): void {
    // A launch needs them all: what is not asked for yet costs nothing.
    if (!run.input.launch || state.counts.failed === 0) return;
    starts.length = 0;
    throw notRestorable(run);
  }
}

/** Looks when there is news, and at least every so often, until every object has been seen to be readable. */
async function awaitObjects(run: Run): Promise<void> {
  const { state, input } = run;
  // Copies that were there already, and what others had asked for, are seen at once.
  run.news = true;
  for (;;) {
    const news = await condition(() => run.news, state.nextPollMs(now()), { summary: 'until the next look' });
    if (news && state.sweeps > 0) {
      const gap = state.gapMs(now());
      if (gap > 0) await sleep(gap, { summary: 'news is merged' });
    }
    await sweep(run);
    if (state.counts.failed > 0 && input.launch) throw notRestorable(run);
    if (state.settled) break;
    await continueIfLong(run);
  }
  if (state.counts.failed > 0) throw notRestorable(run);
}

/** Keeps the copies of a launch as long as it runs; its end cancels this, which is the way it ends well. */
async function keep(run: Run): Promise<void> {
  const { state, input } = run;
  await moveTo(run, 'READY');
  try {
    // When the copies go was not carried along.
    if (input.carried) await sweep(run);
    for (;;) {
      const until = state.extendInMs(now());
      // Nothing goes that could be extended: what was archived by Intelligent-Tiering has moved back for good.
      if (until === undefined) await CancellationScope.current().cancelRequested;
      else await sleep(until, { summary: 'until the copies are extended' });
      await sweep(run);
      await continueIfLong(run);
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
    log.info('the launch has ended: its copies are left to go', { restoreId: state.restoreId });
  }
}

async function sweep(run: Run): Promise<void> {
  const { state, place } = run;
  run.news = false;
  const { tiers = {}, days = 1 } = state.plan ?? {};
  const seen = await wide.sweepRestores.executeWithOptions(
    { ...WIDE, summary: `look at the objects, ${state.sweeps + 1}` },
    [{ place, tiers, days, pass: state.sweeps + 1, extendBefore: now() + EXTEND_WITHIN_MS }],
  );
  const changed = state.swept(seen, now());
  if (seen.failures.length > 0) state.failures = { first: seen.failures, all: `${place}failures.ndjson` };
  if (changed) await record(run);
}

async function continueIfLong({ input, state, beganAt, place, reporting }: Run): Promise<void> {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  if (!continueAsNewSuggested && historyLength < MOST_EVENTS) return;
  await condition(allHandlersFinished);
  await continueAsNew<typeof restore>({
    ...input,
    carried: state.carry({ beganAt, place, ...(reporting.keepsLog && { keepsLog: true }) }),
  });
}

/** @returns ObjectsNotRestorableError with the first few */
function notRestorable({ state }: Run): ApplicationFailure {
  const { first = [], all } = state.failures ?? {};
  const more = state.counts.failed - first.length;
  const lines = first.map(({ address, reason }) => `${address}: ${reason}`);
  if (more > 0) lines.push(`and ${more} more`);
  lines.push(`all of them: ${all ?? ''}`);
  const message = `${state.counts.failed} of ${Math.max(state.counts.total, state.counts.failed)} objects cannot be restored\n${lines.join('\n')}`;
  return ApplicationFailure.nonRetryable(message, 'ObjectsNotRestorableError');
}

async function finish(run: Run): Promise<void> {
  await CancellationScope.nonCancellable(() => moveTo(run, 'COMPLETE'));
}

/** S3 cannot take a restore back; what has been asked for will come, and go again after its days. */
async function wrapUp(run: Run, error: unknown): Promise<void> {
  const { state, place } = run;
  const cancelled = isCancellation(error);
  if (!cancelled) state.error = rootCause(error);
  if (state.failures && place !== '')
    await wide.collectFailures.executeWithOptions({ ...WIDE, summary: 'list what cannot be restored' }, [{ place }]);
  await moveTo(run, cancelled ? 'CANCELLED' : 'FAILED');
}

async function moveTo(run: Run, status: RestoreStatus): Promise<void> {
  run.state.move(status, now());
  await record(run);
}

/** Shows it, writes it down, and tells the launch where it is worth it. */
async function record(run: Run): Promise<void> {
  const { input, state, beganAt, place, reporting } = run;
  const { outbox, pump } = reporting;
  const { status } = state;
  show(run);
  note(run);
  if (reporting.keepsLog) await pump.idle();
  state.sequence += 1;
  const { workflowId, runId } = workflowInfo();
  const progress = state.progress();
  const request = requestOf(input);
  const batch: Batch = { run: workflowId, facts: factsOf(input), reports: outbox.take(now(), { sure: true }) };
  let told = false;
  try {
    const written = await quick.recordRestore.executeWithOptions({ ...QUICK, summary: `status ${state.status}` }, [
      {
        batch,
        progress,
        sequence: state.sequence,
        beganAt,
        workflowId,
        runId,
        ...(place !== '' && { place }),
        ...(input.consumer !== undefined && { consumer: input.consumer }),
        ...(request !== undefined && { request }),
        ...(input.launch && { launchId: input.launch.launchId }),
      },
    ]);
    reporting.keepsLog = written !== undefined;
    // Where there is no log, nothing waits for one.
    told = written?.progressTold ?? true;
  } finally {
    outbox.settle(told, now());
  }
  // A launch that has ended it, or was cancelled, need not be told.
  if (!input.launch || status === 'COMPLETE' || status === 'CANCELLED' || !state.worthTelling()) return;
  const { attempt } = input.launch;
  try {
    await getExternalWorkflowHandle(input.launch.workflowId).signal(RESTORE_CHANGED_SIGNAL, { attempt, progress });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('the launch of this restore is not there any more', { launchId: input.launch.launchId });
  }
}

/** What its watchers are to know goes with the next record, or before it where there is time. */
function note({ state, reporting }: Run): void {
  const { kind, change } = reportOf(state.progress(), reporting.told);
  reporting.told = state.status;
  reporting.outbox.add(kind, change, now());
}

function show({ state }: Run): void {
  setCurrentDetails(describeRestore(state.progress()));
  if (workflowInfo().typedSearchAttributes.get(STATUS) !== state.status)
    upsertSearchAttributes([{ key: STATUS, value: state.status }]);
}
