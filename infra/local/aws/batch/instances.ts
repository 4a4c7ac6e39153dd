/**
 * Simulated container instances: each compute environment launches them when jobs need room, fills them, and ends
 * those that have been idle for a while. What has ended is remembered as long as EC2 does.
 *
 * @module
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { ComputeEnvironmentDetail } from '@aws-sdk/client-batch';
import type { Cancel, Clock } from '../../kit/clock.ts';
import type { InstanceRecord, Place } from '../ports.ts';
import { type InstanceShape, PUBLISHED, shapesOf } from './instance-types.ts';
import type { Job } from './job.ts';

export interface Demand {
  vcpus: number;
  memoryMiB: number;
}

export interface Instance extends InstanceRecord {
  /** Undefined on Fargate: a task there has no container instance. */
  arn: string | undefined;
  environmentArn: string;
  vcpus: number;
  freeVcpus: number;
  freeMemoryMiB: number;
  jobs: Set<Job>;
  cancelEnd?: Cancel;
}

const ZONES = 'abc';
/** EC2 shows terminated instances for about an hour. */
const REMEMBERED_MS = 3600 * 1000;

/** Why no instance of an environment can ever hold a job. */
export type Misfit = 'MAX_VCPUS' | 'REQUIREMENT' | 'DISABLED';

export class Instances {
  readonly #clock: Clock;
  readonly #place: Place;
  readonly #idleMs: number;
  readonly #byId = new Map<string, Instance>();
  readonly #byEnvironment = new Map<string, Set<Instance>>();
  /** Container instances that have ended, in order of their end. */
  #ended: Instance[] = [];
  /** How many each environment has launched. */
  readonly #launched = new Map<string, number>();

  constructor(options: { clock: Clock; place: Place; idleMs: number }) {
    this.#clock = options.clock;
    this.#place = options.place;
    this.#idleMs = options.idleMs;
  }

  get(id: string): Instance | undefined {
    return this.#byId.get(id);
  }

