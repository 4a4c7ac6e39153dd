/**
 * SubmitJob: checks a request and resolves it, with its definition, to what will run.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import type {
  ContainerProperties,
  EcsTaskProperties,
  JobDefinition,
  JobDependency,
  KeyValuePair,
  TaskContainerProperties,
} from '@aws-sdk/client-batch';
import {
  checkComplete,
  legacyRequirements,
  mergeRequirements,
  readEnvironment,
  readRequirements,
} from './container-properties.ts';
import { activeDefinition, readTimeout } from './definitions.ts';
import { clientError, refused } from './errors.ts';
import {
  type Json,
  oneOf,
  optionalInteger,
  optionalList,
  optionalObject,
  optionalString,
  requiredString,
  stringList,
  stringMap,
  tagMap,
} from './input.ts';
import type { JobSpec } from './job.ts';
import { findQueue } from './queues.ts';
import { readRetryStrategy } from './retry.ts';
import type { Store } from './store.ts';

const JOB_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;
const SHARE_IDENTIFIER = /^[A-Za-z0-9]{1,254}\*?$/;

/** @throws ClientException */
export function readSubmission(store: Store, input: Json): JobSpec {
  const jobName = optionalString(input, 'jobName') ?? '';
  if (!JOB_NAME.test(jobName)) throw refused('Job name should match valid pattern');
  const queueReference = requiredString(input, 'jobQueue');
  const queue = findQueue(store, queueReference);
  if (!queue) throw clientError(`JobQueue ${queueReference} not found.`);
  if (queue.state !== 'ENABLED') throw refused(`JobQueue ${queue.jobQueueName} is not in ENABLED state`);
  const definition = activeDefinition(store, requiredString(input, 'jobDefinition'));
  const size = optionalInteger(optionalObject(input, 'arrayProperties') ?? {}, 'size', 2, 10_000);
  const parameters = { ...definition.parameters, ...stringMap(input, 'parameters') };
  const jobId = randomUUID();
  const retryStrategy = readRetryStrategy(input) ?? definition.retryStrategy;
  const timeout = readTimeout(input) ?? definition.timeout;
  const shareIdentifier = readShare(input, queue.schedulingPolicyArn);
  const priority = optionalInteger(input, 'schedulingPriorityOverride', 0, 9999) ?? definition.schedulingPriority ?? 0;
  return {
    jobId,
    jobArn: store.arn('job', jobId),
    jobName,
    queueArn: queue.jobQueueArn ?? '',
    jobDefinition: definition.jobDefinitionArn ?? '',
    definitionName: definition.jobDefinitionName ?? '',
    createdAt: store.clock.now(),
    ...readContainers(input, definition, parameters),
    parameters,
    ...(retryStrategy && { retryStrategy }),
    ...(timeout && { timeout }),
    dependsOn: readDependencies(store, input, size),
    tags: tagMap(input) ?? {},
    propagateTags: typeof input.propagateTags === 'boolean' ? input.propagateTags : (definition.propagateTags ?? false),
    platformCapabilities: definition.platformCapabilities ?? ['EC2'],
    // Priorities count within a scheduling policy only.
    schedulingPriority: shareIdentifier === undefined ? 0 : priority,
    ...(shareIdentifier !== undefined && { shareIdentifier }),
    ...(size !== undefined && { arraySize: size }),
  };
}

function readShare(input: Json, policyArn: string | undefined): string | undefined {
  const share = optionalString(input, 'shareIdentifier');
  if (policyArn === undefined && share !== undefined) {
    throw refused('shareIdentifier must not be specified for a job queue without a scheduling policy');
  }
  if (policyArn !== undefined && share === undefined) {
    throw refused('shareIdentifier must be specified for a job queue with a scheduling policy');
  }
  if (share !== undefined && !SHARE_IDENTIFIER.test(share)) throw refused('shareIdentifier should match valid pattern');
  return share;
}

