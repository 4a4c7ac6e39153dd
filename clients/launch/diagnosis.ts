/**
 * Why a launch is stuck or has failed: one cause, one remedy, the evidence. Pure; ./explain.ts gathers the facts.
 *
 * @module
 */
import type { LaunchItem } from '../../lib/store/launches.ts';
import type { RestoreItem } from '../../lib/store/restores.ts';
import type { JobFailure, StepItem } from '../../lib/store/steps.ts';
import { CAUSES, stuckReason } from '../../workflows/launch/causes.ts';
import { isEnded } from '../../workflows/launch/model.ts';
import { formatTiers, formatUsd } from '../../workflows/restore/details.ts';
import { formatDuration } from '../../workflows/restore/plan.ts';
import { commandsAbout, runsOnBatch, serviceTitle } from './own-words.ts';
import type { TaskFailures } from './task-failures.ts';

export interface Diagnosis {
  launchId: string;
  status: string;
  /** A name of ours (docs/errors.md), or HEALTHY. */
  cause: string;
  /** What is the matter, in one sentence. */
  summary: string;
  /** What a person does about it; empty when there is nothing to do. */
  remedy: string;
  evidence: string[];
}

/** What is known from outside the registry, of a launch that is open. */
export interface LiveFacts {
  /** As Temporal has it; undefined when it knows no such workflow. */
  workflow?: { status: string; historyLength: number } & TaskFailures;
  /** Activities that are being tried again. */
  pending: { type: string; attempt: number; failure: string; nextAt?: number }[];
  /** Workers that have asked for work lately, by task queue. */
  pollers: Readonly<Record<string, number>>;
  /** What AWS Batch says of its queue and compute environments, where something is wrong; of other services nothing. */
  queueProblems: readonly string[];
  /** Of a launch that waits for archived inputs: their restore, as the registry has it. */
  restore?: RestoreItem;
  /** Why the head of this launch's jobs cannot be placed, by step: by AWS Batch now, else by the registry. */
  stuck: Readonly<Record<string, string>>;
}

/** A job that waits this long without a reason is worth a word. */
const LONG_MS = 5 * 60_000;

const REMEDIES: Readonly<Record<string, string>> = {
  MissingRequiredParametersError: 'add what each line names, then "longhaul launch retry <id> --sheet <file>"',
  InvalidSheetError: 'correct what each line names, then "longhaul launch retry <id> --sheet <file>"',
  LaunchConflictError: 'give the sheet a launchId of its own',
  JobRejectedError: 'do what the compute service says, then "longhaul launch retry <id>"',
  JobStuckError: 'correct queue or resources, then "longhaul launch retry <id>"',
  PreflightFailedError: 'mend each finding, then "longhaul launch retry <id>"',
  InvalidRestoreError: 'correct "restore" in the sheet, then "longhaul launch retry <id> --sheet <file>"',
  DeadlineMissedError: 'give the restore more time in the sheet, then "longhaul launch retry <id> --sheet <file>"',
  ObjectsNotRestorableError: 'mend what each line names, then "longhaul launch retry <id>"',
  RestoreConflictError: '"longhaul restore cancel <id>", then "longhaul launch retry <id>"',
  RestoreCancelledError: '"longhaul launch retry <id>"; end launches by "longhaul launch cancel" instead',
  ApprovalRefusedError:
    'raise limitUsd in the sheet or ask for a slower tier, then "longhaul launch retry <id> --sheet <file>"',
  LaunchTerminatedError: '"longhaul launch retry <id>"; end launches by "longhaul launch cancel" instead',
};

export function diagnose(item: LaunchItem, steps: readonly StepItem[], live: LiveFacts, now: number): Diagnosis {
  const found = isEnded(item.status) ? ofEnded(item, steps) : ofOpen(item, steps, live, now);
  const remedy = found.remedy.replaceAll('<id>', item.launch_id);
  const evidence = found.evidence.map((line) => line.replaceAll('<id>', item.launch_id));
  return { launchId: item.launch_id, status: item.status, ...found, remedy, evidence };
}

type Found = Omit<Diagnosis, 'launchId' | 'status'>;

