/**
 * One container's part of a job, from its variables to its exit code.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { mainEnding } from './ending.ts';
import { EXIT } from './exit-codes.ts';
import { type Job, JobError, readJob } from './job.ts';
import { keep } from './keep.ts';
import { publish } from './publish.ts';
import { stage } from './stage.ts';

const roles = { stage, publish, keep: keepBeside } as const;

/** ECS and Kubernetes stop it by SIGTERM: enough time to keep the folder once more. */
async function keepBeside(s3: S3Client, job: Job): Promise<number> {
  const stopped = new AbortController();
  process.once('SIGTERM', () => stopped.abort());
  const code = await keep(s3, job, () => mainEnding(job), stopped.signal);
  // Kubernetes starts it again whenever it ends by itself, and stops it after publish.
  if (job.ordered) await untilStopped(stopped.signal);
  return code;
}

async function untilStopped(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await delay(60_000, undefined, { signal }).catch(() => {});
}

/** @returns the exit code; what went wrong has been said */
export async function runRole(
  role: string | undefined,
  s3: S3Client,
  env: Readonly<Record<string, string | undefined>>,
  say: (line: string) => void,
): Promise<number> {
  try {
    if (role === undefined || !Object.hasOwn(roles, role))
      throw new JobError(EXIT.notAJob, `usage: jobs ${Object.keys(roles).join('|')}`);
    return await roles[role as keyof typeof roles](s3, await readJob(s3, env, say));
  } catch (error) {
    // The last line of the log is what the user is shown, so it says what happened and nothing else.
    const known = error instanceof JobError;
    say(known ? error.message : `failed: ${error instanceof Error ? error.message : String(error)}`);
    return known ? error.exitCode : EXIT.failed;
  }
}
