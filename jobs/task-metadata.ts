/**
 * What the ECS task metadata endpoint (version 4) tells: how the user's container ended, since containers of a task
 * see each other's exit codes there and nowhere else, and where the task logs.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { StartRecord } from './commit.ts';
import { EXIT } from './exit-codes.ts';
import { type Job, JobError } from './job.ts';
import { taskStreams } from './log-streams.ts';
import type { MainEnding } from './main-ending.ts';
import { ask } from './metadata.ts';

interface TaskMetadata {
  LaunchType?: string;
  AvailabilityZone?: string;
  /** vCPUs and MiB. */
  Limits?: { CPU?: number; Memory?: number };
  Containers?: { Name?: string; KnownStatus?: string; ExitCode?: number; StartedAt?: string; CreatedAt?: string }[];
}

interface ContainerMetadata {
  LogDriver?: string;
  LogOptions?: Record<string, string>;
}

/** Where a job logs is worth no more than this: a job must not wait for it. */
const TIMEOUT_MS = 1_000;
/** The agent learns of a container's end a moment after the next one has been started. */
const PATIENCE_MS = 15_000;

/** @returns undefined while the command runs, or has not begun */
export async function mainEnding(job: Pick<Job, 'taskEndpoint' | 'main'>): Promise<MainEnding | undefined> {
  if (job.main) return job.main();
  const endpoint = job.taskEndpoint;
  if (!endpoint)
    throw new JobError(EXIT.notAJob, 'ECS_CONTAINER_METADATA_URI_V4 is not set: this program runs in a task of ECS');
  const { Containers = [] } = JSON.parse(await ask(`${endpoint}/task`)) as TaskMetadata;
  // ECS may put the task's name before the container's.
  const main = Containers.find((container) => container.Name === 'main' || container.Name?.endsWith('-main'));
  if (main?.KnownStatus !== 'STOPPED') return undefined;
  // A container that the kernel or the agent killed may have no code.
  return {
    exitCode: main.ExitCode ?? EXIT.failed,
    startedAt: main.StartedAt ?? main.CreatedAt ?? new Date().toISOString(),
  };
}

export async function mainContainer(job: Pick<Job, 'taskEndpoint' | 'main'>): Promise<MainEnding> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const ending = await mainEnding(job);
    if (ending) return ending;
    if (Date.now() > until) throw new JobError(EXIT.failed, 'the command has ended, but ECS does not say how');
    await delay(50);
  }
}

/** What the task is billed for on Fargate. @returns undefined where the endpoint does not tell */
export async function taskSize({ taskEndpoint: endpoint }: Pick<Job, 'taskEndpoint'>): Promise<StartRecord['task']> {
  if (!endpoint) return undefined;
  try {
    const text = await ask(`${endpoint}/task`, { timeoutMs: TIMEOUT_MS });
    const { LaunchType: launchType, AvailabilityZone: zone, Limits = {} } = JSON.parse(text) as TaskMetadata;
    if (launchType === undefined) return undefined;
    return {
      launchType,
      ...(Limits.CPU !== undefined && { vcpus: Limits.CPU }),
      ...(Limits.Memory !== undefined && { memoryMib: Limits.Memory }),
      ...(zone !== undefined && { zone }),
    };
  } catch {
    return undefined;
  }
}

/**
 * Where the containers of this task log. Asked in `stage`, when Docker has only that one: the agent creates a container
 * when its dependencies are met, and tells nothing of it before. So the others' streams follow from its own.
 * @returns undefined where the endpoint does not tell, or the job definition logs elsewhere
 */
export async function taskLogs({
  taskEndpoint: endpoint,
  logs,
}: Pick<Job, 'taskEndpoint' | 'logs'>): Promise<StartRecord['logs'] | undefined> {
  if (logs) return logs;
  if (!endpoint) return undefined;
  try {
    const text = await ask(endpoint, { timeoutMs: TIMEOUT_MS });
    const { LogDriver, LogOptions = {} } = JSON.parse(text) as ContainerMetadata;
    const group = LogOptions['awslogs-group'];
    const streams = taskStreams('stage', LogOptions['awslogs-stream'] ?? '');
    return LogDriver === 'awslogs' && group && streams ? { group, streams } : undefined;
  } catch {
    return undefined;
  }
}
