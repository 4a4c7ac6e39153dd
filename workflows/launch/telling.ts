/**
 * Everybody who is told of a launch: the Temporal Web UI and search, the registry, and the log its watchers read.
 *
 * @module
 */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { proxyActivities, setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { LaunchActivities } from '../../activities/launch/index.ts';
import type { Registration } from '../../activities/launch/register.ts';
import { now } from '../kit/time.ts';
import type { RunFacts } from '../progress/model.ts';
import { type Batch, MOST_REPORTS, Outbox } from '../progress/outbox.ts';
import { createPump, DIRECT, type Pump } from '../progress/pump.ts';
import { describeProgress } from './details.ts';
import { ACTIVITY_TASK_QUEUE, isEnded, type LaunchProgress, type LaunchStatus, type WaitingFor } from './model.ts';
import { changeOf, HEAD_REPORTS } from './report.ts';
import type { LaunchState } from './state.ts';

/** Reads and writes of small things. What cannot be mended says so itself, so retrying for long is right. */
export const REGISTRY = {
  taskQueue: ACTIVITY_TASK_QUEUE,
  // Longer than the few calls take with the SDK's own retries; and what a worker's death costs at most.
  startToCloseTimeout: '20 seconds',
  retry: { maximumInterval: '30 seconds' },
} as const;
const registry = proxyActivities<LaunchActivities>(REGISTRY);

const STATUS = defineSearchAttributeKey('LonghaulStatus', SearchAttributeType.KEYWORD);

/** With a status goes all that waits: of 1,000 steps 25 reports. */
const WITH_A_STATUS = 64;

/** A launch while it runs. */
export interface Run {
  state: LaunchState;
  /** Absent where the worker that registered it keeps no log, as in histories from before there was one. */
  reporting?: Reporting;
}

interface Reporting {
  outbox: Outbox;
  pump: Pump;
  facts: RunFacts;
  /** What the outbox has been given. */
  told?: LaunchProgress;
}

/** @param at when it was registered: until then the log is told by the registration */
export function startReporting(run: Run, { attempt, progress }: Registration, at: number): void {
  if (!progress) return;
  const outbox = new Outbox({ name: 'workflow', attempt }, at);
  if (progress.begun) outbox.toldUpTo(at);
  else outbox.add('status', { begins: { attempt }, status: 'PREPARING' }, at);
  const facts: RunFacts = { domain: 'launch', ...(progress.consumer !== undefined && { consumer: progress.consumer }) };
  const reporting: Reporting = {
    outbox,
    facts,
    pump: createPump(outbox, () => ({ run: workflowInfo().workflowId, facts: reporting.facts }), DIRECT),
  };
  run.reporting = reporting;
}

/** What is known only once the sheet has been planned. */
export function learn({ reporting }: Run, { consumer, head }: { consumer: string; head: boolean }): void {
  if (!reporting) return;
  reporting.facts = { ...reporting.facts, consumer };
  reporting.outbox.limit(head ? HEAD_REPORTS : MOST_REPORTS);
}

export function show(run: Run): void {
  const progress = run.state.progress();
  display(progress);
  note(run, progress);
  run.reporting?.pump.nudge();
}

function display(progress: LaunchProgress): void {
  setCurrentDetails(describeProgress(progress));
  if (workflowInfo().typedSearchAttributes.get(STATUS) !== progress.status) {
    upsertSearchAttributes([{ key: STATUS, value: progress.status }]);
  }
}

function note({ reporting }: Run, progress: LaunchProgress): void {
  if (!reporting) return;
  const change = changeOf(reporting.told, progress);
  reporting.told = progress;
  if (change) reporting.outbox.add('progress', change, now());
}

/** Moves on, shows it, and writes it down; the write is fenced by (attempt, sequence), so it may arrive twice. */
export function moveTo(run: Run, status: LaunchStatus): Promise<void> {
  const { state } = run;
  const at = now();
  state.move(status, at);
  const { error } = state;
  return write(run, { status, at, ...(error && { error }) }, `status ${status}`);
}

/** WAITING, with what for; written down like any other status. */
export function waitFor(run: Run, waitingFor: WaitingFor): Promise<void> {
  const at = run.state.wait(waitingFor, now());
  return write(run, { status: 'WAITING', waitingFor, at }, `status WAITING for ${waitingFor}`);
}

async function write(
  run: Run,
  change: Pick<Parameters<LaunchActivities['recordStatus']>[0], 'status' | 'waitingFor' | 'at' | 'error'>,
  summary: string,
): Promise<void> {
  const { state, reporting } = run;
  const reached = state.progress();
  display(reached);
  note(run, reached);
  const { launchId, attempt, sequence } = state;
  // Whoever has no log waits for nothing here: in a history from before there was one the order of commands is fixed.
  const progress = reporting && (await pack(reporting, change));
  let told = false;
  try {
    const written = await registry.recordStatus.executeWithOptions({ ...REGISTRY, summary }, [
      { launchId, attempt, sequence, ...change, ...(progress && { progress }) },
    ]);
    // A worker from before there was a log answers nothing.
    told = written?.progressTold === true;
  } finally {
    if (progress) reporting?.outbox.settle(told, now());
  }
  reporting?.pump.nudge();
}

/** All that waits, and the status after it; what is said from now on goes when this has been told. */
async function pack(
  { outbox, pump, facts }: Reporting,
  { status, waitingFor, error }: { status: LaunchStatus; waitingFor?: WaitingFor; error?: LaunchProgress['error'] },
): Promise<Batch | undefined> {
  outbox.add(
    isEnded(status) ? 'end' : 'status',
    { status, ...(waitingFor && { waitingFor }), ...(error && { error }) },
    now(),
  );
  await pump.idle();
  // Another status is being written: what waits goes with the next.
  if (outbox.busy) return undefined;
  return {
    run: workflowInfo().workflowId,
    facts,
    reports: outbox.take(now(), { sure: true, most: WITH_A_STATUS }),
  };
}
