/**
 * Starts an attempt of a job: turns its description into the containers of a task, and its end into what the job's
 * life depends on.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { TaskContainerProperties } from '@aws-sdk/client-batch';
import { fargateSize } from '../../../../lib/launch/fargate.ts';
import type { Place } from '../ports.ts';
import type { ContainerHost } from './container.ts';
import type { Instance } from './instances.ts';
import { demandOf, type Job } from './job.ts';
import type { MetadataService, TaskMetadata } from './metadata.ts';
import { type ContainerOutcome, Task } from './task.ts';

export interface AttemptResult {
  containers: Map<string, { exitCode?: number; reason?: string }>;
  /** Some process ran. */
  started: boolean;
  /** Of the essential container that failed the task; absent on success. */
  failure?: { exitCode?: number; reason?: string };
}

export interface Attempt {
  taskArn: string;
  names: readonly string[];
  logStream(container: string): string;
  stop(): void;
  kill(): void;
  result: Promise<AttemptResult>;
}

export interface AttemptSurroundings {
  instance: Instance;
  environmentName: string;
  clusterArn: string;
  queueName: string;
  onRunning(container: string): void;
}

export class Attempts {
  readonly #host: ContainerHost;
  readonly #place: Place;
  readonly #directory: string;
  readonly #metadata: MetadataService;
  #endpointUrl = '';

  constructor(options: { host: ContainerHost; place: Place; directory: string; metadata: MetadataService }) {
    this.#host = options.host;
    this.#place = options.place;
    this.#directory = options.directory;
    this.#metadata = options.metadata;
  }

  /** Where jobs find the services. */
  setEndpoint(url: string): void {
    this.#endpointUrl = url;
  }

  begin(job: Job, around: AttemptSurroundings): Attempt {
    const { spec } = job;
    const id = randomUUID().replaceAll('-', '');
    const { accountId, region } = this.#place;
    const containers = containersOf(job);
    const logStream = (name: string) => `${spec.definitionName}/${name}/${id}`;
    const serviceEnvironment = serviceVariables(job, around);
    const taskArn = `arn:aws:ecs:${region}:${accountId}:task/${around.environmentName}/${id}`;
    const task = new Task(this.#host, {
      directory: join(this.#directory, 'scratch'),
      taskId: id,
      region,
      plans: containers.map((properties, index) => ({
        properties,
        serviceEnvironment,
        hostEnvironment: this.#hostVariables(around.instance, this.#metadata.containerEndpoint(id, index)),
        memoryMiB: memoryOf(properties),
        logStream: logStream(properties.name ?? ''),
        volumes: spec.container?.volumes ?? spec.task?.volumes ?? [],
      })),
      onRunning: around.onRunning,
    });
    const fixed = {
      Cluster: around.clusterArn,
      TaskARN: taskArn,
      AvailabilityZone: around.instance.zone,
      ...limitsOf(job, around.instance),
    };
    const forget = this.#metadata.addTask(id, () => ({ ...fixed, ...task.describe() }));
    return {
      taskArn,
      names: containers.map(({ name }) => name ?? ''),
      logStream,
      stop: () => task.stop(),
      kill: () => task.kill(),
      result: task.ended.then(toResult).finally(forget),
    };
  }

  #hostVariables(instance: Instance, metadataEndpoint: string): Record<string, string> {
    return {
      AWS_REGION: this.#place.region,
      AWS_DEFAULT_REGION: this.#place.region,
      AWS_ENDPOINT_URL: this.#endpointUrl,
      AWS_ACCESS_KEY_ID: 'job',
      AWS_SECRET_ACCESS_KEY: 'job',
      AWS_EXECUTION_ENV: instance.arn === undefined ? 'AWS_ECS_FARGATE' : 'AWS_ECS_EC2',
      ECS_CONTAINER_METADATA_URI_V4: metadataEndpoint,
      // On Fargate there is no instance to ask about.
      ...(instance.arn !== undefined && { AWS_EC2_METADATA_SERVICE_ENDPOINT: this.#metadata.endpoint(instance.id) }),
    };
  }
}

function serviceVariables(job: Job, around: AttemptSurroundings): Record<string, string> {
  return {
    AWS_BATCH_JOB_ID: job.id,
    AWS_BATCH_JOB_ATTEMPT: String(job.state.attempts.length + 1),
    AWS_BATCH_JQ_NAME: around.queueName,
    AWS_BATCH_CE_NAME: around.environmentName,
    ...(job.index !== undefined && {
      AWS_BATCH_JOB_ARRAY_INDEX: String(job.index),
      AWS_BATCH_JOB_ARRAY_SIZE: String(job.spec.arraySize),
    }),
  };
}

/** A task of Fargate is given a size that there is, one on an instance what its containers reserve. */
function limitsOf({ spec }: Job, { arn }: Instance): Pick<TaskMetadata, 'LaunchType' | 'Limits'> {
  const demand = demandOf(spec);
  const fargate = arn === undefined;
  // Parts of a vCPU come in sizes of their own, and must be asked for exactly.
  const { vcpus, memoryMiB } = (fargate && demand.vcpus >= 1 ? fargateSize(demand) : undefined) ?? demand;
  return { LaunchType: fargate ? 'FARGATE' : 'EC2', Limits: { CPU: vcpus, Memory: memoryMiB } };
}

/** A single container is a task of one, named `default`. */
function containersOf({ spec }: Job): TaskContainerProperties[] {
  if (!spec.container) return spec.task?.containers ?? [];
  const { image, command, environment, mountPoints, resourceRequirements } = spec.container;
  return [{ name: 'default', essential: true, image, command, environment, mountPoints, resourceRequirements }];
}

function memoryOf({ resourceRequirements }: TaskContainerProperties): number | undefined {
  const value = resourceRequirements?.find(({ type }) => type === 'MEMORY')?.value;
  return value === undefined ? undefined : Number(value);
}

function toResult(outcomes: readonly ContainerOutcome[]): AttemptResult {
  const failed = outcomes.filter(({ essential, exitCode }) => essential && exitCode !== 0);
  // The first to have failed by itself says more than those stopped because of it.
  const failure = failed.find(({ reason }) => reason !== undefined) ?? failed[0];
  return {
    containers: new Map(outcomes.map((outcome) => [outcome.name, endOf(outcome)])),
    started: outcomes.some(({ started }) => started),
    ...(failure && { failure: endOf(failure) }),
  };
}

function endOf({ exitCode, reason }: ContainerOutcome) {
  return { ...(exitCode !== undefined && { exitCode }), ...(reason !== undefined && { reason }) };
}
