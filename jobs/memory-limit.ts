/**
 * Holds a process and all its descendants to a memory limit, where no container does. By looking at /proc a few times a
 * second; elsewhere than on Linux nothing is limited.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';

const EVERY_MS = 100;
/** Looking takes at most this share of the time, however many processes the host has. */
const LARGEST_SHARE = 0.02;
const KIB = 1024;

/**
 * @param leader of a session of its own
 * @param onOver called once
 * @returns ends the watch
 */
export function watchMemory(leader: number, limitMiB: number, onOver: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const began = performance.now();
    if (heldBytes(leader) > limitMiB * KIB * KIB) return onOver();
    timer = setTimeout(look, Math.max(EVERY_MS, (performance.now() - began) / LARGEST_SHARE));
  };
  timer = setTimeout(look, EVERY_MS);
  return () => clearTimeout(timer);
}

/** Pages that processes share are divided among them. */
function heldBytes(leader: number): number {
  let sum = 0;
  for (const pid of membersOf(leader, readProcesses())) sum += proportionalBytes(pid);
  return sum;
}

interface ProcessRow {
  pid: number;
  parent: number;
  session: number;
}

function membersOf(leader: number, rows: readonly ProcessRow[]): Set<number> {
  const members = new Set<number>(rows.filter(({ session }) => session === leader).map(({ pid }) => pid));
  members.add(leader);
  // One that made a session of its own is still somebody's child.
  for (let before = -1; before !== members.size; ) {
    before = members.size;
    for (const { pid, parent } of rows) if (members.has(parent)) members.add(pid);
  }
  return members;
}

function readProcesses(): ProcessRow[] {
  try {
    return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (readRow(Number(name)) ?? []) : []));
  } catch {
    return [];
  }
}

/** The command stands in brackets and may hold anything, so fields count from the last bracket (proc(5)). */
function readRow(pid: number): ProcessRow | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { pid, parent: Number(fields[1]), session: Number(fields[3]) };
}

function proportionalBytes(pid: number): number {
  const kib = (file: string, field: RegExp) => Number(field.exec(read(file) ?? '')?.[1] ?? Number.NaN);
  const shared = kib(`/proc/${pid}/smaps_rollup`, /^Pss:\s+(\d+) kB/m);
  const own = Number.isNaN(shared) ? kib(`/proc/${pid}/status`, /^VmRSS:\s+(\d+) kB/m) : shared;
  return Number.isNaN(own) ? 0 : own * KIB;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}
