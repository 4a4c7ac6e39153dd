/**
 * RegisterJobDefinition, DescribeJobDefinitions, DeregisterJobDefinition.
 *
 * @module
 */
import type { JobDefinition, PlatformCapability } from '@aws-sdk/client-batch';
import { readContainerProperties, readTaskProperties } from './container-properties.ts';
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
  stringMap,
  tagMap,
} from './input.ts';
import { readRetryStrategy } from './retry.ts';
import type { Store } from './store.ts';

const LEAST_TIMEOUT_SECONDS = 60;

export function registerJobDefinition(store: Store, input: Json): Json {
  const jobDefinitionName = resourceName(input, 'jobDefinitionName');
  const type = oneOf(input, 'type', ['container', 'multinode']);
  if (type === undefined) throw refused('type should not be empty');
  if (type === 'multinode') throw refused('multinode job definitions are not supported here');
  const platformCapabilities = stringList(input, 'platformCapabilities') ?? ['EC2'];
  for (const platform of platformCapabilities) oneOf({ platform }, 'platform', ['EC2', 'FARGATE']);
  const fargate = platformCapabilities.includes('FARGATE');
  const isTask = optionalObject(input, 'ecsProperties') !== undefined;
  if (isTask && optionalObject(input, 'containerProperties')) {
    throw refused('containerProperties and ecsProperties must not be both specified');
  }
  const retryStrategy = readRetryStrategy(input);
  const timeout = readTimeout(input);
  const revision = (store.definitions.get(jobDefinitionName)?.length ?? 0) + 1;
  const jobDefinitionArn = store.arn('job-definition', `${jobDefinitionName}:${revision}`);
  const definition: JobDefinition = {
    jobDefinitionName,
    jobDefinitionArn,
    revision,
    status: 'ACTIVE',
    type,
    schedulingPriority: optionalInteger(input, 'schedulingPriority', 0, 9999),
    parameters: stringMap(input, 'parameters') ?? {},
    retryStrategy,
    ...(isTask
      ? { ecsProperties: { taskProperties: [readTaskProperties(input, fargate)] } }
      : { containerProperties: readContainerProperties(input, fargate) }),
    timeout,
    tags: tagMap(input) ?? {},
    propagateTags: input.propagateTags === true,
    platformCapabilities: platformCapabilities as PlatformCapability[],
    containerOrchestrationType: 'ECS',
  };
  store.putDefinition(definition);
  return { jobDefinitionName, jobDefinitionArn, revision };
}

export function readTimeout(input: Json): { attemptDurationSeconds: number } | undefined {
  const timeout = optionalObject(input, 'timeout');
  if (timeout === undefined) return undefined;
  const seconds = optionalInteger(timeout, 'attemptDurationSeconds', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  if (seconds === undefined) return undefined;
  if (seconds < LEAST_TIMEOUT_SECONDS) {
    throw refused(`attemptDurationSeconds must be at least ${LEAST_TIMEOUT_SECONDS} seconds`);
  }
  return { attemptDurationSeconds: seconds };
}

/** Newest revisions first. */
export function describeJobDefinitions(store: Store, input: Json): Json {
  const status = optionalString(input, 'status');
  const name = optionalString(input, 'jobDefinitionName');
  const wanted = stringList(input, 'jobDefinitions', 100);
  if (name !== undefined && wanted) throw refused('jobDefinitionName and jobDefinitions must not be both specified');
  let found: JobDefinition[];
  if (wanted?.length) found = wanted.flatMap((reference) => revisionsOf(store, reference));
  else if (name !== undefined) found = revisionsOf(store, name);
  else found = [...store.definitions.values()].flatMap((revisions) => revisions.toReversed());
  const { items, nextToken } = page(
    input,
    found.filter((one) => status === undefined || one.status === status),
  );
  return { jobDefinitions: items, nextToken };
}

export function deregisterJobDefinition(store: Store, input: Json): Json {
  const reference = requiredString(input, 'jobDefinition');
  const { revision } = parseReference(reference);
  if (revision === undefined) throw refused(`Job definition ${reference} must include a revision`);
  const [definition] = revisionsOf(store, reference);
  if (!definition) throw clientError(`JobDefinition name ${reference} does not exist`);
  if (definition.status === 'ACTIVE') store.putDefinition({ ...definition, status: 'INACTIVE' });
  return {};
}

/** The definition a job would use. */
export function activeDefinition(store: Store, reference: string): JobDefinition {
  const found = revisionsOf(store, reference).find(({ status }) => status === 'ACTIVE');
  if (!found) throw clientError(`JobDefinition name ${reference} does not exist or is not in ACTIVE status`);
  return found;
}

function revisionsOf(store: Store, reference: string): JobDefinition[] {
  const { name, revision } = parseReference(reference);
  const revisions = store.definitions.get(name) ?? [];
  if (revision === undefined) return revisions.toReversed();
  const one = revisions[revision - 1];
  return one ? [one] : [];
}

/** `name`, `name:revision`, or the ARN with or without revision. */
function parseReference(reference: string): { name: string; revision: number | undefined } {
  const bare = /^arn:aws[a-z-]*:batch:[^:]*:[^:]*:job-definition\/(.*)$/.exec(reference)?.[1] ?? reference;
  const match = /^([A-Za-z0-9_-]{1,128})(?::(\d+))?$/.exec(bare);
  if (!match) throw clientError(`Provided name ${reference} is not supported pattern[a-zA-Z_0-9-]{1,128}`);
  return { name: match[1] ?? '', revision: match[2] === undefined ? undefined : Number(match[2]) };
}
