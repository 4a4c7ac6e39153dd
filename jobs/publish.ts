/**
 * `publish`: keeps the outputs of a command that succeeded and commits them. Ends with the command's own exit code,
 * because it is the only essential container and so decides how the job ended.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { Transform, type TransformCallback, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { mapLimited } from '../lib/concurrency.ts';
import { parseS3Address } from '../lib/s3-address.ts';
import { putFirst } from '../lib/s3-objects.ts';
import { patternToRegExp } from '../workflows/launch/patterns.ts';
import { type Commit, type CommittedFile, outputsDigest } from './commit.ts';
import { EXIT } from './exit-codes.ts';
import { attemptName, type Job, JobError } from './job.ts';
import { readMetrics } from './metrics.ts';
import { noteSucceeded } from './ordered.ts';
import { mainContainer } from './task-metadata.ts';
import { usageOf } from './usage.ts';

const STORING = 4;

export async function publish(s3: S3Client, job: Job): Promise<number> {
  if (job.ordered) await noteSucceeded(job);
  const main = await mainContainer(job);
  if (main.exitCode !== 0) {
    job.say(`item ${job.row.item}: the command exited with ${main.exitCode}`);
    return main.exitCode;
  }
  const folder = join(job.work, 'outputs');
  const found = match(job, await filesUnder(folder));
  const outputs: Commit['outputs'] = {};
  for (const [name, paths] of Object.entries(found)) {
    outputs[name] = await mapLimited(paths, STORING, (path) => store(s3, job, folder, path));
  }
  const files = Object.values(outputs).flat();
  const outputBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const metrics = await readMetrics(folder, job.say);
  await commit(s3, job, {
    version: 2,
    step: job.step,
    item: job.row.item,
    key: job.row.key,
    jobId: job.id,
    jobAttempt: job.attempt,
    generation: job.generation,
    exitCode: 0,
    outputs,
    startedAt: main.startedAt,
    committedAt: new Date().toISOString(),
    usage: await usageOf(job, outputBytes),
    ...(metrics && { metrics }),
  });
  await enterCache(s3, job, outputs);
  job.say(`item ${job.row.item}: ${files.length} outputs, ${outputBytes} bytes, committed`);
  return 0;
}

/** Declared outputs and the files they stand for; every one that has none is named. */
function match(job: Job, files: readonly string[]): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { name, path } of job.row.outputs) {
    const pattern = patternToRegExp(path);
    found[name] = files.filter((file) => pattern.test(file));
  }
  const missing = job.row.outputs.filter(({ name }) => found[name]?.length === 0);
  if (missing.length > 0) {
    const list = missing.map(({ name, path }) => `${name} (${path})`).join(', ');
    throw new JobError(EXIT.outputsMissing, `item ${job.row.item}: not there after the command: ${list}`);
  }
  return found;
}

/** Files below a folder, by paths relative to it, sorted. A link may not lead out of the folder. */
async function filesUnder(folder: string): Promise<string[]> {
  const root = await realpath(folder);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) {
      const target = await realpath(path).catch(() => '');
      if (!target.startsWith(root + sep)) {
        throw new JobError(
          EXIT.outputsMissing,
          `${relative(root, path)} is a link that leads out of the outputs; write a file`,
        );
      }
      if ((await stat(target)).isFile()) files.push(relative(root, path));
    } else if (entry.isFile()) files.push(relative(root, path));
  }
  return files.sort();
}

async function store(s3: S3Client, job: Job, folder: string, path: string): Promise<CommittedFile> {
  const file = join(folder, path);
  const { size } = await stat(file);
  const counted = new Counted();
  if (job.shared !== undefined && job.row.sharedOutputs !== undefined) {
    await pipeline(createReadStream(file), counted, new Writable({ write: (_chunk, _encoding, done) => done() }));
    const address = `shared:${job.row.sharedOutputs}/${attemptName(job)}/${path}`;
    return { path, address, ...(await counted.whole(job, path, file, size)) };
  }
  const address = `${job.row.results}${attemptName(job)}/${path}`;
  const { bucket, key } = parseS3Address(address);
  const body = createReadStream(file);
  body.on('error', (error) => counted.destroy(error));
  const upload = new Upload({ client: s3, params: { Bucket: bucket, Key: key, Body: body.pipe(counted) } });
  await upload.done();
  return { path, address, ...(await counted.whole(job, path, file, size)) };
}

/** Hashes the very bytes that pass: what is stored is what the commit says, whatever the file does meanwhile. */
class Counted extends Transform {
  readonly #hash = createHash('sha256');
  #bytes = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
    done(null, chunk);
  }

  /** @throws JobError when the file is not what it was when its storing began: somebody still writes to it */
  async whole(job: Job, path: string, file: string, size: number): Promise<{ bytes: number; sha256: string }> {
    const now = await stat(file);
    if (this.#bytes !== size || now.size !== size) {
      throw new JobError(
        EXIT.outputsMissing,
        `item ${job.row.item}: ${path} changed while it was stored: the command left something running that writes to it`,
      );
    }
    return { bytes: size, sha256: this.#hash.digest('hex') };
  }
}

/**
 * For later launches: an empty object whose name says what was done, with what result, by whom. Not having it costs a
 * repetition at most, so a failure is no reason to fail.
 */
async function enterCache(s3: S3Client, job: Job, outputs: Commit['outputs']): Promise<void> {
  if (job.row.cache === undefined) return;
  const launchId = /\/launches\/([^/]+)\/commits\//.exec(job.row.commit)?.[1] ?? '';
  const name = `${outputsDigest(outputs)}/${launchId}/${job.step}/${job.row.item}`;
  const { bucket, key } = parseS3Address(`${job.row.cache}${name}`);
  try {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: Buffer.alloc(0), ContentLength: 0 }));
  } catch (error) {
    job.say(`item ${job.row.item}: committed, but not entered into the cache: ${(error as Error).name}`);
  }
}

/** The first commit of an item counts. Our own, whose answer was lost, is as good as written now. */
async function commit(s3: S3Client, job: Job, body: Commit): Promise<void> {
  const first = await putFirst(s3, job.row.commit, body);
  if (!first || (first.jobId === job.id && first.jobAttempt === job.attempt)) return;
  throw new JobError(
    EXIT.superseded,
    `item ${job.row.item} was committed by job ${first.jobId}: this attempt is not needed`,
  );
}
