/**
 * A container's main process cannot outlive the stand-in. A watcher in the process group waits on a pipe that only the
 * launcher holds open, which ends with the stand-in; when it dies, by whatever signal, the pipe ends and the watcher
 * kills the group. The main process is exec'ed in place: its pid, exit code and signals are the job's own.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import type { StartMessage } from './launcher-program.ts';

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

/**
 * The same start on a leash.
 * @param start its pid will be the main process's, and the id of its process group and session; its id is unique
 */
export function leashed(start: StartMessage): StartMessage {
  const { id, argv, env } = start;
  return {
    ...start,
    argv: ['/bin/sh', '-c', LEASH, 'batch-job', `${MARKER}=${id}`, ...argv],
    env: { ...env, [MARKER]: id },
  };
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
