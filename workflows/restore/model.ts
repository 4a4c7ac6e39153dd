/**
 * The contract of the restore domain: names, ids, statuses, messages, inputs and outputs. Depends on nothing, so that
 * workflows, activities and clients can all import it.
 *
 * @module
 */

export const WORKFLOW_TYPE = 'restore';
export const ACTIVITY_TASK_QUEUE = 'longhaul-restore';

/** `restore/<restoreId>`; the restore of a launch has the launch's id. */
export const workflowIdOf = (restoreId: string): string => `restore/${restoreId}`;

/** Opaque and safe in ids and keys. */
export const RESTORE_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** Fastest first. */
export const TIERS = ['Expedited', 'Standard', 'Bulk'] as const;
export type Tier = (typeof TIERS)[number];

/**
 * What has to be restored before it can be read: the two storage classes, and what Intelligent-Tiering calls the archive
 * status of an object. Glacier Instant Retrieval needs nothing.
 */
export const ARCHIVES = ['GLACIER', 'DEEP_ARCHIVE', 'ARCHIVE_ACCESS', 'DEEP_ARCHIVE_ACCESS'] as const;
export type Archive = (typeof ARCHIVES)[number];

/** The objects of Intelligent-Tiering move back for good: no copy, no days. */
export const movesBack = (archive: Archive): boolean =>
  archive === 'ARCHIVE_ACCESS' || archive === 'DEEP_ARCHIVE_ACCESS';

/** Where an object stands. `readable`: not archived at all, or a restored copy is there. */
export const OBJECT_STATES = ['archived', 'restoring', 'readable'] as const;
export type ObjectState = (typeof OBJECT_STATES)[number];

export interface Amount {
  objects: number;
  /** Bytes. */
  bytes: number;
}

/** What a survey has found, by archive: `archived` still has to be asked for. */
export type Totals = Partial<Record<Archive, Record<ObjectState, Amount>>>;

/** What the user wants of a restore. */
export interface Wishes {
  /** One tier for everything that has it; what has not gets the nearest that is slower. */
  tier?: Tier;
  /** The objects have to be readable this long after the request: the cheapest tier that makes it. */
  deadlineSeconds?: number;
  /** Days the restored copies live. Default: {@link DEFAULT_DAYS}. */
  days?: number;
  /** Above it the restore waits for an approval. USD. */
  limitUsd?: number;
}

/** Long enough for a launch to queue and run; it is extended while the launch needs it. */
export const DEFAULT_DAYS = 3;
/** What S3 takes as `Days` is a positive 32-bit number; longer than ten years is a mistake. */
export const MOST_DAYS = 3_650;

/**
 * Types of the `ApplicationFailure`s of this domain. All are non-retryable: a retry cannot mend them. What each
 * means and what the user does about it stands in docs/errors.md; a test keeps the two equal.
 */
export const ERROR_TYPES = [
  'InvalidRestoreError',
  'DeadlineMissedError',
  'ObjectsNotRestorableError',
  'RestoreConflictError',
  'RestoreCancelledError',
  'ApprovalRefusedError',
] as const;

export const RESTORE_STATUSES = [
  'PLANNING',
  'APPROVAL',
  'REQUESTING',
  'RESTORING',
  'READY',
  'COMPLETE',
  'FAILED',
  'CANCELLED',
] as const;
/**
 * READY: every object can be read, and is kept so as long as the launch needs it. COMPLETE: the same, and nobody keeps
 * it any longer than the days asked for.
 */
export type RestoreStatus = (typeof RESTORE_STATUSES)[number];

export const isEnded = (status: RestoreStatus): boolean =>
  status === 'COMPLETE' || status === 'FAILED' || status === 'CANCELLED';

export interface RestoreInput {
  restoreId: string;
  /** `s3://` addresses: objects, prefixes (with a slash at the end) and patterns with `*`, `?`, `**`. */
  sources?: readonly string[];
  /** `s3://` address of the seed's JSON file, of a list of addresses, or of the manifest.json of an S3 Inventory. */
  configurationFile?: string;
  configurationFileVersion?: string;
  /** Who pays; a label only. */
  consumer?: string;
  wishes?: Wishes;
  /** Set by a launch: it is told, its index is there already, and copies are kept while it runs. */
  launch?: { launchId: string; attempt: number; workflowId: string; place: string };
  /** Of a run that continues: see workflow.ts. */
  carried?: Carried;
}

