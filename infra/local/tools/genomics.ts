/**
 * minimap2, samtools and bcftools as PyPI carries them (mappy, pysam), in a virtual environment of their own.
 *
 * @module
 */
import { cached } from './cache.ts';
import type { Progress } from './progress.ts';
import { cachedVenv, type VenvTool } from './venv.ts';

export const GENOMICS_PACKAGES = ['mappy==2.31', 'pysam==0.24.1'];
/** mappy comes as source only. */
export const GENOMICS_REMEDY =
  'mappy is compiled while it is installed: it needs a C compiler, zlib and Python headers (Debian, Ubuntu: apt-get install build-essential zlib1g-dev python3-dev; macOS: xcode-select --install)';
const FOLDER = 'genomics-mappy-2.31-pysam-0.24.1';

/** Where the environment is, or would be. */
export function genomicsFolder(): string {
  return cached(FOLDER);
}

export const genomics = (progress: Progress): Promise<VenvTool> =>
  cachedVenv('genomics', FOLDER, GENOMICS_PACKAGES, GENOMICS_REMEDY, progress);
