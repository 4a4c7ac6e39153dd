/**
 * Checks the container part of job definitions and brings it into the form jobs use.
 *
 * @module
 */
import type { ContainerProperties, EcsTaskProperties, ResourceRequirement } from '@aws-sdk/client-batch';
import { refused } from './errors.ts';
import {
  type Json,
  oneOf,
  optionalInteger,
  optionalList,
  optionalObject,
  optionalString,
  requiredString,
  stringList,
} from './input.ts';

const CONTAINER_NAME = /^[A-Za-z0-9_-]{1,255}$/;
const MOST_CONTAINERS = 10;
const LEAST_MEMORY_MIB = 4;
const FARGATE_VCPUS = ['0.25', '0.5', '1', '2', '4', '8', '16'];

/** @throws ClientException */
export function readContainerProperties(definition: Json, fargate: boolean): ContainerProperties {
  const container = optionalObject(definition, 'containerProperties') ?? {};
  if (Object.keys(container).length === 0) throw refused('Container properties should not be empty.');
  requiredString(container, 'image');
  stringList(container, 'command');
  readEnvironment(container);
  checkVolumes(container);
  checkMounts(container, container);
  const legacy = legacyRequirements(container);
  if (fargate && legacy.length > 0)
    throw refused('vcpus is not applicable for Fargate. Use resource requirements instead.');
  const requirements = readRequirements(container);
  const merged = mergeRequirements(legacy, requirements);
  checkComplete(merged, fargate);
  if (fargate) requiredString(container, 'executionRoleArn');
  const { vcpus: _, memory: __, ...rest } = container;
  return {
    volumes: [],
    environment: [],
    mountPoints: [],
    ulimits: [],
    secrets: [],
    ...rest,
    resourceRequirements: merged,
  };
}

/** @throws ClientException */
export function readTaskProperties(definition: Json, fargate: boolean): EcsTaskProperties {
  const tasks = optionalList(optionalObject(definition, 'ecsProperties') ?? {}, 'taskProperties') ?? [];
  const [task] = tasks;
  if (!task || tasks.length > 1) throw refused('ecsProperties taskProperties must contain exactly one element');
  const containers = optionalList(task, 'containers') ?? [];
  if (containers.length === 0) throw refused('containers should not be empty.');
  if (containers.length > MOST_CONTAINERS)
    throw refused(`Maximum number of containers supported is ${MOST_CONTAINERS}`);
  checkVolumes(task);
  const names = new Set<string>();
  for (const container of containers) {
    const name = requiredString(container, 'name');
    if (!CONTAINER_NAME.test(name)) throw refused('Container name should match valid pattern');
    if (names.has(name)) throw refused(`Container name ${name} must be unique`);
    names.add(name);
  }
  const read = containers.map((container) => {
    requiredString(container, 'image');
    stringList(container, 'command');
    readEnvironment(container);
    checkMounts(task, container);
    optionalInteger(container, 'startTimeout', 2, fargate ? 120 : Number.MAX_SAFE_INTEGER);
    optionalInteger(container, 'stopTimeout', 2, fargate ? 120 : Number.MAX_SAFE_INTEGER);
    const resourceRequirements = readRequirements(container);
    checkComplete(resourceRequirements, fargate);
    return { essential: true, ...container, resourceRequirements } as EcsTaskProperties['containers'] extends
      | (infer C)[]
      | undefined
      ? C
      : never;
  });
  checkDependencies(containers, new Map(read.map((container) => [container.name ?? '', container.essential ?? true])));
  if (!read.some(({ essential }) => essential)) throw refused('At least one container must be essential');
  return { volumes: [], ...task, containers: read };
}

function checkDependencies(containers: readonly Json[], essential: ReadonlyMap<string, boolean>): void {
  const graph = new Map<string, string[]>();
  for (const container of containers) {
    const name = String(container.name);
    const targets = (optionalList(container, 'dependsOn') ?? []).map((dependency) => {
      const target = requiredString(dependency, 'containerName');
      const condition = oneOf(dependency, 'condition', ['START', 'SUCCESS', 'COMPLETE']);
      if (condition === undefined) throw refused('dependsOn condition should not be empty');
      const isEssential = essential.get(target);
      if (isEssential === undefined) throw refused(`Container ${name} depends on unknown container ${target}`);
      if (isEssential && condition !== 'START') {
        throw refused(`Condition ${condition} can't be set on an essential container ${target}`);
      }
      return target;
    });
    graph.set(name, targets);
  }
  for (const name of graph.keys())
    if (reaches(graph, name, name)) throw refused('Container dependencies must not be circular');
}

