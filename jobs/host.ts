/**
 * `host`: a machine's share of a job, where the compute service starts machines. Each item is a process, the job program's
 * `run`; what has ended before is not run again. When it ends, so does the machine.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { mapLimited } from '../lib/concurrency.ts';
import { readEndings } from '../lib/launch/endings.ts';
import { HOST_JOB_LIMIT, type HostJob, itemId, itemsOfHost, stopWord } from '../lib/launch/host-job.ts';
import { readJson } from '../lib/s3-objects.ts';
import { JOB_ENVIRONMENT } from '../workflows/launch/model.ts';
import { EXIT } from './exit-codes.ts';
import { JobError } from './job.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface HostOptions {
  env: Environment;
  say(line: string): void;
  /** Aborted when the machine is to end. */
  signal: AbortSignal;
  /** How the job program is started: a program and its first arguments. */
  program: readonly string[];
}

/** @returns 0 when every item has been run, however it ended */
export async function runHost(s3: S3Client, { env, say, signal, program }: HostOptions): Promise<number> {
  const need = (name: string): string => {
    const value = env[name];
    if (!value) throw new JobError(EXIT.notAJob, `${name} is not set: this program runs on a host Longhaul started`);
    return value;
  };
  const address = need(JOB_ENVIRONMENT.hostJob);
  const attempt = Number(need(JOB_ENVIRONMENT.jobAttempt));
  const job = await readJson<HostJob>(s3, address, HOST_JOB_LIMIT);
  const stopped = await stopWord(s3, address);
  if (stopped) {
    say(`the job was ended before this host began: ${stopped.reason}`);
    return 0;
  }
  const endings = await readEndings(s3, job.variables[JOB_ENVIRONMENT.ending] ?? '', job.id);
  const open = itemsOfHost(job, Number(need(JOB_ENVIRONMENT.host))).filter(
    (index) => (endings.get(index)?.way ?? 'stopped') === 'stopped',
  );
  const slots = Number(need(JOB_ENVIRONMENT.hostSlots));
  say(`${open.length} items, ${slots} at a time`);
  await mapLimited(open, slots, (index) => runItem(job, index, { attempt, env, say, signal, program }));
  return 0;
}

function runItem(
  job: HostJob,
  index: number,
  { attempt, env, say, signal, program }: HostOptions & { attempt: number },
): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { jobId, jobIndex, jobAttempt, work, hostScratch } = JOB_ENVIRONMENT;
  const [file = '', ...first] = program;
  const child = spawn(file, [...first, 'run', '--', ...job.argv], {
    env: {
      ...env,
      ...job.variables,
      [jobId]: itemId(job, index),
      [jobIndex]: String(index),
      [jobAttempt]: String(attempt),
      [work]: join(env[hostScratch] || env.TMPDIR || '/tmp', `longhaul-${job.id}-${index}`),
    },
    stdio: 'inherit',
  });
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  return new Promise((resolve) => {
    child.once('error', (error) => {
      say(`item ${index}: the job program cannot be started: ${error.message}`);
      resolve();
    });
    // Its own record says how it ended; nobody asks this process.
    child.once('exit', () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
  });
}
