/**
 * What a launch knows of itself while it runs. A plain class without waiting in it: the workflow wires it to signals,
 * activities and queries.
 *
 * @module
 */
import {
  canMove,
  type ItemCounts,
  JOB_STATUSES,
  type JobChange,
  type JobStatus,
  type LaunchError,
  type LaunchProgress,
  type LaunchStatus,
  type StepProgress,
  type StepState,
} from './model.ts';

/** What the workflow needs to know of a planned step; everything else stays in S3. */
export interface StepOutline {
  name: string;
  after: readonly string[];
  items: number;
}

export interface SubmittedJob {
  jobId: string;
  generation: number;
}

interface StepRecord {
  outline: StepOutline;
  state: StepState;
  counts: Omit<ItemCounts, 'total'>;
  generation: number;
  /** The furthest news of the current generation. */
  attempts: number;
  rank: number;
  jobEnded: boolean;
  jobId?: string;
  submittedAt?: number;
  startedAt?: number;
  endedAt?: number;
  cause?: string;
}

const TERMINAL: readonly JobStatus[] = ['SUCCEEDED', 'FAILED'];

export class LaunchState {
  readonly launchId: string;
  /** Known once the launch is registered; raised by a retry. */
  attempt = 1;
  status: LaunchStatus | undefined;
  error: LaunchError | undefined;
  /** Rises with each status, so that a late or doubled write of an earlier one is refused. */
  sequence = 0;
  readonly #statuses: Partial<Record<LaunchStatus, number>> = {};
  readonly #steps = new Map<string, StepRecord>();

  constructor(launchId: string) {
    this.launchId = launchId;
  }

  /** @throws Error on a transition the design's table does not have: that is a bug, not bad input */
  move(to: LaunchStatus, now: number): void {
    if (!canMove(this.status, to)) throw new Error(`a launch cannot go from ${this.status} to ${to}`);
    this.status = to;
    this.sequence += 1;
    this.#statuses[to] = now;
  }

  plan(outlines: readonly StepOutline[]): void {
    for (const outline of outlines) {
      this.#steps.set(outline.name, {
        outline,
        state: 'PENDING',
        counts: { running: 0, succeeded: 0, failed: 0 },
        generation: 0,
        attempts: -1,
        rank: -1,
        jobEnded: false,
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
    step.attempts = -1;
    step.rank = -1;
    step.jobEnded = false;
    return step.generation;
  }

  submitted(name: string, job: SubmittedJob, now: number): void {
    const step = this.#step(name);
    step.jobId = job.jobId;
    step.submittedAt ??= now;
    // An event may have come before SubmitJob's answer.
    if (step.state === 'PENDING') step.state = 'SUBMITTED';
  }

  /**
   * Takes in news of a job. Order is by (Batch attempt, rank of the status), so that what comes late, twice or
   * backwards changes nothing; RUNNING -> RUNNABLE is progress when Batch has begun another attempt.
   * @returns whether anything changed
   */
  observe(change: JobChange, now: number): boolean {
    const step = this.#steps.get(change.step);
    // A step that has not begun is at generation 0, which no job has.
    if (!step || step.generation === 0 || step.generation !== change.generation) return false;
    if (isFinal(step.state)) return false;
    if (step.jobId !== undefined && change.jobId !== step.jobId) return false;
    const counted = change.counts !== undefined && this.#count(step, change.counts);
    const rank = JOB_STATUSES.indexOf(change.status);
    const newer = change.attempts > step.attempts || (change.attempts === step.attempts && rank > step.rank);
    // The end of a job is the end, whatever number of attempts the messenger knew of.
    const ended = TERMINAL.includes(change.status);
    if (step.jobEnded || !(newer || ended)) return counted;
    step.attempts = change.attempts;
    step.rank = rank;
    step.jobEnded = ended;
    step.submittedAt ??= now;
    if (!ended) step.state = stateOf(change.status);
    if (change.status === 'RUNNING' || ended) step.startedAt ??= now;
    return true;
  }

  /** Whether the job of this step has been reported ended; only its commits say how. */
  jobEnded(name: string): boolean {
    return this.#step(name).jobEnded;
  }

  /** The report of the end was wrong or too early: wait for the next one. */
  reopen(name: string): void {
    const step = this.#step(name);
    step.jobEnded = false;
    step.rank = -1;
    step.attempts = -1;
  }

  end(
    name: string,
    state: Extract<StepState, 'SUCCEEDED' | 'FAILED' | 'CANCELLED'>,
    now: number,
    detail: { succeeded: number; failed: number; cause?: string },
  ): void {
    const step = this.#step(name);
    step.state = state;
    step.endedAt = now;
    step.counts = { running: 0, succeeded: detail.succeeded, failed: detail.failed };
    if (detail.cause !== undefined) step.cause = detail.cause;
  }

  /** Jobs that may still be running. */
  openJobs(): { step: string; jobId: string }[] {
    return [...this.#steps.values()].flatMap((step) =>
      step.jobId !== undefined && !isFinal(step.state) ? [{ step: step.outline.name, jobId: step.jobId }] : [],
    );
  }

  /** Ends what has not ended; steps that never started count too. */
  cancelOpenSteps(now: number): void {
    for (const step of this.#steps.values()) {
      if (!isFinal(step.state)) this.end(step.outline.name, 'CANCELLED', now, { ...step.counts });
    }
  }

  progress(): LaunchProgress {
    return {
      launchId: this.launchId,
      status: this.status ?? 'PREPARING',
      attempt: this.attempt,
      statuses: { ...this.#statuses },
      steps: [...this.#steps.values()].map(toProgress),
      ...(this.error && { error: this.error }),
    };
  }

  #count(step: StepRecord, counts: Omit<ItemCounts, 'total'>): boolean {
    // Ended items only become more; an older picture has fewer of them.
    const known = step.counts.succeeded + step.counts.failed;
    const told = counts.succeeded + counts.failed;
    if (told < known || (told === known && counts.running === step.counts.running)) return false;
    step.counts = { ...counts };
    return true;
  }

  #step(name: string): StepRecord {
    const step = this.#steps.get(name);
    if (!step) throw new Error(`the plan has no step ${name}`);
    return step;
  }
}

const isFinal = (state: StepState): boolean => state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELLED';

function stateOf(status: JobStatus): StepState {
  if (status === 'RUNNING') return 'RUNNING';
  return status === 'RUNNABLE' || status === 'STARTING' ? 'RUNNABLE' : 'SUBMITTED';
}

function toProgress(step: StepRecord): StepProgress {
  const { jobId, submittedAt, startedAt, endedAt, cause } = step;
  return {
    name: step.outline.name,
    after: step.outline.after,
    // The parent of an array stays PENDING at Batch while its children run.
    state: step.counts.running > 0 && !isFinal(step.state) ? 'RUNNING' : step.state,
    items: { total: step.outline.items, ...step.counts },
    ...(jobId !== undefined && { jobId }),
    ...(submittedAt !== undefined && { submittedAt }),
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(cause !== undefined && { cause }),
  };
}
