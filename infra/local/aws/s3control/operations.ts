/**
 * CreateJob, DescribeJob, ListJobs, UpdateJobStatus, UpdateJobPriority, GetJobTagging.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { AwsError } from '../../kit/service.ts';
import type { XmlObject } from '../../kit/xml.ts';
import type { Place } from '../ports.ts';
import { malformedXml } from '../s3/errors.ts';
import { noSuchJob } from './errors.ts';
import { type CreateJob, readInteger } from './input.ts';
import { isEnded, type Job, type JobStatus } from './model.ts';
import type { JobStore } from './store.ts';
import { describeJob, listedJob } from './view.ts';

const MOST_LISTED = 1_000;
/** From where a job can be cancelled. */
const CANCELLABLE: readonly JobStatus[] = ['New', 'Preparing', 'Suspended', 'Ready', 'Active'];

export class JobOperations {
  readonly #store: JobStore;
  readonly #place: Place;
  readonly #changed: () => void;

  /** @param changed called when there may be something to do */
  constructor(store: JobStore, place: Place, changed: () => void) {
    this.#store = store;
    this.#place = place;
    this.#changed = changed;
  }

  create({ token, fingerprint, request }: CreateJob): XmlObject {
    const known = this.#store.list().find((job) => job.token === token);
    if (known && known.fingerprint !== fingerprint)
      throw new AwsError('IdempotencyException', 'The ClientRequestToken was used for another request');
    if (known) return { JobId: known.id };
    const id = randomUUID();
    const job: Job = {
      ...request,
      id,
      token,
      fingerprint,
      status: 'New',
      createdAt: this.#store.clock.now(),
      total: 0,
      succeeded: 0,
      failed: 0,
    };
    this.#store.put(job);
    this.#changed();
    return { JobId: id };
  }

  describe(id: string): XmlObject {
    return { Job: describeJob(this.#existing(id), this.#place, this.#store.clock.now()) };
  }

  list(query: URLSearchParams): XmlObject {
    const most = readInteger(query.get('maxResults') ?? String(MOST_LISTED), 1);
    const statuses = query.getAll('jobStatuses');
    const token = query.get('nextToken');
    // The newest first.
    const jobs = this.#store
      .list()
      .reverse()
      .filter(({ status }) => statuses.length === 0 || statuses.includes(status));
    const after = token === null ? -1 : jobs.findIndex(({ id }) => tokenOf(id) === token);
    if (token !== null && after < 0) throw new AwsError('InvalidNextTokenException', 'The next token is invalid');
    const shown = jobs.slice(after + 1, after + 1 + Math.min(most, MOST_LISTED));
    const last = shown.at(-1);
    const now = this.#store.clock.now();
    return {
      ...(last && last !== jobs.at(-1) && { NextToken: tokenOf(last.id) }),
      Jobs: { member: shown.map((job) => listedJob(job, now)) },
    };
  }

  updateStatus(id: string, query: URLSearchParams): XmlObject {
    const job = this.#existing(id);
    const requested = query.get('requestedJobStatus');
    if (requested !== 'Ready' && requested !== 'Cancelled') throw malformedXml();
    const allowed = requested === 'Ready' ? job.status === 'Suspended' : CANCELLABLE.includes(job.status);
    if (!allowed) throw new AwsError('JobStatusException', `A job that is ${job.status} cannot be made ${requested}`);
    const status = requested === 'Ready' ? 'Ready' : 'Cancelling';
    const reason = query.get('statusUpdateReason');
    this.#store.change(id, {
      status,
      ...(reason !== null && { statusUpdateReason: reason }),
      ...(job.status === 'Active' && { inactiveAt: this.#store.clock.now() }),
    });
    this.#changed();
    return { JobId: id, Status: status, StatusUpdateReason: reason ?? undefined };
  }

  updatePriority(id: string, query: URLSearchParams): XmlObject {
    const job = this.#existing(id);
    const priority = readInteger(query.get('priority') ?? '', 0);
    if (isEnded(job.status))
      throw new AwsError('BadRequestException', `The priority of a job that is ${job.status} cannot be changed`);
    this.#store.change(id, { priority });
    return { JobId: id, Priority: priority };
  }

  tagging(id: string): XmlObject {
    return { Tags: { member: this.#existing(id).tags } };
  }

  #existing(id: string): Job {
    const job = this.#store.find(id);
    if (!job) throw noSuchJob();
    return job;
  }
}

const tokenOf = (id: string): string => Buffer.from(id).toString('base64url');
