/**
 * Starts a container's main process so that it cannot outlive the stand-in. A watcher in the process group waits on a
 * pipe that only the stand-in holds open; when the stand-in dies, by whatever signal, the pipe ends and the watcher
 * kills the group. The main process is exec'ed in place: its pid, exit code and signals are the job's own.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** In the environment of every process of a container: finds those that left the process group. */
export const MARKER = 'LONGHAUL_CONTAINER';

/**
 * The watcher is orphaned at once, or the main process would have a child it knows nothing of. On Linux it also ends
 * descendants that made a session of their own, found by the marker; itself it spares for last.
 */
const LEASH = `
marker=$1; shift
( (
  while read -r line <&3; do :; done
  if [ -r /proc/self/stat ]; then
    read -r self rest </proc/self/stat
    for file in $(grep -lzsx -e "$marker" /proc/[0-9]*/environ); do
      pid=\${file#/proc/}; pid=\${pid%/environ}
      [ "$pid" = "$self" ] || kill -KILL "$pid"
    done
  fi
  kill -KILL 0
) </dev/null >/dev/null 2>&1 & )
exec "$@" 3<&-
`;

export interface LeashedOptions {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** Unique per container. */
  id: string;
}

/** The child's pid is the main process's, and the id of its process group and session. */
export function spawnLeashed(options: LeashedOptions): ChildProcess {
  return spawn('/bin/sh', ['-c', LEASH, 'batch-job', `${MARKER}=${options.id}`, ...options.argv], {
    cwd: options.cwd,
    env: { ...options.env, [MARKER]: options.id },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
}

export function killGroup(leader: number): void {
  signal(-leader, 'SIGKILL');
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // EPERM: macOS says so of a group that holds only a zombie.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Kills a process that left the group, if the pid is still that process. */
export function killStray(pid: number, id: string): void {
  if (!existsSync(`/proc/${pid}/environ`)) return;
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    if (environment.includes(`${MARKER}=${id}`)) signal(pid, 'SIGKILL');
  } catch (error) {
    if (!['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
