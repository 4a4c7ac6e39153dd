/**
 * Everything the service knows, and its journal.
 *
 * @module
 */
import { join } from 'node:path';
import type { ComputeEnvironmentDetail, JobDefinition, JobQueueDetail } from '@aws-sdk/client-batch';
import type { Clock } from '../../kit/clock.ts';
import { type Journal, openJournal } from '../../kit/journal.ts';
import type { Place } from '../ports.ts';
import { countsOf, Job, type JobSpec, type JobState, splitId } from './job.ts';

type Entry =
  | { op: 'environment'; environment: ComputeEnvironmentDetail }
  | { op: 'queue'; queue: JobQueueDetail }
  | { op: 'definition'; definition: JobDefinition }
  | { op: 'end'; arn: string }
  | { op: 'job'; spec: JobSpec }
  | { op: 'state'; id: string; state: JobState };

/** Ended jobs are shown for so long. */
const SHOWN_MS = 24 * 3600 * 1000;

export class Store {
  readonly clock: Clock;
  readonly place: Place;
  /** By ARN, in order of creation. */
  readonly environments = new Map<string, ComputeEnvironmentDetail>();
  readonly queues = new Map<string, JobQueueDetail>();
  /** By name; revision n stands at n - 1. */
  readonly definitions = new Map<string, JobDefinition[]>();
  /** Single jobs and array parents by id, in order of submission. */
  readonly jobs = new Map<string, Job>();
  /** Jobs over, in order of their end. */
  #over: Job[] = [];
  readonly #journal: Journal<Entry>;

  constructor(options: { clock: Clock; place: Place; directory: string }) {
    this.clock = options.clock;
    this.place = options.place;
    this.#journal = openJournal<Entry>({
      file: join(options.directory, 'batch.jsonl'),
      replay: (entry) => this.#replay(entry),
      snapshot: () => this.#snapshot(),
    });
    for (const job of this.jobs.values()) {
      if (job.children) job.summary = countsOf(job.children);
      if (job.over) this.#over.push(job);
    }
    this.#over.sort((a, b) => (a.state.stoppedAt ?? 0) - (b.state.stoppedAt ?? 0));
  }

  arn(kind: string, name: string): string {
    return `arn:aws:batch:${this.place.region}:${this.place.accountId}:${kind}/${name}`;
  }

  putEnvironment(environment: ComputeEnvironmentDetail): void {
    this.#record({ op: 'environment', environment });
  }

  putQueue(queue: JobQueueDetail): void {
    this.#record({ op: 'queue', queue });
  }

  putDefinition(definition: JobDefinition): void {
    this.#record({ op: 'definition', definition });
  }

  /** Deletes an environment or a queue. */
  end(arn: string): void {
    this.#record({ op: 'end', arn });
  }

  addJob(spec: JobSpec): Job {
    const job = new Job(spec);
    this.#journal.append({ op: 'job', spec });
    this.jobs.set(spec.jobId, job);
    return job;
  }

  saveSpec(job: Job): void {
    this.#journal.append({ op: 'job', spec: job.spec });
  }

  saveState(job: Job): void {
    this.#journal.append({ op: 'state', id: job.id, state: job.state });
    if (job.over && !job.parent) this.#over.push(job);
  }

  /** Finds a job or a child; forgets those that ended too long ago. */
  job(id: string): Job | undefined {
    this.forgetOld();
    const { jobId, index } = splitId(id);
    const job = this.jobs.get(jobId);
    return index === undefined ? job : job?.children?.[index];
  }

  forgetOld(): void {
    const before = this.clock.now() - SHOWN_MS;
    let count = 0;
    for (const job of this.#over) {
      if ((job.state.stoppedAt ?? 0) > before) break;
      this.jobs.delete(job.spec.jobId);
      count += 1;
    }
    if (count > 0) this.#over = this.#over.slice(count);
  }

  close(): void {
    this.#journal.close();
  }

  #record(entry: Entry): void {
    this.#journal.append(entry);
    this.#replay(entry);
  }

  #replay(entry: Entry): void {
    if (entry.op === 'environment') {
      this.environments.set(entry.environment.computeEnvironmentArn ?? '', entry.environment);
    } else if (entry.op === 'queue') this.queues.set(entry.queue.jobQueueArn ?? '', entry.queue);
    else if (entry.op === 'definition') this.#replayDefinition(entry.definition);
    else if (entry.op === 'end') {
      this.environments.delete(entry.arn);
      this.queues.delete(entry.arn);
    } else if (entry.op === 'job') {
      const known = this.jobs.get(entry.spec.jobId);
      if (known) for (const job of [known, ...(known.children ?? [])]) job.spec = entry.spec;
      else this.jobs.set(entry.spec.jobId, new Job(entry.spec));
    } else {
      const { jobId, index } = splitId(entry.id);
      const parent = this.jobs.get(jobId);
      const job = index === undefined ? parent : parent?.children?.[index];
      if (job) job.state = entry.state;
    }
  }

  #replayDefinition(definition: JobDefinition): void {
    const name = definition.jobDefinitionName ?? '';
    const revisions = this.definitions.get(name) ?? [];
    revisions[(definition.revision ?? 1) - 1] = definition;
    this.definitions.set(name, revisions);
  }

  *#snapshot(): Iterable<Entry> {
    for (const environment of this.environments.values()) yield { op: 'environment', environment };
    for (const queue of this.queues.values()) yield { op: 'queue', queue };
    for (const revisions of this.definitions.values()) {
      for (const definition of revisions) yield { op: 'definition', definition };
    }
    const before = this.clock.now() - SHOWN_MS;
    for (const job of this.jobs.values()) {
      if (job.over && (job.state.stoppedAt ?? 0) <= before) continue;
      yield { op: 'job', spec: job.spec };
      for (const one of [job, ...(job.children ?? [])]) {
        const { attempts, isCancelled, isTerminated } = one.state;
        const told = one.placed || one.over || attempts.length > 0 || isCancelled || isTerminated;
        if (told) yield { op: 'state', id: one.id, state: one.state };
      }
    }
  }
}
