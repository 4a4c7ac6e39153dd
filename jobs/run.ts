/**
 * One container's part of a job, or all of it, from its variables to its exit code.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { EXIT } from './exit-codes.ts';
import { guarded } from './guard.ts';
import { type Job, JobError, readJob } from './job.ts';
import { keep } from './keep.ts';
import { publish } from './publish.ts';
import { stage } from './stage.ts';
import { mainEnding } from './task-metadata.ts';
import { countRequests } from './usage.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const roles = { stage, publish, keep: keepBeside, run: runAll } as const;

/** ECS and Kubernetes stop it by SIGTERM: enough time to keep the folder once more. */
async function keepBeside(s3: S3Client, job: Job): Promise<number> {
  const signal = whenTerminated();
  const code = await keep(s3, job, () => mainEnding(job), signal);
  // Kubernetes starts it again whenever it ends by itself, and stops it after publish.
  if (job.ordered) while (!signal.aborted) await delay(60_000, undefined, { signal }).catch(() => {});
  return code;
}

async function runAll(s3: S3Client, job: Job, env: Environment, args: readonly string[]): Promise<number> {
  const argv = args[0] === '--' ? args.slice(1) : args;
  // Loaded here alone: stage and publish start twice for each job, and do without.
  const { runWhole } = await import('./whole.ts');
  return runWhole(s3, job, { argv, env, signal: whenTerminated() });
}

function whenTerminated(): AbortSignal {
  const stopped = new AbortController();
  process.once('SIGTERM', () => stopped.abort());
  return stopped.signal;
}

/**
 * @param args what follows the role
 * @returns the exit code; what went wrong has been said
 */
export async function runRole(
  role: string | undefined,
  s3: S3Client,
  env: Environment,
  say: (line: string) => void,
  args: readonly string[] = [],
): Promise<number> {
  return guarded(say, async () => {
    if (role === 'host') {
      const { runHost } = await import('./host.ts');
      const program = [process.execPath, process.argv[1] ?? ''];
      return runHost(s3, { env, say, program, signal: whenTerminated() });
    }
    if (role === undefined || !Object.hasOwn(roles, role))
      throw new JobError(EXIT.notAJob, `usage: jobs ${[...Object.keys(roles), 'host'].join('|')}`);
    const requests = countRequests(s3);
    return roles[role as keyof typeof roles](s3, { ...(await readJob(s3, env, say)), requests }, env, args);
  });
}