  list(): Instance[] {
    return [...this.#byId.values()];
  }

  /** What EC2 knows: no tasks of Fargate, but what has ended within the last hour. */
  records(): Instance[] {
    const since = this.#clock.now() - REMEMBERED_MS;
    this.#ended = this.#ended.filter(({ ended }) => (ended?.at ?? 0) > since);
    return [...this.#ended, ...this.list().filter(({ arn }) => arn !== undefined)];
  }

  /** Puts the job on an instance, launching one where needed; undefined while there is no room. */
  place(environment: ComputeEnvironmentDetail, job: Job, demand: Demand): Instance | undefined {
    const instance = this.#withRoom(environment, demand) ?? this.#launch(environment, demand);
    if (!instance) return undefined;
    instance.cancelEnd?.();
    instance.jobs.add(job);
    instance.freeVcpus -= demand.vcpus;
    instance.freeMemoryMiB -= demand.memoryMiB;
    return instance;
  }

  release(instance: Instance, job: Job, demand: Demand): void {
    if (!instance.jobs.delete(job)) return;
    instance.freeVcpus += demand.vcpus;
    instance.freeMemoryMiB += demand.memoryMiB;
    if (instance.jobs.size > 0) return;
    if (instance.arn === undefined) this.end(instance);
    else instance.cancelEnd = this.#clock.after(this.#idleMs, () => this.end(instance));
  }

  /** @param lost its host is gone, and not because the environment wanted so */
  end(instance: Instance, lost = false): void {
    instance.cancelEnd?.();
    if (!this.#byId.delete(instance.id)) return;
    instance.ended = { at: this.#clock.now(), by: lost && instance.lifecycle === 'spot' ? 'spot' : 'user' };
    if (instance.arn !== undefined) this.#ended.push(instance);
    this.#byEnvironment.get(instance.environmentArn)?.delete(instance);
  }

  close(): void {
    for (const instance of this.#byId.values()) instance.cancelEnd?.();
  }

  #withRoom(environment: ComputeEnvironmentDetail, demand: Demand): Instance | undefined {
    for (const instance of this.#byEnvironment.get(environment.computeEnvironmentArn ?? '') ?? []) {
      if (instance.freeVcpus >= demand.vcpus && instance.freeMemoryMiB >= demand.memoryMiB) return instance;
    }
    return undefined;
  }

  #launch(environment: ComputeEnvironmentDetail, demand: Demand): Instance | undefined {
    const arn = environment.computeEnvironmentArn ?? '';
    const shape = smallest(environment, demand);
    if (!shape) return undefined;
    const most = mostVcpus(environment);
    const running = () => [...(this.#byEnvironment.get(arn) ?? [])];
    const used = () => running().reduce((sum, { vcpus }) => sum + vcpus, 0);
    const fits = () => (mayExceed(environment) ? used() < most : used() + shape.vcpus <= most);
    // Idle ones of another size must not keep out the job at the head of the queue.
    for (const idle of running()) {
      if (fits()) break;
      if (idle.jobs.size === 0) this.end(idle);
    }
    if (!fits()) return undefined;
    return this.#start(environment, shape);
  }

  #start(environment: ComputeEnvironmentDetail, shape: InstanceShape): Instance {
    const { accountId, region } = this.#place;
    const arn = environment.computeEnvironmentArn ?? '';
    const name = environment.computeEnvironmentName ?? '';
    const { subnets = [], tags = {}, type } = environment.computeResources ?? {};
    const launched = this.#launched.get(arn) ?? 0;
    this.#launched.set(arn, launched + 1);
    const subnet = subnets.length > 0 ? launched % subnets.length : 0;
    const autoScalingGroup = `${name}-asg-${environment.uuid}`;
    const instance: Instance = {
      id: `i-0${randomBytes(8).toString('hex')}`,
      arn: isFargate(environment)
        ? undefined
        : `arn:aws:ecs:${region}:${accountId}:container-instance/${name}_Batch_${environment.uuid}/${randomUUID().replaceAll('-', '')}`,
      type: shape.type,
      // Each subnet lies in a zone of its own.
      zone: `${region}${ZONES[subnet % ZONES.length]}`,
      region,
      lifecycle: type?.endsWith('SPOT') ? 'spot' : 'on-demand',
      imageId: 'ami-0123456789abcdef0',
      architecture: PUBLISHED.get(shape.type)?.architecture ?? 'x86_64',
      // EC2 tells whole seconds.
      launchedAt: Math.floor(this.#clock.now() / 1000) * 1000,
      subnetId: subnets[subnet] ?? '',
      autoScalingGroup,
      tags: { ...tags, AWSBatchServiceTag: 'batch', 'aws:autoscaling:groupName': autoScalingGroup },
      volumeId: `vol-0${randomBytes(8).toString('hex')}`,
      environmentArn: arn,
      vcpus: shape.vcpus,
      freeVcpus: shape.vcpus,
      freeMemoryMiB: shape.memoryMiB,
      jobs: new Set(),
    };
    this.#byId.set(instance.id, instance);
    const others = this.#byEnvironment.get(arn) ?? new Set();
    this.#byEnvironment.set(arn, others.add(instance));
    return instance;
  }
}

/** Whether the environment could hold the job if it were empty. */
export function misfit(environment: ComputeEnvironmentDetail, demand: Demand): Misfit | undefined {
  if (environment.state !== 'ENABLED') return 'DISABLED';
  const shape = smallest(environment, demand);
  const most = mostVcpus(environment);
  if (demand.vcpus > most) return 'MAX_VCPUS';
  if (!shape) return 'REQUIREMENT';
  return !mayExceed(environment) && shape.vcpus > most ? 'MAX_VCPUS' : undefined;
}

export function isFargate(environment: ComputeEnvironmentDetail): boolean {
  return environment.computeResources?.type?.startsWith('FARGATE') ?? false;
}

function smallest(environment: ComputeEnvironmentDetail, demand: Demand): InstanceShape | undefined {
  if (isFargate(environment)) return { type: 'fargate', ...demand };
  const shapes = (environment.computeResources?.instanceTypes ?? []).flatMap(shapesOf);
  return shapes
    .filter((shape) => shape.vcpus >= demand.vcpus && shape.memoryMiB >= demand.memoryMiB)
    .sort((a, b) => a.vcpus - b.vcpus || a.memoryMiB - b.memoryMiB)[0];
}

function mostVcpus(environment: ComputeEnvironmentDetail): number {
  return environment.computeResources?.maxvCpus ?? 0;
}

/** With these strategies AWS may go above maxvCpus by no more than one instance. */
function mayExceed(environment: ComputeEnvironmentDetail): boolean {
  const strategy = environment.computeResources?.allocationStrategy;
  return !isFargate(environment) && strategy !== undefined && strategy !== 'BEST_FIT';
}