function readDependencies(store: Store, input: Json, size: number | undefined): JobDependency[] {
  return (optionalList(input, 'dependsOn', 20) ?? []).map((dependency) => {
    const type = oneOf(dependency, 'type', ['N_TO_N', 'SEQUENTIAL']);
    const jobId = optionalString(dependency, 'jobId');
    if (type !== undefined && size === undefined) throw refused(`${type} dependencies are for array jobs only`);
    if (type === 'SEQUENTIAL') {
      if (jobId !== undefined) throw refused('SEQUENTIAL dependency must not specify a jobId');
      return { type };
    }
    if (jobId === undefined) throw refused('dependsOn jobId should not be empty');
    const other = store.job(jobId);
    if (!other) throw refused(`Job ${jobId} in dependsOn does not exist`);
    if (type === 'N_TO_N' && other.spec.arraySize !== size) {
      throw refused(`N_TO_N dependency ${jobId} must be an array job of the same size`);
    }
    return { jobId, ...(type && { type }) };
  });
}

function readContainers(
  input: Json,
  definition: JobDefinition,
  parameters: Readonly<Record<string, string>>,
): { container: ContainerProperties } | { task: EcsTaskProperties } {
  const fargate = definition.platformCapabilities?.includes('FARGATE') ?? false;
  const single = optionalObject(input, 'containerOverrides');
  const multiple = optionalObject(input, 'ecsPropertiesOverride');
  for (const member of ['nodeOverrides', 'eksPropertiesOverride']) {
    if (optionalObject(input, member)) throw refused(`${member} is not applicable to this job definition`);
  }
  const { containerProperties } = definition;
  if (containerProperties) {
    if (multiple) throw refused('ecsPropertiesOverride is not applicable to job definitions with containerProperties');
    return { container: override(containerProperties, single ?? {}, parameters, fargate) };
  }
  if (single) throw refused('containerOverrides is not applicable to job definitions with ecsProperties');
  const task = definition.ecsProperties?.taskProperties?.[0] ?? { containers: [] };
  const overrides = readTaskOverrides(multiple, task);
  const containers = (task.containers ?? []).map((container) =>
    override(container, overrides.get(container.name ?? '') ?? {}, parameters, fargate),
  );
  return { task: { ...task, containers } };
}

function readTaskOverrides(input: Json | undefined, task: EcsTaskProperties): Map<string, Json> {
  const tasks = optionalList(input ?? {}, 'taskProperties') ?? [];
  if (tasks.length > 1) throw refused('ecsPropertiesOverride taskProperties must contain exactly one element');
  const known = new Set((task.containers ?? []).map(({ name }) => name));
  const overrides = new Map<string, Json>();
  for (const container of optionalList(tasks[0] ?? {}, 'containers') ?? []) {
    const name = requiredString(container, 'name');
    if (!known.has(name)) throw refused(`Container ${name} is not in the job definition`);
    if (overrides.has(name)) throw refused(`Container name ${name} must be unique`);
    for (const member of Object.keys(container)) {
      if (!['name', 'command', 'environment', 'resourceRequirements'].includes(member)) {
        throw refused(`${member} can not be overridden`);
      }
    }
    overrides.set(name, container);
  }
  return overrides;
}

function override<C extends ContainerProperties | TaskContainerProperties>(
  container: C,
  overrides: Json,
  parameters: Readonly<Record<string, string>>,
  fargate: boolean,
): C {
  const given = mergeRequirements(legacyRequirements(overrides), readRequirements(overrides));
  const resourceRequirements = mergeRequirements(container.resourceRequirements ?? [], given);
  checkComplete(resourceRequirements, fargate);
  const command = stringList(overrides, 'command') ?? container.command;
  return {
    ...container,
    ...(command && { command: command.map((word) => substitute(word, parameters)) }),
    environment: mergeEnvironment(container.environment ?? [], readEnvironment(overrides) ?? []),
    resourceRequirements,
  };
}

function mergeEnvironment(defined: readonly KeyValuePair[], given: readonly KeyValuePair[]): KeyValuePair[] {
  const byName = new Map<string, KeyValuePair>();
  for (const pair of [...defined, ...given]) byName.set(pair.name ?? '', pair);
  return [...byName.values()];
}

/** `Ref::name` stands for the parameter; one without a value stays as it is. */
export function substitute(word: string, parameters: Readonly<Record<string, string>>): string {
  return word.replace(/Ref::([A-Za-z0-9_-]+)/g, (reference, name: string) =>
    Object.hasOwn(parameters, name) ? (parameters[name] ?? '') : reference,
  );
}
