/**
 * The working folder of a head job, kept in S3 while the head runs, so that another head can go on where it was.
 *
 * A snapshot names only what is whole: markers (what an engine calls finished or unfinished) are looked at before the files
 * they speak of, both before and after copying, and a file counts only if size and time of change are the same at the end as
 * when it was copied. So a file that was half written is either left out or known to be unfinished. What only grows is
 * copied first, as far as it has come.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, readdir, readlink, rename, rm, stat, symlink, utimes } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Readable } from 'node:stream';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { mapLimited } from '../lib/concurrency.ts';
import { compare } from '../lib/digest.ts';
import { parseS3Address } from '../lib/s3-address.ts';
import { listKeys, putJson } from '../lib/s3-objects.ts';
import { patternToRegExp } from '../workflows/launch/patterns.ts';
import { EXIT } from './exit-codes.ts';
import { attemptName, type Job, JobError } from './job.ts';

/** Files on their way at once. */
const MOVING = 8;
/** How often restoring begins anew. */
const RESTORING = 3;
/** Linux stamps files by a clock that advances every 10 ms at the latest (CONFIG_HZ=100). */
const TICK_MS = 10;
const MS = 1_000_000n;
/** Digits of attempts and generations in names: the last snapshot is the last of the names. */
const DIGITS = 6;

interface KeptFile {
  path: string;
  bytes: number;
  /** Nanoseconds since the epoch, as text: a number cannot hold them. */
  mtimeNs: string;
  /** Below the prefix. */
  object: string;
  sha256: string;
  /** Permission bits: tools may have made themselves scripts. */
  mode: number;
  /** Of a symbolic link: where it leads; it has no object. */
  link?: string;
}

export interface Snapshot {
  version: 1;
  savedAt: string;
  files: KeptFile[];
}

type State = NonNullable<Job['row']['state']>;

/** See {@link StateRules}. */
type Kind = 'growing' | 'marker' | 'file';

/** Of a file at one moment. */
type Mark = Pick<KeptFile, 'bytes' | 'mtimeNs' | 'mode' | 'link'>;

/**
 * Brings the newest snapshot of any earlier head into the working folder.
 * @returns how many files, and their bytes
 * @throws JobError when an object is not what the snapshot says
 */
export async function restoreState(
  s3: S3Client,
  job: Job,
  state: State,
  folder: string,
): Promise<{ files: number; bytes: number }> {
  for (let tries = 1; ; tries += 1) {
    const snapshot = await newestSnapshot(s3, state.prefix);
    if (!snapshot) return { files: 0, bytes: 0 };
    try {
      await mapLimited(snapshot.files, MOVING, (file) => restoreFile(s3, state, folder, file));
      const bytes = snapshot.files.reduce((sum, file) => sum + file.bytes, 0);
      const { savedAt, files } = snapshot;
      job.say(`item ${job.row.item}: goes on from what was kept at ${savedAt}: ${files.length} files, ${bytes} bytes`);
      return { files: files.length, bytes };
    } catch (error) {
      // A head that was given up still works, and has made a newer snapshot meanwhile.
      if (!isGone(error) || tries === RESTORING) throw error;
      for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}

async function restoreFile(s3: S3Client, state: State, folder: string, file: KeptFile): Promise<void> {
  const target = join(folder, file.path);
  await mkdir(dirname(target), { recursive: true });
  if (file.link !== undefined) {
    await symlink(file.link, target);
    return;
  }
  const { bucket, key } = parseS3Address(`${state.prefix}${file.object}`);
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  const counted = new Hashing();
  await pipeline(Body as Readable, counted, createWriteStream(`${target}.part`));
  if (counted.bytes !== file.bytes || counted.digest() !== file.sha256)
    throw new JobError(EXIT.inputUnreadable, `${state.prefix}${file.object} is not what was kept of ${file.path}`);
  await chmod(`${target}.part`, file.mode);
  await rename(`${target}.part`, target);
  // Engines compare times to see what is out of date.
  const seconds = Number(BigInt(file.mtimeNs) / 1_000n) / 1e6;
  await utimes(target, seconds, seconds);
}

const isGone = (error: unknown): boolean =>
  error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404;

async function newestSnapshot(s3: S3Client, prefix: string): Promise<Snapshot | undefined> {
  let newest: string | undefined;
  // In S3's order, which is that of the names.
  for await (const keys of listKeys(s3, `${prefix}snapshots/`)) newest = keys.at(-1) ?? newest;
  if (newest === undefined) return undefined;
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: parseS3Address(prefix).bucket, Key: newest }));
  return JSON.parse((await Body?.transformToString()) ?? '') as Snapshot;
}

/** Keeps a working folder: each {@link save} stores what has changed and then says so in one object. */
export class StateKeeper {
  readonly #s3: S3Client;
  readonly #state: State;
  readonly #patterns: Record<'keep' | 'leave' | 'growing' | 'markers', RegExp[]>;
  readonly #folder: string;
  readonly #name: string;
  /** Name of this attempt's snapshot: later ones of a launch sort after it, whatever a zombie still writes. */
  readonly #snapshot: string;
  readonly #stored = new Map<string, KeptFile>();
  #count = 0;
  #last = '';

