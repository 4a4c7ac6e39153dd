/**
 * What benches compare Longhaul with, and what makes their workflows: from PyPI, each in a virtual environment of its own,
 * fetched when a bench wants it.
 *
 * @module
 */
import type { Progress } from './progress.ts';
import { cachedVenv, type VenvTool } from './venv.ts';

const REMEDY = 'see what pip says';

/** Snakemake with its executor for AWS Batch and its storage in S3. */
export const snakemakeOnBatch = (progress: Progress): Promise<VenvTool> =>
  cachedVenv(
    'snakemake-aws-batch',
    'snakemake-9.27.1-aws-batch-0.2.1',
    ['snakemake==9.27.1', 'snakemake-executor-plugin-aws-batch==0.2.1', 'snakemake-storage-plugin-s3==0.3.6'],
    REMEDY,
    progress,
  );

export const toil = (progress: Progress): Promise<VenvTool> =>
  cachedVenv('toil', 'toil-9.6.0', ['toil==9.6.0'], REMEDY, progress);

/** Generates workflows fitted to traces of real ones. */
export const wfcommons = (progress: Progress): Promise<VenvTool> =>
  cachedVenv('wfcommons', 'wfcommons-1.6', ['wfcommons==1.6'], REMEDY, progress);
