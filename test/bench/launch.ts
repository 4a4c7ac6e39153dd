/**
 * A chain of empty steps: from a job's end to the next SubmitJob, on the embedded platform, and beside it in the same
 * run the same workflow and activities with clients that do nothing (a namespace of their own on the same server).
 *
 *   npm run bench -- launch [--steps 100] [--json]
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { DescribeJobsCommand } from '@aws-sdk/client-batch';
import { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { packageRoot } from '../../infra/local/platform/root.ts';
import { jobName } from '../../lib/launch/job-name.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import {
  ACTIVITY_TASK_QUEUE,
  JOBS_CHANGED_SIGNAL,
  type JobChange,
  SEARCH_ATTRIBUTES,
  WORKFLOW_TYPE,
  workflowIdOf,
} from '../../workflows/launch/model.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';
import { createNoOpWorld, noOpActivities } from '../support/no-op-world.ts';
import { option, percentile, report } from './report.ts';

const JOB_PRINCIPAL = 'job';
const NAMESPACE = 'bench';

const steps = Number(option('steps') ?? 100);
const chain = (launchId: string) =>
  sheet(
    launchId,
    Object.fromEntries(
      Array.from({ length: steps }, (_, index) => [
        `s${index}`,
        { command: `: ${index}`, ...(index > 0 && { after: [`s${index - 1}`] }) },
      ]),
    ),
  );

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const longhaul = await openLonghaul({ LONGHAUL_LOG_LEVEL: 'warn' });
try {
  const baseline = await measureBaseline(longhaul);
  const real = await measureReal(longhaul);
  const again = await measureBaseline(longhaul);
  // Before and after: the machine is not the same from one minute to the next.
  const baselineP50Ms = percentile([...baseline, ...again], 0.5);
  const p50Ms = percentile(real.gaps, 0.5);
  report({
    steps,
    p50Ms,
    p95Ms: percentile(real.gaps, 0.95),
    baselineP50Ms,
    baselineP95Ms: percentile([...baseline, ...again], 0.95),
    ratio: Math.round((100 * p50Ms) / baselineP50Ms) / 100,
    callsPerJob: real.callsPerJob,
    calls: real.calls,
    historyEvents: real.historyEvents,
  });
} finally {
  await longhaul.close();
}
process.exit(0);

async function measureReal({ aws, temporal, launches, steps: store, put, calls }: Longhaul) {
  const launchId = 'chain';
  const { lastSeq } = await longhaul.action('GET calls?service=none');
  await put(`sheets/lab-a/${launchId}.yaml`, chain(launchId));
  // By Temporal alone: a person who watches makes calls too, and those are not the launch's.
  await ended(temporal.client, workflowIdOf(launchId));
  const mine = (await calls({})).filter(({ principal, seq }) => principal !== JOB_PRINCIPAL && seq > Number(lastSeq));
  const item = await launches.get(launchId);
  if (item?.status !== 'COMPLETE') throw new Error(`the chain is ${item?.status}: ${item?.error_message}`);
  const submitted = new Map(
    mine.filter(({ operation }) => operation === 'SubmitJob').map((call) => [call.subject, Date.parse(call.at)]),
  );
  const rows = await store.ofLaunch(launchId, 1);
  const stopped = new Map<string, number>();
  for (let first = 0; first < rows.length; first += 100) {
    const ids = rows.slice(first, first + 100).flatMap(({ job_id: id }) => id ?? []);
    const { jobs = [] } = await aws.batch.send(new DescribeJobsCommand({ jobs: ids }));
    for (const { jobName: named = '', stoppedAt = 0 } of jobs) stopped.set(named, stoppedAt);
  }
  const name = (index: number) => jobName({ launchId, step: `s${index}`, attempt: 1, generation: 1, shard: 0 });
  const gaps = Array.from({ length: steps - 1 }, (_, index) => {
    const [end, next] = [stopped.get(name(index)), submitted.get(name(index + 1))];
    if (!end || !next)
      throw new Error(
        `no times of ${name(index)}: ${end}, ${next}; ${[...submitted.keys()][0]}, ${[...stopped.keys()][0]}`,
      );
    return next - end;
  });
  const { historyLength } = await temporal.client.workflow.getHandle(workflowIdOf(launchId)).describe();
  const counted: Record<string, number> = {};
  for (const { service, operation } of mine) {
    // Waiting for messages costs the same whether there is work or not.
    if (operation === 'ReceiveMessage') continue;
    counted[`${service}:${operation}`] = (counted[`${service}:${operation}`] ?? 0) + 1;
  }
  const sum = Object.values(counted).reduce((total, count) => total + count, 0);
  return { gaps, callsPerJob: Math.round((100 * sum) / steps) / 100, calls: counted, historyEvents: historyLength };
}

async function ended(client: Client, workflowId: string): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  while (!(await handle.describe().catch(() => undefined))) await delay(50);
  await handle.result().catch(() => {});
}

async function measureBaseline({ settings }: Longhaul): Promise<number[]> {
  const connection = await NativeConnection.connect({ address: settings.temporalAddress });
  const client = await openNamespace(settings.temporalAddress);
  const world = createNoOpWorld(settings.bucket);
  const shared = { connection, namespace: NAMESPACE };
  const workers = await Promise.all([
    Worker.create({
      ...shared,
      taskQueue: WORKFLOW_TASK_QUEUE,
      workflowBundle: { codePath: `${packageRoot()}/dist/workflows.js` },
    }),
    Worker.create({ ...shared, taskQueue: ACTIVITY_TASK_QUEUE, activities: noOpActivities(world) }),
  ]);
  const launchId = `chain-${Date.now()}`;
  const address = `sheets/lab-a/${launchId}.yaml`;
  world.put(address, chain(launchId));
  const gaps: number[] = [];
  let ended: number | undefined;
  world.onSubmit = ({ id, workflowId, step, at }) => {
    if (ended !== undefined) gaps.push(at - ended);
    void (async () => {
      // As a real job does, this one takes longer than the answer to its submission.
      await delay(150);
      world.commit(id);
      ended = performance.timeOrigin + performance.now();
      const change: JobChange = {
        attempt: 1,
        step,
        generation: 1,
        shard: 0,
        jobId: id,
        status: 'SUCCEEDED',
        attempts: 1,
      };
      await client.workflow.getHandle(workflowId).signal(JOBS_CHANGED_SIGNAL, [change]);
    })();
  };
  const running = workers.map((worker) => worker.run());
  await client.workflow.execute(WORKFLOW_TYPE, {
    workflowId: workflowIdOf(launchId),
    taskQueue: WORKFLOW_TASK_QUEUE,
    args: [{ launchId, configurationFile: `s3://${settings.bucket}/${address}` }],
  });
  for (const worker of workers) worker.shutdown();
  await Promise.all(running);
  await connection.close();
  await client.connection.close();
  return gaps;
}

/** A namespace of its own, so that the platform's workers take nothing of the baseline. */
async function openNamespace(address: string): Promise<Client> {
  const { Connection } = await import('@temporalio/client');
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace: NAMESPACE });
  await connection.workflowService
    .registerNamespace({ namespace: NAMESPACE, workflowExecutionRetentionPeriod: { seconds: 86_400 as never } })
    .catch(() => {});
  const KEYWORD = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;
  const searchAttributes = Object.fromEntries(Object.keys(SEARCH_ATTRIBUTES).map((name) => [name, KEYWORD]));
  for (let tries = 0; ; tries += 1) {
    try {
      await connection.operatorService.addSearchAttributes({ namespace: NAMESPACE, searchAttributes });
      return client;
    } catch (error) {
      if (/already exists/i.test(String(error))) return client;
      // A new namespace is known everywhere only a moment later.
      if (tries > 60) throw error;
      await delay(500);
    }
  }
}
