/**
 * Everything about a planned launch that can be known to go wrong before a job is submitted: one file a check. A
 * check whose service does not answer throws, so that it is made again; a check that is not allowed to look warns.
 * Calls grow with distinct images and instance types, not with items; only looking for inputs does.
 *
 * @module
 */
import { type BatchClient, ClientException } from '@aws-sdk/client-batch';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Plan } from '../../../workflows/launch/plan.ts';
import { arrange, type Finding, type Preflight } from '../../../workflows/launch/preflight.ts';
import { accessDenied } from '../../aws-errors.ts';
import { readQueue } from '../batch-queue.ts';
import { queueFor } from '../batch-submission.ts';
import { type CheckInput, notAllowed } from './check.ts';
import type { PreflightClients } from './clients.ts';
import { checkImages } from './images.ts';
import { checkInputs } from './inputs.ts';
import { checkLimits } from './limits.ts';
import { checkQueue, refusedQueue } from './queue.ts';
import { checkResources } from './resources.ts';
import { checkRoles } from './roles.ts';

export interface PreflightDependencies extends Pick<PreflightClients, 'images' | 'roles' | 'instanceTypes'> {
  s3: S3Client;
  batch: BatchClient;
  settings: CheckInput['settings'];
}

export interface PreflightOptions {
  /** Look for inputs too. Not needed where planning has just done so. */
  inputs: boolean;
  /** Called while it goes on. */
  beat?(): void;
}

/** @throws what a service that does not answer throws; every check has ended by then */
export async function preflight(
  plan: Plan,
  dependencies: PreflightDependencies,
  options: PreflightOptions,
): Promise<Preflight> {
  const { s3, batch, images, roles, instanceTypes, settings } = dependencies;
  // All steps of a plan go to one queue: a head job is alone in its plan.
  const batchQueue = queueFor(settings, { head: plan.steps[0]?.head });
  const input: CheckInput = { plan, settings: { ...settings, batchQueue }, beat: options.beat ?? (() => {}) };
  const digests: Record<string, string> = {};
  const checks: Promise<Finding[]>[] = [
    options.inputs ? checkInputs(input, s3) : Promise.resolve([]),
    checkImages(input, images).then((found) => {
      Object.assign(digests, found.digests);
      return found.findings;
    }),
  ];
  // The others are about AWS Batch.
  if (plan.computeService === 'batch') {
    checks.push(
      checkRoles(input, roles),
      checkQueueAndResources(input, batch, instanceTypes),
      Promise.resolve(checkLimits(plan, input.settings)),
    );
  }
  const ended = await Promise.allSettled(checks);
  const failed = ended.find((check) => check.status === 'rejected');
  if (failed) throw failed.reason;
  const findings = ended.flatMap((check) => (check.status === 'fulfilled' ? check.value : []));
  return { findings: arrange(findings), digests };
}

/** Both look at the same queue, which is read once. */
async function checkQueueAndResources(
  input: CheckInput,
  batch: BatchClient,
  instanceTypes: PreflightDependencies['instanceTypes'],
): Promise<Finding[]> {
  const name = input.settings.batchQueue;
  input.beat();
  try {
    const read = await readQueue(batch, name);
    return [...checkQueue(name, read), ...(read ? await checkResources(input, read, instanceTypes) : [])];
  } catch (error) {
    if (error instanceof ClientException) return [refusedQueue(name, error.message)];
    if (!accessDenied(error)) throw error;
    const what = `the job queue ${name} and whether jobs fit a host of it`;
    return [notAllowed('queue', 'batchQueue', what, 'batch:DescribeJobQueues and batch:DescribeComputeEnvironments')];
  }
}
