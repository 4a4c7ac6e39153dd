/**
 * A world for preflight: all stand-ins behind their door in this process, real clients to them, and a sheet with
 * everything in order that a test then breaks in one place.
 *
 * @module
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchClient, CreateComputeEnvironmentCommand, CreateJobQueueCommand } from '@aws-sdk/client-batch';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type Aws, openAws } from '../../infra/local/aws/server.ts';
import type { Kit } from '../../infra/local/kit/front-door.ts';
import { createPreflightClients } from '../../lib/launch/preflight/clients.ts';
import { type PreflightDependencies, preflight } from '../../lib/launch/preflight/index.ts';
import type { Plan } from '../../workflows/launch/plan.ts';
import type { Preflight } from '../../workflows/launch/preflight.ts';
import type { Sheet, SheetStep } from '../../workflows/launch/sheet/sheet.ts';
import { planOf, sheetOf } from './sheets.ts';

export const ECR_IMAGE = '123456789012.dkr.ecr.us-east-1.amazonaws.com/lab/tools:1';
const ROLE = 'arn:aws:iam::123456789012:role/jobs';

export interface PreflightWorld extends Pick<Aws, 'kit' | 'url'> {
  kit: Kit;
  s3: S3Client;
  batch: BatchClient;
  iam: IAMClient;
  dependencies: PreflightDependencies;
  /** What the service of this name was asked since the world began. */
  calls(service: string): string[];
  put(key: string, body: string): Promise<void>;
  plan(step?: Partial<SheetStep>, more?: Partial<Sheet>): Plan;
  /** Checks a plan, with other settings where given. */
  check(plan: Plan, settings?: Partial<PreflightDependencies['settings']>): Promise<Preflight>;
  environment(name: string, more?: object): Promise<void>;
  queue(name: string, environments: readonly string[], state?: 'ENABLED' | 'DISABLED'): Promise<void>;
  close(): Promise<void>;
}

export async function openPreflightWorld(): Promise<PreflightWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-preflight-'));
  const imagesFile = join(directory, 'images.json');
  const images = {
    'lab/tools:1': {},
    'longhaul/jobs:0.1.0': { entrypoint: ['node'] },
    [ECR_IMAGE]: { path: ['/opt'] },
  };
  await writeFile(imagesFile, JSON.stringify(images));
  const aws = await openAws({ directory, imagesFile });
  const config = {
    region: 'us-east-1',
    endpoint: aws.url,
    credentials: { accessKeyId: 'unit', secretAccessKey: 'unit' },
    // A refusal is what these tests are about: not to be tried again and again.
    maxAttempts: 1,
  };
  const s3 = new S3Client(config);
  const batch = new BatchClient(config);
  const iam = new IAMClient(config);
  const clients = createPreflightClients({ imageRegistry: aws.url }, config);
  const settings = {
    bucket: 'longhaul',
    batchQueue: 'longhaul',
    headQueue: '',
    jobImage: 'longhaul/jobs:0.1.0',
    jobRole: ROLE,
    executionRole: ROLE,
    jobRuntime: 'none',
  };
  const dependencies = { s3, batch, ...clients, settings };
  const world: PreflightWorld = {
    ...aws,
    s3,
    batch,
    iam,
    dependencies,
    calls: (service) => aws.kit.calls.list({ service }).map(({ operation }) => operation),
    async put(key, body) {
      await s3.send(new PutObjectCommand({ Bucket: 'longhaul', Key: key, Body: body }));
    },
    plan: (step = {}, more = {}) =>
      planOf(
        sheetOf(
          { align: { image: 'lab/tools:1', command: 'true', ...step } },
          { dataPath: 's3://longhaul/data/', ...more },
        ),
      ),
    check: (plan, changed = {}) =>
      preflight(plan, { ...dependencies, settings: { ...settings, ...changed } }, { inputs: true }),
    async environment(name, more = {}) {
      await batch.send(
        new CreateComputeEnvironmentCommand({
          computeEnvironmentName: name,
          type: 'MANAGED',
          computeResources: {
            type: 'EC2',
            allocationStrategy: 'BEST_FIT_PROGRESSIVE',
            maxvCpus: 64,
            instanceTypes: ['m5.large', 'm5.2xlarge'],
            subnets: ['subnet-00000000000000001'],
            securityGroupIds: ['sg-00000000000000001'],
            instanceRole: 'instance',
            ...more,
          },
        }),
      );
    },
    async queue(name, environments, state = 'ENABLED') {
      await batch.send(
        new CreateJobQueueCommand({
          jobQueueName: name,
          state,
          priority: 1,
          computeEnvironmentOrder: environments.map((computeEnvironment, order) => ({ order, computeEnvironment })),
        }),
      );
    },
    async close() {
      clients.destroy();
      for (const client of [s3, batch, iam]) client.destroy();
      await aws.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  await s3.send(new CreateBucketCommand({ Bucket: 'longhaul' }));
  await iam.send(new CreateRoleCommand({ RoleName: 'jobs', AssumeRolePolicyDocument: trustPolicy('ecs-tasks') }));
  await world.environment('genomics');
  await world.queue('longhaul', ['genomics']);
  return world;
}

/** A trust policy for `<service>.amazonaws.com`. */
export const trustPolicy = (service: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: `${service}.amazonaws.com` }, Action: 'sts:AssumeRole' }],
  });
