/**
 * Where the attempts of a launch log: by their start records in S3, whatever AWS Batch has forgotten.
 *
 * @module
 */
import { type BatchClient, DescribeJobsCommand, type JobDetail, ListJobsCommand } from '@aws-sdk/client-batch';
import type { S3Client } from '@aws-sdk/client-s3';
import type { StartRecord } from '../../jobs/commit.ts';
import { type JobContainer, taskStreams } from '../../jobs/log-streams.ts';
import { mapLimited } from '../../lib/concurrency.ts';
import { formatS3Address, parseS3Address } from '../../lib/s3-address.ts';
import { listKeys, readObject } from '../../lib/s3-objects.ts';
import type { LaunchItem, LaunchStore } from '../../lib/store/launches.ts';
import type { StepItem, StepStore } from '../../lib/store/steps.ts';
import { launchState } from '../../workflows/launch/places.ts';
import { itemsOf, type Plan } from '../../workflows/launch/plan.ts';
import { type Attempt, CONTAINERS, nearest, parseStart, type Start } from './log-lines.ts';
import { patiently } from './log-reader.ts';

export interface LogSources {
  s3: S3Client;
  batch: BatchClient;
  bucket: string;
  launches: Pick<LaunchStore, 'get'>;
  steps: Pick<StepStore, 'ofLaunch'>;
}

/** A step of a launch, as far as its logs need it. */
export interface LoggedStep {
  launchId: string;
  name: string;
  /** Keys of its items, in the order of the plan. */
  items: readonly string[];
  /** Absent until it is submitted. */
  row?: StepItem;
}

/** `steps` in the order of the plan; absent while, or because, there is none. */
export interface LoggedLaunch {
  item: LaunchItem;
  steps?: readonly LoggedStep[];
}

type JobOfItem = Pick<Start, 'step' | 'item' | 'jobId' | 'index'>;

const PLAN_LIMIT = 256 * 1024 * 1024;
const RECORD_LIMIT = 65_536;
const READING = 16;
/** Up to so many items are listed one by one, more by listing their step. */
const LISTED_ALONE = 20;
/** DescribeJobs' limit of ids a call; no second call is made. */
const DESCRIBED = 100;
/** Pages of ListJobs that are read of a step's failed children, 100 each. */
const FAILED_PAGES = 10;

/** Plans never change once written: one that is known already is not read again. */
export async function loggedLaunch(
  { s3, launches, steps }: Pick<LogSources, 's3' | 'launches' | 'steps'>,
  launchId: string,
  known?: readonly LoggedStep[],
): Promise<LoggedLaunch | undefined> {
  const item = await launches.get(launchId);
  if (!item?.plan) return item && { item };
  const rows = await steps.ofLaunch(launchId, item.attempt);
  const planned = known ?? (await plannedSteps(s3, launchId, item.plan));
  return {
    item,
    steps: planned.map(({ name, items }) => {
      const row = rows.find((candidate) => candidate.step === name);
      return { launchId, name, items, ...(row && { row }) };
    }),
  };
}

/** @throws Error naming what the launch does not have, and what was probably meant */
export function checkNames(
  steps: readonly LoggedStep[],
  { step, items = [] }: { step?: string | undefined; items?: readonly string[] | undefined },
): void {
  const names = steps.map(({ name }) => name);
  if (step !== undefined && !names.includes(step)) throw new Error(unknown('step', step, names));
  const searched = steps.filter(({ name }) => step === undefined || name === step);
  const known = new Set(searched.flatMap((one) => one.items));
  const missing = items.find((item) => !known.has(item));
  if (missing !== undefined) throw new Error(unknown(`item of ${step ?? 'any step'}`, missing, [...known]));
}

/** Names that fit in a message. */
const SHOWN = 8;

export function unknown(what: string, name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  const more = names.length > SHOWN ? `, and ${names.length - SHOWN} more` : '';
  const there = names.length === 0 ? 'there are none' : `there are: ${names.slice(0, SHOWN).join(', ')}${more}`;
  return `there is no ${what} called ${name}; ${near.length > 0 ? `did you mean ${near.join(' or ')}?` : there}`;
}

async function plannedSteps(s3: S3Client, launchId: string, address: string): Promise<LoggedStep[]> {
  const { bytes } = await readObject(s3, address, { limit: PLAN_LIMIT });
  const plan = JSON.parse(bytes.toString('utf8')) as Plan;
  return plan.steps.map((step) => ({ launchId, name: step.name, items: itemsOf(plan, step).map(({ key }) => key) }));
}

/** What has started of a launch, or of one step; no record is read. A page tells of 1,000. */
export async function listStarts(
  { s3, bucket }: Pick<LogSources, 's3' | 'bucket'>,
  launchId: string,
  of: { step?: string | undefined; items?: readonly string[] | undefined } = {},
  signal?: AbortSignal,
): Promise<Start[]> {
  const folder = `${launchState(bucket, launchId)}starts/`;
  const { key: start } = parseS3Address(folder);
  const alone = of.step !== undefined && of.items !== undefined && of.items.length <= LISTED_ALONE;
  const prefixes = alone
    ? (of.items ?? []).map((item) => `${folder}${of.step}/${item}/`)
    : [of.step === undefined ? folder : `${folder}${of.step}/`];
  const found = await mapLimited(prefixes, READING, (prefix) => patiently(() => keysUnder(s3, prefix), signal));
  return found
    .flat()
    .flatMap((key) => parseStart(key, start) ?? [])
    .filter(({ item }) => of.items === undefined || of.items.includes(item));
}

