/**
 * Finding what is archived below prefixes, patterns, lists and inventories, into an index in S3. It goes on where an
 * earlier run of it was cut off.
 *
 * @module
 */
import { ListObjectsV2Command, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type { ObjectFailure } from '../../workflows/restore/model.ts';
import { formatS3Address } from '../s3-address.ts';
import { type Cursor, type Entry, IndexWriter, type RestoreIndex, readIndex } from './index-files.ts';
import { type Look, type LookOptions, lookAt } from './look.ts';
import { remedyOf } from './outcome.ts';
import { patiently } from './patience.ts';
import type { RequestFile } from './request-file.ts';
import { type Row, readInventoryFile, readList } from './rows.ts';
import { matches, type ObjectName, type Scan, type Sources } from './sources.ts';
import { type Seen, seenInListing, UNTOLD } from './state.ts';

/** One after the other; the cursor of the index counts them. */
export type Part =
  | { kind: 'scan'; scan: Scan }
  | { kind: 'objects'; objects: readonly (ObjectName & { untold?: boolean })[] }
  | { kind: 'list'; address: string }
  | { kind: 'inventory'; address: string; columns: readonly string[] };

export interface SurveyOptions extends LookOptions {
  /** Told now and then how many archived objects there are so far. */
  found?(objects: number): void;
  shardObjects?: number;
}

/** Objects that are looked at together. */
const CHUNK = 5_000;

export function partsOf({ scans, objects }: Sources, file?: Exclude<RequestFile, { kind: 'request' }>): Part[] {
  return [
    ...scans.map((scan): Part => ({ kind: 'scan', scan })),
    ...(objects.length > 0 ? [{ kind: 'objects', objects } as const] : []),
    ...(file?.kind === 'list' ? [{ kind: 'list', address: file.address } as const] : []),
    ...(file?.kind === 'inventory'
      ? file.files.map((address): Part => ({ kind: 'inventory', address, columns: file.columns }))
      : []),
  ];
}

/** Where what is found goes. */
export interface Sink {
  add(bucket: string, entry: Entry): Promise<void> | void;
  addReadable(size: number): void;
  addMissing(failure: ObjectFailure): void;
  /** Everything up to here has been found. */
  reached(cursor: Cursor): Promise<void> | void;
  readonly objects: number;
}

/** @returns the whole index; when it was complete before, nothing is looked for again */
export async function survey(
  s3: S3Client,
  place: string,
  parts: readonly Part[],
  options: SurveyOptions,
): Promise<RestoreIndex> {
  const before = await readIndex(s3, place);
  if (before?.complete) return before;
  const writer = new IndexWriter(s3, place, before, options.shardObjects);
  await find(s3, parts, writer, options, before?.cursor);
  return writer.close();
}

export async function find(
  s3: S3Client,
  parts: readonly Part[],
  sink: Sink,
  options: SurveyOptions,
  from: Cursor = { part: 0, after: '' },
): Promise<void> {
  for (const [number, part] of parts.entries()) {
    if (number < from.part) continue;
    const after = number === from.part ? from.after : '';
    if (part.kind === 'scan') await scanPrefix(s3, part.scan, { number, after }, sink, options);
    else await readRows(s3, rowsOf(s3, part, Number(after) || 0), number, sink, options);
    // Thousands of short parts have no page or chunk in the middle to go on from.
    await sink.reached({ part: number + 1, after: '' });
  }
}

async function scanPrefix(
  s3: S3Client,
  scan: Scan,
  { number, after }: { number: number; after: string },
  sink: Sink,
  options: SurveyOptions,
): Promise<void> {
  let next = listPage(s3, scan, { StartAfter: after || undefined }, options);
  for (;;) {
    const page = await next;
    if (!page) return sink.addMissing(unlisted(scan));
    const token = page.IsTruncated ? page.NextContinuationToken : undefined;
    // The next page comes while this one is looked at.
    if (token !== undefined) {
      next = listPage(s3, scan, { ContinuationToken: token }, options);
      // It may fail before anybody waits for it, or after this has failed: heard of below, or not at all.
      next.catch(() => {});
    }
    const untold: string[] = [];
    for (const object of page.Contents ?? []) {
      const key = object.Key ?? '';
      if (!matches(scan, key)) continue;
      if (object.StorageClass === UNTOLD) untold.push(key);
      else await note(sink, scan.bucket, { key }, seenInListing(object, options.now()));
    }
    const looks = await lookAt(
      s3,
      scan.bucket,
      untold.map((key) => ({ key, untold: true })),
      options,
    );
    for (const [place, look] of looks.entries()) await note(sink, scan.bucket, { key: untold[place] ?? '' }, look);
    options.found?.(sink.objects);
    if (token === undefined) return;
    const last = page.Contents?.at(-1)?.Key;
    if (last !== undefined) await sink.reached({ part: number, after: last });
  }
}

/** @returns undefined where it may not be listed, or there is no such bucket */
async function listPage(
  s3: S3Client,
  { bucket, prefix }: Scan,
  from: { StartAfter?: string | undefined } | { ContinuationToken: string },
  { beat }: SurveyOptions,
) {
  const command = { Bucket: bucket, Prefix: prefix, OptionalObjectAttributes: ['RestoreStatus' as const], ...from };
  try {
    return await patiently(beat, () => s3.send(new ListObjectsV2Command(command)));
  } catch (error) {
    if (error instanceof S3ServiceException && [403, 404].includes(error.$metadata.httpStatusCode ?? 0))
      return undefined;
    throw error;
  }
}

const unlisted = ({ bucket, prefix }: Scan) => ({
  address: formatS3Address({ bucket, key: prefix }),
  code: 'AccessDenied',
  reason: 'cannot be listed: there is no such bucket, or s3:ListBucket is not allowed',
});

async function* rowsOf(
  s3: S3Client,
  part: Exclude<Part, { kind: 'scan' }>,
  after: number,
): AsyncGenerator<Row & { untold?: boolean }> {
  if (part.kind === 'list') return yield* readList(s3, part.address, after);
  if (part.kind === 'inventory') return yield* readInventoryFile(s3, part.address, part.columns, after);
  for (const [place, object] of part.objects.entries()) if (place >= after) yield { line: place + 1, ...object };
}

async function readRows(
  s3: S3Client,
  rows: AsyncIterable<Row & { untold?: boolean }>,
  number: number,
  sink: Sink,
  options: SurveyOptions,
): Promise<void> {
  let chunk: (Row & { untold?: boolean })[] = [];
  const flush = async () => {
    const last = chunk.at(-1);
    if (!last) return;
    for (const bucket of new Set(chunk.map((row) => row.bucket))) {
      const some = chunk.filter((row) => row.bucket === bucket);
      const looks = await lookAt(s3, bucket, some, options);
      for (const [place, look] of looks.entries()) await note(sink, bucket, some[place] as Row, look);
    }
    options.found?.(sink.objects);
    chunk = [];
    await sink.reached({ part: number, after: String(last.line) });
  };
  for await (const row of rows) {
    chunk.push(row);
    if (chunk.length >= CHUNK) await flush();
  }
  await flush();
}

async function note(
  sink: Sink,
  bucket: string,
  { key, version }: Pick<ObjectName, 'key' | 'version'>,
  look: Look,
): Promise<void> {
  if ('code' in look) {
    const address = `${formatS3Address({ bucket, key })}${version === undefined ? '' : `?versionId=${version}`}`;
    return sink.addMissing({ address, ...remedyOf(look.code) });
  }
  const { archive, state, size } = look satisfies Seen;
  if (!archive) return sink.addReadable(size);
  await sink.add(bucket, { key, ...(version !== undefined && { version }), size, archive, state });
}
