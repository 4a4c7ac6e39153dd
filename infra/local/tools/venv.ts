/**
 * Python programs in virtual environments of their own, each made once, in the cache.
 *
 * @module
 */
import { lstat, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { makeOnce } from './cache.ts';
import type { Progress } from './progress.ts';
import { makeVenv, type VenvNeeds } from './python.ts';

export interface VenvTool {
  /** To be put in front of PATH. */
  bin: string;
  python: string;
}

/** @param folder names the packages and their versions: another set gets another folder */
export async function cachedVenv(
  tool: string,
  folder: string,
  packages: readonly string[],
  remedy: string,
  progress: Progress,
  needs?: VenvNeeds,
): Promise<VenvTool> {
  const directory = await makeOnce(tool, folder, progress, async (part, final) => {
    await makeVenv(tool, part, packages, progress, remedy, needs);
    await moveScripts(part, final);
  });
  const bin = join(directory, 'bin');
  progress({ tool, step: 'ready', detail: directory });
  return { bin, python: join(bin, 'python') };
}

/** A virtual environment's scripts and settings hold its path: they are told the place they will be moved to. */
async function moveScripts(directory: string, final: string): Promise<void> {
  const scripts = (await readdir(join(directory, 'bin'))).map((name) => join(directory, 'bin', name));
  for (const file of [...scripts, join(directory, 'pyvenv.cfg')]) {
    if (!(await lstat(file)).isFile()) continue;
    const text = await readFile(file, 'latin1');
    const moved = text.replaceAll(basename(directory), basename(final));
    if (moved !== text) await writeFile(file, moved, 'latin1');
  }
}