function reaches(graph: ReadonlyMap<string, string[]>, from: string, to: string, seen = new Set<string>()): boolean {
  return (graph.get(from) ?? []).some((next) => {
    if (next === to) return true;
    if (seen.has(next)) return false;
    seen.add(next);
    return reaches(graph, next, to, seen);
  });
}

/** `name` and `value` of each; names of the service are its own. */
export function readEnvironment(container: Json): { name: string; value: string }[] | undefined {
  return optionalList(container, 'environment')?.map((pair) => {
    const name = requiredString(pair, 'name');
    if (name.startsWith('AWS_BATCH')) throw refused('Environment variables must not start with AWS_BATCH');
    return { name, value: optionalString(pair, 'value') ?? '' };
  });
}

export function readRequirements(container: Json): ResourceRequirement[] {
  const types = new Set<string>();
  return (optionalList(container, 'resourceRequirements') ?? []).map((requirement) => {
    const type = oneOf(requirement, 'type', ['VCPU', 'MEMORY', 'GPU']);
    if (type === undefined) throw refused('resourceRequirements type should not be empty');
    if (types.has(type)) throw refused(`Duplicate resourceRequirements type ${type}`);
    types.add(type);
    const value = requiredString(requirement, 'value');
    const pattern = type === 'VCPU' ? /^(0\.25|0\.5|[1-9]\d*)$/ : /^[1-9]\d*$/;
    if (!pattern.test(value)) throw refused(`${type} value ${value} is not valid`);
    if (type === 'MEMORY' && Number(value) < LEAST_MEMORY_MIB) {
      throw refused(`MEMORY value ${value} must be at least ${LEAST_MEMORY_MIB}`);
    }
    return { type, value };
  });
}

/** The older members `vcpus` and `memory`, which overrides have too. */
export function legacyRequirements(container: Json): ResourceRequirement[] {
  const vcpus = optionalInteger(container, 'vcpus', 1, Number.MAX_SAFE_INTEGER);
  const memory = optionalInteger(container, 'memory', LEAST_MEMORY_MIB, Number.MAX_SAFE_INTEGER);
  return [
    ...(vcpus === undefined ? [] : [{ type: 'VCPU' as const, value: String(vcpus) }]),
    ...(memory === undefined ? [] : [{ type: 'MEMORY' as const, value: String(memory) }]),
  ];
}

/** Later ones win. */
export function mergeRequirements(...lists: readonly (readonly ResourceRequirement[])[]): ResourceRequirement[] {
  const byType = new Map<string, ResourceRequirement>();
  for (const requirement of lists.flat()) byType.set(requirement.type ?? '', requirement);
  return [...byType.values()];
}

export function checkComplete(requirements: readonly ResourceRequirement[], fargate: boolean): void {
  const value = (wanted: string) => requirements.find(({ type }) => type === wanted)?.value;
  const vcpus = value('VCPU');
  if (vcpus === undefined) throw refused('vCPU is not provided.');
  if (value('MEMORY') === undefined) throw refused('Memory is not provided.');
  if (fargate ? !FARGATE_VCPUS.includes(vcpus) : !Number.isInteger(Number(vcpus))) {
    throw refused(`VCPU value ${vcpus} is not valid`);
  }
}

function checkVolumes(task: Json): void {
  const names = new Set<string>();
  for (const volume of optionalList(task, 'volumes') ?? []) {
    const name = requiredString(volume, 'name');
    if (!CONTAINER_NAME.test(name)) throw refused('Volume name should match valid pattern');
    if (names.has(name)) throw refused(`Duplicate volume name ${name}`);
    names.add(name);
    const efs = optionalObject(volume, 'efsVolumeConfiguration');
    if (!efs) continue;
    if (optionalObject(volume, 'host')) throw refused('host and efsVolumeConfiguration must not be both specified');
    const id = requiredString(efs, 'fileSystemId');
    if (!/^[A-Za-z0-9_-]+$/.test(id)) throw refused(`fileSystemId ${id} is not valid`);
    if ((optionalString(efs, 'rootDirectory') ?? '/').split('/').includes('..'))
      throw refused('rootDirectory is not valid');
  }
}

function checkMounts(task: Json, container: Json): void {
  const volumes = new Set((optionalList(task, 'volumes') ?? []).map(({ name }) => name));
  for (const mount of optionalList(container, 'mountPoints') ?? []) {
    const path = requiredString(mount, 'containerPath');
    if (!path.startsWith('/') || path === '/') throw refused(`containerPath ${path} is not valid`);
    const source = requiredString(mount, 'sourceVolume');
    if (!volumes.has(source)) throw refused(`Unknown volume '${source}'.`);
  }
}