  constructor(s3: S3Client, job: Job, state: State, folder: string) {
    this.#s3 = s3;
    this.#state = state;
    this.#folder = folder;
    const { keep, leave, growing = [], markers } = state;
    this.#patterns = {
      keep: keep.map(patternToRegExp),
      leave: leave.map(patternToRegExp),
      growing: growing.map(patternToRegExp),
      markers: markers.map(patternToRegExp),
    };
    this.#name = attemptName(job);
    const order = [job.launchAttempt, job.generation, job.attempt]
      .map((n) => String(n).padStart(DIGITS, '0'))
      .join('-');
    this.#snapshot = `${state.prefix}snapshots/${order}.json`;
  }

  /** @returns the files of the snapshot; undefined when nothing has changed since the last */
  async save(): Promise<number | undefined> {
    const growing = await this.#look('growing');
    await this.#storeAll(growing);
    const before = await this.#look('marker');
    await this.#storeAll(new Map([...(await this.#lookSettled()), ...before]));
    // Markers first again: one that is gone now says that its files are whole, and those are looked at after it.
    const after = new Map([...(await this.#look('marker')), ...(await this.#look('file'))]);
    const files = [...this.#stored.values()]
      .filter(({ path, ...kept }) => same(growing.get(path) ?? after.get(path), kept))
      .toSorted((a, b) => compare(a.path, b.path));
    const text = JSON.stringify(files);
    if (text === this.#last) return undefined;
    await putJson(this.#s3, this.#snapshot, { version: 1, savedAt: new Date().toISOString(), files } as Snapshot);
    this.#last = text;
    await this.#forget(new Set(files.map(({ path }) => path)));
    return files.length;
  }

  /** Without files that were changed just now: once more within the same tick, and their time would not tell. */
  async #lookSettled(): Promise<Map<string, Mark>> {
    for (let tries = 1; ; tries += 1) {
      const now = Date.now();
      const found = await this.#look('file');
      const fresh = [...found].filter(([, { mtimeNs }]) => Math.abs(now - Number(BigInt(mtimeNs) / MS)) < TICK_MS);
      if (fresh.length === 0) return found;
      if (tries === 2) {
        for (const [path] of fresh) found.delete(path);
        return found;
      }
      await delay(2 * TICK_MS);
    }
  }

  async #look(kind: Kind): Promise<Map<string, Mark>> {
    const found = new Map<string, Mark>();
    const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile() && !entry.isSymbolicLink()) continue;
      const file = join(entry.parentPath, entry.name);
      const path = relative(this.#folder, file);
      if (this.#kindOf(path) !== kind) continue;
      const mark = await markOf(file, entry.isSymbolicLink());
      if (mark) found.set(path, mark);
    }
    return found;
  }

  #kindOf(path: string): Kind | undefined {
    const { keep, leave, growing, markers } = this.#patterns;
    const matches = (patterns: readonly RegExp[]) => patterns.some((pattern) => pattern.test(path));
    if (!matches(keep) || matches(leave)) return undefined;
    if (matches(growing)) return 'growing';
    return matches(markers) ? 'marker' : 'file';
  }

  async #storeAll(found: ReadonlyMap<string, Mark>): Promise<void> {
    await mapLimited([...found], MOVING, ([path, mark]) => this.#store(path, mark));
  }

  async #store(path: string, mark: Mark): Promise<void> {
    if (same(this.#stored.get(path), mark)) return;
    if (mark.link !== undefined) {
      this.#stored.set(path, { path, ...mark, object: '', sha256: '' });
      return;
    }
    this.#count += 1;
    const object = `files/${this.#name}/${this.#count}`;
    const { bucket, key } = parseS3Address(`${this.#state.prefix}${object}`);
    const counted = new Hashing();
    try {
      if (mark.bytes === 0)
        await this.#s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: Buffer.alloc(0) }));
      else {
        // As many bytes as it had when it was looked at: it may have grown.
        const file = createReadStream(join(this.#folder, path), { end: mark.bytes - 1 });
        file.on('error', (error) => counted.destroy(error));
        const upload = new Upload({ client: this.#s3, params: { Bucket: bucket, Key: key, Body: file.pipe(counted) } });
        await upload.done();
      }
    } catch (error) {
      // Gone since it was listed.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    if (counted.bytes === mark.bytes) this.#stored.set(path, { path, ...mark, object, sha256: counted.digest() });
  }

  /** What the snapshot does not need any more; what stays costs a little and hurts nobody. */
  async #forget(wanted: ReadonlySet<string>): Promise<void> {
    const gone = [...this.#stored.values()].filter(({ path }) => !wanted.has(path));
    await mapLimited(gone, MOVING, async ({ path, object }) => {
      this.#stored.delete(path);
      if (object === '') return;
      const { bucket, key } = parseS3Address(`${this.#state.prefix}${object}`);
      await this.#s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key })).catch(() => {});
    });
  }
}

/** @returns undefined when it is gone */
async function markOf(file: string, symbolic: boolean): Promise<Mark | undefined> {
  if (symbolic) {
    const link = await readlink(file).catch(() => undefined);
    return link === undefined ? undefined : { bytes: 0, mtimeNs: '0', mode: 0, link };
  }
  const facts = await stat(file, { bigint: true }).catch(() => undefined);
  return facts && { bytes: Number(facts.size), mtimeNs: String(facts.mtimeNs), mode: Number(facts.mode & 0o777n) };
}

const same = (a: Mark | undefined, b: Mark): boolean =>
  a?.bytes === b.bytes && a.mtimeNs === b.mtimeNs && a.mode === b.mode && a.link === b.link;

class Hashing extends Transform {
  readonly #hash = createHash('sha256');
  bytes = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, chunk: Buffer) => void): void {
    this.#hash.update(chunk);
    this.bytes += chunk.length;
    done(null, chunk);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}
