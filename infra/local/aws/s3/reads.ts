/**
 * GetObject and HeadObject, and finding the version a request means.
 *
 * @module
 */
import type { AwsResponse } from '../../kit/service.ts';
import { archiveHeaders, archiveOf, isReadable } from './archive.ts';
import type { S3Call, S3Context, S3Operation } from './call.ts';
import { checkRead } from './conditions.ts';
import { checksumHeaders, objectHeaders, versionHeader } from './describe.ts';
import { invalidArgument, noSuchKey, noSuchVersion, S3Error } from './errors.ts';
import { expirationHeader } from './lifecycle-rules.ts';
import type { Bucket, ObjectVersion } from './model.ts';

/** @throws S3Error NoSuchKey, NoSuchVersion; MethodNotAllowed when a delete marker is asked for by its id */
export function findVersion(bucket: Bucket, key: string, id: string | null | undefined): ObjectVersion {
  const versions = bucket.versions.get(key) ?? [];
  const version = id == null ? versions.at(-1) : versions.find((one) => one.id === id);
  if (!version) {
    if (id == null) throw noSuchKey(key);
    if (!/^(null|[\w-]{32})$/.test(id)) throw invalidArgument('Invalid version id specified', 'versionId', id);
    throw noSuchVersion(key, id);
  }
  if (!version.deleteMarker) return version;
  const headers = { 'x-amz-delete-marker': 'true', ...versionHeader(bucket, version) };
  if (id == null) throw noSuchKey(key, headers);
  throw new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405, {
    fields: { Method: 'GET', ResourceType: 'DeleteMarker' },
    headers: { ...headers, allow: 'DELETE', 'last-modified': new Date(version.at).toUTCString() },
  });
}

/** Refuses to hand out the bytes of an archived object that is not restored. */
export function checkReadable(version: ObjectVersion, now: number): void {
  if (isReadable(version, now)) return;
  const moved = version.storageClass === 'INTELLIGENT_TIERING';
  const words = moved ? 'access tier' : 'storage class';
  throw new S3Error('InvalidObjectState', `The operation is not valid for the object's ${words}`, 403, {
    fields: {
      StorageClass: version.storageClass,
      ...(moved && { AccessTier: archiveOf(version) ?? '' }),
    },
  });
}

interface Extent {
  start: number;
  /** Inclusive; below `start` for an empty object. */
  end: number;
  partial: boolean;
}

/** One range, as S3 takes it; what it does not understand it ignores, as HTTP asks. */
function parseRange(header: string | undefined, size: number): Extent {
  const whole = { start: 0, end: size - 1, partial: false };
  const found = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!found || (found[1] === '' && found[2] === '')) return whole;
  const suffix = found[1] === '';
  const start = suffix ? Math.max(0, size - Number(found[2])) : Number(found[1]);
  const end = suffix || found[2] === '' ? size - 1 : Math.min(Number(found[2]), size - 1);
  if (!suffix && found[2] !== '' && Number(found[2]) < start) return whole;
  if (start >= size) {
    throw new S3Error('InvalidRange', 'The requested range is not satisfiable', 416, {
      fields: { RangeRequested: header ?? '', ActualObjectSize: String(size) },
      headers: { 'content-range': `bytes */${size}` },
    });
  }
  return { start, end, partial: true };
}

function partExtent(version: ObjectVersion, text: string): Extent {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    throw invalidArgument('Part number must be an integer between 1 and 10000, inclusive', 'partNumber', text);
  }
  const parts = version.parts ?? [version.size];
  const size = parts[number - 1];
  if (size === undefined) {
    throw new S3Error('InvalidPartNumber', 'The requested partnumber is not satisfiable', 416, {
      fields: { PartNumberRequested: text, ActualPartCount: String(parts.length) },
    });
  }
  const start = parts.slice(0, number - 1).reduce((sum, part) => sum + part, 0);
  return { start, end: start + size - 1, partial: true };
}

/** Response headers a signed request may set, by query parameter. */
const OVERRIDES = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];

function answer(context: S3Context, { request, bucket: name, key }: S3Call, withBody: boolean): AwsResponse {
  const bucket = context.store.bucket(name);
  const version = findVersion(bucket, key, request.query.get('versionId'));
  checkRead(request.headers, version);
  const now = context.store.clock.now();
  if (withBody) checkReadable(version, now);
  const part = request.query.get('partNumber');
  const extent = part === null ? parseRange(request.headers.range, version.size) : partExtent(version, part);
  const current = version === context.store.current(bucket, key);
  const headers: Record<string, string> = {
    ...objectHeaders(bucket, version),
    ...archiveHeaders(version, now),
    ...(current && expirationHeader(bucket.settings.lifecycle, version)),
  };
  if (request.headers['x-amz-checksum-mode'] === 'ENABLED' && !extent.partial) {
    Object.assign(headers, checksumHeaders(version.checksum));
  }
  if (part !== null && version.parts) headers['x-amz-mp-parts-count'] = String(version.parts.length);
  for (const override of OVERRIDES) {
    const value = request.query.get(`response-${override}`);
    if (value !== null) headers[override] = value;
  }
  headers['content-length'] = String(extent.end - extent.start + 1);
  if (extent.partial && version.size > 0)
    headers['content-range'] = `bytes ${extent.start}-${extent.end}/${version.size}`;
  const status = extent.partial && version.size > 0 ? 206 : 200;
  if (!withBody) return { status, headers };
  return { status, headers, body: context.store.blobs.read(version.segments, extent.start, extent.end) };
}

const getObject: S3Operation = (context, call) => answer(context, call, true);
const headObject: S3Operation = (context, call) => answer(context, call, false);

export const readOperations: Readonly<Record<string, S3Operation>> = { GetObject: getObject, HeadObject: headObject };
