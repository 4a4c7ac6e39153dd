/**
 * DescribeJobs and ListJobs.
 *
 * @module
 */
import type { JobStatus } from '@aws-sdk/client-batch';
import { clientError, refused } from './errors.ts';
import {
  type Json,
  oneOf,
  optionalInteger,
  optionalList,
  optionalString,
  parseToken,
  requiredString,
  stringList,
  writeToken,
} from './input.ts';
import type { Job } from './job.ts';
import { findQueue } from './queues.ts';
import type { Store } from './store.ts';
import { detailOf, summaryOf } from './view.ts';

const STATUSES = ['SUBMITTED', 'PENDING', 'RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED', 'FAILED'] as const;
const FILTERS = ['JOB_NAME', 'JOB_DEFINITION', 'BEFORE_CREATED_AT', 'AFTER_CREATED_AT', 'SHARE_IDENTIFIER'] as const;
const MOST_JOBS = 100;
const MOST_BY_STATUS = 1000;
const MOST_BY_FILTER = 100;

/** Jobs nobody knows are left out. */
export function describeJobs(store: Store, input: Json): Json {
  const ids = stringList(input, 'jobs');
  if (!ids?.length) throw refused('jobs should not be empty');
  if (ids.length > MOST_JOBS) throw refused(`Maximum number of jobs supported is  ${MOST_JOBS} .`);
  return { jobs: ids.flatMap((id) => findJob(store, id) ?? []).map(detailOf) };
}

/** By id or ARN. */
export function findJob(store: Store, reference: string): Job | undefined {
  return store.job(/^arn:aws[a-z-]*:batch:[^:]*:[^:]*:job\/(.*)$/.exec(reference)?.[1] ?? reference);
}

export function listJobs(store: Store, input: Json): Json {
  store.forgetOld();
  const given = (['jobQueue', 'arrayJobId', 'multiNodeJobId'] as const).filter((name) => optionalString(input, name));
  if (given.length !== 1) throw refused('Exactly one of jobQueue, arrayJobId or multiNodeJobId must be specified');
  const filters = optionalList(input, 'filters') ?? [];
  if (filters.length > 1) throw refused('Only one filter can be used at a time');
  const [filter] = filters;
  const jobStatus = oneOf(input, 'jobStatus', STATUSES);
  const size = optionalInteger(input, 'maxResults', 1, filter ? MOST_BY_FILTER : MOST_BY_STATUS);
  const matches = filter ? readFilter(filter, jobStatus) : (job: Job) => job.status === (jobStatus ?? 'RUNNING');
  const found = pick(candidates(store, input), matches, optionalString(input, 'nextToken'));
  const page = found.slice(0, size ?? (filter ? MOST_BY_FILTER : MOST_BY_STATUS));
  const last = page.at(-1);
  return {
    jobSummaryList: page.map(summaryOf),
    ...(last && page.length < found.length && { nextToken: writeToken(last.id) }),
  };
}

/** Newest first; children by index. */
function candidates(store: Store, input: Json): Job[] {
  const arrayJobId = optionalString(input, 'arrayJobId');
  if (arrayJobId) return store.job(arrayJobId)?.children ?? [];
  const reference = optionalString(input, 'jobQueue');
  if (!reference) return [];
  const queue = findQueue(store, reference);
  if (!queue) throw clientError(`JobQueue ${reference} not found.`);
  return [...store.jobs.values()].filter(({ spec }) => spec.queueArn === queue.jobQueueArn).reverse();
}

/** What comes after the job the token names: jobs that changed in between neither repeat nor hide others. */
function pick(jobs: readonly Job[], matches: (job: Job) => boolean, token: string | undefined): Job[] {
  if (token === undefined) return jobs.filter(matches);
  const id = parseToken(token);
  const from = jobs.findIndex((job) => job.id === id);
  if (from < 0) throw refused('Invalid nextToken');
  return jobs.slice(from + 1).filter(matches);
}

function readFilter(filter: Json, jobStatus: JobStatus | undefined): (job: Job) => boolean {
  const name = oneOf(filter, 'name', FILTERS);
  if (name === undefined) throw refused('filter name should not be empty');
  const values = stringList(filter, 'values');
  const [value] = values ?? [];
  if (value === undefined || values?.length !== 1) throw refused('Exactly one filter value must be specified');
  if (name === 'JOB_NAME') {
    const wanted = value.toLowerCase();
    return ({ spec }) => glob(wanted, spec.jobName.toLowerCase());
  }
  if (name === 'JOB_DEFINITION') {
    if (value.startsWith('arn:')) return ({ spec }) => spec.jobDefinition === value;
    return ({ spec }) => glob(value, spec.definitionName);
  }
  if (name === 'SHARE_IDENTIFIER') {
    return (job) => job.spec.shareIdentifier === value && (jobStatus === undefined || job.status === jobStatus);
  }
  if (!/^\d+$/.test(value)) throw refused(`filter value ${value} is not a time in milliseconds`);
  const time = Number(value);
  return name === 'BEFORE_CREATED_AT' ? ({ createdAt }) => createdAt < time : ({ createdAt }) => createdAt > time;
}

function glob(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

export function readReason(input: Json): string {
  const reason = requiredString(input, 'reason');
  if (reason.length > 1024) throw refused('reason must not exceed 1024 characters');
  return reason;
}