function ofEnded(item: LaunchItem, steps: readonly StepItem[]): Found {
  if (item.status === 'COMPLETE')
    return { cause: 'HEALTHY', summary: 'the launch is COMPLETE', remedy: '', evidence: [] };
  const failed = steps.find((step) => step.state === 'FAILED');
  const example = failed && mainFailure(failed);
  if (failed && example) {
    const { title, remedy } = CAUSES[example.cause];
    return {
      cause: example.cause,
      summary: `step ${failed.step}: ${failed.items.failed} of ${failed.items.total} items failed; ${example.item} ${title}`,
      remedy: `${remedy}. Then "longhaul launch retry <id>": what is done is not run again`,
      evidence: evidenceOf(failed, example),
    };
  }
  if (item.status === 'CANCELLED' && item.error_type === undefined)
    return {
      cause: 'CANCELLED',
      summary: 'somebody cancelled the launch',
      remedy: '"longhaul launch retry <id>" goes on where it was',
      evidence: [`cancelled at ${item.statuses.CANCELLED ?? ''}`],
    };
  const type = item.error_type ?? 'UNKNOWN';
  return {
    cause: type,
    summary: `the launch is ${item.status}: ${type}`,
    remedy: REMEDIES[type] ?? 'look into the Temporal Web UI, then "longhaul launch retry <id>"',
    evidence: (item.error_message ?? '').split('\n').filter(Boolean),
  };
}

/** Of the cause that counts most. */
function mainFailure({ failures = [], failed_jobs: counts = {} }: StepItem): JobFailure | undefined {
  return failures.toSorted((a, b) => (counts[b.cause] ?? 0) - (counts[a.cause] ?? 0))[0];
}

function evidenceOf(step: StepItem, failure: JobFailure): string[] {
  const counts = Object.entries(step.failed_jobs ?? {}).map(([cause, jobs]) => `${jobs} ${cause}`);
  const where = failure.container
    ? `, container ${failure.container}${failure.exit_code === undefined ? '' : ` exited with ${failure.exit_code}`}`
    : '';
  const memory = step.jobs.filter(({ generation }) => generation === failure.generation).map((job) => job.memory_mib);
  return [
    `job ${failure.job_id}, generation ${failure.generation}${where}`,
    ...(failure.reason ? [`${serviceTitle(step)}: ${failure.reason}`] : []),
    ...(memory.length > 0 ? [`memory: ${[...new Set(memory)].join(', ')} MiB`] : []),
    ...(counts.length > 0 ? [`failed so far: ${counts.join(', ')}`] : []),
    ...(failure.last_log_lines ?? []).slice(-5).map((line) => `log | ${line}`),
    ...(failure.log_stream ? [`log stream ${failure.log_stream}`] : []),
  ];
}

function ofOpen(item: LaunchItem, steps: readonly StepItem[], live: LiveFacts, now: number): Found {
  const { workflow } = live;
  if (!workflow || workflow.status !== 'RUNNING') {
    return {
      cause: 'WORKFLOW_GONE',
      summary: `the registry says ${item.status}, but the workflow ${workflow ? `is ${workflow.status}` : 'is not known to Temporal'}`,
      remedy: '"longhaul launch retry <id>"; jobs that still run are ended by the poller',
      evidence: [`workflow ${item.workflow_id}, run ${item.run_id}`],
    };
  }
  const unattended = Object.entries(live.pollers).filter(([, workers]) => workers === 0);
  if (unattended.length > 0) {
    return {
      cause: 'NO_WORKER',
      summary: 'no worker asks for the work of this launch; it goes on as soon as one does',
      remedy: 'start the workers ("longhaul up" on the embedded platform), and see why they ended in their log',
      evidence: unattended.map(([queue]) => `task queue ${queue}: no poller`),
    };
  }
  if (workflow.taskFailures > 1) {
    return {
      cause: 'WORKFLOW_TASK_FAILING',
      summary: `the workflow's own code has failed ${workflow.taskFailures} times in a row`,
      remedy: 'deploy the build this launch was started with, or one that is compatible; its jobs go on meanwhile',
      evidence: [
        ...(workflow.taskFailure ? [workflow.taskFailure] : []),
        `history of ${workflow.historyLength} events: temporal workflow show --workflow-id ${item.workflow_id}`,
      ],
    };
  }
  const [stuckStep] = steps.filter((step) => live.stuck[step.step] !== undefined || step.stuck !== undefined);
  if (stuckStep) {
    const reason = live.stuck[stuckStep.step] ?? stuckStep.stuck ?? '';
    return {
      cause: 'STUCK',
      summary: `step ${stuckStep.step} cannot be placed on any host`,
      remedy: stuckReason(reason)?.remedy ?? CAUSES.STUCK.remedy,
      evidence: [
        `${serviceTitle(stuckStep)}: ${reason}`,
        `asks for ${stuckStep.vcpus} vCPUs and ${stuckStep.memory_mib} MiB beside stage and publish`,
        `waits since ${stuckStep.submitted_at}, job ${stuckStep.job_id ?? ''}, queue ${stuckStep.job_queue ?? ''}`,
        ...live.queueProblems,
        ...asking([stuckStep]),
      ],
    };
  }
  const [retrying] = live.pending;
  if (retrying) {
    return {
      cause: 'RETRYING',
      summary: `${retrying.type} does not get through and is tried again: attempt ${retrying.attempt}`,
      remedy: 'it goes on by itself when the service it needs answers; if it never does, mend what the failure names',
      evidence: live.pending.map(({ type, attempt, failure }) => `${type}, attempt ${attempt}: ${failure}`),
    };
  }
  if (item.status === 'WAITING' && item.waiting_for === 'budget') return ofBudget(item);
  if (item.status === 'WAITING') return ofRestore(item, live.restore);
  return ofWaiting(steps, live, now);
}

