/**
 * What every worker process shares: logs, connections, activities with their dependencies, an orderly end.
 *
 * @module
 */
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { DefaultLogger, type LogEntry, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createCostActivities } from '../activities/cost/index.ts';
import { createComputeServices } from '../activities/launch/compute/index.ts';
import { createLaunchActivities } from '../activities/launch/index.ts';
import { reportTasks } from '../activities/launch/report.ts';
import { createPollerActivities } from '../activities/poller/index.ts';
import { wakePoller } from '../activities/poller/wake.ts';
import { createRestoreActivities } from '../activities/restore/index.ts';
import { createSessionsActivities } from '../activities/sessions/index.ts';
import { type AwsClients, createAwsClients } from '../lib/aws-clients.ts';
import { createBudgets } from '../lib/cost/budget.ts';
import { createPreflightClients } from '../lib/launch/preflight/clients.ts';
import { createLogger } from '../lib/log.ts';
import { createCurrentRates } from '../lib/prices/current-rates.ts';
import { createPriceList } from '../lib/prices/price-list.ts';
import { restorePrices } from '../lib/prices/restore-prices.ts';
import { openProgress } from '../lib/progress/open.ts';
import { createBatchOperations } from '../lib/restore/batch-operations.ts';
import type { Settings } from '../lib/settings.ts';
import { createConnectionsStore } from '../lib/store/connections.ts';
import { LaunchStore } from '../lib/store/launches.ts';
import { LedgerStore } from '../lib/store/ledger.ts';
import { RestoreStore } from '../lib/store/restores.ts';
import { createSessionsStore } from '../lib/store/sessions.ts';
import { StepStore } from '../lib/store/steps.ts';
import { tableNames } from '../lib/store/tables.ts';
import { builtFile, connectTemporal, converterOf } from '../lib/temporal/client.ts';
import { ACTIVITY_TASK_QUEUE as COST_QUEUE } from '../workflows/cost/model.ts';
import { WORKFLOW_TASK_QUEUE } from '../workflows/kit/queues.ts';
import { ACTIVITY_TASK_QUEUE as LAUNCH_QUEUE } from '../workflows/launch/model.ts';
import { ACTIVITY_TASK_QUEUE as POLLER_QUEUE } from '../workflows/poller/model.ts';
import { ACTIVITY_TASK_QUEUE as PROGRESS_QUEUE } from '../workflows/progress/model.ts';
import { ACTIVITY_TASK_QUEUE as RESTORE_QUEUE } from '../workflows/restore/model.ts';
import { ACTIVITY_TASK_QUEUE as SESSIONS_QUEUE } from '../workflows/sessions/model.ts';
import { costDependencies } from './cost.ts';
import { heartbeats } from './heartbeats.ts';
import { progressActivities } from './progress.ts';
import { sampleWorkers } from './samples.ts';
import { storyWorker } from './story.ts';

/** Workflows kept in memory; a sticky cache counts workflows, it does not weigh them. */
const CACHED_WORKFLOWS = 300;
/** Activities get `grace` to end by themselves, then the process goes: under what ECS allows (stopTimeout 120 s). */
const SHUTDOWN = { shutdownGraceTime: '10 seconds', shutdownForceTime: '15 seconds' } as const;

