/**
 * What logs are found by, without a platform: S3 and CloudWatch Logs by their real protocols, and a launch of one
 * step whose attempts, lines and end a test gives.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BatchClient, type DescribeJobsCommand, type JobDetail, ListJobsCommand } from '@aws-sdk/client-batch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { LoggedStep, LogSources } from '../../clients/launch/log-steps.ts';
import { createEvents } from '../../infra/local/aws/events/service.ts';
import { createLogs } from '../../infra/local/aws/logs/service.ts';
import { LOCAL_PLACE } from '../../infra/local/aws/ports.ts';
import { createS3 } from '../../infra/local/aws/s3/service.ts';
import { createSqs } from '../../infra/local/aws/sqs/service.ts';
import { createKit, type Kit, openFrontDoor } from '../../infra/local/kit/front-door.ts';
import type { StartRecord } from '../../jobs/commit.ts';
import type { JobContainer } from '../../jobs/log-streams.ts';
import type { LaunchItem } from '../../lib/store/launches.ts';
import type { StepItem } from '../../lib/store/steps.ts';

const BUCKET = 'longhaul';
export const LAUNCH = 'run-1';
export const GROUP = '/aws/batch/job';
const HOUR_MS = 3_600_000;

export interface LogWorld {
  kit: Kit;
  sources: LogSources & { logs: CloudWatchLogsClient };
  items: readonly string[];
  /** What AWS Batch knows, by job id. */
  jobs: Map<string, JobDetail>;
  /** Ids of each call of DescribeJobs. */
  described: string[][];
  step(): LoggedStep;
  /** An attempt of an item, by its start record; its streams are made by `write`. */
  start(item: string, attempt?: number, more?: Partial<StartRecord>): Promise<void>;
  commit(item: string): Promise<void>;
  /** An object of Longhaul's bucket, as JSON. */
  put(key: string, body: unknown): Promise<void>;
  /** Lines of `main`, or of another container, of an attempt; `at` in milliseconds since the world began, a minute ago. */
  write(
    item: string,
    lines: readonly string[],
    more?: { attempt?: number; container?: JobContainer; at?: number },
  ): void;
  /** The launch and its step have ended an hour ago. */
  end(state?: 'COMPLETE' | 'FAILED'): void;
  /** Calls that were made of one operation. */
  calls(operation: string): number;
  close(): Promise<void>;
}

/** The step is `align`, an array job of `items`, or a single one. */
export async function openLogWorld(items: readonly string[]): Promise<LogWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-logs-'));
  const kit = createKit();
  const at = (name: string) => ({ kit, place: LOCAL_PLACE, directory: join(directory, name) });
  const sqs = await createSqs(at('sqs'));
  const events = await createEvents({ ...at('events'), queues: sqs.port });
  const s3 = await createS3({ ...at('s3'), queues: sqs.port, events: events.port });
  const logs = await createLogs(at('logs'));
  const door = await openFrontDoor(kit, [sqs.service, events.service, s3.service, logs.service]);
  const settings = {
    region: LOCAL_PLACE.region,
    endpoint: door.url,
    credentials: { accessKeyId: 'unit', secretAccessKey: 'unit' },
  };
  const clients = { s3: new S3Client(settings), logs: new CloudWatchLogsClient(settings) };
  await clients.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const put = async (key: string, body: unknown) => {
    await clients.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: JSON.stringify(body) }));
  };
  const plan = { dimensions: { sample: items.map((name) => ({ name, fields: {} })) }, steps: [] as unknown[] };
  plan.steps.push({ name: 'align', dimensions: ['sample'], items: items.length });
  await put('plan.json', plan);

  // Contents do not matter here: the key of every item is `key`.
  const folder = `launches/${LAUNCH}/attempts/1/steps/align/`;
  await put(`${folder}items.json`, { version: 1, keys: items.map(() => 'key'), done: {} });

  const began = Date.now() - 60_000;
  const jobOf = (item: string) => (items.length === 1 ? 'job-1' : `job-1:${items.indexOf(item)}`);
  const stream = (item: string, attempt: number, container: JobContainer) =>
    `tools/${container}/${items.indexOf(item)}x${attempt}`;
  const launch = {
    launch_id: LAUNCH,
    status: 'RUNNING',
    statuses: {},
    attempt: 1,
    plan: `s3://${BUCKET}/plan.json`,
  } as unknown as LaunchItem;
  const row = {
    step: 'align',
    attempt: 1,
    generation: 1,
    jobs: [{ id: 'job-1', generation: 1, shard: 0, items: items.length }],
    log_group: GROUP,
    items: { total: items.length },
  } as StepItem;
  const jobs = new Map<string, JobDetail>();
  const described: string[][] = [];
  const batch = {
    async send(command: DescribeJobsCommand | ListJobsCommand) {
      if (command instanceof ListJobsCommand) {
        const failed = [...jobs.values()].filter(({ status }) => status === command.input.jobStatus);
        return { jobSummaryList: failed.map(({ jobId }) => ({ jobId })) };
      }
      const ids = command.input.jobs ?? [];
      described.push(ids);
      return { jobs: ids.flatMap((id) => jobs.get(id) ?? []) };
    },
  } as unknown as BatchClient;
  return {
    kit,
    sources: {
      ...clients,
      batch,
      bucket: BUCKET,
      launches: { get: async (id) => (id === LAUNCH ? structuredClone(launch) : undefined) },
      steps: { ofLaunch: async () => [structuredClone(row)] },
    },
    items,
    jobs,
    described,
    step: () => ({ launchId: LAUNCH, name: 'align', items, row: structuredClone(row) }),
    async start(item, attempt = 1, more = {}) {
      const jobId = jobOf(item);
      const streams = (['stage', 'main', 'publish'] as const).map((name) => [name, stream(item, attempt, name)]);
      const record: StartRecord = {
        item,
        jobId,
        jobAttempt: attempt,
        generation: 1,
        startedAt: new Date(began + attempt).toISOString(),
        logs: { group: GROUP, streams: Object.fromEntries(streams) as Record<JobContainer, string> },
        ...more,
      };
      const name = `${jobId.replaceAll(':', '_')}-${attempt}`;
      await put(`launches/${LAUNCH}/starts/align/${item}/${name}.json`, record);
    },
    put,
    commit: (item) => put(`launches/${LAUNCH}/commits/align/${item}/key.json`, {}),
    write(item, lines, { attempt = 1, container = 'main', at = 0 } = {}) {
      logs.port.append(
        GROUP,
        stream(item, attempt, container),
        lines.map((message, index) => ({ timestamp: began + at + index, message })),
      );
    },
    end(state = 'COMPLETE') {
      const ended = new Date(began - HOUR_MS).toISOString();
      Object.assign(row, { ended_at: ended, state: state === 'COMPLETE' ? 'SUCCEEDED' : 'FAILED' });
      Object.assign(launch, { status: state, statuses: { [state]: ended } });
    },
    calls: (operation) => kit.calls.list({ operation }).length,
    async close() {
      for (const client of Object.values(clients)) client.destroy();
      await door.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Names of `count` items, in order. */
export const itemNames = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `i${String(index).padStart(4, '0')}`);

export async function all<T>(lines: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const line of lines) found.push(line);
  return found;
}
