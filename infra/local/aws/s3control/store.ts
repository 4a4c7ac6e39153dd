/**
 * The jobs of the account, with their journal, and copies of the manifests of those that are not over: a job reads its
 * manifest once, whatever becomes of the object later.
 *
 * @module
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../kit/clock.ts';
import { type Journal, openJournal } from '../../kit/journal.ts';
import { type Entry, isEnded, type Job, type TaskFailure } from './model.ts';

/** Jobs that are over are forgotten after 90 days. */
const KEPT_MS = 90 * 24 * 3_600_000;

export class JobStore {
  readonly clock: Clock;
  readonly #manifests: string;
  readonly #jobs = new Map<string, Job>();
  /** Of jobs that are not over: for the report. */
  readonly #failures = new Map<string, TaskFailure[]>();
  readonly #journal: Journal<Entry>;

  constructor(options: { clock: Clock; directory: string }) {
    this.clock = options.clock;
    this.#manifests = join(options.directory, 'manifests');
    mkdirSync(this.#manifests, { recursive: true });
    this.#journal = openJournal<Entry>({
      file: join(options.directory, 'jobs.jsonl'),
      replay: (entry) => this.#apply(entry),
      snapshot: () => this.#snapshot(),
    });
  }

  /** Oldest first. */
  list(): Job[] {
    return [...this.#jobs.keys()].flatMap((id) => this.find(id) ?? []);
  }

  find(id: string): Job | undefined {
    const job = this.#jobs.get(id);
    if (job?.endedAt === undefined || job.endedAt + KEPT_MS > this.clock.now()) return job;
    this.#record({ op: 'end', id });
    return undefined;
  }

  /** Of a new job, or of one that has changed. */
  put(job: Job): void {
    this.#record({ op: 'job', job });
  }

  /** Changes a job as it is now. */
  change(id: string, changed: Partial<Job>): void {
    const job = this.#jobs.get(id);
    if (job) this.put({ ...job, ...changed });
  }

  /** One more task was run; without `failure` it succeeded. */
  task(id: string, failure?: TaskFailure): void {
    this.#record({ op: 'task', id, ...(failure && { failure }) });
  }

  failures(id: string): readonly TaskFailure[] {
    return this.#failures.get(id) ?? [];
  }

  /** Before the job is told to have it. */
  keepManifest(id: string, bytes: Buffer): void {
    writeFileSync(this.#manifest(id), bytes);
  }

  manifest(id: string): Buffer {
    return readFileSync(this.#manifest(id));
  }

  close(): void {
    this.#journal.close();
  }

  #record(entry: Entry): void {
    this.#journal.append(entry);
    this.#apply(entry);
  }

  #apply(entry: Entry): void {
    switch (entry.op) {
      case 'job': {
        const { job, failures } = entry;
        this.#jobs.set(job.id, job);
        if (failures) this.#failures.set(job.id, failures);
        if (!isEnded(job.status)) return;
        this.#failures.delete(job.id);
        rmSync(this.#manifest(job.id), { force: true });
        return;
      }
      case 'task': {
        const job = this.#jobs.get(entry.id);
        if (!job) return;
        if (!entry.failure) job.succeeded += 1;
        else {
          job.failed += 1;
          const failures = this.#failures.get(job.id);
          if (failures) failures.push(entry.failure);
          else this.#failures.set(job.id, [entry.failure]);
        }
        return;
      }
      case 'end':
        this.#jobs.delete(entry.id);
    }
  }

  *#snapshot(): Iterable<Entry> {
    for (const job of this.#jobs.values()) {
      const failures = this.#failures.get(job.id);
      yield { op: 'job', job, ...(failures && { failures }) };
    }
  }

  #manifest(id: string): string {
    return join(this.#manifests, `${id}.csv`);
  }
}
