/**
 * `main` as a child of the job program, where the compute service runs one process a job and not three containers.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { WORK_PATH } from '../workflows/launch/manifest.ts';
import { JOB_ENVIRONMENT } from '../workflows/launch/model.ts';
import type { Job } from './job.ts';
import type { MainEnding } from './main-ending.ts';

/** As shells tell what cannot be started. */
const CANNOT_START = { ENOENT: 127, other: 126 } as const;

type Environment = Readonly<Record<string, string | undefined>>;

export interface MainProcess {
  ended: Promise<MainEnding>;
  terminate(): void;
}

export function startMain(job: Job, argv: readonly string[], env: Environment): MainProcess {
  const startedAt = new Date().toISOString();
  const [program = '', ...args] = argv.map((word) => inWork(job.work, word));
  const child = spawn(program, args, {
    cwd: join(job.work, 'outputs'),
    env: environmentOfMain(job, env),
    // The job's own log: what main writes stands between the lines of stage and publish.
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = new Promise<MainEnding>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      // An error of kill() also comes here, while the child lives on.
      if (child.pid !== undefined) return;
      job.say(`item ${job.row.item}: ${program} cannot be started: ${error.message}`);
      resolve({ exitCode: error.code === 'ENOENT' ? CANNOT_START.ENOENT : CANNOT_START.other, startedAt });
    });
    child.once('exit', (code, signal) =>
      resolve({ exitCode: code ?? 128 + (signal ? constants.signals[signal] : 0), startedAt }),
    );
  });
  return { ended, terminate: () => void child.kill('SIGTERM') };
}

/** The plan speaks of the mount inside containers; here the folder is another for each job. */
export const inWork = (work: string, word: string): string =>
  word === WORK_PATH || word.startsWith(`${WORK_PATH}/`) ? work + word.slice(WORK_PATH.length) : word;

/** What is the job program's own stays its own: main sees what it would see in a container. */
function environmentOfMain(job: Job, env: Environment): NodeJS.ProcessEnv {
  const own: string[] = Object.values(JOB_ENVIRONMENT);
  const inherited = Object.entries(env).filter(([name]) => !own.includes(name));
  const given = JSON.parse(env[JOB_ENVIRONMENT.mainEnvironment] ?? '{}') as Record<string, string>;
  const changed = Object.entries(given).map(([name, value]) => [name, inWork(job.work, value)]);
  return { ...Object.fromEntries(inherited), ...Object.fromEntries(changed), [JOB_ENVIRONMENT.work]: job.work };
}
