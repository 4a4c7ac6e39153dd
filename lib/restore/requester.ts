/**
 * Asking S3 to restore the objects of a shard, as its entries say or as a look at them says now. Safe to repeat: S3 takes
 * a second request for the same object as what it is.
 *
 * @module
 */
import { PutObjectCommand, RestoreObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { type Archive, LIMITS, movesBack, type ObjectFailure, type Tier } from '../../workflows/restore/model.ts';
import { mapLimited } from '../concurrency.ts';
import { formatS3Address, parseS3Address } from '../s3-address.ts';
import { readObject, UnreadableObjectError } from '../s3-objects.ts';
import { type Entry, readShard, type Shard, shardName } from './index-files.ts';
import { type Look, type LookOptions, lookAt } from './look.ts';
import { type Answer, answered, type Outcome, refused, remedyOf } from './outcome.ts';
import { isPatienceAtItsEnd, pauseAfter } from './patience.ts';

export interface RequestOptions extends LookOptions {
  tiers: Partial<Record<Archive, Tier>>;
  days: number;
  /** Requests at a time, of all shards of this call. */
  width?: number;
  /** Names the files with the request ids: 0 for the first requests, then the number of the sweep. */
  pass: number;
  /** Whether to look first: the entries are of an earlier time. */
  look: boolean;
  /** Copies that go before this time (epoch ms) are extended. */
  extendBefore?: number;
  /** Chunks that an earlier try has done. */
  skipChunks?: number;
  /** Told after each chunk, once its request ids are kept: chunks and counts of this shard so far. */
  done?(chunks: number, counts: ShardCounts): void;
}

/** Of the objects of one shard. */
export interface ShardCounts {
  requested: number;
  extended: number;
  readable: number;
  readableBytes: number;
  restoring: number;
  failed: number;
  failures: ObjectFailure[];
  /** Epoch ms: the first copy to go. */
  firstExpiry?: number;
}

/** One file of request ids for so many objects. */
const CHUNK = 2_500;
const WIDTH = 96;
/** A tier without capacity is asked for so often. */
const CAPACITY_TRIES = 3;
const DAY_MS = 86_400_000;
const FAILURES_LIMIT = 64 * 1024 * 1024;

export const noCounts = (): ShardCounts => ({
  requested: 0,
  extended: 0,
  readable: 0,
  readableBytes: 0,
  restoring: 0,
  failed: 0,
  failures: [],
});

export function addCounts(sum: ShardCounts, more: ShardCounts): ShardCounts {
  for (const name of ['requested', 'extended', 'readable', 'readableBytes', 'restoring', 'failed'] as const)
    sum[name] += more[name];
  sum.failures.push(...more.failures.slice(0, LIMITS.failuresShown - sum.failures.length));
  const expiries = [sum.firstExpiry, more.firstExpiry].filter((time) => time !== undefined);
  if (expiries.length > 0) sum.firstExpiry = Math.min(...expiries);
  return sum;
}

/** A line of a file of request ids. */
export interface RequestLine {
  address: string;
  /** S3's own id of the request, absent where it did not answer with one. */
  requestId?: string;
  tier: Tier;
  outcome: Outcome | 'failed';
  code?: string;
}

/**
 * @throws what S3 answered, when it kept answering that it might pass: the caller tries again later, from the last chunk
 */
export async function processShard(
  s3: S3Client,
  place: string,
  number: number,
  shard: Shard,
  options: RequestOptions,
): Promise<ShardCounts> {
  const entries = await readShard(s3, place, number);
  const knownFailures = options.look ? await readFailures(s3, place, number) : [];
  const failed = new Set(knownFailures.map(({ address }) => address));
  const counts = noCounts();
  const newFailures: ObjectFailure[] = [];
  for (let chunk = options.skipChunks ?? 0; chunk * CHUNK < entries.length; chunk += 1) {
    const some = entries.slice(chunk * CHUNK, (chunk + 1) * CHUNK);
    const open = failed.size === 0 ? some : some.filter((entry) => !failed.has(addressOf(shard.bucket, entry)));
    const done = await processChunk(s3, shard.bucket, open, options);
    addCounts(counts, done.counts);
    newFailures.push(...done.failures);
    if (done.lines.length > 0) await putLines(s3, requestsAddress(place, number, options.pass, chunk), done.lines);
    if (done.failures.length > 0)
      await putLines(s3, failuresAddress(place, number), [...knownFailures, ...newFailures]);
    if (done.error !== undefined) throw done.error;
    options.done?.(chunk + 1, counts);
  }
  // The first requests count what they find themselves; an earlier try of theirs has counted its own.
  if (options.pass > 0) addCounts(counts, { ...noCounts(), failed: knownFailures.length, failures: knownFailures });
  return counts;
}

async function processChunk(s3: S3Client, bucket: string, entries: readonly Entry[], options: RequestOptions) {
  const looks = options.look ? await lookAt(s3, bucket, entries.map(toWanted), options) : undefined;
  const counts = noCounts();
  const lines: RequestLine[] = [];
  const failures: ObjectFailure[] = [];
  const wanted: Entry[] = [];
  const readable = (size: number, expiresAt?: number) => {
    counts.readable += 1;
    counts.readableBytes += size;
    if (expiresAt !== undefined) counts.firstExpiry = Math.min(expiresAt, counts.firstExpiry ?? expiresAt);
  };
  for (const [place, entry] of entries.entries()) {
    const look: Look = looks?.[place] ?? entry;
    if ('code' in look) {
      failures.push({ address: addressOf(bucket, entry), ...remedyOf(look.code) });
      continue;
    }
    const expiresAt = 'expiresAt' in look ? look.expiresAt : undefined;
    const goes = expiresAt !== undefined && expiresAt < (options.extendBefore ?? 0);
    if (look.state === 'restoring') counts.restoring += 1;
    else if (look.state === 'readable' && !goes) readable(entry.size, expiresAt);
    else wanted.push(entry);
  }
  let error: unknown;
  const asked = mapLimited(wanted, options.width ?? WIDTH, async (entry) => {
    const { answer, tier, requestId } = await restoreObject(s3, bucket, entry, options);
    const address = addressOf(bucket, entry);
    const line = { address, ...(requestId !== undefined && { requestId }), tier };
    if (answer.kind === 'failed') {
      failures.push({ address, code: answer.code, reason: answer.reason });
      lines.push({ ...line, outcome: 'failed', code: answer.code });
      return;
    }
    lines.push({ ...line, outcome: answer.outcome });
    if (answer.outcome === 'initiated') counts.requested += 1;
    if (answer.outcome === 'extended') counts.extended += 1;
    // It lives until the midnight after so many days; at least so long.
    if (answer.outcome === 'extended') readable(entry.size, options.now() + options.days * DAY_MS);
    else if (answer.outcome === 'notArchived') readable(entry.size);
    else counts.restoring += 1;
  });
  // What has been asked for until then is written down all the same.
  await asked.catch((reason: unknown) => {
    error = reason;
  });
  counts.failed = failures.length;
  counts.failures.push(...failures.slice(0, LIMITS.failuresShown));
  return { counts, lines, failures, ...(error !== undefined && { error }) };
}

const toWanted = ({ key, version, archive }: Entry) => ({
  key,
  ...(version !== undefined && { version }),
  untold: movesBack(archive),
});

type Final = Extract<Answer, { kind: 'done' | 'failed' }>;

async function restoreObject(
  s3: S3Client,
  bucket: string,
  entry: Entry,
  { tiers, days, beat }: RequestOptions,
): Promise<{ answer: Final; tier: Tier; requestId?: string }> {
  let tier: Tier = tiers[entry.archive] ?? 'Standard';
  for (let tried = 1; ; tried += 1) {
    beat();
    let answer: Answer;
    let requestId: string | undefined;
    try {
      const { $metadata } = await s3.send(
        new RestoreObjectCommand({
          Bucket: bucket,
          Key: entry.key,
          ...(entry.version !== undefined && { VersionId: entry.version }),
          RestoreRequest: {
            // The objects of Intelligent-Tiering move back for good: Days is refused there.
            ...(!movesBack(entry.archive) && { Days: days }),
            GlacierJobParameters: { Tier: tier },
          },
        }),
      );
      answer = answered($metadata.httpStatusCode);
      requestId = $metadata.requestId;
    } catch (error) {
      answer = refused(error);
      requestId = (error as { $metadata?: { requestId?: string } }).$metadata?.requestId;
      if (answer.kind === 'retry' && isPatienceAtItsEnd(tried)) throw error;
    }
    if (answer.kind === 'done' || answer.kind === 'failed')
      return { answer, tier, ...(requestId !== undefined && { requestId }) };
    // Expedited may have no capacity for long; Standard always has.
    if (answer.kind === 'noCapacity' && tried >= CAPACITY_TRIES) tier = 'Standard';
    else await pauseAfter(tried);
  }
}

export const addressOf = (bucket: string, { key, version }: Pick<Entry, 'key' | 'version'>): string =>
  `${formatS3Address({ bucket, key })}${version === undefined ? '' : `?versionId=${version}`}`;

export const requestsFolder = (place: string, shard: number): string => `${place}requests/${shardName(shard)}/`;
const requestsAddress = (place: string, shard: number, pass: number, chunk: number): string =>
  `${requestsFolder(place, shard)}${String(pass).padStart(4, '0')}-${chunk}.ndjson`;
const failuresAddress = (place: string, shard: number): string => `${place}failures/${shardName(shard)}.ndjson`;

async function putLines(s3: S3Client, address: string, lines: readonly object[]): Promise<void> {
  const { bucket, key } = parseS3Address(address);
  const Body = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body, ContentType: 'application/x-ndjson' }));
}

/** What {@link putLines} has put. */
export const parseLines = <Line>(bytes: Buffer): Line[] =>
  bytes
    .toString('utf8')
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]));

/** Of one shard; none where nothing has failed. */
export async function readFailures(s3: S3Client, place: string, shard: number): Promise<ObjectFailure[]> {
  try {
    const { bytes } = await readObject(s3, failuresAddress(place, shard), { limit: FAILURES_LIMIT });
    return parseLines<ObjectFailure>(bytes);
  } catch (error) {
    if (error instanceof UnreadableObjectError && error.reason.startsWith('there is no such object')) return [];
    throw error;
  }
}
