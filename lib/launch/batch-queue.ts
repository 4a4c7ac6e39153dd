/**
 * A job queue of AWS Batch with the compute environments behind it.
 *
 * @module
 */
import {
  type BatchClient,
  type ComputeEnvironmentDetail,
  DescribeComputeEnvironmentsCommand,
  DescribeJobQueuesCommand,
  type JobQueueDetail,
  ListJobsCommand,
} from '@aws-sdk/client-batch';
import type { HostPool } from './hosts.ts';
import type { InstanceTypeReader } from './instance-types.ts';

export interface QueueWithEnvironments {
  queue: JobQueueDetail;
  /** In the order in which Batch tries them. */
  environments: readonly ComputeEnvironmentDetail[];
}

/**
 * Two calls: a queue has at most three environments.
 * @param name name or ARN
 * @returns undefined when there is no such queue
 */
export async function readQueue(batch: BatchClient, name: string): Promise<QueueWithEnvironments | undefined> {
  const { jobQueues = [] } = await batch.send(new DescribeJobQueuesCommand({ jobQueues: [name] }));
  const [queue] = jobQueues;
  if (!queue) return undefined;
  const order = (queue.computeEnvironmentOrder ?? []).toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0));
  const arns = order.flatMap(({ computeEnvironment }) => computeEnvironment ?? []);
  if (arns.length === 0) return { queue, environments: [] };
  const { computeEnvironments = [] } = await batch.send(
    new DescribeComputeEnvironmentsCommand({ computeEnvironments: arns }),
  );
  const rank = ({ computeEnvironmentArn = '' }: ComputeEnvironmentDetail) => arns.indexOf(computeEnvironmentArn);
  return { queue, environments: computeEnvironments.toSorted((a, b) => rank(a) - rank(b)) };
}

/** Jobs are placed on it now. */
export const isUsable = ({ state, status }: Pick<ComputeEnvironmentDetail, 'state' | 'status'>): boolean =>
  state === 'ENABLED' && (status === 'VALID' || status === 'UPDATING');

export const isFargate = ({ computeResources }: ComputeEnvironmentDetail): boolean =>
  computeResources?.type?.startsWith('FARGATE') ?? false;

/** Its hosts are started by Batch from instance types that it names; what others have is not known beforehand. */
export const isManaged = ({ type, computeResources }: ComputeEnvironmentDetail): boolean =>
  type === 'MANAGED' && computeResources !== undefined;

/** What each managed environment can start. */
export async function readPools(
  environments: readonly ComputeEnvironmentDetail[],
  instanceTypes: InstanceTypeReader,
): Promise<HostPool[]> {
  const managed = environments.filter(isManaged);
  return Promise.all(
    managed.map(async (environment): Promise<HostPool> => {
      const { maxvCpus = 0, allocationStrategy, instanceTypes: names = [] } = environment.computeResources ?? {};
      const fargate = isFargate(environment);
      return {
        environment: environment.computeEnvironmentName ?? '',
        platform: fargate ? 'FARGATE' : 'EC2',
        maxVcpus: maxvCpus,
        mayExceed: !fargate && allocationStrategy !== undefined && allocationStrategy !== 'BEST_FIT',
        hosts: fargate ? [] : await instanceTypes.describe(names),
      };
    }),
  );
}

/**
 * Why a child of an array cannot be placed. Batch gives its reason to the job at the head of the queue, which of an
 * array is its first child.
 * @returns undefined when it says nothing
 */
export async function whyNotPlaced(batch: BatchClient, arrayJobId: string): Promise<string | undefined> {
  const list = new ListJobsCommand({ arrayJobId, jobStatus: 'RUNNABLE', maxResults: 10 });
  const { jobSummaryList = [] } = await batch.send(list);
  return jobSummaryList.find(({ statusReason }) => statusReason)?.statusReason;
}
