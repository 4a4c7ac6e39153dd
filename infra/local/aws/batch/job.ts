/**
 * A job: what was submitted (shared by all children of an array) and where it stands.
 *
 * @module
 */
import type {
  AttemptDetail,
  ContainerProperties,
  EcsTaskProperties,
  JobDependency,
  JobStatus,
  JobTimeout,
  PlatformCapability,
  RetryStrategy,
} from '@aws-sdk/client-batch';

export interface JobSpec {
  jobId: string;
  jobArn: string;
  jobName: string;
  queueArn: string;
  /** ARN with revision. */
  jobDefinition: string;
  definitionName: string;
  createdAt: number;
  /** One of the two, with parameters and overrides applied. */
  container?: ContainerProperties;
  task?: EcsTaskProperties;
  parameters: Record<string, string>;
  retryStrategy?: RetryStrategy;
  timeout?: JobTimeout;
  dependsOn: JobDependency[];
  tags: Record<string, string>;
  propagateTags: boolean;
  platformCapabilities: PlatformCapability[];
  shareIdentifier?: string;
  schedulingPriority: number;
  arraySize?: number;
}

/** What a running or ended attempt adds to a container's description. */
export interface ContainerFacts {
  name: string;
  logStreamName?: string;
  exitCode?: number;
  reason?: string;
}

/** The attempt that is under way, or was the last. */
export interface CurrentAttempt {
  instanceId?: string;
  containerInstanceArn?: string;
  taskArn: string;
  startedAt?: number;
  containers: ContainerFacts[];
}

/** What changes, and is written down at every step that must not be lost. */
export interface JobState {
  status: JobStatus;
  statusReason?: string;
  attempts: readonly AttemptDetail[];
  startedAt?: number;
  stoppedAt?: number;
  isCancelled: boolean;
  isTerminated: boolean;
  current?: CurrentAttempt;
}

export type StatusCounts = Record<JobStatus, number>;

const NO_ATTEMPTS: readonly AttemptDetail[] = [];

export class Job {
  spec: JobSpec;
  readonly parent: Job | undefined;
  readonly index: number | undefined;
  createdAt: number;
  state: JobState = { status: 'SUBMITTED', attempts: NO_ATTEMPTS, isCancelled: false, isTerminated: false };
  /** Jobs that must succeed before this one may run. */
  waitingFor = 0;
  dependents: Job[] | undefined;
  children: Job[] | undefined;
  summary: StatusCounts | undefined;
  summaryUpdatedAt = 0;

  constructor(spec: JobSpec, parent?: Job, index?: number) {
    this.spec = spec;
    this.parent = parent;
    this.index = index;
    this.createdAt = spec.createdAt;
    if (parent) this.state.status = 'PENDING';
    else if (spec.arraySize !== undefined) {
      this.children = Array.from({ length: spec.arraySize }, (_, child) => new Job(spec, this, child));
      this.summary = countsOf(this.children);
      this.summaryUpdatedAt = spec.createdAt;
    }
  }

  get id(): string {
    return this.parent ? `${this.spec.jobId}:${this.index}` : this.spec.jobId;
  }

  get arn(): string {
    return this.parent ? `${this.spec.jobArn}:${this.index}` : this.spec.jobArn;
  }

  get status(): JobStatus {
    return this.state.status;
  }

  get over(): boolean {
    return this.state.status === 'SUCCEEDED' || this.state.status === 'FAILED';
  }

  /** Placed on an instance. */
  get placed(): boolean {
    return this.state.status === 'STARTING' || this.state.status === 'RUNNING';
  }

  /** Whether `other` must end well before this one is released. */
  waitOn(other: Job): void {
    this.waitingFor += 1;
    other.dependents ??= [];
    other.dependents.push(this);
  }
}

export function countsOf(jobs: readonly Job[]): StatusCounts {
  const counts: StatusCounts = {
    SUBMITTED: 0,
    PENDING: 0,
    RUNNABLE: 0,
    STARTING: 0,
    RUNNING: 0,
    SUCCEEDED: 0,
    FAILED: 0,
  };
  for (const { status } of jobs) counts[status] += 1;
  return counts;
}

/** `<id>` or `<id>:<index>` */
export function splitId(id: string): { jobId: string; index: number | undefined } {
  const colon = id.indexOf(':');
  return colon < 0
    ? { jobId: id, index: undefined }
    : { jobId: id.slice(0, colon), index: Number(id.slice(colon + 1)) };
}

/** What the job takes on an instance: the sum of its containers. */
export function demandOf(spec: JobSpec): { vcpus: number; memoryMiB: number } {
  const containers = spec.container ? [spec.container] : (spec.task?.containers ?? []);
  const demand = { vcpus: 0, memoryMiB: 0 };
  for (const { resourceRequirements } of containers) {
    for (const { type, value } of resourceRequirements ?? []) {
      if (type === 'VCPU') demand.vcpus += Number(value);
      if (type === 'MEMORY') demand.memoryMiB += Number(value);
    }
  }
  return demand;
}
