/**
 * What moves jobs on: one step after the other, of the job whose turn it is. Tasks are run in the order of the manifest
 * and as fast as S3 takes requests to restore; each is written down in the tick it is run in, so that a job of a killed
 * process goes on where it was.
 *
 * @module
 */
import { setImmediate as breathe } from 'node:timers/promises';
import type { Cancel } from '../../kit/clock.ts';
import { AwsError } from '../../kit/service.ts';
import type { ObjectPort } from '../ports.ts';
import { placeOf } from './input.ts';
import { readManifest, type Task } from './manifest.ts';
import type { Job, JobStatus, TaskFailure } from './model.ts';
import { writeReport } from './report.ts';
import type { JobStore } from './store.ts';

/** Tasks in one tick. */
const SLICE = 100;
/** Until S3 takes requests again. */
const THROTTLED_MS = 100;
/** A job of which more than half of so many tasks or more have failed is given up. */
const LEAST_TASKS_TO_FAIL = 1_000;

/** What is quickly done comes before tasks. */
const QUICK: ReadonlySet<JobStatus> = new Set(['New', 'Preparing', 'Completing', 'Cancelling', 'Failing']);
const WITH_TASKS: ReadonlySet<JobStatus> = new Set(['Ready', 'Active']);

export class Runner {
  readonly #store: JobStore;
  readonly #objects: ObjectPort;
  /** Of jobs that are under way. */
  readonly #tasks = new Map<string, Task[]>();
  #working: Promise<void> | undefined;
  #closed = false;
  #goOn: (() => void) | undefined;

  constructor(store: JobStore, objects: ObjectPort) {
    this.#store = store;
    this.#objects = objects;
  }

  /** Something may be to be done. */
  wake(): void {
    if (this.#closed) return;
    this.#working ??= this.#work().then(
      () => {
        this.#working = undefined;
        // What came after the last look.
        if (this.#next()) this.wake();
      },
      (error: unknown) => {
        this.#working = undefined;
        console.error('stand-in: S3 Batch Operations stands still until the next call', error);
      },
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#goOn?.();
    await this.#working;
  }

  async #work(): Promise<void> {
    for (let job = this.#next(); job && !this.#closed; job = this.#next()) {
      try {
        await this.#step(job);
      } catch (error) {
        console.error(`stand-in: job ${job.id} of S3 Batch Operations fails`, error);
        this.#end(job.id, 'Failed', { code: 'InternalError', reason: (error as Error).message });
      }
      await breathe();
    }
  }

  /** Among those with tasks the one of the highest priority, and of these the oldest. */
  #next(): Job | undefined {
    let next: Job | undefined;
    for (const job of this.#store.list()) {
      if (QUICK.has(job.status)) return job;
      if (WITH_TASKS.has(job.status) && job.priority > (next?.priority ?? -1)) next = job;
    }
    return next;
  }

