/**
 * How Slurm's programs are run: on this machine, or by SSH on one that has them. Never by a shell of ours; the shell that
 * SSH starts over there gets every word quoted.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quoteForShell } from '../../../../workflows/launch/sheet/template.ts';

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** @throws SlurmUnreachableError when the program could not be run or did not end in time */
export type Transport = (argv: readonly string[], stdin?: string) => Promise<Ran>;

/** Says nothing of the job: to be tried again. */
export class SlurmUnreachableError extends Error {
  override readonly name = 'SlurmUnreachableError';
}

/** Under the 20 s an activity's call may take; Slurm's own patience with its controller is 10 s. */
const PATIENCE_MS = 18_000;
/** SSH's own exit code when it did not get there. */
const SSH_FAILED = 255;
const MOST_OUTPUT = 64 * 1024 * 1024;
/** Times in seconds since the epoch: those of another machine have another time zone. */
const VARIABLES = ['SLURM_TIME_FORMAT=%s', 'LC_ALL=C'];
/** What Slurm's programs need; sbatch gives its own environment to the job, which must not get the worker's keys. */
const KEPT = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SLURM_CONF', 'TMPDIR'];

export function onThisMachine(env: NodeJS.ProcessEnv = process.env): Transport {
  const kept = Object.fromEntries(KEPT.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  return (argv, stdin) => run('env', [...VARIABLES, ...argv], kept, stdin);
}

export interface SshPlace {
  host: string;
  /** Empty: as SSH's own settings say. */
  user: string;
}

/** One connection for all calls of this process; the host's key must be known. */
export function overSsh({ host, user }: SshPlace, env: NodeJS.ProcessEnv = process.env): Transport {
  const options = [
    ...['BatchMode=yes', 'StrictHostKeyChecking=yes', 'ConnectTimeout=10', 'ServerAliveInterval=5'],
    ...['ControlMaster=auto', 'ControlPersist=60', `ControlPath=${join(mkdtempSync(join(tmpdir(), 'lh-ssh-')), '%C')}`],
  ].flatMap((option) => ['-o', option]);
  const place = [...(user === '' ? [] : ['-l', user]), '--', host];
  return async (argv, stdin) => {
    const command = ['env', ...VARIABLES, ...argv].map(quoteForShell).join(' ');
    const ran = await run('ssh', [...options, '-T', ...place, command], env, stdin);
    if (ran.code === SSH_FAILED) throw new SlurmUnreachableError(`ssh to ${host}: ${ran.stderr.trim()}`);
    return ran;
  };
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv, stdin = ''): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL',
    });
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    let size = 0;
    const take = (into: Buffer[]) => (bytes: Buffer) => {
      size += bytes.length;
      if (size > MOST_OUTPUT) child.kill('SIGKILL');
      else into.push(bytes);
    };
    child.stdout.on('data', take(out));
    child.stderr.on('data', take(errors));
    // A program that ends without reading its input is told from by its exit code.
    child.stdin.on('error', () => {}).end(stdin);
    child.once('error', (error) => reject(new SlurmUnreachableError(`${program} cannot be run: ${error.message}`)));
    child.once('close', (code, signal) => {
      if (code === null) {
        const why = size > MOST_OUTPUT ? 'said too much' : `did not end in ${PATIENCE_MS / 1000} s (${signal})`;
        return reject(new SlurmUnreachableError(`${args.find((word) => !word.includes('=')) ?? program} ${why}`));
      }
      const text = (parts: Buffer[]) => Buffer.concat(parts).toString('utf8');
      resolve({ code, stdout: text(out), stderr: text(errors) });
    });
  });
}
