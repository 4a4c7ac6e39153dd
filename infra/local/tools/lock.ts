/**
 * A lock file that names its holder, so that the lock of a killed process is taken over instead of waited for.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, ownIdentity, type ProcessIdentity } from './identity.ts';

/** Locks of this very process: its pid in the file cannot tell two holders in one process apart. */
const held = new Set<string>();

/**
 * Runs `work` while holding the lock at `path`.
 * @param waiting told about once a second who is waited for
 * @param timeoutMs how long to wait before giving up
 */
export async function withLock<T>(
  path: string,
  waiting: (holder: ProcessIdentity, elapsedSeconds: number) => void,
  work: () => Promise<T>,
  timeoutMs = 20 * 60_000,
): Promise<T> {
  // The state folder is made here first: what lies in it is its owner's alone.
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const begun = Date.now();
  let told = 0;
  for (;;) {
    if (!held.has(path) && (await take(path))) break;
    const holder = (await read(path)) ?? ownIdentity();
    if (!isAlive(holder)) await clear(path, holder);
    const elapsed = Math.floor((Date.now() - begun) / 1000);
    if (Date.now() - begun > timeoutMs) {
      throw new Error(`gave up after ${elapsed} s: process ${holder.pid} still holds ${path}`);
    }
    if (elapsed > told) waiting(holder, elapsed);
    told = elapsed;
    await delay(100);
  }
  try {
    return await work();
  } finally {
    held.delete(path);
    await rm(path, { force: true });
  }
}

/** Linking a complete file into place is atomic: nobody ever reads a half-written lock. */
async function take(path: string): Promise<boolean> {
  const draft = `${path}.${process.pid}-${randomUUID()}`;
  held.add(path);
  await writeFile(draft, JSON.stringify(ownIdentity()));
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    held.delete(path);
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function read(path: string): Promise<ProcessIdentity | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

/** Moves a dead holder's lock aside; when another took over in between, its lock is put back. */
async function clear(path: string, dead: ProcessIdentity): Promise<void> {
  const aside = `${path}.dead-${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  const moved = await read(aside);
  if (moved !== undefined && (moved.pid !== dead.pid || moved.startTime !== dead.startTime)) {
    await link(aside, path).catch(() => {});
  }
  await rm(aside, { force: true });
}
