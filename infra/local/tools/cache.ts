/**
 * The cache outside the tree: one folder per tool and version, complete or absent, never half made.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { withLock } from './lock.ts';
import type { Progress } from './progress.ts';

/** `LONGHAUL_CACHE_DIR`, else `longhaul` under the user's cache directory. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  if (env.LONGHAUL_CACHE_DIR) return env.LONGHAUL_CACHE_DIR;
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'longhaul');
}

/** Where a tool's folder is, or would be. */
export function cached(folder: string): string {
  return join(cacheDirectory(), folder);
}

/**
 * The folder of a tool, made by `make` when it is not there yet. `make` works in a sibling folder that is renamed
 * only when it is done, so a killed run leaves nothing that looks complete.
 * @param folder `<tool>-<version>`
 * @param make gets the folder to fill and the place it will have in the end
 */
export async function makeOnce(
  tool: string,
  folder: string,
  progress: Progress,
  make: (directory: string, final: string) => Promise<void>,
): Promise<string> {
  const final = cached(folder);
  if (existsSync(final)) return final;
  await mkdir(cacheDirectory(), { recursive: true });
  const waiting = (holder: { pid: number }, seconds: number) =>
    progress({ tool, step: 'waiting for another process', detail: `pid ${holder.pid} makes ${folder}, ${seconds} s` });
  return withLock(`${final}.lock`, waiting, async () => {
    if (existsSync(final)) return final;
    await sweep(folder);
    const part = `${final}.${randomUUID()}.part`;
    await mkdir(part);
    try {
      await make(part, final);
      await rename(part, final);
    } finally {
      await rm(part, { recursive: true, force: true });
    }
    return final;
  });
}

/** Only ever called with the lock held: whatever is half made then belongs to a run that is gone. */
async function sweep(folder: string): Promise<void> {
  for (const entry of await readdir(cacheDirectory())) {
    if (entry.startsWith(`${folder}.`) && entry.endsWith('.part')) {
      await rm(join(cacheDirectory(), entry), { recursive: true, force: true });
    }
  }
}
