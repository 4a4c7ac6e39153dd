/**
 * A job's surroundings: a volume, S3 by its real protocol, and the task metadata endpoint (version 4) of ECS.
 *
 * @module
 */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { vi } from 'vitest';
import { type Job, JobError } from '../../jobs/job.ts';
import type { ManifestRow } from '../../workflows/launch/manifest.ts';
import { openStandIns, type StandIns } from './stand-ins.ts';

export const BUCKET = 'longhaul';

export interface JobWorld extends StandIns {
  /** What the endpoint says of the container `main`, one answer after the other; the last one stays. */
  main: { KnownStatus: string; ExitCode?: number | null; Name?: string }[];
  /** Where the endpoint says that the asking container, `stage`, logs. */
  logging: { LogDriver?: string; LogOptions?: Record<string, string> };
  /** A job with a fresh volume. */
  job(row?: Partial<ManifestRow>, more?: Partial<Job>): Promise<Job>;
  /** A folder as a file system many jobs share. */
  sharedFolder(files?: Record<string, string>): Promise<string>;
  put(key: string, body: string): Promise<void>;
  text(key: string): Promise<string>;
  json<T>(key: string): Promise<T>;
  keys(prefix?: string): Promise<string[]>;
}

export async function openJobWorld(): Promise<JobWorld> {
  const standIns = await openStandIns();
  const { s3 } = standIns;
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-job-'));
  let folders = 0;
  const folder = async () => {
    folders += 1;
    const path = join(directory, String(folders));
    await mkdir(path);
    return path;
  };
  const server = createServer((request, response) => {
    const [main] = world.main;
    if (world.main.length > 1) world.main.shift();
    if (request.url === '/v4/task-1') {
      const own = { Name: 'stage', KnownStatus: 'RUNNING', ...world.logging };
      return void response.setHeader('content-type', 'application/json').end(JSON.stringify(own));
    }
    if (request.url !== '/v4/task-1/task') return void response.writeHead(404).end();
    response.setHeader('content-type', 'application/json').end(JSON.stringify(taskMetadata(main ?? {})));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  vi.stubEnv('ECS_CONTAINER_METADATA_URI_V4', `http://127.0.0.1:${port}/v4/task-1`);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));

  const world: JobWorld = {
    ...standIns,
    main: [{ KnownStatus: 'STOPPED', ExitCode: 0 }],
    logging: {},
    async job(row = {}, more = {}) {
      return {
        row: { ...ROW, ...row },
        step: 'work',
        launchAttempt: 1,
        generation: 1,
        id: 'job-1',
        attempt: 1,
        work: await folder(),
        ...(process.env.ECS_CONTAINER_METADATA_URI_V4 && { taskEndpoint: process.env.ECS_CONTAINER_METADATA_URI_V4 }),
        say: (line) => console.log(line),
        ...more,
      };
    },
    async sharedFolder(files = {}) {
      const path = await folder();
      await writeFiles(path, files);
      return path;
    },
    async put(key, body) {
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: Buffer.from(body) }));
    },
    async text(key) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
      return (await Body?.transformToString()) ?? '';
    },
    async json<T>(key: string) {
      return JSON.parse(await world.text(key)) as T;
    },
    async keys(prefix = '') {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: prefix }));
      return Contents.map(({ Key }) => Key ?? '');
    },
    async close() {
      vi.unstubAllEnvs();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await standIns.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return world;
}

export const ROW: ManifestRow = {
  item: 'a',
  key: 'k1',
  inputs: [],
  outputs: [],
  results: `s3://${BUCKET}/results/work/a/`,
  claim: `s3://${BUCKET}/launches/run-1/claims/work/a/1-1`,
  commit: `s3://${BUCKET}/launches/run-1/commits/work/a/k1.json`,
  starts: `s3://${BUCKET}/launches/run-1/starts/work/a/`,
};
export const CLAIM_KEY = 'launches/run-1/claims/work/a/1-1';
export const COMMIT_KEY = 'launches/run-1/commits/work/a/k1.json';

/** As the endpoint of the ECS agent answers, cut to one task of three containers. */
function taskMetadata(main: Partial<JobWorld['main'][number]>) {
  const container = (name: string, more: object) => ({
    DockerId: `${name}-1`,
    Name: name,
    DockerName: `ecs-longhaul-1-${name}-b0a1`,
    Image: 'tools:1',
    DesiredStatus: 'STOPPED',
    CreatedAt: '2026-03-02T08:15:00.5Z',
    StartedAt: '2026-03-02T08:15:01.5Z',
    Type: 'NORMAL',
    ...more,
  });
  return {
    Cluster: 'longhaul',
    TaskARN: 'arn:aws:ecs:us-east-1:123456789012:task/longhaul/task-1',
    Family: 'longhaul',
    Containers: [
      container('stage', { KnownStatus: 'STOPPED', ExitCode: 0 }),
      container('main', main),
      container('publish', { KnownStatus: 'RUNNING', DesiredStatus: 'RUNNING' }),
    ],
  };
}

export async function writeFiles(folder: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** The error a job ends with. */
export async function jobError(run: Promise<unknown>): Promise<JobError> {
  const error: unknown = await run.then(
    (code) => new Error(`it ended with ${String(code)}`),
    (thrown: unknown) => thrown,
  );
  if (error instanceof JobError) return error;
  throw error;
}
