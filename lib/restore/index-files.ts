/**
 * The index of a restore: what is archived, in S3, in shards of one bucket each. It is written while it is found and read
 * a shard at a time, so that ten million objects need no more memory than one shard.
 *
 * @module
 */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import {
  type Archive,
  LIMITS,
  OBJECT_STATES,
  type ObjectFailure,
  type ObjectState,
  type Totals,
} from '../../workflows/restore/model.ts';
import { parseS3Address } from '../s3-address.ts';
import { putJson, readJson, readObject, UnreadableObjectError } from '../s3-objects.ts';
import { commonPrefix } from '../s3-order.ts';

/** One object that is archived, whether or not a copy can be read now. */
export interface Entry {
  key: string;
  version?: string;
  size: number;
  archive: Archive;
  /** When it was found. */
  state: ObjectState;
}

export interface Shard {
  bucket: string;
  objects: number;
  bytes: number;
}

export interface RestoreIndex {
  version: 1;
  /** Whether all has been found; until then, where to go on. */
  complete: boolean;
  cursor?: Cursor;
  shards: Shard[];
  totals: Totals;
  /** Not archived at all: nothing is to be done for them. */
  readable: { objects: number; bytes: number };
  /** Named one by one, and not to be had. */
  missing: { count: number; first: ObjectFailure[] };
  /** Where the objects lie: a few prefixes of each bucket that cover all of them. */
  roots: { bucket: string; prefix: string }[];
}

/** Which part of the sources, and after which key or line of it. */
export interface Cursor {
  part: number;
  after: string;
}

const compress = promisify(gzip);
const decompress = promisify(gunzip);
const SHARD_LIMIT = 64 * 1024 * 1024;
const INDEX_LIMIT = 256 * 1024 * 1024;
/** An index that is half written is kept this often, ms: what a crash makes to be looked for again. */
const KEPT_EVERY_MS = 5_000;
const ROOTS = 20;

const indexAddress = (place: string): string => `${place}index.json`;
export const shardName = (shard: number): string => String(shard).padStart(5, '0');
const shardAddress = (place: string, shard: number): string => `${place}index/${shardName(shard)}.ndjson.gz`;

/** @returns undefined when there is none yet */
export async function readIndex(s3: S3Client, place: string): Promise<RestoreIndex | undefined> {
  try {
    return await readJson<RestoreIndex>(s3, indexAddress(place), INDEX_LIMIT);
  } catch (error) {
    if (error instanceof UnreadableObjectError && error.reason.startsWith('there is no such object')) return undefined;
    throw error;
  }
}

export async function readShard(s3: S3Client, place: string, shard: number): Promise<Entry[]> {
  const { bytes } = await readObject(s3, shardAddress(place, shard), { limit: SHARD_LIMIT });
  const text = (await decompress(bytes)).toString('utf8').trimEnd();
  // All lines by one call: a sweep of ten million objects parses them all.
  return (JSON.parse(`[${text.replaceAll('\n', ',')}]`) as Line[]).map(toEntry);
}

/** Key, bytes, archive, place of the state in {@link OBJECT_STATES}, version. */
type Line = [string, number, Archive, number, string?];

function toLine({ key, size, archive, state, version }: Entry): Line {
  const line: Line = [key, size, archive, OBJECT_STATES.indexOf(state)];
  if (version !== undefined) line.push(version);
  return line;
}

const toEntry = ([key, size, archive, state, version]: Line): Entry => ({
  key,
  size,
  archive,
  state: OBJECT_STATES[state] ?? 'archived',
  ...(version !== undefined && { version }),
});

/** Writes shards as they fill, and the index so far every few seconds; `close` makes it complete. */
export class IndexWriter {
  readonly #s3: S3Client;
  readonly #place: string;
  readonly index: RestoreIndex;
  readonly #shardObjects: number;
  #open: { bucket: string; entries: Entry[]; bytes: number; prefix: string } | undefined;
  #keptAt = Date.now();

  constructor(s3: S3Client, place: string, before?: RestoreIndex, shardObjects: number = LIMITS.shardObjects) {
    this.#s3 = s3;
    this.#place = place;
    this.#shardObjects = shardObjects;
    this.index = before ?? {
      version: 1,
      complete: false,
      shards: [],
      totals: {},
      readable: { objects: 0, bytes: 0 },
      missing: { count: 0, first: [] },
      roots: [],
    };
  }

  /** Objects and bytes so far, those of the open shard too. */
  get objects(): number {
    return this.index.shards.reduce((sum, { objects }) => sum + objects, this.#open?.entries.length ?? 0);
  }

  async add(bucket: string, entry: Entry): Promise<void> {
    if (this.#open && (this.#open.bucket !== bucket || this.#open.entries.length >= this.#shardObjects))
      await this.#closeShard();
    this.#open ??= { bucket, entries: [], bytes: 0, prefix: entry.key };
    this.#open.entries.push(entry);
    this.#open.bytes += entry.size;
    if (!entry.key.startsWith(this.#open.prefix)) this.#open.prefix = commonPrefix(this.#open.prefix, entry.key);
  }

  addReadable(size: number): void {
    this.index.readable.objects += 1;
    this.index.readable.bytes += size;
  }

  addMissing(failure: ObjectFailure): void {
    const { missing } = this.index;
    missing.count += 1;
    if (missing.first.length < LIMITS.failuresShown) missing.first.push(failure);
  }

  /** Everything up to here has been found; a later run goes on from here. */
  async reached(cursor: Cursor): Promise<void> {
    if (Date.now() - this.#keptAt < KEPT_EVERY_MS) return;
    await this.#closeShard();
    this.index.cursor = cursor;
    await putJson(this.#s3, indexAddress(this.#place), this.index);
    this.#keptAt = Date.now();
  }

  async close(): Promise<RestoreIndex> {
    await this.#closeShard();
    this.index.complete = true;
    delete this.index.cursor;
    await putJson(this.#s3, indexAddress(this.#place), this.index);
    return this.index;
  }

  async #closeShard(): Promise<void> {
    const open = this.#open;
    if (!open) return;
    this.#open = undefined;
    const { index } = this;
    const { bucket, key } = parseS3Address(shardAddress(this.#place, index.shards.length));
    const text = open.entries.map((entry) => `${JSON.stringify(toLine(entry))}\n`).join('');
    await this.#s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: await compress(text) }));
    // Only what is in a shard that is written counts: the cursor may come before the rest.
    index.shards.push({ bucket: open.bucket, objects: open.entries.length, bytes: open.bytes });
    for (const entry of open.entries) count(index.totals, entry);
    addRoot(index.roots, open);
  }
}

export function count(totals: Totals, { archive, state, size }: Pick<Entry, 'archive' | 'state' | 'size'>): void {
  const none = () => ({ objects: 0, bytes: 0 });
  totals[archive] ??= { archived: none(), restoring: none(), readable: none() };
  const amount = totals[archive][state];
  amount.objects += 1;
  amount.bytes += size;
}

/** Events tell a bucket and a key; a restore may take those for its own that lie below its roots. */
function addRoot(roots: RestoreIndex['roots'], { bucket, prefix }: { bucket: string; prefix: string }): void {
  const known = roots.filter((root) => root.bucket === bucket);
  if (known.some((root) => prefix.startsWith(root.prefix))) return;
  const [nearest] = known.toSorted(
    (a, b) => commonPrefix(b.prefix, prefix).length - commonPrefix(a.prefix, prefix).length,
  );
  if (nearest && roots.length >= ROOTS) nearest.prefix = commonPrefix(nearest.prefix, prefix);
  else roots.push({ bucket, prefix });
}
