/**
 * `main` as a child of the job program, where the compute service runs one process a job and not three containers.
 *
 * @module
 */
import { execFile, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { JOB_ENVIRONMENT } from '../workflows/launch/model.ts';
import { attemptName, type Job } from './job.ts';
import { LineSplitter } from './line-splitter.ts';
import type { MainEnding } from './main-ending.ts';
import { watchMemory } from './memory-limit.ts';
import { commandOf, RUNTIMES, type Runtime } from './runtime.ts';

/** As shells tell what cannot be started. */
const CANNOT_START = { ENOENT: 127, other: 126 } as const;
/** 128 + SIGKILL. */
const KILLED = 137;
/** Between SIGTERM and SIGKILL. Slurm gives the whole job 30 s by default (KillWait): what is left is for its last lines. */
const GRACE_MS = 20_000;
/** A container's own runtime must answer within this when it is asked how the container ended. */
const INSPECT_MS = 30_000;

type Environment = Readonly<Record<string, string | undefined>>;

export interface MainProcess {
  /** `outOfMemory`: it was killed for its memory. */
  ended: Promise<MainEnding & { outOfMemory: boolean }>;
  /** SIGTERM, and SIGKILL 20 s later. */
  terminate(): void;
}

/** @param tell gets what it writes, line by line; without it that goes where the job program's own lines go */
export function startMain(
  job: Job,
  argv: readonly string[],
  env: Environment,
  tell?: (line: string) => void,
): MainProcess {
  const startedAt = new Date().toISOString();
  const runtime = RUNTIMES.find((known) => known === env[JOB_ENVIRONMENT.runtime]) ?? 'none';
  const memoryMiB = Number(env[JOB_ENVIRONMENT.memory]) || undefined;
  const vcpus = Number(env[JOB_ENVIRONMENT.vcpus]) || undefined;
  const name = `longhaul-${attemptName(job)}`;
  const { program, args, ...started } = commandOf({
    runtime,
    argv,
    environment: environmentOfMain(env),
    inherited: inheritedBy(env),
    image: env[JOB_ENVIRONMENT.image] ?? '',
    work: job.work,
    name,
    ...(job.shared !== undefined && { shared: job.shared }),
    ...(memoryMiB !== undefined && { memoryMiB }),
    ...(vcpus !== undefined && { vcpus }),
  });
  const child = spawn(program, args, {
    cwd: join(job.work, 'outputs'),
    env: started.env,
    // A session of its own: what it leaves running is found, and ends with it.
    detached: true,
    stdio: ['ignore', tell ? 'pipe' : 'inherit', tell ? 'pipe' : 'inherit'],
  });
  const splitters = [child.stdout, child.stderr].map((stream) => {
    const splitter = new LineSplitter(tell ?? (() => {}));
    stream?.on('data', (bytes: Buffer) => splitter.push(bytes));
    return splitter;
  });
  const signal = (what: NodeJS.Signals) => {
    if (child.pid !== undefined) kill(child.pid, what);
  };
  let outOfMemory = false;
  const stopWatching =
    child.pid !== undefined && memoryMiB !== undefined && runtime !== 'docker'
      ? watchMemory(child.pid, memoryMiB, () => {
          outOfMemory = true;
          signal('SIGKILL');
        })
      : () => {};
  let killing: NodeJS.Timeout | undefined;
  const ended = new Promise<MainEnding & { outOfMemory: boolean }>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      // An error of kill() also comes here, while the child lives on.
      if (child.pid !== undefined) return;
      job.say(`item ${job.row.item}: ${program} cannot be started: ${error.message}`);
      const exitCode = error.code === 'ENOENT' ? CANNOT_START.ENOENT : CANNOT_START.other;
      resolve({ exitCode, startedAt, outOfMemory });
    });
    child.once('exit', () => {
      stopWatching();
      clearTimeout(killing);
      // What it left running would go on writing, as no container would let it.
      signal('SIGKILL');
    });
    child.once('close', (code, by) => {
      if (child.pid === undefined) return;
      for (const splitter of splitters) splitter.end();
      const exitCode = code ?? 128 + (by ? constants.signals[by] : 0);
      void removeContainer(runtime, name, exitCode).then((killed) =>
        resolve({ exitCode, startedAt, outOfMemory: outOfMemory || killed }),
      );
    });
  });
  return {
    ended,
    terminate() {
      // To it alone, as a container's first process gets it; what it leaves behind is killed when it has ended.
      child.kill('SIGTERM');
      killing ??= setTimeout(() => signal('SIGKILL'), GRACE_MS);
    },
  };
}

function kill(leader: number, what: NodeJS.Signals): void {
  try {
    process.kill(-leader, what);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** @returns whether Docker says that it was killed for its memory */
async function removeContainer(runtime: Runtime, name: string, exitCode: number): Promise<boolean> {
  if (runtime !== 'docker') return false;
  const ask = promisify(execFile);
  const options = { timeout: INSPECT_MS };
  const said =
    exitCode === KILLED &&
    (await ask('docker', ['inspect', '--format', '{{.State.OOMKilled}}', name], options).catch(() => undefined));
  await ask('docker', ['rm', '--force', name], options).catch(() => {});
  return said ? said.stdout.trim() === 'true' : false;
}

/** Which attempt of what it is, as AWS Batch tells main too. */
const TOLD: readonly string[] = [JOB_ENVIRONMENT.jobId, JOB_ENVIRONMENT.jobAttempt, JOB_ENVIRONMENT.jobIndex];

function environmentOfMain(env: Environment): Record<string, string> {
  const given = JSON.parse(env[JOB_ENVIRONMENT.mainEnvironment] ?? '{}') as Record<string, string>;
  return {
    ...Object.fromEntries(TOLD.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))),
    ...given,
  };
}

/** What is the job program's own stays its own: main sees what it would see in a container. */
function inheritedBy(env: Environment): Environment {
  const own: string[] = Object.values(JOB_ENVIRONMENT);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !own.includes(name)));
}
