/**
 * Starts children that cannot outlive their supervisor. Between the two stands a few lines of sh that read from a
 * pipe only the supervisor holds open: when it dies, by whatever signal, the pipe ends and the child is ended.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/**
 * fd 3 is the pipe, fd 4 the child's standard input (in sh a background command would get /dev/null). The leash
 * passes SIGTERM on once, ends with the child's exit code, and is the leader of a process group: what the child
 * started and left behind goes with it. While the supervisor lives it clears the group; once it is gone the watcher
 * does, which therefore no longer heeds the SIGTERM that otherwise ends it with the child. It heeds SIGTERM before it
 * starts the child, which may be ready, and told to end, sooner than the leash.
 */
const LEASH = `
child=; told=
trap 'told=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM
exec 4<&0 </dev/null
"$@" <&4 3<&- 4<&- &
child=$!
[ -z "$told" ] || kill -TERM "$child" 2>/dev/null
exec 4<&-
(
  while read -r line <&3; do :; done
  trap '' TERM
  kill -TERM "$child" 2>/dev/null
  left=5
  while kill -0 "$child" 2>/dev/null && [ "$left" -gt 0 ]; do sleep 1; left=$((left - 1)); done
  kill -KILL 0
) &
watcher=$!
exec 3<&-
trap '' INT HUP
wait "$child"; code=$?
while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
kill -TERM "$watcher" 2>/dev/null
exit "$code"
`;

/** Found in the environment of every process a platform starts, and of what those start. */
export const MARKER = 'LONGHAUL_PLATFORM_STATE';

export interface LeashOptions {
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** The state directory: the marker's value. */
  marker: string;
  logFile: string;
  /** Keep standard input open for as long as the supervisor lives, for children that watch it. */
  stdin: boolean;
}

/** The leash's pid is the id of the process group that holds the child and its children. */
export function spawnLeashed(options: LeashOptions): ChildProcess {
  const log = openSync(options.logFile, 'a', 0o600);
  try {
    return spawn('/bin/sh', ['-c', LEASH, `longhaul-leash:${options.marker}`, options.command, ...options.args], {
      env: { ...options.env, [MARKER]: options.marker },
      stdio: [options.stdin ? 'pipe' : 'ignore', log, log, 'pipe'],
      // A group of its own: Ctrl-C in the terminal reaches the supervisor only, which stops all in order.
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

/** Ends a leash's whole group; one that is gone already is fine. */
export function killGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    // macOS answers EPERM for a group of which only a zombie is left.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
