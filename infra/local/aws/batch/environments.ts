/**
 * Compute environments: create, describe, update, delete.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { ComputeEnvironmentDetail, ComputeResource } from '@aws-sdk/client-batch';
import { clientError, refused } from './errors.ts';
import {
  type Json,
  oneOf,
  optionalInteger,
  optionalObject,
  optionalString,
  page,
  requiredString,
  resourceName,
  stringList,
  tagMap,
} from './input.ts';
import { shapesOf } from './instance-types.ts';
import type { Store } from './store.ts';

const STATES = ['ENABLED', 'DISABLED'] as const;
const TYPES = ['EC2', 'SPOT', 'FARGATE', 'FARGATE_SPOT'] as const;
const STRATEGIES = [
  'BEST_FIT',
  'BEST_FIT_PROGRESSIVE',
  'SPOT_CAPACITY_OPTIMIZED',
  'SPOT_PRICE_CAPACITY_OPTIMIZED',
] as const;

export function createComputeEnvironment(store: Store, input: Json): Json {
  const computeEnvironmentName = resourceName(input, 'computeEnvironmentName');
  const computeEnvironmentArn = store.arn('compute-environment', computeEnvironmentName);
  if (store.environments.has(computeEnvironmentArn)) throw clientError('Object already exists');
  const type = oneOf(input, 'type', ['MANAGED', 'UNMANAGED']);
  if (type === undefined) throw refused('type should not be empty');
  if (type === 'UNMANAGED') throw refused('UNMANAGED compute environments are not supported here');
  const resources = optionalObject(input, 'computeResources');
  if (!resources) throw refused('computeResources must be provided for a MANAGED compute environment');
  const uuid = randomUUID();
  const { accountId, region } = store.place;
  const serviceRole = optionalString(input, 'serviceRole');
  store.putEnvironment({
    computeEnvironmentName,
    computeEnvironmentArn,
    ecsClusterArn: `arn:aws:ecs:${region}:${accountId}:cluster/${computeEnvironmentName}_Batch_${uuid}`,
    tags: tagMap(input) ?? {},
    type,
    state: oneOf(input, 'state', STATES) ?? 'ENABLED',
    status: 'VALID',
    statusReason: 'ComputeEnvironment Healthy',
    computeResources: readResources(resources),
    serviceRole:
      serviceRole ?? `arn:aws:iam::${accountId}:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch`,
    containerOrchestrationType: 'ECS',
    uuid,
  });
  return { computeEnvironmentName, computeEnvironmentArn };
}

export function describeComputeEnvironments(store: Store, input: Json): Json {
  const wanted = stringList(input, 'computeEnvironments', 100);
  const found = wanted?.length
    ? wanted.flatMap((reference) => findEnvironment(store, reference) ?? [])
    : [...store.environments.values()];
  const { items, nextToken } = page(input, found);
  return { computeEnvironments: items, nextToken };
}

export function updateComputeEnvironment(store: Store, input: Json): Json {
  const environment = existing(store, input);
  const state = oneOf(input, 'state', STATES);
  const change = optionalObject(input, 'computeResources');
  const computeResources = change ? readResources({ ...environment.computeResources, ...change }) : undefined;
  store.putEnvironment({ ...environment, ...(state && { state }), ...(computeResources && { computeResources }) });
  const { computeEnvironmentName, computeEnvironmentArn } = environment;
  return { computeEnvironmentName, computeEnvironmentArn };
}

export function deleteComputeEnvironment(store: Store, input: Json): Json {
  const environment = existing(store, input);
  const arn = environment.computeEnvironmentArn ?? '';
  if (environment.state !== 'DISABLED') throw clientError('Cannot delete, ComputeEnvironment state must be DISABLED');
  for (const queue of store.queues.values()) {
    if (queue.computeEnvironmentOrder?.some(({ computeEnvironment }) => computeEnvironment === arn)) {
      throw clientError('Cannot delete, found existing JobQueue relationship');
    }
  }
  store.end(arn);
  return {};
}

/** By name or ARN. */
export function findEnvironment(store: Store, reference: string): ComputeEnvironmentDetail | undefined {
  return store.environments.get(reference) ?? store.environments.get(store.arn('compute-environment', reference));
}

function existing(store: Store, input: Json): ComputeEnvironmentDetail {
  const reference = requiredString(input, 'computeEnvironment');
  const environment = findEnvironment(store, reference);
  if (!environment) throw clientError(`${reference} does not exist`);
  return environment;
}

function readResources(resources: Json): ComputeResource {
  const type = oneOf(resources, 'type', TYPES);
  if (type === undefined) throw refused('computeResources type should not be empty');
  const maxvCpus = optionalInteger(resources, 'maxvCpus', 0, 2_147_483_647);
  if (maxvCpus === undefined) throw refused('maxvCpus should not be empty');
  requireSome(resources, 'subnets');
  const allocationStrategy = oneOf(resources, 'allocationStrategy', STRATEGIES);
  if (type.startsWith('FARGATE')) {
    for (const member of ['minvCpus', 'instanceTypes', 'instanceRole', 'allocationStrategy']) {
      if (resources[member] !== undefined) throw refused(`${member} is not applicable for Fargate.`);
    }
    requireSome(resources, 'securityGroupIds');
    return { ...resources, type, maxvCpus };
  }
  const minvCpus = optionalInteger(resources, 'minvCpus', 0, maxvCpus) ?? 0;
  const instanceTypes = requireSome(resources, 'instanceTypes');
  for (const name of instanceTypes)
    if (shapesOf(name).length === 0) throw refused(`Instance type ${name} is not supported`);
  requiredString(resources, 'instanceRole');
  if (type === 'EC2' && allocationStrategy?.startsWith('SPOT')) {
    throw refused(`Allocation strategy ${allocationStrategy} is not applicable for EC2 compute environments`);
  }
  return { ...resources, type, minvCpus, maxvCpus, desiredvCpus: minvCpus, instanceTypes };
}

function requireSome(resources: Json, member: string): string[] {
  const list = stringList(resources, member);
  if (!list?.length) throw refused(`${member} should not be empty`);
  return list;
}
