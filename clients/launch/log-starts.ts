/**
 * Where the attempts of a launch log: by their start records in S3, whatever AWS Batch has forgotten.
 *
 * @module
 */
import { type BatchClient, DescribeJobsCommand, type JobDetail, ListJobsCommand } from '@aws-sdk/client-batch';
import type { StartRecord } from '../../jobs/commit.ts';
import { type JobContainer, taskStreams } from '../../jobs/log-streams.ts';
import { mapLimited } from '../../lib/concurrency.ts';
import { formatS3Address, parseS3Address } from '../../lib/s3-address.ts';
import { readObject } from '../../lib/s3-objects.ts';
import { currentJobs } from '../../lib/store/steps.ts';
import { launchState } from '../../workflows/launch/places.ts';
import { type Attempt, CONTAINERS, parseStart, type Start } from './log-lines.ts';
import { patiently } from './log-reader.ts';
import { jobsByPlace, keysUnder, type LoggedStep, type LogSources } from './log-steps.ts';

type JobOfItem = Pick<Start, 'step' | 'item' | 'jobId' | 'index'>;

const RECORD_LIMIT = 65_536;
const READING = 16;
/** Up to so many items are listed one by one, more by listing their step. */
const LISTED_ALONE = 20;
/** DescribeJobs' limit of ids a call; no second call is made. */
const DESCRIBED = 100;
/** Pages of ListJobs that are read of a step's failed children, 100 each. */
const FAILED_PAGES = 10;

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
  sources: LogSources,
  step: LoggedStep,
  attempts: readonly Attempt[],
  items: readonly string[],
  signal?: AbortSignal,
): Promise<Attempt[]> {
  const silent = attempts.filter(({ streams }) => Object.keys(streams).length === 0);
  const without = await patiently(() => jobsOf(sources, step, items), signal);
  const jobs = new Map([...silent, ...without].slice(0, DESCRIBED).map((job) => [job.jobId, job]));
  if (jobs.size === 0 || !step.row) return [...attempts];
  const { log_group: group } = step.row;
  const answer = await patiently(() => sources.batch.send(new DescribeJobsCommand({ jobs: [...jobs.keys()] })), signal);
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

/** The jobs of items that have no start record, as far as the current generation has them. */
async function jobsOf(sources: LogSources, step: LoggedStep, wanted: readonly string[]): Promise<JobOfItem[]> {
  if (wanted.length === 0 || !step.row) return [];
  const places = new Map(step.items.map((item, place) => [item, place]));
  const jobs = await jobsByPlace(sources, step);
  return wanted.slice(0, DESCRIBED).flatMap((item) => {
    const job = jobs.get(places.get(item) ?? -1);
    return job ? [{ step: step.name, item, ...job }] : [];
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

/** Ids of the children of the open array jobs of a step that have failed: about 1,000 of each at most. */
export async function failedChildren(batch: BatchClient, step: LoggedStep, signal?: AbortSignal): Promise<Set<string>> {
  const failed = new Set<string>();
  const arrays = step.row ? currentJobs(step.row).filter(({ items }) => items > 1) : [];
  for (const { id } of arrays) {
    let nextToken: string | undefined;
    for (let page = 0; page < FAILED_PAGES; page += 1) {
      const command = new ListJobsCommand({ arrayJobId: id, jobStatus: 'FAILED', ...(nextToken && { nextToken }) });
      const answer = await patiently(() => batch.send(command), signal);
      for (const child of answer.jobSummaryList ?? []) if (child.jobId) failed.add(child.jobId);
      nextToken = answer.nextToken;
      if (nextToken === undefined) break;
    }
  }
  return failed;
}
