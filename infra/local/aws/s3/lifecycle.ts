/**
 * What S3 does by lifecycle rules: once a day, at midnight UTC by the stand-ins' clock, and for days that have passed while
 * nothing ran, at the start. (S3 itself begins then, and may be days late with many objects; it stops billing at once.)
 *
 * @module
 */
import type { Cancel } from '../../kit/clock.ts';
import type { S3Context, S3Operation } from './call.ts';
import { newDeleteMarker } from './deletes.ts';
import { S3Error } from './errors.ts';
import { expirationOf, markerIsOver, noncurrentIsOver, readRules, rulesXml, uploadIsOver } from './lifecycle-rules.ts';
import type { Bucket, LifecycleRule, ObjectVersion } from './model.ts';
import { readXml, xmlResponse } from './xml.ts';

const DAY = 24 * 60 * 60 * 1000;
/** Of a clock that has been moved on by years only the last year's midnights are gone through one by one. */
const MOST_MIDNIGHTS = 366;
/** S3 itself does what it does at its own time. */
const ITSELF = { accessKeyId: 's3.amazonaws.com' };
/** S3's own default, which concerns transitions alone: there are none here. */
const MINIMUM_SIZE = { 'x-amz-transition-default-minimum-object-size': 'all_storage_classes_128K' };

const midnightBefore = (at: number): number => Math.floor(at / DAY) * DAY;

export class Lifecycle {
  readonly #context: S3Context;
  /** The midnight that has been gone through last. */
  #done: number;
  #cancel: Cancel | undefined;

  constructor(context: S3Context) {
    this.#context = context;
    this.#done = midnightBefore(context.store.clock.now());
    this.#sweep(this.#done);
    this.#arm();
  }

  close(): void {
    this.#cancel?.();
  }

  #arm(): void {
    const { clock } = this.#context.store;
    this.#cancel = clock.after(this.#done + DAY - clock.now(), () => this.#turn());
  }

  /** The clock may have been moved on by many days at once: each has its own midnight. */
  #turn(): void {
    const last = midnightBefore(this.#context.store.clock.now());
    for (let midnight = Math.max(this.#done + DAY, last - MOST_MIDNIGHTS * DAY); midnight <= last; midnight += DAY) {
      this.#sweep(midnight);
    }
    this.#done = last;
    this.#arm();
  }

  #sweep(now: number): void {
    for (const bucket of this.#context.store.buckets.values()) {
      const { lifecycle } = bucket.settings;
      if (lifecycle?.some(({ enabled }) => enabled)) this.#sweepBucket(bucket, lifecycle, now);
    }
  }

  #sweepBucket(bucket: Bucket, rules: readonly LifecycleRule[], now: number): void {
    const { store } = this.#context;
    const { name } = bucket.settings;
    for (const key of keysOf(bucket, rules)) {
      const [current] = (bucket.versions.get(key) ?? []).slice(-1);
      const expiration = current && expirationOf(rules, current);
      if (current && expiration && expiration.at <= now) this.#expire(bucket, current, now);
      this.#expireOlder(bucket, key, rules, now);
    }
    for (const upload of [...bucket.uploads.values()]) {
      if (uploadIsOver(rules, upload, now)) store.record({ op: 'abort', bucket: name, upload: upload.id });
    }
  }

  /** For good where there are no versions; else it is hidden. */
  #expire(bucket: Bucket, current: ObjectVersion, now: number): void {
    if (bucket.settings.versioning === undefined) return this.#remove(bucket, current);
    const { store, notifier } = this.#context;
    const marker = newDeleteMarker(store, bucket, current.key, now);
    store.record({ op: 'put', bucket: bucket.settings.name, version: marker });
    notifier.tell(bucket, 'LifecycleExpiration:DeleteMarkerCreated', marker, ITSELF);
  }

  #expireOlder(bucket: Bucket, key: string, rules: readonly LifecycleRule[], now: number): void {
    const versions = [...(bucket.versions.get(key) ?? [])];
    versions.slice(0, -1).forEach((version, index) => {
      const since = versions[index + 1]?.at ?? now;
      if (noncurrentIsOver(rules, version, since, now)) this.#remove(bucket, version);
    });
    const left = bucket.versions.get(key) ?? [];
    const [only] = left;
    if (only?.deleteMarker && left.length === 1 && markerIsOver(rules, only, now)) this.#remove(bucket, only);
  }

  #remove(bucket: Bucket, version: ObjectVersion): void {
    const { store, notifier } = this.#context;
    store.record({ op: 'delete', bucket: bucket.settings.name, key: version.key, id: version.id });
    const { deleteMarker: _, ...told } = version;
    notifier.tell(bucket, 'LifecycleExpiration:Delete', { ...told, sequencer: store.newSequencer() }, ITSELF);
  }
}

/** All that a rule may mean; listed first, since the sweep removes some of them. */
function keysOf(bucket: Bucket, rules: readonly LifecycleRule[]): Set<string> {
  const keys = new Set<string>();
  for (const { enabled, prefix } of rules) {
    if (!enabled) continue;
    for (const key of bucket.keys.from(prefix)) {
      if (!key.startsWith(prefix)) break;
      keys.add(key);
    }
  }
  return keys;
}

const putLifecycle: S3Operation = async ({ store }, { request, bucket: name }) => {
  store.bucket(name);
  const lifecycle = readRules(await readXml(request, 'LifecycleConfiguration'));
  store.record({ op: 'bucket', settings: { ...store.bucket(name).settings, lifecycle } });
  return { status: 200, headers: MINIMUM_SIZE };
};

const getLifecycle: S3Operation = ({ store }, { bucket: name }) => {
  const { lifecycle } = store.bucket(name).settings;
  if (!lifecycle) {
    throw new S3Error('NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist', 404, {
      fields: { BucketName: name },
    });
  }
  return xmlResponse('LifecycleConfiguration', rulesXml(lifecycle), MINIMUM_SIZE);
};

const deleteLifecycle: S3Operation = ({ store }, { bucket: name }) => {
  const { lifecycle, ...settings } = store.bucket(name).settings;
  if (lifecycle) store.record({ op: 'bucket', settings });
  return { status: 204 };
};

export const lifecycleOperations: Readonly<Record<string, S3Operation>> = {
  PutBucketLifecycleConfiguration: putLifecycle,
  GetBucketLifecycleConfiguration: getLifecycle,
  DeleteBucketLifecycle: deleteLifecycle,
};