function ofBudget({ statuses, consumer = 'its consumer' }: LaunchItem): Found {
  return {
    cause: 'WAITING_FOR_BUDGET',
    summary: `the budget of ${consumer} for this month is used up; it goes on by itself next month, or when it is raised`,
    remedy:
      '"longhaul approve launch/<id>", or the same with --refuse; budgets stand in the file of the setting costRates',
    evidence: [
      `waits since ${statuses.WAITING ?? ''}`,
      `to ask: longhaul cost report --by month --consumer ${consumer}`,
    ],
  };
}

/** Of a launch that waits for its archived inputs, or for somebody to pay for them. */
function ofRestore({ waiting_for: waitingFor, statuses }: LaunchItem, restore: RestoreItem | undefined): Found {
  const { counts, plan } = restore ?? {};
  const evidence = [
    `waits since ${statuses.WAITING ?? ''}`,
    ...(counts ? [`${counts.readable} of ${counts.total} objects can be read, ${counts.failed} have failed`] : []),
    ...(plan ? [`${formatTiers(plan)}: ${formatUsd(plan.usd)}, up to ${formatDuration(plan.seconds)}`] : []),
    'to ask: longhaul restore show <id>',
  ];
  if (waitingFor === 'approval')
    return {
      cause: 'WAITING_FOR_APPROVAL',
      summary: 'its archived inputs would cost more to restore than the sheet allows',
      remedy: '"longhaul approve launch/<id>", or the same with --refuse',
      evidence,
    };
  return {
    cause: 'WAITING_FOR_RESTORE',
    summary: 'its archived inputs are being restored; it goes on by itself',
    remedy: '',
    evidence,
  };
}

function ofWaiting(steps: readonly StepItem[], live: LiveFacts, now: number): Found {
  const waiting = steps.filter(({ state }) => state === 'RUNNABLE' || state === 'SUBMITTED');
  const [longest] = waiting.toSorted((a, b) => a.submitted_at.localeCompare(b.submitted_at));
  if (live.queueProblems.length > 0 && longest) {
    return {
      cause: 'QUEUE',
      summary: `step ${longest.step} waits in a queue that cannot run jobs`,
      remedy: 'enable and correct the queue and its compute environments',
      evidence: [...live.queueProblems],
    };
  }
  const waited = longest ? now - Date.parse(longest.submitted_at) : 0;
  if (longest && waited > LONG_MS && !steps.some(({ state }) => state === 'RUNNING')) {
    return {
      cause: 'WAITING_FOR_CAPACITY',
      summary: `step ${longest.step} has waited ${Math.round(waited / 60_000)} minutes for a host; ${serviceTitle(longest)} gives no reason`,
      remedy: runsOnBatch(longest)
        ? 'look whether other jobs are ahead of it in the queue, and whether the compute environment starts instances; raise maxvCpus where it is used up'
        : 'look by the commands below whether other jobs are ahead of it, and whether there are hosts that are large enough',
      evidence: [
        `job ${longest.job_id ?? ''}, queue ${longest.job_queue ?? ''}, submitted at ${longest.submitted_at}`,
        ...asking([longest]),
      ],
    };
  }
  const busy = steps.filter(({ state }) => state === 'RUNNING');
  // What AWS Batch would say of those that wait has been asked; of other services the registry knows it.
  const others = steps.filter((step) => step.open_in !== undefined && !runsOnBatch(step));
  return {
    cause: 'HEALTHY',
    summary: busy.length > 0 ? 'nothing is stuck: jobs are running' : 'nothing is stuck',
    remedy: '',
    evidence: [
      ...busy.map(({ step, items, started_at: at, submitted_at: from }) => {
        const done = `${items.succeeded} of ${items.total} items done, ${items.running} running`;
        return `step ${step}: ${done}, ${at ? `started at ${at}` : `submitted at ${from}`}`;
      }),
      ...others
        .filter((step) => !busy.includes(step))
        .map(({ step, state, submitted_at: from }) => `step ${step}: ${state}, submitted at ${from}`),
      ...asking(others),
    ],
  };
}

/** Steps that are asked about: a few speak for all. */
const STEPS_ASKED = 3;

/** What a person can ask a service that Longhaul itself does not. */
const asking = (steps: readonly StepItem[]): string[] =>
  steps.slice(0, STEPS_ASKED).flatMap((step) => commandsAbout(step).map((command) => `to ask: ${command}`));
