/**
 * RestoreObject, and what becomes of it: a copy that is there after hours, and gone after days.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { Cancel, Clock } from '../../kit/clock.ts';
import { TokenBucket } from '../../kit/token-bucket.ts';
import { archiveOf, expiryOf, restoreState, retrievalMs } from './archive.ts';
import type { S3Operation } from './call.ts';
import { versionHeader } from './describe.ts';
import { DueTimes } from './due-times.ts';
import { invalidArgument, malformedXml, S3Error } from './errors.ts';
import { type Bucket, type ObjectVersion, RETRIEVAL_TIERS, type Restore, type RetrievalTier } from './model.ts';
import type { Notifier } from './notifications.ts';
import { findVersion } from './reads.ts';
import type { S3Store } from './store.ts';
import { children, readXml, text } from './xml.ts';

/** Amazon S3 takes so many requests to restore a second, of an account in a Region. */
const RATE = { perSecond: 1_000, burst: 1_000 };
/** S3 itself does what it does at its own time. */
const ITSELF = { accessKeyId: 's3.amazonaws.com' };

export interface RestoreOptions {
  store: S3Store;
  notifier: Notifier;
}

interface Asked {
  tier: RetrievalTier;
  days?: number;
  /** By S3 Batch Operations. */
  byBatch?: true;
}

/** Watches all restores: one timer, whatever their number. */
export class Restores {
  readonly #store: S3Store;
  readonly #notifier: Notifier;
  readonly #clock: Clock;
  readonly #due = new DueTimes<{ bucket: string; key: string; id: string }>();
  readonly #rate: TokenBucket;
  #cancel: Cancel | undefined;
  /** Hours of S3 take this share of their time here. */
  timeScale = 1;

  constructor({ store, notifier }: RestoreOptions) {
    this.#store = store;
    this.#notifier = notifier;
    this.#clock = store.clock;
    this.#rate = new TokenBucket(store.clock, RATE);
    for (const [name, bucket] of store.buckets)
      for (const versions of bucket.versions.values()) for (const version of versions) this.#watch(name, version);
    this.#arm();
  }

  /**
   * @returns whether a copy was there already, whose life is now another
   * @throws S3Error as S3 does
   */
  request(bucket: Bucket, version: ObjectVersion, asked: Asked): boolean {
    if (!this.#rate.take()) throw new S3Error('SlowDown', 'Please reduce your request rate.', 503);
    const archive = archiveOf(version);
    if (archive === undefined) throw notArchived(version);
    const now = this.#clock.now();
    const takesMs = retrievalMs(archive, asked.tier, placeOf(version), asked.byBatch);
    if (takesMs === undefined)
      throw invalidArgument('Retrieval option is not supported by this storage class', 'Tier', asked.tier);
    const state = restoreState(version, now);
    const { restore } = version;
    if (state === 'ongoing' && restore && !(isFaster(asked.tier, restore.tier) && mayChange(asked, restore)))
      throw new S3Error('RestoreAlreadyInProgress', 'Object restore is already in progress', 409);
    const readyAt = state === 'restored' ? (restore?.readyAt ?? now) : now + Math.round(takesMs * this.timeScale);
    const days = asked.days ?? restore?.days;
    // A copy that is there lives so many days from now on.
    const from = state === 'restored' ? now : readyAt;
    const changed = {
      tier: asked.tier,
      readyAt,
      ...(days !== undefined && { days, expiresAt: expiryOf(from, days) }),
      ...(state === 'restored' && { told: true as const }),
    };
    const name = bucket.settings.name;
    this.#store.record({ op: 'restore', bucket: name, key: version.key, id: version.id, restore: changed });
    this.#watch(name, version);
    this.#arm();
    return state === 'restored';
  }

  close(): void {
    this.#cancel?.();
  }

  #watch(bucket: string, { key, id, restore }: ObjectVersion): void {
    if (!restore) return;
    const at = restore.told ? restore.expiresAt : restore.readyAt;
    if (at !== undefined) this.#due.add(at, { bucket, key, id });
  }

