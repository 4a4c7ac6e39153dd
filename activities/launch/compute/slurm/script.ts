/**
 * What is sent to sbatch for a job: its options, and a script that tells the job program who it is. Pure. No value of a
 * sheet stands in either unquoted.
 *
 * @module
 */

import { HELPER_RESOURCES } from '../../../../lib/launch/batch-submission.ts';
import type { Settings } from '../../../../lib/settings.ts';
import { JOB_ENVIRONMENT } from '../../../../workflows/launch/model.ts';
import { quoteForShell } from '../../../../workflows/launch/sheet/template.ts';
import { jobVariables } from '../job-variables.ts';
import type { JobRequest } from '../service.ts';

export type SlurmSettings = Pick<
  Settings,
  | 'bucket'
  | 'jobLogGroup'
  | 'jobRuntime'
  | 'slurmHost'
  | 'slurmUser'
  | 'slurmCluster'
  | 'slurmPartition'
  | 'slurmAccount'
  | 'slurmJobs'
  | 'slurmScratch'
>;

/** Minutes on top of timeoutSeconds, which the job program keeps itself: Slurm's end is for when it cannot. */
const MARGIN_MINUTES = 5;

export function sbatchArguments(request: JobRequest, settings: SlurmSettings): string[] {
  const { slurmPartition, slurmAccount } = settings;
  const minutes = request.timeoutSeconds && Math.ceil(request.timeoutSeconds / 60) + MARGIN_MINUTES;
  return [
    '--parsable',
    `--job-name=${request.name}`,
    // Beside main, the job program itself: on AWS Batch its containers reserve the same.
    `--mem=${request.memoryMiB + HELPER_RESOURCES.memoryMiB}M`,
    `--cpus-per-task=${request.vcpus}`,
    '--ntasks=1',
    ...(minutes ? [`--time=${minutes}`] : []),
    ...(request.items > 1 ? [`--array=0-${request.items - 1}`] : []),
    request.hostRetries > 0 ? '--requeue' : '--no-requeue',
    ...(slurmPartition ? [`--partition=${slurmPartition}`] : []),
    ...(slurmAccount ? [`--account=${slurmAccount}`] : []),
    `--comment=${Object.entries(request.tags)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}`,
    // The folder sbatch is called in may not be there on the node.
    '--chdir=/',
    '--output=/dev/null',
  ];
}

/** @param variables of the worker's own, for the job program: where its AWS is */
export function batchScript(
  request: JobRequest,
  settings: SlurmSettings,
  variables: Readonly<Record<string, string>>,
): string {
  const { jobId, jobAttempt, jobIndex, work } = JOB_ENVIRONMENT;
  const told = { ...variables, ...jobVariables(request, settings) };
  const program = settings.slurmJobs.split(/\s+/).filter((word) => word !== '');
  const scratch = settings.slurmScratch ? quoteForShell(settings.slurmScratch) : '"${TMPDIR:-/tmp}"';
  return [
    '#!/bin/sh',
    ...Object.entries(told).map(([name, value]) => `export ${name}=${quoteForShell(value)}`),
    `export ${jobAttempt}=$((\${SLURM_RESTART_COUNT:-0} + 1))`,
    request.items > 1
      ? `export ${jobId}="$SLURM_ARRAY_JOB_ID:$SLURM_ARRAY_TASK_ID" ${jobIndex}="$SLURM_ARRAY_TASK_ID"`
      : `export ${jobId}="$SLURM_JOB_ID" ${jobIndex}=0`,
    // Without the attempt: what a killed one left on this node goes when the next one begins. With the node: on a scratch
    // that nodes share, an attempt of a node that was only thought lost keeps its own.
    `export ${work}=${scratch}/"longhaul-$SLURM_JOB_ID-$SLURMD_NODENAME"`,
    // Slurm requeues without end; this run is the last one when the host is lost so often.
    ...(request.hostRetries > 0
      ? [`[ "$${jobAttempt}" -le ${request.hostRetries} ] || scontrol update JobId="$SLURM_JOB_ID" Requeue=0`]
      : []),
    `exec ${[...program, 'run', '--', ...request.argv].map(quoteForShell).join(' ')}`,
    '',
  ].join('\n');
}
