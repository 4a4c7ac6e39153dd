/**
 * Workflow engines from PyPI, each in a virtual environment of its own: what head jobs run on this machine.
 *
 * @module
 */
import { GENOMICS_PACKAGES, GENOMICS_REMEDY } from './genomics.ts';
import type { Progress } from './progress.ts';
import { cachedVenv, type VenvTool } from './venv.ts';

/** Snakemake beside the tools that the example's steps call: rules run in the head's own image. */
export const snakemake = (progress: Progress): Promise<VenvTool> =>
  cachedVenv('snakemake', 'snakemake-9.27.1', ['snakemake==9.27.1', ...GENOMICS_PACKAGES], GENOMICS_REMEDY, progress);

export const cwltool = (progress: Progress): Promise<VenvTool> =>
  cachedVenv('cwltool', 'cwltool-3.3.20260925135507', ['cwltool==3.3.20260925135507'], 'see what pip says', progress);

export const miniwdl = (progress: Progress): Promise<VenvTool> =>
  cachedVenv('miniwdl', 'miniwdl-1.16.0', ['miniwdl==1.16.0'], 'see what pip says', progress);
