/**
 * The contract of the launch domain: names, ids, statuses, messages, inputs and outputs. Depends on nothing, so that
 * workflows, activities and clients can all import it.
 *
 * @module
 */

export const WORKFLOW_TYPE = 'launch';
export const ACTIVITY_TASK_QUEUE = 'longhaul-launch';

/** `launch/<launchId>`: the id makes a second start of the same launch the same workflow. */
export const workflowIdOf = (launchId: string): string => `launch/${launchId}`;

/** Opaque and safe in ids, keys and job names. */
export const LAUNCH_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** Not a status of a launch: set by a person in the table, it asks for a retry. */
export const RETRY_REQUEST = 'RETRY';

export const LAUNCH_STATUSES = ['PREPARING', 'WAITING', 'READY', 'RUNNING', 'COMPLETE', 'FAILED', 'CANCELLED'] as const;
export type LaunchStatus = (typeof LAUNCH_STATUSES)[number];

export type WaitingFor = 'restore' | 'approval' | 'budget';

/** Which status may follow which; `undefined` is the launch that does not exist yet. */
export const TRANSITIONS: Readonly<Record<LaunchStatus | 'undefined', readonly LaunchStatus[]>> = {
  undefined: ['PREPARING'],
  PREPARING: ['WAITING', 'READY', 'FAILED', 'CANCELLED'],
  WAITING: ['READY', 'FAILED', 'CANCELLED'],
  READY: ['RUNNING', 'FAILED', 'CANCELLED'],
  RUNNING: ['COMPLETE', 'FAILED', 'CANCELLED'],
  COMPLETE: [],
  FAILED: ['PREPARING'],
  CANCELLED: ['PREPARING'],
};

export const canMove = (from: LaunchStatus | undefined, to: LaunchStatus): boolean =>
  TRANSITIONS[from ?? 'undefined'].includes(to);

/** Nothing more happens to a launch in one of these, unless it is retried. */
export const isEnded = (status: LaunchStatus): boolean =>
  status === 'COMPLETE' || status === 'FAILED' || status === 'CANCELLED';

export const COMPUTE_SERVICES = ['batch', 'slurm', 'ec2', 'eks'] as const;
export type ComputeService = (typeof COMPUTE_SERVICES)[number];

/** Of these Longhaul runs every step itself; all others are head jobs: one job runs another workflow engine, or a tool. */
export const WORKFLOW_TYPES = ['steps', 'snakemake', 'nextflow', 'cwl', 'wdl', 'command'] as const;
export type SheetWorkflowType = (typeof WORKFLOW_TYPES)[number];
export type HeadType = Exclude<SheetWorkflowType, 'steps'>;

/**
 * Types of the `ApplicationFailure`s of this domain. All are non-retryable: a retry cannot mend them. What each
 * means and what the user does about it stands in docs/errors.md; a test keeps the two equal.
 */
export const ERROR_TYPES = [
  'MissingRequiredParametersError',
  'InvalidSheetError',
  'LaunchConflictError',
  'StepFailedError',
  'OutputsMissingError',
  'JobRejectedError',
  'JobStuckError',
  'PreflightFailedError',
  'RetryRefusedError',
  'LaunchTerminatedError',
  'BudgetRefusedError',
] as const;
export type LaunchErrorType = (typeof ERROR_TYPES)[number];

/** The seed's three parameters, and the object version where the caller knows it. */
export interface LaunchInput {
  launchId: string;
  /** `s3://bucket/object` of the sheet. */
  configurationFile: string;
  computeService?: string;
  /** S3 version id; without it the newest version is read once and then kept. */
  configurationFileVersion?: string;
  /** The attempt this run is to be: a retry of a launch that ended. Only what did not finish runs again. */
  retry?: { attempt: number };
  /** Run everything, whatever the cache holds. */
  noCache?: boolean;
  /** Instead of the sheet's `dataPath`: edited in the registry before a retry. */
  dataPath?: string;
}

export interface LaunchResult {
  launchId: string;
  status: LaunchStatus;
  /** `existing`: this id had already been launched with the same sheet, so nothing was done. */
  outcome: 'ran' | 'existing';
  attempt: number;
}