/** Keys of the items of a step that are done; with no step, `<step>/<item>` of every step. */
export async function listCommits(
  { s3, bucket }: Pick<LogSources, 's3' | 'bucket'>,
  launchId: string,
  step?: string,
  signal?: AbortSignal,
): Promise<Set<string>> {
  const folder = `${launchState(bucket, launchId)}commits/${step === undefined ? '' : `${step}/`}`;
  const { key: start } = parseS3Address(folder);
  const keys = await patiently(() => keysUnder(s3, folder), signal);
  return new Set(keys.map((key) => key.slice(start.length).replace(/\.json$/, '')));
}

async function keysUnder(s3: S3Client, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const keys of listKeys(s3, prefix)) found.push(...keys);
  return found;
}

/** Reads start records; the streams of one that does not tell of them are empty. */
export async function readStarts(
  { s3, bucket }: Pick<LogSources, 's3' | 'bucket'>,
  starts: readonly Start[],
  signal?: AbortSignal,
): Promise<Attempt[]> {
  return mapLimited(starts, READING, async ({ key, ...start }) => {
    const address = formatS3Address({ bucket, key });
    const { bytes } = await patiently(() => readObject(s3, address, { limit: RECORD_LIMIT }), signal);
    const { generation, startedAt, logs } = JSON.parse(bytes.toString('utf8')) as StartRecord;
    return {
      ...start,
      ...(generation !== undefined && { generation }),
      startedAt,
      group: logs?.group ?? '',
      streams: logs?.streams ?? {},
    };
  });
}

/**
 * What AWS Batch itself knows, for attempts whose start record does not say where they log and for items that have
 * none: their containers ended before it was written, or never started. At most 100 jobs are asked for, in one call,
 * and AWS Batch forgets a job about a day after its end.
 * @returns the attempts that were given, with streams where these are known now, and those of `items`
 */
export async function askBatch(
  batch: BatchClient,
  step: LoggedStep,
  attempts: readonly Attempt[],
  items: readonly string[],
  signal?: AbortSignal,
): Promise<Attempt[]> {
  const silent = attempts.filter(({ streams }) => Object.keys(streams).length === 0);
  const without = jobsOf(step, items, attempts);
  const jobs = new Map([...silent, ...without].slice(0, DESCRIBED).map((job) => [job.jobId, job]));
  if (jobs.size === 0 || !step.row) return [...attempts];
  const { log_group: group } = step.row;
  const answer = await patiently(() => batch.send(new DescribeJobsCommand({ jobs: [...jobs.keys()] })), signal);
  const described = (answer.jobs ?? []).flatMap((detail) => {
    const job = jobs.get(detail.jobId ?? '');
    return job ? attemptsOf(detail, job, group) : [];
  });
  const same = (one: Attempt, other: Attempt) => one.jobId === other.jobId && one.attempt === other.attempt;
  const told = attempts.map((attempt) => {
    const found = silent.includes(attempt) ? described.find((other) => same(attempt, other)) : undefined;
    return found ? { ...attempt, group, streams: found.streams } : attempt;
  });
  return [...told, ...described.filter((one) => !attempts.some((other) => same(one, other)))];
}

/**
 * The jobs of items that have no start record. The index of a child is its item's place in the plan, unless an attempt
 * of the same job shows that it is not: then nothing is known of the others.
 */
function jobsOf(
  { name, items, row }: LoggedStep,
  wanted: readonly string[],
  attempts: readonly Attempt[],
): JobOfItem[] {
  if (!row) return [];
  const own = attempts.filter(({ jobId }) => jobId.split(':')[0] === row.job_id);
  const planned = row.items.total === items.length;
  if (!planned || own.some(({ item, index }) => index !== undefined && items[index] !== item)) return [];
  return wanted.slice(0, DESCRIBED).flatMap((item) => {
    const index = items.indexOf(item);
    if (index < 0) return [];
    return items.length === 1
      ? [{ step: name, item, jobId: row.job_id }]
      : [{ step: name, item, jobId: `${row.job_id}:${index}`, index }];
  });
}

function attemptsOf(detail: JobDetail, job: JobOfItem, group: string): Attempt[] {
  const { step, item, jobId, index } = job;
  const ended = (detail.attempts ?? []).map(({ taskProperties }) => streamsIn(taskProperties?.[0]?.containers));
  const current = streamsIn(detail.ecsProperties?.taskProperties?.[0]?.containers);
  // Once a job has ended, its current containers are those of its last attempt.
  const tasks = current?.stage === ended.at(-1)?.stage ? ended : [...ended, current];
  return tasks.flatMap((streams, place) =>
    streams ? [{ step, item, jobId, ...(index !== undefined && { index }), attempt: place + 1, group, streams }] : [],
  );
}

/** AWS Batch tells of a stream once its container runs; those of the task that are to come are named alike. */
function streamsIn(
  containers: readonly { name?: string | undefined; logStreamName?: string | undefined }[] = [],
): Record<JobContainer, string> | undefined {
  for (const container of CONTAINERS) {
    const { logStreamName } = containers.find(({ name }) => name === container) ?? {};
    const streams = logStreamName === undefined ? undefined : taskStreams(container, logStreamName);
    if (streams) return streams;
  }
  return undefined;
}

/** Ids of the children of an open array job that have failed: 1,000 of them at most. */
export async function failedChildren(batch: BatchClient, jobId: string, signal?: AbortSignal): Promise<Set<string>> {
  const failed = new Set<string>();
  let nextToken: string | undefined;
  for (let page = 0; page < FAILED_PAGES; page += 1) {
    const command = new ListJobsCommand({ arrayJobId: jobId, jobStatus: 'FAILED', ...(nextToken && { nextToken }) });
    const answer = await patiently(() => batch.send(command), signal);
    for (const child of answer.jobSummaryList ?? []) if (child.jobId) failed.add(child.jobId);
    nextToken = answer.nextToken;
    if (nextToken === undefined) break;
  }
  return failed;
}
