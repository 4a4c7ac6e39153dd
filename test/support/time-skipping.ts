/**
 * The time-skipping test server with Longhaul's search attributes, and a worker in it. One server a test file: a
 * workflow task that fails for ever would stop the time of every other test on it. Updates that are refused are for the
 * integration lane: after one, time stands still now and then (server 1.31.0).
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import { packageRoot } from '../../infra/local/platform/root.ts';
import { silent, tools } from '../../infra/local/tools/index.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/launch/model.ts';

/** Workers and core say what has failed, and nothing else. Once a process. */
export function installRuntime(): void {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
  });
}

export async function openTimeSkipping(): Promise<TestWorkflowEnvironment> {
  installRuntime();
  const { path } = await tools.testServer(silent);
  const env = await startServer(() =>
    TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } }),
  );
  await env.connection.operatorService.addSearchAttributes({
    namespace: env.namespace ?? 'default',
    searchAttributes: Object.fromEntries(
      Object.keys(SEARCH_ATTRIBUTES).map((name) => [
        name,
        proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
      ]),
    ),
  });
  return env;
}

/** The SDK gives a server five seconds to come up (sdk-core, ephemeral_server); a busy machine takes longer now and then. */
export async function startServer<T>(start: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start();
    } catch (error) {
      if (tries === 10 || !/did not start within/.test(String(error))) throw error;
    }
  }
}

/** Where bundle-workflows.ts tells the test files of a lane the bundle it has made for them. */
export const BUNDLE_VARIABLE = 'VITEST_WORKFLOW_BUNDLE';
export const WORKFLOWS = 'workflows/index.ts';
const bundled = new Map<string, Promise<WorkflowBundle>>();

/** The workflow bundle, made once a lane; of another file, for workflows that only tests have, once a process. */
export function workflowBundle(path = WORKFLOWS): Promise<WorkflowBundle> {
  const made = path === WORKFLOWS ? process.env[BUNDLE_VARIABLE] : undefined;
  const bundle = bundled.get(path) ?? (made ? readFile(made, 'utf8').then((code) => ({ code })) : bundleOf(path));
  bundled.set(path, bundle);
  return bundle;
}

export const bundleOf = (path: string): Promise<WorkflowBundle> =>
  bundleWorkflowCode({ workflowsPath: join(packageRoot(), path), logger: new DefaultLogger('ERROR') });

/**
 * Runs the workflow worker and one activity worker for each queue while `run` runs. Activities of the workflow queue are
 * its local ones.
 */
export async function withWorkers<T>(
  env: TestWorkflowEnvironment,
  activities: Readonly<Record<string, object>>,
  run: () => Promise<T>,
  bundle: Promise<WorkflowBundle> = workflowBundle(),
): Promise<T> {
  const { [WORKFLOW_TASK_QUEUE]: local, ...queues } = activities;
  const shared = { connection: env.nativeConnection, namespace: env.namespace ?? 'default' };
  const workers = await Promise.all([
    Worker.create({
      ...shared,
      taskQueue: WORKFLOW_TASK_QUEUE,
      workflowBundle: await bundle,
      ...(local && { activities: local, enableNonLocalActivities: false }),
    }),
    ...Object.entries(queues).map(([taskQueue, implementations]) =>
      Worker.create({ ...shared, taskQueue, activities: implementations }),
    ),
  ]);
  const [first, ...rest] = workers;
  if (!first) throw new Error('no worker');
  return rest.reduceRight<() => Promise<T>>(
    (inner, worker) => () => worker.runUntil(inner),
    () => first.runUntil(run),
  )();
}

/**
 * Whether a workflow waits for a timer, and for nothing else. One that is cancelled while an activity of it is under way
 * makes the test server keep time standing still for good.
 */
export async function isSleeping(handle: WorkflowHandle): Promise<boolean> {
  const { events = [] } = await handle.fetchHistory().catch(() => ({ events: [] }));
  return events?.at(-1)?.timerStartedEventAttributes != null;
}
