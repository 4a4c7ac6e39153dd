/**
 * What AWS Batch knows of the logs of its jobs.
 *
 * @module
 */
import { type BatchClient, DescribeJobsCommand, type JobDetail, ListJobsCommand } from '@aws-sdk/client-batch';
import { type JobContainer, taskStreams } from '../../jobs/log-streams.ts';
import type { StepJob } from '../../lib/store/steps.ts';
import { type Attempt, CONTAINERS, type JobOfItem } from './log-lines.ts';
import { patiently } from './log-reader.ts';

/** DescribeJobs' limit of ids a call; no second call is made. */
const DESCRIBED = 100;
/** Pages of ListJobs that are read of a step's failed children, 100 each. */
const FAILED_PAGES = 10;

/**
 * At most 100 jobs are asked for, in one call, and AWS Batch forgets a job about a day after its end.
 * @returns the attempts of these jobs that it knows the streams of
 */
export async function describedByBatch(
  batch: BatchClient,
  wanted: readonly JobOfItem[],
  group: string,
  signal?: AbortSignal,
): Promise<Attempt[]> {
  const jobs = new Map(wanted.slice(0, DESCRIBED).map((job) => [job.jobId, job]));
  const answer = await patiently(() => batch.send(new DescribeJobsCommand({ jobs: [...jobs.keys()] })), signal);
  return (answer.jobs ?? []).flatMap((detail) => {
    const job = jobs.get(detail.jobId ?? '');
    return job ? attemptsOf(detail, job, group) : [];
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

/** Ids of the children of an array job that have failed: about 1,000 at most. */
export async function failedOfBatch(batch: BatchClient, { id }: StepJob, signal?: AbortSignal): Promise<string[]> {
  const failed: string[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < FAILED_PAGES; page += 1) {
    const command = new ListJobsCommand({ arrayJobId: id, jobStatus: 'FAILED', ...(nextToken && { nextToken }) });
    const answer = await patiently(() => batch.send(command), signal);
    for (const child of answer.jobSummaryList ?? []) if (child.jobId) failed.push(child.jobId);
    nextToken = answer.nextToken;
    if (nextToken === undefined) break;
  }
  return failed;
}
