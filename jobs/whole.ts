/**
 * `run`: a whole job in one process, for compute services without tasks of several containers: stage, then main as a
 * child, then publish, which ends as main did. Beside main of a head job, keep.
 *
 * @module
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { type AttemptEnding, type EndingContainer, type EndingWay, formatEnding } from '../lib/launch/endings.ts';
import { putText } from '../lib/s3-objects.ts';
import { JOB_ENVIRONMENT } from '../workflows/launch/model.ts';
import { EXIT } from './exit-codes.ts';
import { guarded } from './guard.ts';
import { attemptName, type Job, JobError } from './job.ts';
import { keep } from './keep.ts';
import { LogShipper } from './log-shipper.ts';
import { type JobContainer, streamsOf } from './log-streams.ts';
import type { MainEnding } from './main-ending.ts';
import { startMain } from './main-process.ts';
import { publish } from './publish.ts';
import { stage } from './stage.ts';

/** 128 + SIGTERM. */
const TERMINATED = 143;

/** Which part ended how: the service sees one exit code, and a command's 64 is not stage's. */
export interface JobEnding {
  containers: { name: EndingContainer; exitCode: number }[];
  way: EndingWay;
}

export interface WholeOptions {
  /** What main is. */
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the job is to end. */
  signal: AbortSignal;
}

/** @returns main's exit code, or that of the part that failed */
export async function runWhole(s3: S3Client, job: Job, { argv, env, signal }: WholeOptions): Promise<number> {
  if (argv.length === 0) throw new JobError(EXIT.notAJob, 'usage: jobs run -- <command> <argument>...');
  const file = env[JOB_ENVIRONMENT.ending];
  const ending: JobEnding = { containers: [], way: 'exited' };
  const logs = openLogs(job, env);
  const stop = new AbortController();
  const end = (way: EndingWay) => {
    if (ending.way === 'exited') ending.way = way;
    stop.abort();
  };
  const stopped = () => end('stopped');
  signal.addEventListener('abort', stopped, { once: true });
  if (signal.aborted) stopped();
  const seconds = Number(env[JOB_ENVIRONMENT.timeout]);
  const deadline = seconds > 0 ? setTimeout(() => end('timeout'), seconds * 1000) : undefined;
  try {
    // A host that was lost may have left half of an earlier attempt there.
    await empty(job.work, file);
    return await parts(s3, logs.job, { argv, env, signal: stop.signal, ...(logs.tell && { tell: logs.tell }) }, ending);
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', stopped);
    // Before the ending: who is told of the end finds the last lines.
    await logs.close();
    if (file) await tellEnding(s3, job, file, ending);
    await rm(job.work, { recursive: true, force: true }).catch(() => {});
  }
}

/** The lines of each part go to the stream of the container that would have been it. */
function openLogs(job: Job, env: WholeOptions['env']) {
  const group = env[JOB_ENVIRONMENT.logGroup];
  if (!group) return { job: () => job, tell: undefined, close: async () => {} };
  const logs = { group, streams: streamsOf(env[JOB_ENVIRONMENT.jobName] ?? 'longhaul', attemptName(job)) };
  const shipper = new LogShipper(logs, job.say);
  return {
    job: (container: JobContainer): Job => ({
      ...job,
      logs,
      say(line) {
        job.say(line);
        shipper.add(container, line);
      },
    }),
    tell: (line: string) => shipper.add('main', line),
    close: () => shipper.close(),
  };
}

async function empty(work: string, file: string | undefined): Promise<void> {
  if (file && !file.startsWith('s3://')) await rm(file, { force: true });
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
}

async function parts(
  s3: S3Client,
  jobOf: (container: JobContainer) => Job,
  { argv, env, signal, tell }: WholeOptions & { tell?: (line: string) => void },
  ending: JobEnding,
): Promise<number> {
  const { containers } = ending;
  const job = jobOf('stage');
  const staged = await unlessAborted(
    signal,
    guarded(job.say, () => stage(s3, job)),
  );
  containers.push({ name: 'stage', exitCode: staged });
  if (staged !== 0) return staged;
  let ended: MainEnding | undefined;
  const main = startMain(jobOf('main'), argv, env, tell);
  signal.addEventListener('abort', main.terminate, { once: true });
  if (signal.aborted) main.terminate();
  const helper = jobOf('publish');
  const kept = guarded(helper.say, () => keep(s3, helper, async () => ended, signal));
  const { outOfMemory, ...of } = await main.ended;
  ended = of;
  if (outOfMemory) ending.way = 'memory';
  containers.push({ name: 'main', exitCode: ended.exitCode });
  await kept;
  const published = await guarded(helper.say, () => publish(s3, { ...helper, main: () => ended }));
  containers.push({ name: 'publish', exitCode: published });
  return published;
}

/** Nothing of stage needs an orderly end: another attempt does it again. */
function unlessAborted(signal: AbortSignal, work: Promise<number>): Promise<number> {
  return Promise.race([
    work,
    new Promise<number>((resolve) => {
      if (signal.aborted) resolve(TERMINATED);
      signal.addEventListener('abort', () => resolve(TERMINATED), { once: true });
    }),
  ]);
}

/** Into a file as JSON, or under an address as an empty object whose name says all. */
async function tellEnding(s3: S3Client, job: Job, place: string, ending: JobEnding): Promise<void> {
  if (!place.startsWith('s3://')) return writeFile(place, `${JSON.stringify(ending)}\n`);
  const [parent = '', index = '0'] = job.id.split(':');
  const failed = ending.containers.find(({ exitCode }) => exitCode !== 0);
  const attempt: AttemptEnding = {
    index: Number(index),
    attempt: job.attempt,
    container: failed?.name ?? (ending.containers.length === 0 ? 'stage' : 'publish'),
    exitCode: failed?.exitCode ?? (ending.containers.length === 0 ? EXIT.failed : 0),
    way: ending.way,
  };
  try {
    // One byte: the SDK warns of an empty text.
    await putText(s3, `${place}${parent}/${formatEnding(attempt)}`, '\n', 'text/plain');
  } catch (error) {
    job.say(`how this job ended could not be stored: ${String(error)}`);
  }
}
