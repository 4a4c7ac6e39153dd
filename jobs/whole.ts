/**
 * `run`: a whole job in one process, for compute services without tasks of several containers: stage, then main as a
 * child, then publish, which ends as main did. Beside main of a head job, keep.
 *
 * @module
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { JOB_ENVIRONMENT } from '../workflows/launch/model.ts';
import { EXIT } from './exit-codes.ts';
import { guarded } from './guard.ts';
import { type Job, JobError } from './job.ts';
import { keep } from './keep.ts';
import { startMain } from './main-process.ts';
import { publish } from './publish.ts';
import { stage } from './stage.ts';
import type { MainEnding } from './main-ending.ts';

/** 128 + SIGTERM. */
const TERMINATED = 143;

/** Which part ended how: the service sees one exit code, and a command's 64 is not stage's. */
export interface JobEnding {
  containers: { name: 'stage' | 'main' | 'publish'; exitCode: number }[];
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
  const file = env[JOB_ENVIRONMENT.ending];
  if (argv.length === 0) throw new JobError(EXIT.notAJob, 'usage: jobs run -- <command> <argument>...');
  // A host that was lost may have left half of an earlier attempt there.
  await empty(job.work, file);
  const ending: JobEnding = { containers: [] };
  try {
    return await parts(s3, job, { argv, env, signal }, ending);
  } finally {
    if (file) await writeFile(file, `${JSON.stringify(ending)}\n`);
    await rm(job.work, { recursive: true, force: true }).catch(() => {});
  }
}

async function empty(work: string, file: string | undefined): Promise<void> {
  if (file) await rm(file, { force: true });
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
}

async function parts(
  s3: S3Client,
  job: Job,
  { argv, env, signal }: WholeOptions,
  { containers }: JobEnding,
): Promise<number> {
  const staged = await unlessAborted(
    signal,
    guarded(job.say, () => stage(s3, job)),
  );
  containers.push({ name: 'stage', exitCode: staged });
  if (staged !== 0) return staged;
  let ending: MainEnding | undefined;
  const main = startMain(job, argv, env);
  signal.addEventListener('abort', main.terminate, { once: true });
  if (signal.aborted) main.terminate();
  const kept = guarded(job.say, () => keep(s3, job, async () => ending, signal));
  ending = await main.ended;
  const { exitCode } = ending;
  containers.push({ name: 'main', exitCode });
  await kept;
  const published = await guarded(job.say, () => publish(s3, { ...job, main: () => ending }));
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
