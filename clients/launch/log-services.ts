/**
 * What the compute service of a step knows of its logs: for attempts whose start record does not say where they log, and
 * for items that have none.
 *
 * @module
 */
import { streamsOf } from '../../jobs/log-streams.ts';
import { endingsOfName, readEndings } from '../../lib/launch/endings.ts';
import { currentJobs, type StepItem, type StepJob } from '../../lib/store/steps.ts';
import { describedByBatch, failedOfBatch } from './log-batch.ts';
import type { Attempt, JobOfItem } from './log-lines.ts';
import { describedByPods, failedOfKubernetes } from './log-pods.ts';
import { patiently } from './log-reader.ts';
import { jobsByPlace, type LoggedStep, type LogSources } from './log-steps.ts';
import { runsOnBatch, runsOnKubernetes } from './own-words.ts';

/** Items without a start record that are looked for. */
const LOOKED_FOR = 100;

/**
 * Containers of AWS Batch that ended before the record was written, or never started; a pod, whose record never says it.
 * @returns the attempts that were given, with streams where these are known now, and those of `items`
 */
export async function askService(
  sources: LogSources,
  step: LoggedStep,
  attempts: readonly Attempt[],
  items: readonly string[],
  signal?: AbortSignal,
): Promise<Attempt[]> {
  const silent = attempts.filter(({ streams }) => Object.keys(streams).length === 0);
  const without = await patiently(() => jobsOf(sources, step, items), signal);
  const wanted = [...silent, ...without];
  if (wanted.length === 0 || !step.row) return [...attempts];
  const described = await describe(sources, step.row, wanted, signal);
  const same = (one: Attempt, other: Attempt) => one.jobId === other.jobId && one.attempt === other.attempt;
  const told = attempts.map((attempt) => {
    const found = silent.includes(attempt) ? described.find((other) => same(attempt, other)) : undefined;
    return found ? { ...attempt, group: found.group, streams: found.streams } : attempt;
  });
  return [...told, ...described.filter((one) => !attempts.some((other) => same(one, other)))];
}

async function describe(
  sources: LogSources,
  row: StepItem,
  wanted: readonly JobOfItem[],
  signal?: AbortSignal,
): Promise<Attempt[]> {
  if (runsOnBatch(row)) return describedByBatch(sources.batch, wanted, row.log_group, signal);
  return runsOnKubernetes(row) ? describedByPods(sources, row, wanted, signal) : describedByName(row, wanted);
}

/** Of a job in one process nobody has to be asked: its streams have its name. Without a record it is its first attempt. */
function describedByName(row: StepItem, wanted: readonly (JobOfItem & { attempt?: number })[]): Attempt[] {
  return wanted.flatMap(({ step, item, jobId, index, attempt = 1 }) => {
    const job = row.jobs.find(({ id }) => id === jobId.split(':')[0]);
    if (!job || row.log_group === '') return [];
    const streams = streamsOf(job.name, `${jobId.replaceAll(':', '_')}-${attempt}`);
    return [{ step, item, jobId, ...(index !== undefined && { index }), attempt, group: row.log_group, streams }];
  });
}

/** The jobs of items that have no start record, as far as the current generation has them. */
async function jobsOf(sources: LogSources, step: LoggedStep, wanted: readonly string[]): Promise<JobOfItem[]> {
  if (wanted.length === 0 || !step.row) return [];
  const places = new Map(step.items.map((item, place) => [item, place]));
  const jobs = await jobsByPlace(sources, step);
  return wanted.slice(0, LOOKED_FOR).flatMap((item) => {
    const job = jobs.get(places.get(item) ?? -1);
    return job ? [{ step: step.name, item, ...job }] : [];
  });
}

/** Ids of the children of the open arrays of a step that have failed. */
export async function failedChildren(
  sources: LogSources,
  { row }: LoggedStep,
  signal?: AbortSignal,
): Promise<Set<string>> {
  const failed = new Set<string>();
  const arrays = row ? currentJobs(row).filter(({ items }) => items > 1) : [];
  for (const job of arrays) for (const id of await failedOf(sources, row as StepItem, job, signal)) failed.add(id);
  return failed;
}

async function failedOf(sources: LogSources, row: StepItem, job: StepJob, signal?: AbortSignal): Promise<string[]> {
  if (runsOnBatch(row)) return failedOfBatch(sources.batch, job, signal);
  if (runsOnKubernetes(row)) return failedOfKubernetes(sources, row, job, signal);
  const folder = endingsOfName(sources.bucket, job.name);
  const endings = await patiently(() => readEndings(sources.s3, folder, job.id), signal);
  // What was stopped is run again, or nobody wants it any more.
  const over = [...endings.values()].filter(({ exitCode, way }) => exitCode !== 0 && way !== 'stopped');
  return over.map(({ index }) => `${job.id}:${index}`);
}
