/**
 * Log lines of a step's jobs, from CloudWatch Logs.
 *
 * @module
 */
import { type BatchClient, DescribeJobsCommand } from '@aws-sdk/client-batch';
import {
  type CloudWatchLogsClient,
  GetLogEventsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import type { StepItem } from '../../lib/store/steps.ts';

export interface LogLine {
  step: string;
  /** Array index of the child; absent for a single job. */
  index?: number;
  container: string;
  /** ISO time. */
  at: string;
  message: string;
}

/** DescribeJobs' limit of ids a call. */
const DESCRIBE = 100;

/** The lines of one step, in order of time; `containers` narrows them (stage, main, publish). */
export async function stepLogs(
  clients: { batch: BatchClient; logs: CloudWatchLogsClient },
  step: StepItem,
  containers: readonly string[],
): Promise<LogLine[]> {
  const streams = await streamsOf(clients.batch, step);
  const lines: LogLine[] = [];
  for (const { stream, container, index } of streams) {
    if (!containers.includes(container)) continue;
    for await (const event of readStream(clients.logs, step.log_group, stream)) {
      lines.push({ step: step.step, container, ...event, ...(index !== undefined && { index }) });
    }
  }
  return lines.sort((a, b) => a.at.localeCompare(b.at));
}

async function streamsOf(
  batch: BatchClient,
  step: StepItem,
): Promise<{ stream: string; container: string; index?: number }[]> {
  const array = step.items.total > 1;
  // Batch forgets jobs a day after they ended; what a single job logged stands in the registry.
  const known = Object.entries(step.log_streams ?? {}).map(([container, stream]) => ({ stream, container }));
  if (!array && known.length > 0) return known;
  const ids = array
    ? Array.from({ length: step.items.total }, (_, index) => `${step.job_id}:${index}`)
    : [step.job_id ?? ''];
  const found: { stream: string; container: string; index?: number }[] = [];
  for (let first = 0; first < ids.length; first += DESCRIBE) {
    const { jobs = [] } = await batch.send(new DescribeJobsCommand({ jobs: ids.slice(first, first + DESCRIBE) }));
    for (const job of jobs) {
      const index = job.arrayProperties?.index;
      const attempts = (job.attempts ?? []).map((attempt) => attempt.taskProperties?.[0]?.containers ?? []);
      const current = job.ecsProperties?.taskProperties?.[0]?.containers ?? [];
      const seen = new Set<string>();
      for (const container of [...attempts.flat(), ...current]) {
        if (!container.logStreamName || seen.has(container.logStreamName)) continue;
        seen.add(container.logStreamName);
        found.push({
          stream: container.logStreamName,
          container: container.name ?? '',
          ...(index !== undefined && { index }),
        });
      }
    }
  }
  return found;
}

async function* readStream(
  logs: CloudWatchLogsClient,
  group: string,
  stream: string,
): AsyncGenerator<{ at: string; message: string }> {
  let token: string | undefined;
  for (;;) {
    try {
      const page = await logs.send(
        new GetLogEventsCommand({
          logGroupName: group,
          logStreamName: stream,
          startFromHead: true,
          ...(token && { nextToken: token }),
        }),
      );
      for (const event of page.events ?? [])
        yield { at: new Date(event.timestamp ?? 0).toISOString(), message: event.message ?? '' };
      // The end is told by the same token coming back.
      if (page.nextForwardToken === undefined || page.nextForwardToken === token) return;
      token = page.nextForwardToken;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return;
      throw error;
    }
  }
}