/** One version of one file is one request, however often it is announced. */
export const requestOf = ({
  configurationFile,
  configurationFileVersion: version,
}: Pick<RestoreInput, 'configurationFile' | 'configurationFileVersion'>): string | undefined =>
  configurationFile === undefined
    ? undefined
    : `${configurationFile}${version === undefined ? '' : `?versionId=${version}`}`;

/** What a workflow takes along when it continues as new; it does so only once everything has been asked for. */
export interface Carried {
  status: RestoreStatus;
  statuses: Partial<Record<RestoreStatus, number>>;
  plan: RestorePlan;
  counts: RestoreCounts;
  /** Epoch ms. */
  requestedAt: number;
  sequence: number;
  sweeps: number;
  pollSeconds: number;
  /** Epoch ms: the beginning of its first run. */
  beganAt: number;
  place: string;
  /** Absent where the workers keep no log of progress. */
  keepsLog?: true;
}

/** Price and time of one tier for what is in one archive. */
export interface TierQuote {
  tier: Tier;
  /** USD: requests, retrieved bytes, and the copies for the days they live. Absent where no price is known. */
  cost?: { requests: number; bytes: number; copies: number; total: number };
  /** As AWS publishes it, of the slowest object. */
  seconds: number;
}

/** What is in one archive, and what each tier it has would cost. Cheapest first. */
export interface ArchiveQuote extends Amount {
  archive: Archive;
  tiers: readonly TierQuote[];
}

export interface Quote {
  days: number;
  archives: readonly ArchiveQuote[];
  /** ISO 8601: as of when the prices are. Absent where none are known; then why. */
  pricesAt?: string;
  unpriced?: string;
}

/** Which tier each archive is restored by. */
export interface RestorePlan {
  days: number;
  tiers: Partial<Record<Archive, Tier>>;
  /** To be asked for. */
  objects: number;
  bytes: number;
  /** Absent where no price is known: then any limit asks for an approval. */
  usd?: number;
  /** Until the last object should be readable, from the first request on: retrieval, and the time the requests take. */
  seconds: number;
  /** The soonest any object can be readable. */
  soonestSeconds: number;
}

export interface RestoreCounts {
  /** Objects of the index that have to be restored, or are being restored by somebody. */
  total: number;
  bytes: number;
  requested: number;
  readable: number;
  readableBytes: number;
  restoring: number;
  failed: number;
}

/** One object that cannot be restored. */
export interface ObjectFailure {
  /** `s3://` address, with `?versionId=` where the version is not the current one. */
  address: string;
  /** S3's code. */
  code: string;
  reason: string;
}

export interface RestoreProgress {
  restoreId: string;
  status: RestoreStatus;
  counts: RestoreCounts;
  /** When each status was reached, epoch ms. */
  statuses: Partial<Record<RestoreStatus, number>>;
  plan?: RestorePlan;
  /** Why it waits for an approval. */
  approval?: { usd?: number; limitUsd: number };
  /** Objects that became readable per second since the first did. */
  ratePerSecond?: number;
  /** Epoch ms: when the last object should be readable. */
  readyBy?: number;
  /** The first few, and where all of them stand. */
  failures?: { first: readonly ObjectFailure[]; all: string };
  error?: { type: string; message: string };
}

export interface RestoreResult {
  restoreId: string;
  status: RestoreStatus;
  objects: number;
  bytes: number;
  usd?: number;
  tiers: Partial<Record<Archive, Tier>>;
  /** From the first request until everything was readable. */
  seconds: number;
}

export const PROGRESS_QUERY = 'progress';
/** An update, of restores and launches alike. */
export const APPROVE_UPDATE = 'approve';
/** Merged news of completions: somebody should look. */
export const OBJECTS_RESTORED_SIGNAL = 'objectsRestored';
/** From a launch to its restore: what a person has decided. */
export const DECIDED_SIGNAL = 'decided';
/** From a restore to its launch. */
export const RESTORE_CHANGED_SIGNAL = 'restoreChanged';

export interface Approval {
  /** Who approves, for the record; no personal data. */
  by?: string;
  /** Refuses instead: the restore, and the launch that waits for it, fail. */
  refuse?: boolean;
}

/**
 * Bounds. An index of so many objects is the largest; shards and batches bound history: at most 100 batches of requests,
 * whatever the number of objects.
 */
export const LIMITS = {
  objects: 50_000_000,
  shardObjects: 10_000,
  batches: 100,
  failuresShown: 20,
  sources: 10_000,
  buckets: 100,
} as const;

/** `s3://<bucket>/restores/<restoreId>/<run>/`: index, request ids and failures. */
export const restoreState = (bucket: string, restoreId: string, run: string): string =>
  `s3://${bucket}/restores/${restoreId}/${run}/`;