  #arm(): void {
    this.#cancel?.();
    const next = this.#due.next();
    this.#cancel = next === undefined ? undefined : this.#clock.after(next - this.#clock.now(), () => this.#turn());
  }

  /** Everything that has become due; what was changed meanwhile has another time. */
  #turn(): void {
    const now = this.#clock.now();
    for (const { bucket: name, key, id } of this.#due.take(now)) {
      const bucket = this.#store.buckets.get(name);
      const version = bucket?.versions.get(key)?.find((one) => one.id === id);
      const { restore } = version ?? {};
      if (!bucket || !version || !restore) continue;
      const place = { op: 'restore', bucket: name, key, id } as const;
      if (!restore.told && now >= restore.readyAt) {
        this.#store.record({ ...place, restore: { ...restore, told: true } });
        this.#notifier.tell(bucket, 'ObjectRestore:Completed', version, ITSELF);
        // It has moved to the Frequent Access tier, and is no copy.
        if (version.archiveStatus) this.#store.record(place);
        else this.#watch(name, version);
      } else if (restore.told && restore.expiresAt !== undefined && now >= restore.expiresAt) {
        this.#store.record(place);
        this.#notifier.tell(bucket, 'ObjectRestore:Delete', version, ITSELF);
      }
    }
    this.#arm();
  }
}

const isFaster = (one: RetrievalTier, other: RetrievalTier): boolean =>
  RETRIEVAL_TIERS.indexOf(one) < RETRIEVAL_TIERS.indexOf(other);

/** S3 Batch Operations speeds up what is going on only where the copy is to live as many days. */
const mayChange = (asked: Asked, going: Restore): boolean => !asked.byBatch || asked.days === going.days;

function notArchived({ storageClass }: ObjectVersion): S3Error {
  return new S3Error('InvalidObjectState', "Restore is not allowed for the object's current storage class", 403, {
    fields: { StorageClass: storageClass },
  });
}

/** Objects take different times, and each of them the same one always. */
function placeOf({ key, id }: ObjectVersion): number {
  return createHash('sha256').update(`${key}\0${id}`).digest().readUInt32BE() / 2 ** 32;
}

export const restoreObject =
  (restores: Restores): S3Operation =>
  async (context, { request, bucket, key }) => {
    const root = await readXml(request, 'RestoreRequest');
    const [glacier] = children(root, 'GlacierJobParameters');
    const tier = RETRIEVAL_TIERS.find((known) => known === ((glacier && text(glacier, 'Tier')) ?? 'Standard'));
    const days = text(root, 'Days');
    if (!tier || (days !== undefined && !/^[1-9]\d{0,8}$/.test(days))) throw malformedXml();
    const object = { bucket, key, versionId: request.query.get('versionId') };
    const asked = { tier, ...(days !== undefined && { days: Number(days) }) };
    const { there, version } = initiate(restores, context, object, asked, request);
    return { status: there ? 200 : 202, headers: versionHeader(context.store.bucket(bucket), version) };
  };

/** The same for a request and for a task of S3 Batch Operations. */
export function initiate(
  restores: Restores,
  { store, notifier }: RestoreOptions,
  object: { bucket: string; key: string; versionId?: string | null | undefined },
  asked: Asked,
  caller: { accessKeyId: string },
): { there: boolean; version: ObjectVersion } {
  const bucket = store.bucket(object.bucket);
  const version = findVersion(bucket, object.key, object.versionId);
  const moves = version.storageClass === 'INTELLIGENT_TIERING';
  if (moves && asked.days !== undefined)
    throw invalidArgument(
      'INTELLIGENT_TIERING objects are not subject to restore expiry. Do not specify Days when restoring this object',
      'Days',
      String(asked.days),
    );
  if (archiveOf(version) !== undefined && !moves && asked.days === undefined) throw malformedXml();
  const there = restores.request(bucket, version, asked);
  if (!there) notifier.tell(bucket, 'ObjectRestore:Post', version, caller);
  return { there, version };
}
