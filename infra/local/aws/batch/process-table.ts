/**
 * Which processes belong to a container and how much memory they hold: from /proc on Linux, from `ps` elsewhere.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';

export interface ProcessRow {
  pid: number;
  parent: number;
  group: number;
  session: number;
  /** Tells a process from a later one with the same pid. */
  startedAt: string;
  rssBytes: number;
}

export const LINUX = existsSync('/proc/self/stat');
const run = promisify(execFile);
const PAGE_BYTES = LINUX ? pageBytes() : 0;

/** Undefined when the process is gone. */
export function readProcess(pid: number): ProcessRow | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  return parseStat(pid, text);
}

/** The command stands in brackets and may hold anything, so fields count from the last bracket (proc(5)). */
export function parseStat(pid: number, text: string): ProcessRow {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    startedAt: fields[19] ?? '',
    rssBytes: Number(fields[21]) * PAGE_BYTES,
  };
}

export function listPids(): number[] {
  const pids: number[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (pid > 0) pids.push(pid);
  }
  return pids;
}

/** Shared pages divided among those who share them; undefined when it cannot be read. */
export function proportionalBytes(pid: number): number | undefined {
  try {
    const kib = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}

/** All processes at once, for systems without /proc. */
export async function listByPs(): Promise<ProcessRow[]> {
  const { stdout } = await run('ps', ['-axo', 'pid=,ppid=,pgid=,rss=,lstart='], { maxBuffer: 1 << 24 });
  return stdout.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    if (!match) return [];
    const [, pid, parent, group, rss, startedAt = ''] = match;
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        group: Number(group),
        session: 0,
        startedAt,
        rssBytes: Number(rss) * 1024,
      },
    ];
  });
}

/** Node does not tell the page size; the same figure in pages and in kB does. */
function pageBytes(): number {
  const pages = Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[1]);
  const kib = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
  return 2 ** Math.round(Math.log2((kib * 1024) / pages));
}
