/**
 * platform.json: how other processes find a running platform, and how the next start finds what a killed one left.
 *
 * @module
 */

import { execFileSync } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { carries, processesWith } from '../kit/marked-processes.ts';
import { isAlive } from '../tools/identity.ts';
import type { PlatformEnvironment } from './environment.ts';
import { killGroup, MARKER } from './leash.ts';
import type { Ports } from './ports.ts';
import { writeJson } from './state.ts';
import type { RecordedChild } from './supervised.ts';

export interface PlatformRecord {
  name: string;
  /** The supervisor. */
  pid: number;
  /** Of the supervisor, as this system tells it: a reused pid is not taken for it. */
  startTime: string;
  startedAt: string;
  stateDirectory: string;
  versions: Record<string, string>;
  ports: Ports;
  urls: { temporal: string; temporalUi?: string; aws: string; openai: string; gateway?: string };
  environment: PlatformEnvironment;
  /** Each is the leader of a process group. */
  children: RecordedChild[];
}

const fileIn = (stateDirectory: string) => join(stateDirectory, 'platform.json');

async function readRecord(stateDirectory: string): Promise<PlatformRecord | undefined> {
  try {
    return JSON.parse(await readFile(fileIn(stateDirectory), 'utf8')) as PlatformRecord;
  } catch {
    return undefined;
  }
}

export function writeRecord(record: PlatformRecord): Promise<void> {
  return writeJson(fileIn(record.stateDirectory), record);
}

export function removeRecord(stateDirectory: string): Promise<void> {
  return rm(fileIn(stateDirectory), { force: true });
}

/** The record of a platform whose supervisor lives. */
export async function livingRecord(stateDirectory: string): Promise<PlatformRecord | undefined> {
  const record = await readRecord(stateDirectory);
  return record && isAlive(record) ? record : undefined;
}

/** The leash gives its child five seconds after the supervisor's end; after that there is nothing to wait for. */
const LEASH_GRACE_MS = 6_000;
const KILL_MS = 5_000;

/**
 * Ends what a killed supervisor left behind. Only call it when no supervisor of this directory lives.
 * @returns the pids that had to be waited for
 */
export async function endLeftovers(stateDirectory: string): Promise<number[]> {
  const recorded = (await readRecord(stateDirectory))?.children ?? [];
  const leftovers = async () => {
    const known = recorded.filter((child) => isAlive(child) && hasMarker(child.pid, stateDirectory));
    return [...new Set([...known.map((child) => child.pid), ...(await markedProcesses(stateDirectory))])];
  };
  const found = await leftovers();
  if (!(await gone(leftovers, LEASH_GRACE_MS))) {
    for (const pid of await leftovers()) {
      killGroup(pid, 'SIGKILL');
      killOne(pid);
    }
    if (!(await gone(leftovers, KILL_MS))) {
      throw new Error(`processes of an earlier run do not end: ${(await leftovers()).join(', ')}`);
    }
  }
  await removeRecord(stateDirectory);
  return found;
}

async function gone(leftovers: () => Promise<number[]>, withinMs: number): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; ; await delay(100)) {
    if ((await leftovers()).length === 0) return true;
    if (Date.now() > deadline) return false;
  }
}

function killOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}

/** A living process that carries our marker: a pid from a file is not enough to end something. */
function hasMarker(pid: number, stateDirectory: string): boolean {
  try {
    if (process.platform === 'linux') return carries(pid, `${MARKER}=${stateDirectory}`);
    const command = execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    return command.includes(`longhaul-leash:${stateDirectory}`);
  } catch {
    return false;
  }
}

/** Linux shows every process's environment, so also children whose leash was killed are found. */
export async function markedProcesses(stateDirectory: string): Promise<number[]> {
  return processesWith(`${MARKER}=${stateDirectory}`).filter((pid) => pid !== process.pid);
}
