/**
 * `stage`: claims the item, brings its inputs onto the volume, writes its script. Runs before the user's image.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, rename, stat, statfs, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, HeadObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { mapLimited } from '../lib/concurrency.ts';
import { parseS3Address } from '../lib/s3-address.ts';
import { putFirst, putJson } from '../lib/s3-objects.ts';
import type { ManifestRow } from '../workflows/launch/manifest.ts';
import type { Claim, Commit, StartRecord } from './commit.ts';
import { EXIT } from './exit-codes.ts';
import { readInstance } from './instance.ts';
import { attemptName, type Job, JobError } from './job.ts';
import { noteStaged } from './ordered.ts';
import { restoreState } from './state.ts';
import { taskLogs, taskSize } from './task-metadata.ts';
import { noteUsage } from './usage.ts';

/** Inputs fetched at once: enough to fill a link, few enough for a small container's memory. */
const FETCHING = 8;

export async function stage(s3: S3Client, job: Job): Promise<number> {
  const startedAt = new Date().toISOString();
  await claim(s3, job);
  // Both to their end: an attempt that fails on its inputs has cost something too.
  const [brought, started] = await Promise.allSettled([prepare(s3, job), recordStart(s3, job, startedAt)]);
  if (brought.status === 'rejected') throw brought.reason;
  if (started.status === 'rejected') throw started.reason;
  const bytes = brought.value;
  await noteUsage(job, bytes);
  if (job.ordered) await noteStaged(job);
  job.say(
    `item ${job.row.item}: ${job.row.inputs.length} inputs, ${bytes} bytes, in ${Date.now() - Date.parse(startedAt)} ms`,
  );
  return 0;
}

/** @returns the bytes that were copied */
async function prepare(s3: S3Client, job: Job): Promise<number> {
  const outputs = await makeOutputs(job);
  // The user's image may run as any user.
  await chmod(outputs, 0o777);
  const commits = new Map<string, Promise<Commit>>();
  let bytes = 0;
  await mapLimited(job.row.inputs, FETCHING, async (input) => {
    const target = inside(job.work, input.path);
    await mkdir(dirname(target), { recursive: true });
    const file = await locate(s3, input, commits);
    if (file.address.startsWith('shared:')) await link(job, file, target);
    else bytes += await fetchObject(s3, file, target);
  });
  if (job.row.state) bytes += (await restoreState(s3, job, job.row.state, outputs)).bytes;
  if (job.row.script !== undefined) {
    const told = job.tellAttempt ? `export LONGHAUL_JOB_ATTEMPT=${job.attempt}\n` : '';
    await writeFile(join(job.work, 'command.sh'), told + job.row.script, { mode: 0o755 });
  }
  return bytes;
}

/** One attempt an item works; a Batch retry of the same job takes its own claim over. */
async function claim(s3: S3Client, job: Job): Promise<void> {
  if (await exists(s3, job.row.commit))
    throw new JobError(EXIT.superseded, `item ${job.row.item} is committed already: nothing to do`);
  const holder = await putFirst<Claim>(s3, job.row.claim, { jobId: job.id });
  if (holder && holder.jobId !== job.id)
    throw new JobError(EXIT.superseded, `item ${job.row.item} is worked on by job ${holder.jobId}: nothing to do`);
}

async function exists(s3: S3Client, address: string): Promise<boolean> {
  const { bucket, key } = parseS3Address(address);
  try {
    await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return true;
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return false;
    throw error;
  }
}

async function recordStart(s3: S3Client, job: Job, startedAt: string): Promise<void> {
  const [instance, logs, task, volume] = await Promise.all([
    readInstance(job.instanceEndpoint),
    taskLogs(job),
    taskSize(job),
    statfs(job.work).catch(() => undefined),
  ]);
  const record: StartRecord = {
    item: job.row.item,
    jobId: job.id,
    jobAttempt: job.attempt,
    generation: job.generation,
    startedAt,
    ...(instance && { instance }),
    ...(task && { task }),
    ...(volume && { volumeBytes: volume.blocks * volume.bsize }),
    ...(logs && { logs }),
  };
  await putJson(s3, `${job.row.starts}${attemptName(job)}.json`, record);
}

/** The folder the command writes to; on a shared file system a link to this attempt's folder there. */
async function makeOutputs(job: Job): Promise<string> {
  const outputs = join(job.work, 'outputs');
  if (job.shared === undefined || job.row.sharedOutputs === undefined) {
    await mkdir(outputs, { recursive: true });
    return outputs;
  }
  const folder = inside(job.shared, `${job.row.sharedOutputs}/${attemptName(job)}`);
  await mkdir(folder, { recursive: true });
  await symlink(folder, outputs);
  return folder;
}

