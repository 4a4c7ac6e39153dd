/**
 * What a launch knows of itself while it runs. A plain class without waiting in it: the workflow wires it to signals,
 * activities and queries.
 *
 * @module
 */
import { stuckReason } from './causes.ts';
import {
  type BudgetSummary,
  canMove,
  type ItemCounts,
  type JobChange,
  type JobStatus,
  type LaunchError,
  type LaunchProgress,
  type LaunchStatus,
  type RestoreSummary,
  type StepProgress,
  type StepState,
  type TaskCounts,
  type TasksReport,
  type WaitingFor,
} from './model.ts';
import { StepJobs, type SubmittedJob } from './step-jobs.ts';

/** What the workflow needs to know of a planned step; everything else stays in S3. */
export interface StepOutline {
  name: string;
  after: readonly string[];
  items: number;
  /** How long a job of it that cannot be placed may wait. */
  failWhenStuckSeconds?: number;
  /** A head job: its log is followed. */
  head?: boolean;
}

interface StepRecord {
  outline: StepOutline;
  state: StepState;
  /** Items done before the current generation. */
  settled: { succeeded: number; cached: number };
  generation: number;
  jobs: StepJobs;
  /** Final counts, once it has ended. */
  counts?: Omit<ItemCounts, 'total'>;
  submittedAt?: number;
  startedAt?: number;
  endedAt?: number;
  cause?: string;
  stuck?: NonNullable<StepProgress['stuck']>;
  tasks?: readonly TaskCounts[];
}

export class LaunchState {
  readonly launchId: string;
  /** Known once the launch is registered; raised by a retry. */
  attempt = 1;
  status: LaunchStatus | undefined;
  error: LaunchError | undefined;
  waitingFor: WaitingFor | undefined;
  /** Of archived inputs, since the launch has waited for them. */
  restore: RestoreSummary | undefined;
  budget: BudgetSummary | undefined;
  /** Rises with each status, so that a late or doubled write of an earlier one is refused. */
  sequence = 0;
  /** Generations begun, of all steps. */
  submissions = 0;
  readonly #statuses: Partial<Record<LaunchStatus, number>> = {};
  readonly #steps = new Map<string, StepRecord>();

  constructor(launchId: string) {
    this.launchId = launchId;
  }

  /** @throws Error on a transition the design's table does not have: that is a bug, not bad input */
  move(to: LaunchStatus, now: number): void {
    if (!canMove(this.status, to)) throw new Error(`a launch cannot go from ${this.status} to ${to}`);
    this.status = to;
    this.waitingFor = undefined;
    this.sequence += 1;
    this.#statuses[to] = now;
  }

  /**
   * Waits, or waits for something else now.
   * @returns since when it has been WAITING
   */
  wait(waitingFor: WaitingFor, now: number): number {
    if (this.status === 'WAITING') this.sequence += 1;
    else this.move('WAITING', now);
    this.waitingFor = waitingFor;
    return this.#statuses.WAITING ?? now;
  }

