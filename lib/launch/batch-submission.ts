/**
 * What is sent to AWS Batch for a job: one place, since preflight has to know its size and what it reserves before
 * anything is sent. See docs/job-contract.md.
 *
 * @module
 */
import type { SubmitJobCommandInput } from '@aws-sdk/client-batch';
import { SHARED_PATH, WORK_PATH } from '../../workflows/launch/manifest.ts';
import { JOB_ENVIRONMENT } from '../../workflows/launch/model.ts';

/** stage and publish copy data; on EC2 a container must reserve at least one vCPU (RegisterJobDefinition). */
export const HELPER_RESOURCES = { vcpus: 1, memoryMiB: 512 } as const;

/** A head job lives for long and is alone, so it may have a queue of its own. */
export const queueFor = (settings: { batchQueue: string; headQueue: string }, job: { head?: unknown }): string =>
  job.head && settings.headQueue !== '' ? settings.headQueue : settings.batchQueue;

/** What of a job goes into its submission. */
export interface BatchRequest {
  /** Deterministic: looked up before a job is sent again, since SubmitJob has no client token. */
  name: string;
  /** Number of items; more than one makes an array. */
  items: number;
  argv: readonly string[];
  vcpus: number;
  memoryMiB: number;
  timeoutSeconds?: number;
  /** How often the service itself tries again after losing the host. */
  hostRetries: number;
  environment: Readonly<Record<string, string>>;
  /** The submission key and where the manifest lies. */
  contract: Readonly<Record<string, string>>;
  sharedFileSystem?: object;
  /** Goes to the queue of head jobs. */
  head?: boolean;
  /** `keep` runs beside it. */
  keep?: boolean;
  tags: Readonly<Record<string, string>>;
}

export function submission(
  request: BatchRequest,
  place: { queue: string; jobDefinition: string },
): SubmitJobCommandInput {
  return {
    jobName: request.name,
    jobQueue: place.queue,
    jobDefinition: place.jobDefinition,
    ...(request.items > 1 && { arrayProperties: { size: request.items } }),
    retryStrategy: {
      attempts: request.hostRetries + 1,
      // Only what the host did is Batch's to retry: every other cause has a remedy of its own.
      evaluateOnExit: [
        { onStatusReason: 'Host EC2*', action: 'RETRY' },
        { onReason: 'DockerTimeoutError*', action: 'RETRY' },
        { onReason: 'CannotInspectContainerError*', action: 'RETRY' },
        { onReason: '*', action: 'EXIT' },
      ],
    },
    ...(request.timeoutSeconds && { timeout: { attemptDurationSeconds: request.timeoutSeconds } }),
    ecsPropertiesOverride: { taskProperties: [{ containers: overrides(request) }] },
    tags: { ...request.tags },
    propagateTags: true,
  };
}

function overrides(request: BatchRequest) {
  const contract = pairs({
    ...request.contract,
    [JOB_ENVIRONMENT.work]: WORK_PATH,
    ...(request.sharedFileSystem && { [JOB_ENVIRONMENT.shared]: SHARED_PATH }),
  });
  return [
    { name: 'stage', environment: contract },
    {
      name: 'main',
      command: [...request.argv],
      environment: pairs({ ...request.environment, [JOB_ENVIRONMENT.work]: WORK_PATH }),
      resourceRequirements: requirements(request.vcpus, request.memoryMiB),
    },
    ...(request.keep ? [{ name: 'keep', environment: contract }] : []),
    { name: 'publish', environment: contract },
  ];
}

export const requirements = (vcpus: number, memoryMiB: number) => [
  { type: 'VCPU' as const, value: String(vcpus) },
  { type: 'MEMORY' as const, value: String(memoryMiB) },
];

const pairs = (environment: Readonly<Record<string, string>>) =>
  Object.entries(environment).map(([name, value]) => ({ name, value }));