/** States of a step, in the order they come. */
export const STEP_STATES = ['PENDING', 'SUBMITTED', 'RUNNABLE', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const;
export type StepState = (typeof STEP_STATES)[number];

/** How many of a step's items are where. Sums to at most `total`. */
export interface ItemCounts {
  total: number;
  running: number;
  succeeded: number;
  failed: number;
  /** Of `succeeded`: done before this attempt, or by another launch (the cache). Absent: none. */
  cached?: number;
}

/** What is running of one job, or of all shards of a step. */
export type RunningCounts = Pick<ItemCounts, 'running' | 'succeeded' | 'failed'>;

/** What a head job says of the tasks of one rule, process or step of its own. */
export interface TaskCounts {
  name: string;
  /** 0 where the engine does not say how many there will be. */
  total: number;
  running: number;
  succeeded: number;
  failed: number;
}

export interface StepProgress {
  name: string;
  after: readonly string[];
  state: StepState;
  items: ItemCounts;
  jobId?: string;
  /** Milliseconds since the epoch. */
  submittedAt?: number;
  startedAt?: number;
  endedAt?: number;
  /** Which submission, from 1; more than 1: items that failed are tried again. */
  generation?: number;
  /** Why it failed, in one line. */
  cause?: string;
  /** What keeps it waiting, as AWS Batch says it, and since when. */
  stuck?: { reason: string; remedy: string; since: number };
  /** Of a head job: what its log says of its own tasks. */
  tasks?: readonly TaskCounts[];
}

/** Of archived inputs; `restore/<launchId>` knows more. */
export interface RestoreSummary {
  objects: number;
  readable: number;
  /** Bytes. */
  bytes: number;
  /** Absent where no price is known. */
  usd?: number;
  /** Epoch ms: when the last object should be readable. */
  readyBy?: number;
  /** While it waits for an approval: the limit, USD. */
  limitUsd?: number;
}

/** Of its consumer, for the month (UTC) it was looked at in. */
export interface BudgetSummary {
  /** `2026-11` */
  month: string;
  /** Decimal numbers: what launches that have been priced cost, and what may be spent. */
  spent: string;
  limit: string;
  currency: string;
  /** From 80 % on. */
  warning: boolean;
  over: boolean;
}

export interface LaunchProgress {
  launchId: string;
  status: LaunchStatus;
  waitingFor?: WaitingFor;
  restore?: RestoreSummary;
  /** Absent where its consumer has none. */
  budget?: BudgetSummary;
  attempt: number;
  /** When each status was reached, milliseconds since the epoch. */
  statuses: Partial<Record<LaunchStatus, number>>;
  steps: readonly StepProgress[];
  error?: LaunchError;
}

export interface LaunchError {
  type: string;
  message: string;
}

export const PROGRESS_QUERY = 'progress';
export const JOBS_CHANGED_SIGNAL = 'jobsChanged';
export const TASKS_REPORTED_SIGNAL = 'tasksReported';

/** The states AWS Batch reports, in rank; RUNNING -> RUNNABLE is legal when Batch retries an attempt. */
export const JOB_STATUSES = ['SUBMITTED', 'PENDING', 'RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED', 'FAILED'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** What an event or the poller saw of one job. Says nothing that the job's commits do not have to confirm. */
export interface JobChange {
  /** Of the launch: a late event of an earlier attempt is ignored. */
  attempt: number;
  step: string;
  /** Which submission of the step: a late event of an earlier one is ignored. */
  generation: number;
  shard: number;
  jobId: string;
  status: JobStatus;
  /** Batch's own attempts so far, 0 before the first ended. */
  attempts: number;
  counts?: RunningCounts;
  /** Why AWS Batch cannot place the job, while it cannot. */
  stuck?: string;
}

/** Which files of a head job's working folder outlive it. Patterns relative to it. */
export interface StateRules {
  keep: readonly string[];
  leave: readonly string[];
  /** Looked at before all others: what tells finished files from unfinished ones. */
  markers: readonly string[];
  /** Copied first and as far as they have come: logs and databases that only grow, and speak of finished files only. */
  growing?: readonly string[];
}

/** What a head job's log says of its tasks, as a signal. */
export interface TasksReport {
  attempt: number;
  step: string;
  generation: number;
  tasks: TaskCounts[];
}

/** Search attributes; registered with the namespace at start. */
export const SEARCH_ATTRIBUTES = {
  LonghaulStatus: 'Keyword',
  LonghaulWorkflowType: 'Keyword',
  LonghaulComputeService: 'Keyword',
  LonghaulConsumer: 'Keyword',
} as const;

/**
 * The variables by which a job is recognised in events and tells its own code what to do. The submission key is
 * ours, so an event is understood even when it comes before SubmitJob has answered.
 */
export const JOB_ENVIRONMENT = {
  /** `<workflow id>|<attempt>|<step>|<generation>|<shard>` */
  submission: 'LONGHAUL_SUBMISSION',
  manifest: 'LONGHAUL_MANIFEST',
  rowBytes: 'LONGHAUL_ROW_BYTES',
  work: 'LONGHAUL_WORK',
  shared: 'LONGHAUL_SHARED',
  /** Of services other than AWS Batch, which has its own. */
  jobId: 'LONGHAUL_JOB_ID',
  jobAttempt: 'LONGHAUL_JOB_ATTEMPT',
  jobIndex: 'LONGHAUL_JOB_INDEX',
  jobName: 'LONGHAUL_JOB_NAME',
  /** Where jobs are one process: a file, or an address, that says which part ended how; what is main's alone. */
  ending: 'LONGHAUL_JOB_ENDING',
  mainEnvironment: 'LONGHAUL_MAIN_ENVIRONMENT',
  runtime: 'LONGHAUL_RUNTIME',
  image: 'LONGHAUL_IMAGE',
  memory: 'LONGHAUL_MEMORY_MIB',
  vcpus: 'LONGHAUL_VCPUS',
  timeout: 'LONGHAUL_TIMEOUT_SECONDS',
  logGroup: 'LONGHAUL_LOG_GROUP',
  /** Of Kubernetes: how often the item has failed before; `publish` runs exactly when main has succeeded. */
  jobFailures: 'LONGHAUL_JOB_FAILURES',
  ordered: 'LONGHAUL_ORDERED',
  /** Of a host that was started for a job: where the job is described, which of its hosts this is, items at a time. */
  hostJob: 'LONGHAUL_HOST_JOB',
  host: 'LONGHAUL_HOST',
  hostSlots: 'LONGHAUL_HOST_SLOTS',
  hostScratch: 'LONGHAUL_HOST_SCRATCH',
} as const;

export interface Submission {
  workflowId: string;
  attempt: number;
  step: string;
  generation: number;
  shard: number;
}

export const formatSubmission = ({ workflowId, attempt, step, generation, shard }: Submission): string =>
  [workflowId, attempt, step, generation, shard].join('|');

/** @returns undefined for a job that is not ours */
export function parseSubmission(text: string): Submission | undefined {
  const [workflowId, attempt = '', step, generation = '', shard = '', rest] = text.split('|');
  if (!workflowId || !step || rest !== undefined) return undefined;
  if (![attempt, generation, shard].every((number) => /^\d{1,9}$/.test(number))) return undefined;
  return { workflowId, attempt: Number(attempt), step, generation: Number(generation), shard: Number(shard) };
}

/**
 * Bounds of one launch; `submissions`: of all steps and generations together. The history bound stands with the workflow and is measured in
 * test/workflow/launch-history.test.ts; AWS Batch takes arrays of 2 to 10,000 children, a wider step becomes several.
 */
export const LIMITS = {
  steps: 1_000,
  items: 100_000,
  arraySize: 10_000,
  submissions: 1_200,
  sheetBytes: 1_048_576,
} as const;

/** Raised when the meaning of a manifest, a commit or a key changes: nothing older is then taken for done. */
export const CONTRACT_VERSION = 2;
