/**
 * AWS Batch's stand-in alone behind a front door, with recording ports: for what only the stand-in has (its clock,
 * its settings, being killed).
 *
 * @module
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  BatchClient,
  CreateComputeEnvironmentCommand,
  CreateJobQueueCommand,
  DescribeJobsCommand,
  type JobDetail,
  RegisterJobDefinitionCommand,
  SubmitJobCommand,
  type SubmitJobCommandInput,
} from '@aws-sdk/client-batch';
import { type Batch, type BatchOptions, createBatch } from '../../infra/local/aws/batch/service.ts';
import { type BusEvent, LOCAL_PLACE } from '../../infra/local/aws/ports.ts';
import { createKit, type Kit, openFrontDoor } from '../../infra/local/kit/front-door.ts';

export interface Harness {
  batch: Batch;
  client: BatchClient;
  kit: Kit;
  directory: string;
  events: BusEvent[];
  lines: { stream: string; message: string }[];
  /** Submits to queue `queue` with definition `node`, which runs `node -e <script>`. */
  submit(script: string, more?: Partial<SubmitJobCommandInput>): Promise<string>;
  job(id: string): Promise<JobDetail | undefined>;
  /** Waits until the job's description satisfies the test. */
  until(id: string, test: (job: JobDetail) => boolean): Promise<JobDetail>;
  over(id: string): Promise<JobDetail>;
  /** Closes the service; the directory stays. */
  close(): Promise<void>;
  remove(): Promise<void>;
}

export const IMAGES = { node: { path: [dirname(process.execPath)] } };

export async function openHarness(options: Partial<BatchOptions> & { maxvCpus?: number } = {}): Promise<Harness> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'longhaul-batch-')));
  const imagesFile = join(directory, 'images.json');
  await writeFile(imagesFile, JSON.stringify(IMAGES));
  const kit = options.kit ?? createKit();
  const events: BusEvent[] = [];
  const lines: { stream: string; message: string }[] = [];
  const batch = await createBatch({
    stopTimeoutMs: 500,
    ...options,
    kit,
    place: LOCAL_PLACE,
    directory,
    imagesFile,
    events: { emit: (event) => events.push(event) },
    logs: {
      append: (_, stream, added) => {
        for (const { message } of added) lines.push({ stream, message });
      },
    },
  });
  const door = await openFrontDoor(kit, [batch.service]);
  await batch.start({ endpointUrl: door.url });
  const client = new BatchClient({
    region: LOCAL_PLACE.region,
    endpoint: door.url,
    credentials: { accessKeyId: 'unit', secretAccessKey: 'unit' },
    maxAttempts: 1,
  });
  const job = async (id: string) => (await client.send(new DescribeJobsCommand({ jobs: [id] }))).jobs?.[0];
  const until: Harness['until'] = async (id, test) => {
    const deadline = performance.now() + 60_000;
    for (;;) {
      const found = await job(id);
      if (found && test(found)) return found;
      if (performance.now() > deadline) throw new Error(`job ${id} never got there: ${JSON.stringify(found)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  if (options.directory === undefined) await createResources(client, options.maxvCpus ?? 16);
  return {
    batch,
    client,
    kit,
    directory,
    events,
    lines,
    async submit(script, more = {}) {
      const command = new SubmitJobCommand({
        jobName: 'unit',
        jobQueue: 'queue',
        jobDefinition: 'node',
        containerOverrides: { command: ['node', '-e', script] },
        ...more,
      });
      return (await client.send(command)).jobId ?? '';
    },
    job,
    until,
    over: (id) => until(id, ({ status }) => status === 'SUCCEEDED' || status === 'FAILED'),
    async close() {
      client.destroy();
      await door.close();
    },
    async remove() {
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function createResources(client: BatchClient, maxvCpus: number): Promise<void> {
  await client.send(
    new CreateComputeEnvironmentCommand({
      computeEnvironmentName: 'environment',
      type: 'MANAGED',
      computeResources: {
        type: 'SPOT',
        maxvCpus,
        instanceTypes: ['m5.large'],
        subnets: ['subnet-1'],
        instanceRole: 'ecsInstanceRole',
      },
    }),
  );
  await client.send(
    new CreateJobQueueCommand({
      jobQueueName: 'queue',
      priority: 1,
      computeEnvironmentOrder: [{ order: 1, computeEnvironment: 'environment' }],
      jobStateTimeLimitActions: [
        {
          reason: 'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT',
          state: 'RUNNABLE',
          maxTimeSeconds: 3600,
          action: 'CANCEL',
        },
      ],
    }),
  );
  await client.send(
    new RegisterJobDefinitionCommand({
      jobDefinitionName: 'node',
      type: 'container',
      containerProperties: {
        image: 'node',
        resourceRequirements: [
          { type: 'VCPU', value: '1' },
          { type: 'MEMORY', value: '512' },
        ],
      },
    }),
  );
}
