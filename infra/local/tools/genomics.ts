/**
 * minimap2, samtools and bcftools as PyPI carries them (mappy, pysam), in a virtual environment of their own.
 *
 * @module
 */
import { lstat, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cached, makeOnce } from './cache.ts';
import type { Progress } from './progress.ts';
import { makeVenv } from './python.ts';

export interface GenomicsTool {
  /** To be put in front of PATH. */
  bin: string;
  python: string;
}

const PACKAGES = ['mappy==2.31', 'pysam==0.24.1'];
/** mappy comes as source only. */
const REMEDY =
  'mappy is compiled while it is installed: it needs a C compiler, zlib and Python headers (Debian, Ubuntu: apt-get install build-essential zlib1g-dev python3-dev; macOS: xcode-select --install)';
const FOLDER = 'genomics-mappy-2.31-pysam-0.24.1';

/** Where the environment is, or would be. */
export function genomicsFolder(): string {
  return cached(FOLDER);
}

export async function genomics(progress: Progress): Promise<GenomicsTool> {
  const directory = await makeOnce('genomics', FOLDER, progress, async (part, final) => {
    await makeVenv('genomics', part, PACKAGES, progress, REMEDY);
    await moveScripts(part, final);
  });
  const bin = join(directory, 'bin');
  progress({ tool: 'genomics', step: 'ready', detail: directory });
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
