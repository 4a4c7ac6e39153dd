/**
 * The compute services of a worker, by name: those its settings allow. docs/compute.md says which needs what.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { createInstanceTypeReader } from '../../../lib/launch/instance-types.ts';
import type { Settings } from '../../../lib/settings.ts';
import { type BatchDependencies, createBatchCompute } from './batch.ts';
import { createInstances } from './ec2/instances.ts';
import { createEc2Compute } from './ec2.ts';
import { createEksCompute } from './eks.ts';
import type { ComputeService } from './service.ts';
import { onThisMachine, overSsh } from './slurm/transport.ts';
import { createSlurmCompute } from './slurm.ts';

export interface ComputeDependencies extends Omit<BatchDependencies, 'settings'> {
  s3: S3Client;
  settings: Settings;
}

/** Short retries here: the long ones are Temporal's. */
const RETRIES = { maxAttempts: 3 };

export function createComputeServices(
  dependencies: ComputeDependencies,
  env: NodeJS.ProcessEnv = process.env,
): ReadonlyMap<string, ComputeService> {
  const { settings } = dependencies;
  const services = [createBatchCompute(dependencies)];
  const variables = variablesOfJobs(settings, env);
  if (settings.slurmHost) {
    const place = { host: settings.slurmHost, user: settings.slurmUser };
    const transport = place.host === 'local' ? onThisMachine(env) : overSsh(place, env);
    services.push(createSlurmCompute({ ...dependencies, transport, variables }));
  }
  if (settings.ec2Image) {
    const instances = createInstances(settings.bucket, RETRIES);
    const instanceTypes = createInstanceTypeReader(RETRIES);
    const region = env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'default';
    services.push(createEc2Compute({ ...dependencies, instances, instanceTypes, region, variables }));
  }
  if (settings.eksCluster) services.push(createEksCompute({ settings }));
  return new Map(services.map((service) => [service.name, service]));
}

/** What jobs are given of the worker's own environment: no more than is named. */
function variablesOfJobs({ jobVariables }: Settings, env: NodeJS.ProcessEnv): Record<string, string> {
  const names = jobVariables.split(',').filter((name) => name !== '');
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
