/**
 * The contract of progress: what a source says, what the log of a run keeps, and the picture of a run that both add up to.
 * Depends on nothing, so that workflows, activities, the gateway, the console and any client can import it.
 *
 * A run has one log, named by its workflow id. A source (the workflow, or an activity) numbers its own reports; the log
 * gives each report it takes the run's next sequence. So what arrives twice vanishes, and what an older attempt of the same
 * source still says is refused.
 *
 * @module
 */

export const ACTIVITY_TASK_QUEUE = 'longhaul-progress';

/** By which way a workflow's reports reach the log: docs/progress.md says which when. */
export const ROUTES = ['direct', 'activity', 'bus'] as const;

/**
 * What an event is worth to a watcher that cannot keep up: `progress` may be merged into what comes after it, all others
 * are delivered one by one, always. `data` is what a run makes for its watchers, such as text.
 */
export const EVENT_KINDS = ['progress', 'status', 'cost', 'error', 'data', 'end'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export const isMergeable = (kind: EventKind): boolean => kind === 'progress';

export const STEP_STATES = ['PENDING', 'SUBMITTED', 'RUNNABLE', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const;
export type StepState = (typeof STEP_STATES)[number];

export interface ItemCounts {
  total: number;
  running: number;
  succeeded: number;
  failed: number;
  cached?: number;
}

/** A step as it stands now. A report of a step has all that is known of it: the newest replaces what was said before. */
export interface StepView {
  name: string;
  state: StepState;
  /** Steps that have to be done first. */
  after?: readonly string[];
  /** Share of the run's percent, in relation to the others; 1 when absent. */
  weight?: number;
  /** 0 to 100. */
  percent?: number;
  message?: string;
  items?: ItemCounts;
  /** Of the step, from 1: how often it has been begun. */
  attempt?: number;
  /** Epoch ms. */
  submittedAt?: number;
  startedAt?: number;
  endedAt?: number;
  jobId?: string;
  /** Why it failed, in one line. */
  cause?: string;
  /** What keeps it waiting, what to do about it, and since when (epoch ms). */
  stuck?: { reason: string; remedy: string; since: number };
  /** Of a head job: its own tasks. */
  tasks?: readonly { name: string; total: number; running: number; succeeded: number; failed: number }[];
}

export interface RunError {
  type: string;
  message: string;
}

/** What a run has cost so far, of all attempts. Decimal number. */
export interface RunCost {
  total: string;
  currency: string;
  status?: 'PENDING' | 'FINAL';
}

/** What changes by an event; what is absent stays as it was, `null` takes away. */
export interface Change {
  /** The run is at a new attempt: steps, error and percent of the one before are done with. */
  begins?: { attempt: number };
  /** In the domain's own words, such as RUNNING. */
  status?: string;
  waitingFor?: string | null;
  /** 0 to 100; reckoned from the weights of the steps where absent. */
  percent?: number;
  /** What is being done, in a few words. */
  message?: string | null;
  steps?: readonly StepView[];
  /** Anything countable, by name: objects, bytes, restored. */
  counts?: Readonly<Record<string, number>>;
  /** Epoch ms: when it should be done. */
  etaAt?: number | null;
  error?: RunError | null;
  cost?: RunCost;
  /** What the run makes for its watchers; as it is. */
  data?: unknown;
}

/** Who says it. */
export interface Source {
  /** `workflow`, or the activity and what it works on: `mapReads/sample-7`. */
  name: string;
  /** Of that source: a newer one supersedes an older one. */
  attempt: number;
}

/** What a source says. */
export interface Report extends Change {
  kind: EventKind;
  source: Source;
  /** Rises with every report of a source, also over restarts: {@link nextLocalSeq}. */
  localSeq: number;
  /** Epoch ms. */
  at: number;
}

/** Numbers reports by the clock, so that a run that continues as new, or is reset, goes on where it was. */
export const nextLocalSeq = (last: number, now: number): number => Math.max(last + 1, now);

/** A report in the log. */
export interface ProgressEvent extends Change {
  /** Of the run, from 1 without gaps. */
  seq: number;
  kind: EventKind;
  source: Source;
  at: number;
  /** For a watcher that was too slow: so many events, up to `seq`, are told as this one. */
  merged?: number;
}

/** What is fixed when a log begins. */
export interface RunFacts {
  /** `launch`, `restore`, `order`, … */
  domain: string;
  /** Whom it belongs to: who may see it. */
  consumer?: string;
  /** User id of an anonymous user's own run. */
  owner?: string;
  /** Workflow id of what started it. */
  parent?: string;
}

/** The picture of a run: all events up to `seq` folded. */
export interface Snapshot extends RunFacts {
  /** The workflow id. */
  run: string;
  /** Names this log: another one means that it was removed and begun anew, and sequences mean something else. */
  epoch: string;
  seq: number;
  attempt: number;
  status?: string;
  waitingFor?: string;
  /** The last {@link LIMITS}.statuses. */
  statuses: readonly { status: string; at: number; attempt: number; waitingFor?: string }[];
  percent?: number;
  message?: string;
  /** In the order they were first told of. */
  steps: readonly StepView[];
  counts?: Readonly<Record<string, number>>;
  etaAt?: number;
  error?: RunError;
  cost?: RunCost;
  /** Epoch ms. */
  startedAt: number;
  changedAt: number;
  /** Of the present attempt. */
  endedAt?: number;
}

/** A place in a log. */
export interface Position {
  epoch: string;
  /** The last event seen; 0: none. */
  seq: number;
}

export const LIMITS = {
  /** Events a log keeps: older ones are dropped as newer ones come. */
  events: 20_000,
  statuses: 200,
  /** Steps a run may tell of. */
  steps: 10_000,
  /** Steps told of in one report; more are split. */
  stepsInReport: 40,
  /** Characters, cut with an ellipsis. */
  message: 1_000,
  /** Bytes of JSON a report may have. */
  reportBytes: 65_536,
} as const;
