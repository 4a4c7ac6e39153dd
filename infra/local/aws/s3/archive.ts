/**
 * What an archived object is: whether it can be read, and what S3 says of its restore. Pure.
 *
 * @module
 */
import type { ArchiveTier, ObjectVersion, RetrievalTier } from './model.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What of an object must be restored first; undefined for one that can be read at any time. */
export function archiveOf({ storageClass, archiveStatus }: ObjectVersion): ArchiveTier | undefined {
  if (storageClass === 'GLACIER' || storageClass === 'DEEP_ARCHIVE') return storageClass;
  return storageClass === 'INTELLIGENT_TIERING' ? archiveStatus : undefined;
}

export type RestoreState = 'none' | 'ongoing' | 'restored';

/** By the clock: a copy is there from its time on, and gone from its expiry on. */
export function restoreState({ restore }: ObjectVersion, now: number): RestoreState {
  if (!restore) return 'none';
  if (now < restore.readyAt) return 'ongoing';
  return restore.expiresAt !== undefined && now >= restore.expiresAt ? 'none' : 'restored';
}

export const isReadable = (version: ObjectVersion, now: number): boolean =>
  archiveOf(version) === undefined || restoreState(version, now) === 'restored';

/**
 * From the page "Understanding archive retrieval options" of the Amazon S3 User Guide: at least and at most, in
 * milliseconds.
 */
const DURATIONS: Readonly<Record<'flexible' | 'deep', Partial<Record<RetrievalTier, readonly [number, number]>>>> = {
  flexible: {
    Expedited: [MINUTE, 5 * MINUTE],
    Standard: [3 * HOUR, 5 * HOUR],
    Bulk: [5 * HOUR, 12 * HOUR],
  },
  deep: { Standard: [9 * HOUR, 12 * HOUR], Bulk: [36 * HOUR, 48 * HOUR] },
};
/** From the same page: asked for by S3 Batch Operations, the first objects are there within minutes. */
const FLEXIBLE_STANDARD_BY_BATCH = [5 * MINUTE, 5 * HOUR] as const;

/**
 * @param place from 0 to 1: where between the least and the most
 * @param byBatch asked for by S3 Batch Operations
 * @returns milliseconds; undefined for a tier the archive does not have
 */
export function retrievalMs(
  archive: ArchiveTier,
  tier: RetrievalTier,
  place: number,
  byBatch = false,
): number | undefined {
  const deep = archive === 'DEEP_ARCHIVE' || archive === 'DEEP_ARCHIVE_ACCESS';
  const durations = DURATIONS[deep ? 'deep' : 'flexible'];
  const [least, most] = (byBatch && !deep && tier === 'Standard' ? FLEXIBLE_STANDARD_BY_BATCH : durations[tier]) ?? [];
  return least === undefined || most === undefined ? undefined : Math.round(least + (most - least) * place);
}

/** Days are counted from when the copy is there, and end at the next midnight UTC. */
export const expiryOf = (readyAt: number, days: number): number => Math.ceil((readyAt + days * DAY) / DAY) * DAY;

/** Of HeadObject and GetObject. */
export function archiveHeaders(version: ObjectVersion, now: number): Record<string, string> {
  const archive = archiveOf(version);
  const state = restoreState(version, now);
  if (archive === undefined) return {};
  const { expiresAt } = version.restore ?? {};
  const expiry = expiresAt === undefined ? '' : `, expiry-date="${new Date(expiresAt).toUTCString()}"`;
  return {
    ...(version.storageClass === 'INTELLIGENT_TIERING' && { 'x-amz-archive-status': archive }),
    ...(state === 'ongoing' && { 'x-amz-restore': 'ongoing-request="true"' }),
    ...(state === 'restored' && { 'x-amz-restore': `ongoing-request="false"${expiry}` }),
  };
}

/** Of a listing that was asked for it; Intelligent-Tiering says it by HeadObject alone. */
export function restoreStatus(
  version: ObjectVersion,
  now: number,
): { IsRestoreInProgress: boolean; RestoreExpiryDate?: string } | undefined {
  const state = restoreState(version, now);
  if (state === 'none' || version.storageClass === 'INTELLIGENT_TIERING') return undefined;
  const { expiresAt } = version.restore ?? {};
  return {
    IsRestoreInProgress: state === 'ongoing',
    ...(state === 'restored' && expiresAt !== undefined && { RestoreExpiryDate: new Date(expiresAt).toISOString() }),
  };
}