/** Runs the workers of every task queue in this process until SIGTERM or SIGINT. */
export async function runWorkers(settings: Settings): Promise<void> {
  const logger = createLogger('worker', settings.logLevel);
  Runtime.install({ logger: new DefaultLogger('TRACE', (entry) => write(logger, entry)), shutdownSignals: [] });
  const connection = await NativeConnection.connect({ address: settings.temporalAddress });
  const { client } = await connectTemporal(settings);
  const tables = tableNames(settings.tablePrefix);
  const aws = createAwsClients({ tables, warn: (message) => logger.warn(message) });
  const steps = new StepStore(aws.dynamodb, tables);
  const launches = new LaunchStore(aws.dynamodb, tables);
  const priceList = createPriceList(aws.pricing);
  const compute = createComputeServices({ ...aws, settings });
  const ledger = new LedgerStore(aws.dynamodb, tables);
  const restores = new RestoreStore(aws.dynamodb, tables);
  const warn = (message: string) => logger.warn(message);
  const progress = openProgress(aws.dynamodb, tables, { ...settings, warn });
  const reports = progressActivities(progress);
  const rates = createCurrentRates(settings.costRates, aws.s3, { warn });
  const cost = await costDependencies({
    aws,
    tables,
    settings,
    rates,
    warn,
    launches,
    steps,
    restores,
    ledger,
    compute,
    progress,
  });
  const shared = {
    connection,
    namespace: settings.temporalNamespace,
    dataConverter: converterOf(settings),
    ...SHUTDOWN,
    ...(settings.buildId && {
      workerDeploymentOptions: {
        useWorkerVersioning: true as const,
        version: { deploymentName: 'longhaul', buildId: settings.buildId },
        // Every workflow says its own.
        defaultVersioningBehavior: 'PINNED' as const,
      },
    }),
  };
  const workers = await Promise.all([
    Worker.create({
      ...shared,
      taskQueue: WORKFLOW_TASK_QUEUE,
      workflowBundle: { codePath: builtFile(settings.payloadKey ? 'workflows-encrypted.js' : 'workflows.js') },
      maxCachedWorkflows: CACHED_WORKFLOWS,
      // As local activities, by which workflows report at the cost of one event each.
      activities: reports,
      enableNonLocalActivities: false,
    }),
    Worker.create({
      ...shared,
      taskQueue: LAUNCH_QUEUE,
      interceptors: { activity: [heartbeats] },
      activities: createLaunchActivities({
        s3: aws.s3,
        launches,
        steps,
        compute,
        budgets: createBudgets(ledger, rates),
        preflight: { ...aws, ...createPreflightClients(settings), settings },
        settings,
        progress,
        report: (workflowId, report) => reportTasks(client, workflowId, report),
        wakePoller: (place) => wakePoller(client, place, settings.pollSeconds),
      }),
    }),
    Worker.create({
      ...shared,
      taskQueue: RESTORE_QUEUE,
      interceptors: { activity: [heartbeats] },
      activities: createRestoreActivities({
        s3: aws.s3,
        restores,
        prices: async () => restorePrices(priceList, await aws.s3.config.region()),
        settings,
        progress,
        ...(settings.restoreBatchRole && { batchOperations: batchOperationsOf(aws, settings) }),
      }),
      // Each may have many requests under way.
      maxConcurrentActivityTaskExecutions: 8,
    }),
    Worker.create({
      ...shared,
      taskQueue: COST_QUEUE,
      interceptors: { activity: [heartbeats] },
      activities: createCostActivities(cost),
      // A wide launch has many records and lines at a time.
      maxConcurrentActivityTaskExecutions: 4,
    }),
    Worker.create({
      ...shared,
      taskQueue: POLLER_QUEUE,
      interceptors: { activity: [heartbeats] },
      activities: createPollerActivities({ steps, launches, compute, client }),
      maxConcurrentActivityTaskExecutions: 4,
    }),
    Worker.create({
      ...shared,
      taskQueue: SESSIONS_QUEUE,
      interceptors: { activity: [heartbeats] },
      activities: createSessionsActivities({
        connections: createConnectionsStore(aws.dynamodb, tables),
        sessions: createSessionsStore(aws.dynamodb, tables),
      }),
      maxConcurrentActivityTaskExecutions: 1,
    }),
    Worker.create({ ...shared, taskQueue: PROGRESS_QUEUE, activities: reports }),
    storyWorker(shared, { aws, tables, settings, prices: cost.prices, ledger, progress, warn }),
    ...sampleWorkers(shared, progress),
  ]);
  const stop = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  logger.info({ queues: workers.map((worker) => worker.options.taskQueue) }, 'workers are running');
  await Promise.all(workers.map((worker) => worker.run()));
}

/** Not all credentials say their account; the role is one of the same account, since it reads the same bucket's manifests. */
function batchOperationsOf({ s3control }: Pick<AwsClients, 's3control'>, settings: Settings) {
  const { restoreBatchRole: roleArn, restoreBatchObjects: fromObjects } = settings;
  return {
    client: createBatchOperations(s3control),
    roleArn,
    fromObjects,
    accountId: async () => (await s3control.config.credentials()).accountId ?? roleArn.split(':')[4] ?? '',
  };
}

/**
 * Temporal's entries carry the ids of workflow, run and activity as metadata. Of a failure of ours only the type is
 * logged: its message may quote a sheet or the last lines of a job's log. A workflow's error comes out of its sandbox
 * as a plain Error, so of those only the name is known.
 */
function write(logger: ReturnType<typeof createLogger>, { level, message, meta }: LogEntry): void {
  const { taskToken: _, error, ...ids } = (meta ?? {}) as Record<string, unknown>;
  const at = level.toLowerCase() as 'trace' | 'debug' | 'info' | 'warn' | 'error';
  const fromWorkflow = 'workflowId' in ids && !('activityId' in ids);
  logger[at]({ ...ids, ...(error instanceof Error && describe(error, fromWorkflow)) }, message);
}

function describe(error: Error, fromWorkflow: boolean): { error: string; errorMessage?: string } {
  if (error instanceof ApplicationFailure) return { error: error.type ?? error.name };
  if (error instanceof TemporalFailure || fromWorkflow) return { error: error.name };
  return { error: error.name, errorMessage: error.message };
}
