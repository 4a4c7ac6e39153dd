/**
 * How the user's container ended, by the ECS task metadata endpoint (version 4): containers of a task see each
 * other's exit codes there, and nowhere else.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT } from './exit-codes.ts';
import { JobError } from './job.ts';

interface TaskMetadata {
  Containers?: { Name?: string; KnownStatus?: string; ExitCode?: number; StartedAt?: string; CreatedAt?: string }[];
}

/** The agent learns of a container's end a moment after the next one has been started. */
const PATIENCE_MS = 15_000;

export async function mainContainer(): Promise<{ exitCode: number; startedAt: string }> {
  const endpoint = process.env.ECS_CONTAINER_METADATA_URI_V4;
  if (!endpoint)
    throw new JobError(EXIT.notAJob, 'ECS_CONTAINER_METADATA_URI_V4 is not set: this program runs in a task of ECS');
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await fetch(`${endpoint}/task`);
    const { Containers = [] } = (await answer.json()) as TaskMetadata;
    // ECS may put the task's name before the container's.
    const main = Containers.find((container) => container.Name === 'main' || container.Name?.endsWith('-main'));
    if (main?.KnownStatus === 'STOPPED') {
      // A container that the kernel or the agent killed may have no code.
      return {
        exitCode: main.ExitCode ?? EXIT.failed,
        startedAt: main.StartedAt ?? main.CreatedAt ?? new Date().toISOString(),
      };
    }
    if (Date.now() > until) throw new JobError(EXIT.failed, 'the command has ended, but ECS does not say how');
    await delay(50);
  }
}
