/**
 * What is known of the jobs of one step's current generation: news of each shard in its own order, and their sum.
 *
 * @module
 */
import { JOB_STATUSES, type JobChange, type JobStatus, type RunningCounts } from './model.ts';

export interface SubmittedJob {
  shard: number;
  jobId: string;
  /** Number of items. */
  items: number;
}

interface Shard {
  jobId?: string;
  items: number;
  /** The furthest news: (Batch attempt, rank of the status). */
  attempts: number;
  rank: number;
  ended: boolean;
  counts: RunningCounts;
}

const TERMINAL: readonly JobStatus[] = ['SUCCEEDED', 'FAILED'];

export class StepJobs {
  readonly #shards = new Map<number, Shard>();
  #submitted = false;

  /** The answer of the submission; events may have come before it. */
  submitted(jobs: readonly SubmittedJob[]): void {
    this.#submitted = true;
    // News may have come of a shard that this submission does not have; nobody would ever hear of its end.
    for (const shard of this.#shards.keys()) if (!jobs.some((job) => job.shard === shard)) this.#shards.delete(shard);
    for (const { shard, jobId, items } of jobs) Object.assign(this.#shard(shard), { jobId, items });
  }

  /**
   * Takes in news of a job. Order is by (Batch attempt, rank of the status), so that what comes late, twice or
   * backwards changes nothing; RUNNING -> RUNNABLE is progress when Batch has begun another attempt.
   * @returns what was news: the status, only the counts, or nothing
   */
  observe(change: JobChange): 'status' | 'counts' | undefined {
    if (this.#submitted && !this.#shards.has(change.shard)) return undefined;
    const shard = this.#shard(change.shard);
    if (shard.jobId !== undefined && change.jobId !== shard.jobId) return undefined;
    const counted = change.counts !== undefined && count(shard, change.counts);
    const rank = JOB_STATUSES.indexOf(change.status);
    const newer = change.attempts > shard.attempts || (change.attempts === shard.attempts && rank > shard.rank);
    // The end of a job is the end, whatever number of attempts the messenger knew of.
    const ended = TERMINAL.includes(change.status);
    if (shard.ended || !(newer || ended)) return counted ? 'counts' : undefined;
    shard.attempts = change.attempts;
    shard.rank = rank;
    shard.ended = ended;
    return 'status';
  }

  /** Whether every job of the generation has been reported ended; only commits say how. */
  ended(): boolean {
    return this.#submitted && [...this.#shards.values()].every((shard) => shard.ended);
  }

  /** The report of the end was wrong or too early: wait for the next one. */
  reopen(): void {
    for (const shard of this.#shards.values()) Object.assign(shard, { ended: false, attempts: -1, rank: -1 });
  }

  /** The furthest status of any shard; undefined before there is news. */
  status(): JobStatus | undefined {
    const open = [...this.#shards.values()].filter((shard) => shard.rank >= 0);
    const furthest = Math.max(-1, ...open.filter((shard) => !shard.ended).map((shard) => shard.rank));
    return furthest < 0 && open.length > 0 ? 'RUNNING' : JOB_STATUSES[furthest];
  }

  counts(): RunningCounts {
    const sum: RunningCounts = { running: 0, succeeded: 0, failed: 0 };
    for (const { counts } of this.#shards.values()) {
      sum.running += counts.running;
      sum.succeeded += counts.succeeded;
      sum.failed += counts.failed;
    }
    return sum;
  }

  /** Jobs that may still be running. */
  ids(): string[] {
    return [...this.#shards.values()].flatMap(({ jobId }) => (jobId === undefined ? [] : [jobId]));
  }

  #shard(number: number): Shard {
    const known = this.#shards.get(number);
    if (known) return known;
    const made: Shard = {
      items: 1,
      attempts: -1,
      rank: -1,
      ended: false,
      counts: { running: 0, succeeded: 0, failed: 0 },
    };
    this.#shards.set(number, made);
    return made;
  }
}

/** Ended items only become more; an older picture has fewer of them. */
function count(shard: Shard, counts: RunningCounts): boolean {
  const known = shard.counts.succeeded + shard.counts.failed;
  const told = counts.succeeded + counts.failed;
  if (told < known || (told === known && counts.running === shard.counts.running)) return false;
  shard.counts = { running: counts.running, succeeded: counts.succeeded, failed: counts.failed };
  return true;
}
