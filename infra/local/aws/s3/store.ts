/**
 * All buckets, their journal and the files of their objects. Every change is one journal line, then the change in
 * memory, in the same tick: readers see all of it or nothing.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../../kit/clock.ts';
import { type Journal, openJournal } from '../../kit/journal.ts';
import { Blobs, type Segment } from './blobs.ts';
import { noSuchBucket } from './errors.ts';
import { SortedKeys } from './keys.ts';
import type { Bucket, Entry, MultipartUpload, ObjectVersion } from './model.ts';

export class S3Store {
  readonly clock: Clock;
  readonly blobs: Blobs;
  readonly buckets = new Map<string, Bucket>();
  readonly #journal: Journal<Entry>;
  #lastSequence = 0n;

  constructor(options: { clock: Clock; directory: string }) {
    this.clock = options.clock;
    this.blobs = new Blobs(join(options.directory, 'objects'));
    this.#journal = openJournal<Entry>({
      file: join(options.directory, 'buckets.jsonl'),
      replay: (entry) => void this.#apply(entry),
      snapshot: () => this.#snapshot(),
    });
    this.blobs.sweep(this.#named());
  }

  bucket(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (!bucket) throw noSuchBucket(name);
    return bucket;
  }

  /** Writes a change down, makes it, and removes the files it made useless. */
  record(entry: Entry): void {
    this.#journal.append(entry);
    this.blobs.remove(this.#apply(entry));
  }

  current(bucket: Bucket, key: string): ObjectVersion | undefined {
    return bucket.versions.get(key)?.at(-1);
  }

  /** The id a new version gets: `null` unless versioning is on. */
  newVersionId(bucket: Bucket): string {
    return bucket.settings.versioning === 'Enabled' ? randomBytes(24).toString('base64url') : 'null';
  }

  /** Rises from write to write, also over a restart. */
  newSequencer(): string {
    const now = BigInt(this.clock.now()) * 1_000_000n;
    this.#lastSequence = now > this.#lastSequence ? now : this.#lastSequence + 1n;
    return this.#lastSequence.toString(16).toUpperCase().padStart(18, '0');
  }

  close(): void {
    this.#journal.close();
  }

  /** @returns the segments nothing names any more */
  #apply(entry: Entry): readonly Segment[] {
    if (entry.op === 'bucket') {
      const present = this.buckets.get(entry.settings.name);
      if (present) present.settings = entry.settings;
      else {
        const fresh = { settings: entry.settings, keys: new SortedKeys(), versions: new Map(), uploads: new Map() };
        this.buckets.set(entry.settings.name, fresh);
      }
      return [];
    }
    const bucket = this.buckets.get(entry.bucket);
    if (!bucket) return [];
    switch (entry.op) {
      case 'endBucket':
        this.buckets.delete(entry.bucket);
        return [];
      case 'put':
        return this.#putVersion(bucket, entry.version);
      case 'delete':
        return dropVersion(bucket, entry.key, entry.id);
      case 'tags': {
        const version = bucket.versions.get(entry.key)?.find(({ id }) => id === entry.id);
        if (version) version.tags = entry.tags;
        return [];
      }
      case 'restore': {
        const version = bucket.versions.get(entry.key)?.find(({ id }) => id === entry.id);
        if (version && entry.restore) version.restore = entry.restore;
        else if (version) {
          delete version.restore;
          delete version.archiveStatus;
        }
        return [];
      }
      case 'archive': {
        const version = bucket.versions.get(entry.key)?.find(({ id }) => id === entry.id);
        if (version) Object.assign(version, entry.to);
        return [];
      }
      case 'upload':
        bucket.uploads.set(entry.upload.id, { ...entry.upload, parts: new Map() });
        return [];
      case 'part': {
        const parts = bucket.uploads.get(entry.upload)?.parts;
        const replaced = parts?.get(entry.number)?.segments ?? [];
        parts?.set(entry.number, entry.part);
        return replaced;
      }
      case 'complete': {
        const kept = new Set(entry.version.segments.map(({ id }) => id));
        const unused = dropUpload(bucket, entry.upload).filter(({ id }) => !kept.has(id));
        return [...unused, ...this.#putVersion(bucket, entry.version)];
      }
      case 'abort':
        return dropUpload(bucket, entry.upload);
    }
  }

  #putVersion(bucket: Bucket, version: ObjectVersion): readonly Segment[] {
    const sequence = BigInt(`0x${version.sequencer}`);
    if (sequence > this.#lastSequence) this.#lastSequence = sequence;
    const versions = bucket.versions.get(version.key);
    if (!versions) {
      bucket.versions.set(version.key, [version]);
      bucket.keys.add(version.key);
      return [];
    }
    const replaced = version.id === 'null' ? versions.findIndex(({ id }) => id === 'null') : -1;
    const [old] = replaced < 0 ? [] : versions.splice(replaced, 1);
    versions.push(version);
    return old?.segments ?? [];
  }

  #named(): Set<string> {
    const named = new Set<string>();
    const add = (segments: readonly Segment[]) => {
      for (const { id } of segments) named.add(id);
    };
    for (const bucket of this.buckets.values()) {
      for (const versions of bucket.versions.values()) for (const version of versions) add(version.segments);
      for (const upload of bucket.uploads.values()) for (const part of upload.parts.values()) add(part.segments);
    }
    return named;
  }

  *#snapshot(): Iterable<Entry> {
    for (const [name, { settings, versions, uploads }] of this.buckets) {
      yield { op: 'bucket', settings };
      for (const list of versions.values()) for (const version of list) yield { op: 'put', bucket: name, version };
      for (const { parts, ...upload } of uploads.values()) {
        yield { op: 'upload', bucket: name, upload };
        for (const [number, part] of parts) yield { op: 'part', bucket: name, upload: upload.id, number, part };
      }
    }
  }
}

function dropVersion(bucket: Bucket, key: string, id: string): readonly Segment[] {
  const versions = bucket.versions.get(key) ?? [];
  const at = versions.findIndex((version) => version.id === id);
  const [dropped] = at < 0 ? [] : versions.splice(at, 1);
  if (versions.length === 0) {
    bucket.versions.delete(key);
    bucket.keys.delete(key);
  }
  return dropped?.segments ?? [];
}

function dropUpload(bucket: Bucket, id: string): Segment[] {
  const upload: MultipartUpload | undefined = bucket.uploads.get(id);
  bucket.uploads.delete(id);
  return upload ? [...upload.parts.values()].flatMap(({ segments }) => segments) : [];
}