  plan(outlines: readonly StepOutline[]): void {
    for (const outline of outlines) {
      this.#steps.set(outline.name, {
        outline,
        state: 'PENDING',
        settled: { succeeded: 0, cached: 0 },
        generation: 0,
        jobs: new StepJobs(),
      });
    }
  }

  /** Steps that may start now. */
  free(): string[] {
    const done = (name: string) => this.#steps.get(name)?.state === 'SUCCEEDED';
    return [...this.#steps.values()]
      .filter((step) => step.state === 'PENDING' && step.generation === 0 && step.outline.after.every(done))
      .map((step) => step.outline.name);
  }

  /** A step is about to be submitted: from now on news of this generation counts. */
  begin(name: string): number {
    const step = this.#step(name);
    step.generation += 1;
    this.submissions += 1;
    step.jobs = new StepJobs();
    delete step.stuck;
    return step.generation;
  }

  /** @param done items that need no job: committed before, or cached */
  submitted(
    name: string,
    jobs: readonly SubmittedJob[],
    now: number,
    done: { succeeded: number; cached: number } = { succeeded: 0, cached: 0 },
  ): void {
    const step = this.#step(name);
    step.settled = done;
    step.jobs.submitted(jobs);
    step.submittedAt ??= now;
    // An event may have come before SubmitJob's answer.
    if (step.state === 'PENDING') step.state = 'SUBMITTED';
  }

  /**
   * Takes in news of a job; what is of another attempt, generation or job, late or told before changes nothing.
   * @returns whether anything changed
   */
  observe(change: JobChange, now: number): boolean {
    const step = this.#steps.get(change.step);
    // A step that has not begun is at generation 0, which no job has.
    if (!step || step.generation === 0 || step.generation !== change.generation) return false;
    if (change.attempt !== this.attempt || isFinal(step.state)) return false;
    const news = step.jobs.observe(change);
    const stuck = setStuck(step, change, now);
    // The parent of an array says nothing when its first children run.
    if (step.jobs.counts().running > 0) step.startedAt ??= now;
    if (news !== 'status') return news !== undefined || stuck;
    step.submittedAt ??= now;
    const ended = change.status === 'SUCCEEDED' || change.status === 'FAILED';
    const status = step.jobs.status();
    if (!ended && status) step.state = stateOf(status);
    if (change.status === 'RUNNING' || ended) step.startedAt ??= now;
    return true;
  }

  /** Takes in what a head's log says; a report of another generation, or after the end, changes nothing. */
  report({ attempt, step: name, generation, tasks }: TasksReport): boolean {
    const step = this.#steps.get(name);
    if (!step || attempt !== this.attempt || generation !== step.generation || isFinal(step.state)) return false;
    step.tasks = tasks;
    return true;
  }

  /** Whether all jobs of this step have been reported ended; only its commits say how. */
  jobsEnded(name: string): boolean {
    return this.#step(name).jobs.ended();
  }

  /** Since when AWS Batch has been saying that it cannot place a job of this step. */
  stuckSince(name: string): number | undefined {
    return this.#step(name).stuck?.since;
  }

  /** The report of the end was wrong or too early: wait for the next one. */
  reopen(name: string): void {
    this.#step(name).jobs.reopen();
  }

  end(
    name: string,
    state: Extract<StepState, 'SUCCEEDED' | 'FAILED' | 'CANCELLED'>,
    now: number,
    detail: { succeeded: number; failed: number; cause?: string; tasks?: readonly TaskCounts[] },
  ): void {
    const step = this.#step(name);
    const { cached } = step.settled;
    step.state = state;
    step.endedAt = now;
    step.counts = { running: 0, succeeded: detail.succeeded, failed: detail.failed, ...(cached > 0 && { cached }) };
    delete step.stuck;
    if (detail.cause !== undefined) step.cause = detail.cause;
    if (detail.tasks) step.tasks = detail.tasks;
  }

  /** Jobs that may still be running. */
  openJobs(only?: string): { step: string; jobId: string }[] {
    return [...this.#steps.values()]
      .filter((step) => !isFinal(step.state) && (only === undefined || step.outline.name === only))
      .flatMap((step) => step.jobs.ids().map((jobId) => ({ step: step.outline.name, jobId })));
  }

  /** Ends what has not ended; steps that never started count too. */
  cancelOpenSteps(now: number): void {
    for (const step of this.#steps.values()) {
      if (!isFinal(step.state)) this.end(step.outline.name, 'CANCELLED', now, countsOf(step));
    }
  }

  progress(): LaunchProgress {
    return {
      launchId: this.launchId,
      status: this.status ?? 'PREPARING',
      ...(this.waitingFor && { waitingFor: this.waitingFor }),
      ...(this.restore && { restore: { ...this.restore } }),
      ...(this.budget && { budget: { ...this.budget } }),
      attempt: this.attempt,
      statuses: { ...this.#statuses },
      steps: [...this.#steps.values()].map(toProgress),
      ...(this.error && { error: this.error }),
    };
  }

  #step(name: string): StepRecord {
    const step = this.#steps.get(name);
    if (!step) throw new Error(`the plan has no step ${name}`);
    return step;
  }
}

const isFinal = (state: StepState): boolean => state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELLED';

/** A step is stuck while AWS Batch says so of one of its jobs and none of them runs. */
function setStuck(step: StepRecord, change: JobChange, now: number): boolean {
  const known = change.stuck === undefined ? undefined : stuckReason(change.stuck);
  if (known && change.stuck !== undefined && step.jobs.counts().running === 0) {
    if (step.stuck?.reason === change.stuck) return false;
    step.stuck = { reason: change.stuck, remedy: known.remedy, since: step.stuck?.since ?? now };
    return true;
  }
  const moved = change.status !== 'RUNNABLE' && change.status !== 'PENDING' && change.status !== 'SUBMITTED';
  if (!step.stuck || !(moved || step.jobs.counts().running > 0)) return false;
  delete step.stuck;
  return true;
}

function stateOf(status: JobStatus): StepState {
  if (status === 'RUNNING') return 'RUNNING';
  return status === 'RUNNABLE' || status === 'STARTING' ? 'RUNNABLE' : 'SUBMITTED';
}

function countsOf(step: StepRecord): Omit<ItemCounts, 'total'> {
  if (step.counts) return step.counts;
  const { running, succeeded, failed } = step.jobs.counts();
  const { cached } = step.settled;
  return { running, succeeded: succeeded + step.settled.succeeded, failed, ...(cached > 0 && { cached }) };
}

function toProgress(step: StepRecord): StepProgress {
  const { submittedAt, startedAt, endedAt, cause, stuck, generation, tasks } = step;
  const counts = countsOf(step);
  const [jobId] = step.jobs.ids();
  return {
    name: step.outline.name,
    after: step.outline.after,
    // The parent of an array stays PENDING at Batch while its children run.
    state: counts.running > 0 && !isFinal(step.state) ? 'RUNNING' : step.state,
    items: { total: step.outline.items, ...counts },
    ...(generation > 0 && { generation }),
    ...(jobId !== undefined && { jobId }),
    ...(submittedAt !== undefined && { submittedAt }),
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(cause !== undefined && { cause }),
    ...(stuck && { stuck }),
    ...(tasks && { tasks }),
  };
}
