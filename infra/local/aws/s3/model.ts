/**
 * What the S3 stand-in keeps: buckets, versions of objects, uploads under way; and the journal's entries.
 *
 * @module
 */
import type { Segment } from './blobs.ts';
import type { Algorithm } from './checksums.ts';
import type { SortedKeys } from './keys.ts';

export interface Checksum {
  algorithm: Algorithm;
  /** Base64; of a COMPOSITE checksum with `-<parts>` behind it. */
  value: string;
  type: 'FULL_OBJECT' | 'COMPOSITE';
}

/** What a writer says about an object besides its bytes. */
export interface Description {
  storageClass: string;
  /** Content-Type and the other headers S3 gives back as they came; lower-case names. */
  headers: Record<string, string>;
  /** User metadata, names without `x-amz-meta-`. */
  metadata: Record<string, string>;
  tags: Record<string, string>;
}

export interface ObjectVersion extends Description {
  key: string;
  /** `null` for objects written while the bucket was not versioned. */
  id: string;
  at: number;
  sequencer: string;
  size: number;
  /** Without the quotes. */
  etag: string;
  segments: Segment[];
  checksum?: Checksum;
  /** Sizes of the parts of a multipart upload. */
  parts?: number[];
  /** Their checksums, where the upload had an algorithm; of the same algorithm as the object's. */
  partChecksums?: string[];
  deleteMarker?: true;
  /** Of Intelligent-Tiering: the archive tier it has sunk to. */
  archiveStatus?: 'ARCHIVE_ACCESS' | 'DEEP_ARCHIVE_ACCESS';
  restore?: Restore;
}

/** Fastest first. */
export const RETRIEVAL_TIERS = ['Expedited', 'Standard', 'Bulk'] as const;
export type RetrievalTier = (typeof RETRIEVAL_TIERS)[number];
export type ArchiveTier = 'GLACIER' | 'DEEP_ARCHIVE' | NonNullable<ObjectVersion['archiveStatus']>;

/** A restore that is going on, or the copy it has made; times in milliseconds since the epoch. */
export interface Restore {
  tier: RetrievalTier;
  readyAt: number;
  /** Not of Intelligent-Tiering, whose objects move for good. */
  days?: number;
  expiresAt?: number;
  /** Its completion has been told to everyone. */
  told?: true;
}

export interface Part {
  size: number;
  etag: string;
  at: number;
  segments: Segment[];
  checksum?: { algorithm: Algorithm; value: string };
}

export interface MultipartUpload {
  id: string;
  key: string;
  at: number;
  description: Description;
  algorithm?: Algorithm;
  checksumType?: Checksum['type'];
  parts: Map<number, Part>;
}

export interface QueueRule {
  id: string;
  queueArn: string;
  events: string[];
  prefix?: string;
  suffix?: string;
}

export interface NotificationConfiguration {
  queues: QueueRule[];
  eventBridge: boolean;
}

/** What becomes of objects below a prefix by themselves; days are counted as S3 does, to the next midnight UTC. */
export interface LifecycleRule {
  id: string;
  enabled: boolean;
  prefix: string;
  /** Of the current version, since it was written. */
  days?: number;
  /** Delete markers that hide nothing go at once. */
  expiredMarkers?: true;
  /** Of any other version, since it was the current one. */
  noncurrentDays?: number;
  /** Of an upload in parts, since it began. */
  abortDays?: number;
}

interface BucketSettings {
  name: string;
  createdAt: number;
  versioning?: 'Enabled' | 'Suspended';
  notification?: NotificationConfiguration;
  lifecycle?: LifecycleRule[];
}

export interface Bucket {
  settings: BucketSettings;
  keys: SortedKeys;
  /** Versions by key, oldest first; never an empty list. */
  versions: Map<string, ObjectVersion[]>;
  uploads: Map<string, MultipartUpload>;
}

export type Entry =
  | { op: 'bucket'; settings: BucketSettings }
  | { op: 'endBucket'; bucket: string }
  | { op: 'put'; bucket: string; version: ObjectVersion }
  | { op: 'delete'; bucket: string; key: string; id: string }
  | { op: 'tags'; bucket: string; key: string; id: string; tags: Record<string, string> }
  | { op: 'restore'; bucket: string; key: string; id: string; restore?: Restore }
  | {
      op: 'archive';
      bucket: string;
      key: string;
      id: string;
      to: Pick<ObjectVersion, 'storageClass' | 'archiveStatus'>;
    }
  | { op: 'upload'; bucket: string; upload: Omit<MultipartUpload, 'parts'> }
  | { op: 'part'; bucket: string; upload: string; number: number; part: Part }
  | { op: 'complete'; bucket: string; upload: string; version: ObjectVersion }
  | { op: 'abort'; bucket: string; upload: string };

export const STORAGE_CLASSES: readonly string[] = [
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
];
