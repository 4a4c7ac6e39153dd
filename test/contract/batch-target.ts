/**
 * A queue to run jobs on. On a real account it is the user's own: LONGHAUL_VERIFY_BATCH_QUEUE names one whose
 * instances may pull from the public registry.
 *
 * @module
 */
import { dirname } from 'node:path';
import {
  BatchClient,
  CreateComputeEnvironmentCommand,
  CreateJobQueueCommand,
  DeregisterJobDefinitionCommand,
  DescribeJobsCommand,
  type JobDetail,
  RegisterJobDefinitionCommand,
  type RegisterJobDefinitionCommandInput,
  SubmitJobCommand,
  type SubmitJobCommandInput,
} from '@aws-sdk/client-batch';
import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { openTarget, type Target } from './target.ts';

export const NODE_IMAGE = 'public.ecr.aws/docker/library/node:22-slim';
export const BATCH_READY =
  process.env.LONGHAUL_VERIFY_AWS !== '1' || process.env.LONGHAUL_VERIFY_BATCH_QUEUE !== undefined;

/** vCPUs and MiB as strings, as the API wants them. */
export const requirements = (memory: number, vcpus = 1) => [
  { type: 'VCPU' as const, value: String(vcpus) },
  { type: 'MEMORY' as const, value: String(memory) },
];

export interface BatchTarget {
  target: Target;
  batch: BatchClient;
  queue: string;
  /** A compute environment like the queue's; empty on a real account. */
  environment: string;
  register(input: Omit<RegisterJobDefinitionCommandInput, 'jobDefinitionName' | 'type'>): Promise<string>;
  submit(jobDefinition: string, more?: Partial<SubmitJobCommandInput>): Promise<string>;
  job(id: string): Promise<JobDetail>;
  until(id: string, test: (job: JobDetail) => boolean): Promise<JobDetail>;
  over(id: string): Promise<JobDetail>;
  /** What a container wrote: waits for the first line, since logs come a little after the end. */
  lines(logStreamName: string): Promise<string[]>;
  close(): Promise<void>;
}

export async function openBatchTarget(): Promise<BatchTarget> {
  const target = await openTarget({ images: { [NODE_IMAGE]: { path: [dirname(process.execPath)] } } });
  const batch = new BatchClient(target.client);
  const logs = new CloudWatchLogsClient(target.client);
  const definitions: string[] = [];
  const environment = target.real ? '' : target.unique('environment');
  const queue = process.env.LONGHAUL_VERIFY_BATCH_QUEUE ?? target.unique('queue');
  if (!target.real) await createQueue(batch, environment, queue);
  const job = async (id: string) => {
    const { jobs = [] } = await batch.send(new DescribeJobsCommand({ jobs: [id] }));
    if (!jobs[0]) throw new Error(`there is no job ${id}`);
    return jobs[0];
  };
  const until: BatchTarget['until'] = async (id, test) => {
    const deadline = Date.now() + (target.real ? 900_000 : 20_000);
    for (;;) {
      const found = await job(id);
      if (test(found)) return found;
      if (Date.now() > deadline) throw new Error(`job ${id} never got there: ${JSON.stringify(found)}`);
      await new Promise((resolve) => setTimeout(resolve, target.real ? 5000 : 20));
    }
  };
  return {
    target,
    batch,
    queue,
    environment,
    async register(input) {
      const jobDefinitionName = target.unique('definition');
      const { jobDefinitionArn = '' } = await batch.send(
        new RegisterJobDefinitionCommand({ ...input, jobDefinitionName, type: 'container' }),
      );
      definitions.push(jobDefinitionArn);
      return jobDefinitionArn;
    },
    async submit(jobDefinition, more = {}) {
      const jobName = target.unique('job');
      return (await batch.send(new SubmitJobCommand({ jobName, jobQueue: queue, jobDefinition, ...more }))).jobId ?? '';
    },
    job,
    until,
    over: (id) => until(id, ({ status }) => status === 'SUCCEEDED' || status === 'FAILED'),
    async lines(logStreamName) {
      const deadline = Date.now() + 60_000;
      for (;;) {
        const found = await logs
          .send(new GetLogEventsCommand({ logGroupName: '/aws/batch/job', logStreamName, startFromHead: true }))
          .catch((error: Error) => {
            if (error.name !== 'ResourceNotFoundException') throw error;
            return { events: [] };
          });
        if (found.events?.length) return found.events.map(({ message = '' }) => message);
        if (Date.now() > deadline) throw new Error(`${logStreamName} stays empty`);
        await new Promise((resolve) => setTimeout(resolve, target.real ? 1000 : 20));
      }
    },
    async close() {
      for (const jobDefinition of definitions) await batch.send(new DeregisterJobDefinitionCommand({ jobDefinition }));
      batch.destroy();
      logs.destroy();
      await target.close();
    },
  };
}

export async function createQueue(batch: BatchClient, environment: string, queue: string): Promise<void> {
  await batch.send(
    new CreateComputeEnvironmentCommand({
      computeEnvironmentName: environment,
      type: 'MANAGED',
      computeResources: {
        type: 'EC2',
        allocationStrategy: 'BEST_FIT_PROGRESSIVE',
        maxvCpus: 16,
        instanceTypes: ['optimal'],
        subnets: ['subnet-0123456789abcdef0'],
        securityGroupIds: ['sg-0123456789abcdef0'],
        instanceRole: 'ecsInstanceRole',
      },
    }),
  );
  await batch.send(
    new CreateJobQueueCommand({
      jobQueueName: queue,
      priority: 1,
      computeEnvironmentOrder: [{ order: 1, computeEnvironment: environment }],
    }),
  );
}
