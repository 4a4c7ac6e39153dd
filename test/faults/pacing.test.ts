/**
 * Pacing under load: processes that want many times what AWS Batch takes are hardly ever throttled, and lose nothing.
 * The figures are printed.
 *
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateComputeEnvironmentCommand,
  CreateJobQueueCommand,
  paginateListJobs,
  RegisterJobDefinitionCommand,
  SubmitJobCommand,
} from '@aws-sdk/client-batch';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Aws, openAws } from '../../infra/local/aws/server.ts';
import { makeTables } from '../../infra/local/bootstrap.ts';
import { packageRoot } from '../../infra/local/platform/root.ts';
import { type AwsClients, createAwsClients } from '../../lib/aws-clients.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { openDynamoDb, type Tables } from '../support/dynamodb.ts';

const PROCESSES = 4;
const JOBS_EACH = 150;
const PREFIX = 'storm-';
const QUEUE = 'storm';
const DEFINITION = 'storm';

let directory: string;
let tables: Tables;
let stand: Aws;
let aws: AwsClients;

beforeAll(async () => {
  directory = await mkdtemp(join(packageRoot(), 'node_modules/.longhaul-pacing-'));
  tables = await openDynamoDb();
  stand = await openAws({ directory: join(directory, 'aws'), imagesFile: join(directory, 'images.json') });
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: stand.url,
    AWS_ENDPOINT_URL_DYNAMODB: tables.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'longhaul',
    AWS_SECRET_ACCESS_KEY: 'longhaul',
  });
  aws = createAwsClients();
  await makeTables(aws.dynamodb, PREFIX);
  await makeQueue();
});
afterAll(async () => {
  aws?.destroy();
  await stand?.close();
  await tables?.close();
  await rm(directory, { recursive: true, force: true });
});

/** Of a compute environment that is disabled: submitting is all the load there is. */
async function makeQueue(): Promise<void> {
  await aws.batch.send(
    new CreateComputeEnvironmentCommand({
      computeEnvironmentName: QUEUE,
      type: 'MANAGED',
      state: 'DISABLED',
      computeResources: {
        type: 'EC2',
        maxvCpus: 16,
        instanceTypes: ['optimal'],
        subnets: ['subnet-0123456789abcdef0'],
        securityGroupIds: ['sg-0123456789abcdef0'],
        instanceRole: 'ecsInstanceRole',
      },
    }),
  );
  await aws.batch.send(
    new CreateJobQueueCommand({
      jobQueueName: QUEUE,
      priority: 1,
      computeEnvironmentOrder: [{ order: 1, computeEnvironment: QUEUE }],
    }),
  );
  await aws.batch.send(
    new RegisterJobDefinitionCommand({
      jobDefinitionName: DEFINITION,
      type: 'container',
      containerProperties: {
        image: 'storm:1',
        resourceRequirements: [
          { type: 'VCPU', value: '1' },
          { type: 'MEMORY', value: '64' },
        ],
      },
    }),
  );
}

/** How often the table was asked since its call of that number. */
const asked = (afterSeq: number) => tables.kit.calls.list({ afterSeq }).length;

describe('a storm of submissions', () => {
  it('from four processes is paced to what Batch takes: hardly any call is throttled, and no job is lost', async () => {
    const program = join(directory, 'submitter.cjs');
    const entryPoints = [join(packageRoot(), 'test/support/submitter.ts')];
    await build({ entryPoints, outfile: program, bundle: true, platform: 'node', format: 'cjs', logLevel: 'warning' });
    const processes: ChildProcess[] = Array.from({ length: PROCESSES }, (_, nth) =>
      fork(program, [PREFIX, QUEUE, DEFINITION, `storm-${nth}`, String(JOBS_EACH)]),
    );
    await Promise.all(processes.map((child) => once(child, 'message')));

    const before = tables.kit.calls.lastSeq;
    const begun = performance.now();
    const ends = processes.map((child) => once(child, 'exit'));
    for (const child of processes) child.send('go');
    const codes = (await Promise.all(ends)).map(([code]) => code as number);
    const seconds = (performance.now() - begun) / 1000;

    const calls = stand.kit.calls.list({ service: 'batch', operation: 'SubmitJob' });
    const throttled = calls.filter(({ status }) => status === 429).length;
    const jobs = PROCESSES * JOBS_EACH;
    console.log(
      `${PROCESSES} processes, ${jobs} jobs: ${calls.length} calls, ${throttled} throttled, ${seconds.toFixed(1)} s, ` +
        `${(jobs / seconds).toFixed(1)} jobs/s (at 40/s: ${jobs / 40} s); busiest second ${busiestSecond(calls)} calls; ` +
        `${asked(before)} requests to the table`,
    );
    expect(codes).toEqual(Array.from({ length: PROCESSES }, () => 0));
    expect(throttled / calls.length).toBeLessThan(0.01);
    const names: string[] = [];
    for await (const { jobSummaryList = [] } of paginateListJobs(
      { client: aws.batch },
      { jobQueue: QUEUE, jobStatus: 'RUNNABLE' },
    )) {
      names.push(...jobSummaryList.map(({ jobName = '' }) => jobName));
    }
    const expected = Array.from({ length: PROCESSES }, (_, nth) =>
      Array.from({ length: JOBS_EACH }, (_, job) => `storm-${nth}-${job}`),
    );
    expect(names.toSorted()).toEqual(expected.flat().toSorted());
  });
});

describe('without load', () => {
  it('pacing does not ask the table for every call of a chain, and costs little', async () => {
    const pacedClients = createAwsClients({ tables: tableNames(PREFIX) });
    const submit = async (kind: 'paced' | 'plain', jobName: string) => {
      const { submitter } = kind === 'paced' ? pacedClients : aws;
      const begun = performance.now();
      await submitter.send(new SubmitJobCommand({ jobName, jobQueue: QUEUE, jobDefinition: DEFINITION }));
      return performance.now() - begun;
    };
    /** Pairs of a paced and a plain submission, in turns first: the first after a pause is slower. */
    const measure = async (name: string, pairs: number, pauseMs: number) => {
      const times = { paced: [] as number[], plain: [] as number[] };
      const before = tables.kit.calls.lastSeq;
      for (let nth = 0; nth < pairs; nth += 1) {
        const kinds = ['paced', 'plain'] as const;
        for (const kind of nth % 2 === 0 ? kinds : kinds.toReversed()) {
          times[kind].push(await submit(kind, `${name.replaceAll(' ', '-')}-${kind}-${nth}`));
          // The load itself: so many submissions a second, and no more.
          await delay(pauseMs);
        }
      }
      const [paced, plain] = [quantiles(times.paced), quantiles(times.plain)];
      const requests = asked(before);
      console.log(
        `SubmitJob, ${name}: median ${plain.median.toFixed(1)} ms plain, ${paced.median.toFixed(1)} ms paced; ` +
          `ninth decile ${plain.slow.toFixed(1)} and ${paced.slow.toFixed(1)} ms; ` +
          `${requests} requests to the table for ${pairs} paced calls`,
      );
      return requests;
    };
    await measure('warm-up', 2, 30);
    const chain = await measure('a chain', 60, 30);
    await measure('one call in two seconds', 5, 1000);
    pacedClients.destroy();

    expect(chain).toBeLessThan(60);
  });
});

function quantiles(values: readonly number[]): { median: number; slow: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { median: at(0.5), slow: at(0.9) };
}

/** Most calls in any second, wherever it begins. */
function busiestSecond(calls: readonly { at: string }[]): number {
  const times = calls.map(({ at }) => Date.parse(at));
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1000).length));
}
