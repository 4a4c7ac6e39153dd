/**
 * Job queues: create, describe, update, delete.
 *
 * @module
 */
import type { ComputeEnvironmentOrder, JobQueueDetail, JobStateTimeLimitAction } from '@aws-sdk/client-batch';
import { findEnvironment } from './environments.ts';
import { clientError, refused } from './errors.ts';
import {
  type Json,
  oneOf,
  optionalInteger,
  optionalList,
  optionalString,
  page,
  requiredString,
  resourceName,
  stringList,
  tagMap,
} from './input.ts';
import type { Store } from './store.ts';

const STATES = ['ENABLED', 'DISABLED'] as const;
const MOST_ENVIRONMENTS = 3;
const MOST_PRIORITY = 2_147_483_647;

export function createJobQueue(store: Store, input: Json): Json {
  const jobQueueName = resourceName(input, 'jobQueueName');
  const jobQueueArn = store.arn('job-queue', jobQueueName);
  if (store.queues.has(jobQueueArn)) throw clientError('Object already exists');
  const priority = optionalInteger(input, 'priority', 0, MOST_PRIORITY);
  if (priority === undefined) throw refused('priority should not be empty');
  const computeEnvironmentOrder = readOrder(store, input);
  if (!computeEnvironmentOrder) throw refused('At least one compute environment must be specified');
  const schedulingPolicyArn = optionalString(input, 'schedulingPolicyArn');
  store.putQueue({
    jobQueueName,
    jobQueueArn,
    state: oneOf(input, 'state', STATES) ?? 'ENABLED',
    ...(schedulingPolicyArn && { schedulingPolicyArn }),
    status: 'VALID',
    statusReason: 'JobQueue Healthy',
    priority,
    computeEnvironmentOrder,
    tags: tagMap(input) ?? {},
    jobStateTimeLimitActions: readTimeLimits(input) ?? [],
  });
  return { jobQueueName, jobQueueArn };
}

export function describeJobQueues(store: Store, input: Json): Json {
  const wanted = stringList(input, 'jobQueues', 100);
  const found = wanted?.length
    ? wanted.flatMap((reference) => findQueue(store, reference) ?? [])
    : [...store.queues.values()];
  const { items, nextToken } = page(input, found);
  return { jobQueues: items, nextToken };
}

export function updateJobQueue(store: Store, input: Json): Json {
  const queue = existing(store, input);
  const state = oneOf(input, 'state', STATES);
  const priority = optionalInteger(input, 'priority', 0, MOST_PRIORITY);
  const computeEnvironmentOrder = readOrder(store, input);
  const jobStateTimeLimitActions = readTimeLimits(input);
  store.putQueue({
    ...queue,
    ...(state && { state }),
    ...(priority !== undefined && { priority }),
    ...(computeEnvironmentOrder && { computeEnvironmentOrder }),
    ...(jobStateTimeLimitActions && { jobStateTimeLimitActions }),
  });
  return { jobQueueName: queue.jobQueueName, jobQueueArn: queue.jobQueueArn };
}

export function deleteJobQueue(store: Store, input: Json, terminateJobs: (queueArn: string) => void): Json {
  const queue = existing(store, input);
  if (queue.state !== 'DISABLED') throw clientError('Cannot delete, JobQueue state must be DISABLED');
  terminateJobs(queue.jobQueueArn ?? '');
  store.end(queue.jobQueueArn ?? '');
  return {};
}

/** By name or ARN. */
export function findQueue(store: Store, reference: string): JobQueueDetail | undefined {
  return store.queues.get(reference) ?? store.queues.get(store.arn('job-queue', reference));
}

function existing(store: Store, input: Json): JobQueueDetail {
  const reference = requiredString(input, 'jobQueue');
  const queue = findQueue(store, reference);
  if (!queue) throw clientError(`${reference} does not exist`);
  return queue;
}

function readOrder(store: Store, input: Json): ComputeEnvironmentOrder[] | undefined {
  const given = optionalList(input, 'computeEnvironmentOrder', MOST_ENVIRONMENTS);
  if (given === undefined) return undefined;
  if (given.length === 0) throw refused('At least one compute environment must be specified');
  return given.map((entry) => {
    const order = optionalInteger(entry, 'order', 0, MOST_PRIORITY);
    if (order === undefined) throw refused('computeEnvironmentOrder order should not be empty');
    const reference = requiredString(entry, 'computeEnvironment');
    const environment = findEnvironment(store, reference);
    if (!environment) throw clientError(`${reference} does not exist`);
    return { order, computeEnvironment: environment.computeEnvironmentArn };
  });
}

function readTimeLimits(input: Json): JobStateTimeLimitAction[] | undefined {
  return optionalList(input, 'jobStateTimeLimitActions')?.map((action) => {
    const maxTimeSeconds = optionalInteger(action, 'maxTimeSeconds', 600, 86_400);
    if (maxTimeSeconds === undefined) throw refused('maxTimeSeconds should not be empty');
    oneOf(action, 'state', ['RUNNABLE']);
    oneOf(action, 'action', ['CANCEL']);
    return { reason: requiredString(action, 'reason'), state: 'RUNNABLE', maxTimeSeconds, action: 'CANCEL' };
  });
}