/** An input's address, and what it must be to be taken. */
interface Wanted {
  address: string;
  version?: string;
  etag?: string;
  bytes?: number;
  sha256?: string;
}

/** Outputs of earlier steps are looked up in their commits, each read once. */
async function locate(
  s3: S3Client,
  { from, version, etag }: ManifestRow['inputs'][number],
  commits: Map<string, Promise<Commit>>,
): Promise<Wanted> {
  if (!from.startsWith('commit:')) return { address: from, ...(version && { version }), ...(etag && { etag }) };
  // `commit:<address>#<output>`, and `#<path>` where an output has several files; a path may hold a # of its own.
  const [, address = '', output = '', path] = /^commit:([^#]*)#([^#]*)(?:#(.*))?$/s.exec(from) ?? [];
  const read = commits.get(address) ?? readCommit(s3, address);
  commits.set(address, read);
  const files = (await read).outputs[output] ?? [];
  const file = path === undefined ? files[0] : files.find((candidate) => candidate.path === path);
  if (!file) throw new JobError(EXIT.inputUnreadable, `${address} has no output ${output}`);
  return { address: file.address, bytes: file.bytes, sha256: file.sha256 };
}

async function readCommit(s3: S3Client, address: string): Promise<Commit> {
  const { bucket, key } = parseS3Address(address);
  try {
    const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return JSON.parse((await answer.Body?.transformToString()) ?? '') as Commit;
  } catch (error) {
    throw unreadable(address, error);
  }
}

/** What cannot be read is named; all else stays what it is. */
function unreadable(address: string, error: unknown): unknown {
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  if (status === 412)
    return new JobError(EXIT.inputUnreadable, `${address} has changed since the launch was planned; launch it again`);
  if (status !== 403 && status !== 404) return error;
  return new JobError(EXIT.inputUnreadable, `${address} cannot be read: ${(error as Error).name}`);
}

/** Taken whole and as it was planned or committed, or not at all. */
async function fetchObject(s3: S3Client, wanted: Wanted, target: string): Promise<number> {
  const { address, version, etag } = wanted;
  const { bucket, key } = parseS3Address(address);
  const get = { Bucket: bucket, Key: key, ...(version ? { VersionId: version } : etag && { IfMatch: etag }) };
  try {
    const answer = await s3.send(new GetObjectCommand(get));
    const hash = createHash('sha256');
    let bytes = 0;
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        if (wanted.sha256 !== undefined) hash.update(chunk);
        bytes += chunk.length;
        done(null, chunk);
      },
    });
    await pipeline(answer.Body as Readable, counted, createWriteStream(`${target}.part`));
    const expected = wanted.bytes ?? answer.ContentLength;
    if (expected !== undefined && bytes !== expected)
      throw new JobError(
        EXIT.inputUnreadable,
        `${address} has ${bytes} bytes, but should have ${expected}: it is half written`,
      );
    if (wanted.sha256 !== undefined && hash.digest('hex') !== wanted.sha256)
      throw new JobError(EXIT.inputUnreadable, `${address} is not what was committed: its SHA-256 is another`);
    // Workflow engines compare times: a file that is brought in again is no newer than it was.
    if (answer.LastModified) await utimes(`${target}.part`, answer.LastModified, answer.LastModified);
    // Renamed when whole: a command never sees half a file.
    await rename(`${target}.part`, target);
    return bytes;
  } catch (error) {
    throw unreadable(address, error);
  }
}

async function link(job: Job, { address, bytes }: Wanted, target: string): Promise<void> {
  const path = address.slice('shared:'.length);
  const source = inside(job.shared ?? '', path);
  const found = await stat(source).catch(() => undefined);
  if (!found) throw new JobError(EXIT.inputUnreadable, `${path} is not on the shared file system`);
  if (bytes !== undefined && found.isFile() && found.size !== bytes)
    throw new JobError(
      EXIT.inputUnreadable,
      `${path} has ${found.size} bytes, but should have ${bytes}: it is half written`,
    );
  await symlink(source, target);
}

/** Joins and refuses to leave the folder. */
function inside(folder: string, path: string): string {
  const target = resolve(folder, path);
  if (!target.startsWith(resolve(folder) + sep))
    throw new JobError(EXIT.inputUnreadable, `${path} leads out of its folder`);
  return target;
}
