/**
 * Gathers what ./diagnosis.ts needs to say why a launch is stuck or has failed: the registry, Temporal, and of jobs of
 * AWS Batch that itself; what other services say the poller has written into the registry. Each source may be down; what
 * it would have told is left out then, and said so in the evidence.
 *
 * @module
 */
import {
  type BatchClient,
  DescribeComputeEnvironmentsCommand,
  DescribeJobQueuesCommand,
  DescribeJobsCommand,
} from '@aws-sdk/client-batch';
import { type Client, type WorkflowExecutionDescription, WorkflowNotFoundError } from '@temporalio/client';
import { whyNotPlaced } from '../../lib/launch/batch-queue.ts';
import type { LaunchItem, LaunchStore } from '../../lib/store/launches.ts';
import type { RestoreStore } from '../../lib/store/restores.ts';
import { currentJobs, type StepItem, type StepStore } from '../../lib/store/steps.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import { ACTIVITY_TASK_QUEUE, isEnded } from '../../workflows/launch/model.ts';
import { ACTIVITY_TASK_QUEUE as RESTORE_QUEUE, workflowIdOf as restoreIdOf } from '../../workflows/restore/model.ts';
import { type Diagnosis, diagnose, type LiveFacts } from './diagnosis.ts';
import { runsOnBatch } from './own-words.ts';
import { taskFailuresOf } from './task-failures.ts';

export interface ExplainSources {
  launches: LaunchStore;
  steps: StepStore;
  restores: Pick<RestoreStore, 'get'>;
  batch: BatchClient;
  client: Client;
  namespace: string;
}

/** Jobs that are asked about: the first of a few steps tell what holds up all. */
const STEPS_ASKED = 5;
/** Types of proto TaskQueueType. */
const QUEUE_TYPES = { workflow: 1, activity: 2 } as const;

/** @returns undefined when there is no such launch */
export async function explainLaunch(sources: ExplainSources, launchId: string): Promise<Diagnosis | undefined> {
  const item = await sources.launches.get(launchId);
  if (!item) return undefined;
  const steps = await sources.steps.ofLaunch(launchId, item.attempt);
  const live: LiveFacts = { pending: [], pollers: {}, queueProblems: [], stuck: {} };
  const silent: string[] = [];
  if (!isEnded(item.status)) {
    const open = steps.filter(({ open_in: place }) => place !== undefined);
    const ofBatch = open.filter(runsOnBatch);
    const asked: [string, () => Promise<Partial<LiveFacts>>][] = [
      ['Temporal', () => askTemporal(sources, item)],
      ['AWS Batch, the queue', () => askQueues(sources.batch, ofBatch)],
      ['AWS Batch, the jobs', () => askJobs(sources.batch, ofBatch)],
    ];
    if (item.status === 'WAITING') asked.push(['Its restore', () => askRestore(sources, launchId)]);
    await Promise.all(
      asked.map(async ([name, ask]) => {
        try {
          Object.assign(live, await ask());
        } catch (error) {
          silent.push(`${name} could not be asked: ${(error as Error).message}`);
        }
      }),
    );
    if (silent.some((line) => line.startsWith('Temporal')))
      live.workflow = { status: 'RUNNING', historyLength: 0, taskFailures: 0 };
  }
  const diagnosis = diagnose(item, steps, live, Date.now());
  return { ...diagnosis, evidence: [...diagnosis.evidence, ...silent] };
}

async function askRestore({ restores }: ExplainSources, launchId: string): Promise<Partial<LiveFacts>> {
  const restore = await restores.get(launchId);
  return restore ? { restore } : {};
}

async function askTemporal({ client, namespace }: ExplainSources, item: LaunchItem): Promise<Partial<LiveFacts>> {
  const description = await describe(client, item.workflow_id);
  if (!description) return {};
  const waits = item.status === 'WAITING';
  const restore = waits ? await describe(client, restoreIdOf(item.launch_id)) : undefined;
  const { status, historyLength } = description;
  const pollers: Record<string, number> = {};
  for (const [name, taskQueueType] of [
    [WORKFLOW_TASK_QUEUE, QUEUE_TYPES.workflow],
    [ACTIVITY_TASK_QUEUE, QUEUE_TYPES.activity],
    ...(waits ? [[RESTORE_QUEUE, QUEUE_TYPES.activity] as const] : []),
  ] as const) {
    const answer = await client.workflowService.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType });
    pollers[name] = answer.pollers?.length ?? 0;
  }
  return {
    workflow: {
      status: status.name,
      historyLength,
      ...(status.name === 'RUNNING' ? await taskFailuresOf(client, namespace, description) : { taskFailures: 0 }),
    },
    pending: [description, restore].flatMap(failingActivities),
    pollers,
  };
}

/** @returns undefined for a workflow Temporal does not know */
async function describe(client: Client, workflowId: string): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

const failingActivities = (description: WorkflowExecutionDescription | undefined): LiveFacts['pending'] =>
  (description?.raw.pendingActivities ?? []).flatMap(({ activityType, attempt, lastFailure }) =>
    lastFailure
      ? [{ type: activityType?.name ?? '', attempt: Number(attempt ?? 1), failure: lastFailure.message ?? '' }]
      : [],
  );

async function askQueues(batch: BatchClient, open: readonly StepItem[]): Promise<Partial<LiveFacts>> {
  const names = [...new Set(open.flatMap(({ job_queue: queue }) => queue ?? []))];
  if (names.length === 0) return {};
  const { jobQueues = [] } = await batch.send(new DescribeJobQueuesCommand({ jobQueues: names }));
  const problems = names
    .filter((name) => !jobQueues.some((queue) => queue.jobQueueName === name || queue.jobQueueArn === name))
    .map((name) => `job queue ${name} is not there`);
  for (const { jobQueueName, state, status, statusReason } of jobQueues) {
    if (state !== 'ENABLED' || status !== 'VALID')
      problems.push(`job queue ${jobQueueName} is ${state}, ${status}: ${statusReason ?? ''}`);
  }
  const environments = jobQueues.flatMap((queue) =>
    (queue.computeEnvironmentOrder ?? []).flatMap(({ computeEnvironment }) => computeEnvironment ?? []),
  );
  if (environments.length === 0) return { queueProblems: problems };
  const described = await batch.send(new DescribeComputeEnvironmentsCommand({ computeEnvironments: environments }));
  for (const { computeEnvironmentName: name, state, status, statusReason } of described.computeEnvironments ?? []) {
    if (state !== 'ENABLED' || status !== 'VALID')
      problems.push(`compute environment ${name} is ${state}, ${status}: ${statusReason ?? ''}`);
  }
  return { queueProblems: problems };
}

async function askJobs(batch: BatchClient, open: readonly StepItem[]): Promise<Partial<LiveFacts>> {
  const stuck: Record<string, string> = {};
  const waiting = open.filter(({ state }) => state !== 'RUNNING').slice(0, STEPS_ASKED);
  for (const row of waiting) {
    const [job] = currentJobs(row);
    if (!job) continue;
    const reason = job.items > 1 ? await whyNotPlaced(batch, job.id) : await reasonOf(batch, job.id);
    if (reason) stuck[row.step] = reason;
  }
  return { stuck };
}

async function reasonOf(batch: BatchClient, id: string): Promise<string | undefined> {
  const { jobs = [] } = await batch.send(new DescribeJobsCommand({ jobs: [id] }));
  return jobs[0]?.status === 'RUNNABLE' ? jobs[0].statusReason : undefined;
}