  async #step(job: Job): Promise<void> {
    switch (job.status) {
      case 'New':
        return this.#store.change(job.id, { status: 'Preparing' });
      case 'Preparing':
        return this.#prepare(job);
      case 'Ready':
        return this.#store.change(job.id, { status: 'Active', activeAt: this.#store.clock.now() });
      case 'Active':
        return this.#runTasks(job);
      case 'Completing':
        return this.#finish(job, 'Complete');
      case 'Cancelling':
        return this.#finish(job, 'Cancelled');
      case 'Failing':
        return this.#finish(job, 'Failed');
      case 'Suspended':
      case 'Complete':
      case 'Cancelled':
      case 'Failed':
        return undefined;
    }
  }

  async #prepare(job: Job): Promise<void> {
    const { bucket, key } = placeOf(job.manifest.objectArn);
    let changed: Partial<Job>;
    try {
      const { etag, bytes } = await this.#objects.read(bucket, key);
      if (etag !== job.manifest.etag)
        throw new Error(`the manifest's ETag is ${etag}, and not ${job.manifest.etag} as the job was told`);
      const tasks = await readManifest(bytes, job.manifest.fields);
      this.#tasks.set(job.id, tasks);
      this.#store.keepManifest(job.id, bytes);
      const now = this.#store.clock.now();
      changed = job.confirmationRequired ? { status: 'Suspended', suspendedAt: now } : { status: 'Ready' };
      changed.total = tasks.length;
    } catch (error) {
      const code = error instanceof AwsError ? error.code : 'InvalidManifest';
      changed = { status: 'Failing', failure: { code, reason: `${(error as Error).message} (${bucket}/${key})` } };
    }
    // It may have been cancelled meanwhile.
    if (this.#store.find(job.id)?.status === 'Preparing') this.#store.change(job.id, changed);
  }

  async #runTasks({ id }: Job): Promise<void> {
    const tasks = await this.#tasksOf(id);
    for (let count = 0; count < SLICE; count += 1) {
      const job = this.#store.find(id);
      // It may have been cancelled meanwhile.
      if (job?.status !== 'Active') return;
      const index = job.succeeded + job.failed;
      const task = tasks[index];
      const inactiveAt = this.#store.clock.now();
      if (index >= LEAST_TASKS_TO_FAIL && job.failed > index / 2) {
        const reason = `${job.failed} of ${index} tasks have failed, which is more than half of them`;
        return this.#store.change(id, { status: 'Failing', failure: { code: 'JobFailed', reason }, inactiveAt });
      }
      if (!task) return this.#store.change(id, { status: 'Completing', inactiveAt });
      const result = this.#run(task, job);
      if (result === 'throttled') return this.#pause();
      this.#store.task(id, result && { index, ...result });
    }
  }

  /** @returns undefined when S3 has taken it */
  #run(task: Task, { restore }: Job): Omit<TaskFailure, 'index'> | 'throttled' | undefined {
    const { bucket, key, versionId } = task;
    if (versionId === '')
      return { code: 'InvalidRequest', status: 400, message: 'Task failed due to missing VersionId' };
    try {
      this.#objects.restore(
        { bucket, key, ...(versionId !== undefined && { versionId }) },
        {
          tier: restore.tier === 'BULK' ? 'Bulk' : 'Standard',
          ...(restore.days !== undefined && { days: restore.days }),
        },
      );
      return undefined;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      if (error.code === 'SlowDown') return 'throttled';
      return { code: error.code, status: error.status, message: error.message };
    }
  }

  async #finish(job: Job, status: 'Complete' | 'Cancelled' | 'Failed'): Promise<void> {
    const done = job.succeeded + job.failed;
    const tasks = done > 0 ? await this.#tasksOf(job.id) : [];
    try {
      writeReport(this.#objects, job, tasks, this.#store.failures(job.id), this.#store.clock.date());
      this.#end(job.id, status);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const reason = `The job report could not be written to your report bucket: ${error.message}`;
      this.#end(job.id, status === 'Complete' ? 'Failed' : status, { code: error.code, reason });
    }
  }

  #end(id: string, status: JobStatus, failure?: Job['failure']): void {
    this.#tasks.delete(id);
    this.#store.change(id, { status, endedAt: this.#store.clock.now(), ...(failure && { failure }) });
  }

  async #tasksOf(id: string): Promise<Task[]> {
    const known = this.#tasks.get(id);
    if (known) return known;
    const tasks = await readManifest(this.#store.manifest(id), this.#store.find(id)?.manifest.fields ?? []);
    this.#tasks.set(id, tasks);
    return tasks;
  }

  async #pause(): Promise<void> {
    let cancel: Cancel | undefined;
    await new Promise<void>((resolve) => {
      this.#goOn = resolve;
      cancel = this.#store.clock.after(THROTTLED_MS, resolve);
    });
    cancel?.();
    this.#goOn = undefined;
  }
}
