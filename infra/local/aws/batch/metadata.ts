/**
 * The instance metadata service (IMDSv2) of all simulated instances, and the task metadata endpoint (version 4) of all
 * tasks, on one loopback port. A job's AWS_EC2_METADATA_SERVICE_ENDPOINT carries its instance's id as the head of the
 * path, its ECS_CONTAINER_METADATA_URI_V4 its task's and its own.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../kit/clock.ts';
import type { InstanceRecord } from '../ports.ts';

/** What the metadata service tells of an instance; the last two are left out where nobody knows them. */
export type InstanceFacts = Pick<InstanceRecord, 'id' | 'type' | 'zone' | 'region' | 'lifecycle' | 'imageId'> &
  Partial<Pick<InstanceRecord, 'architecture' | 'launchedAt'>>;

/** One container of a task, as the ECS agent describes it. */
export interface ContainerMetadata {
  Name: string;
  Image: string;
  DesiredStatus: 'RUNNING' | 'STOPPED';
  /** `NONE`: not created yet, because it waits for others. */
  KnownStatus: 'NONE' | 'CREATED' | 'RUNNING' | 'STOPPED';
  ExitCode?: number;
  StartedAt?: string;
  FinishedAt?: string;
  LogDriver: 'awslogs';
  LogOptions: { 'awslogs-group': string; 'awslogs-region': string; 'awslogs-stream': string };
}

export interface TaskMetadata {
  Cluster: string;
  TaskARN: string;
  AvailabilityZone: string;
  LaunchType: 'EC2' | 'FARGATE';
  /** Of the task as a whole: vCPUs and MiB. */
  Limits: { CPU: number; Memory: number };
  DesiredStatus: 'RUNNING' | 'STOPPED';
  KnownStatus: 'CREATED' | 'RUNNING' | 'STOPPED';
  /** In the order of the task's definition. */
  Containers: ContainerMetadata[];
}

const LONGEST_TOKEN_SECONDS = 21_600;

export class MetadataService {
  readonly #clock: Clock;
  readonly #find: (instanceId: string) => InstanceFacts | undefined;
  /** token -> instance and end of life */
  readonly #tokens = new Map<string, { instanceId: string; until: number }>();
  readonly #tasks = new Map<string, () => TaskMetadata>();
  #server: Server | undefined;

  constructor(clock: Clock, find: (instanceId: string) => InstanceFacts | undefined) {
    this.#clock = clock;
    this.#find = find;
  }

  async open(): Promise<void> {
    const server = createServer((request, response) => {
      request.resume();
      this.#answer(request, response);
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
  }

  endpoint(instanceId: string): string {
    const { port } = (this.#server as Server).address() as AddressInfo;
    return `http://127.0.0.1:${port}/${instanceId}`;
  }

  /** Answers for a task until the returned function is called. */
  addTask(taskId: string, describe: () => TaskMetadata): () => void {
    this.#tasks.set(taskId, describe);
    return () => this.#tasks.delete(taskId);
  }

  /** ECS_CONTAINER_METADATA_URI_V4 of a task's container, by its place in the task's definition. */
  containerEndpoint(taskId: string, index: number): string {
    const { port } = (this.#server as Server).address() as AddressInfo;
    return `http://127.0.0.1:${port}/v4/${taskId}-${index}`;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const send = (status: number, text = '') => response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
    const [, instanceId = '', ...rest] = String(request.url).split('/');
    if (instanceId === 'v4') {
      const found = this.#taskMetadata(rest);
      if (!found) return void send(404);
      if (request.method !== 'GET') return void send(405);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(found));
      return;
    }
    const path = rest.join('/');
    const facts = this.#find(instanceId);
    if (!facts) return void send(404);
    if (path === 'latest/api/token') {
      if (request.method !== 'PUT') return void send(405);
      const seconds = Number(request.headers['x-aws-ec2-metadata-token-ttl-seconds']);
      if (!(seconds >= 1 && seconds <= LONGEST_TOKEN_SECONDS)) return void send(400);
      this.#forgetOld();
      const token = randomBytes(40).toString('base64');
      this.#tokens.set(token, { instanceId, until: this.#clock.now() + seconds * 1000 });
      response.setHeader('x-aws-ec2-metadata-token-ttl-seconds', String(seconds));
      return void send(200, token);
    }
    const token = this.#tokens.get(String(request.headers['x-aws-ec2-metadata-token'] ?? ''));
    if (token?.instanceId !== instanceId || token.until <= this.#clock.now()) return void send(401);
    if (request.method !== 'GET') return void send(405);
    const value = valuesOf(facts)[path];
    return void (value === undefined ? send(404) : send(200, value));
  }

  /** `<task>-<index>` is the asking container itself, `<task>-<index>/task` all of its task. */
  #taskMetadata([id = '', what, ...more]: readonly string[]): ContainerMetadata | TaskMetadata | undefined {
    const [taskId = '', index = ''] = id.split('-');
    const task = this.#tasks.get(taskId)?.();
    const container = task?.Containers[Number(index)];
    if (!task || !container || more.length > 0) return undefined;
    if (what === undefined) return container;
    // The agent tells of a container once Docker has it, so not while it waits for others to end.
    const Containers = task.Containers.filter(({ KnownStatus }) => KnownStatus !== 'NONE');
    return what === 'task' ? { ...task, Containers } : undefined;
  }

  #forgetOld(): void {
    const now = this.#clock.now();
    for (const [token, { until }] of this.#tokens) if (until <= now) this.#tokens.delete(token);
  }
}

function valuesOf(facts: InstanceFacts): Record<string, string> {
  return {
    'latest/meta-data/instance-id': facts.id,
    'latest/meta-data/instance-type': facts.type,
    'latest/meta-data/placement/availability-zone': facts.zone,
    'latest/meta-data/placement/region': facts.region,
    'latest/meta-data/instance-life-cycle': facts.lifecycle,
    'latest/meta-data/ami-id': facts.imageId,
    'latest/dynamic/instance-identity/document': JSON.stringify({
      architecture: facts.architecture,
      availabilityZone: facts.zone,
      imageId: facts.imageId,
      instanceId: facts.id,
      instanceType: facts.type,
      // Whole seconds, without a fraction.
      ...(facts.launchedAt !== undefined && {
        pendingTime: new Date(facts.launchedAt).toISOString().replace('.000Z', 'Z'),
      }),
      region: facts.region,
    }),
  };
}
