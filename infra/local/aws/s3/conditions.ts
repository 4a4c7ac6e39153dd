/**
 * Conditional requests: for reads and copies (four headers), for writes and deletes (two). Pure.
 *
 * @module
 */
import type { IncomingHttpHeaders } from 'node:http';
import { noSuchKey, notImplemented, preconditionFailed, S3Error } from './errors.ts';
import type { ObjectVersion } from './model.ts';

/** Whole seconds, as HTTP dates have them. */
const seconds = (milliseconds: number) => Math.floor(milliseconds / 1000);

function names(header: string, etag: string): boolean {
  return header.split(',').some((one) => {
    const wanted = one
      .trim()
      .replace(/^W\//, '')
      .replace(/^"(.*)"$/, '$1');
    return wanted === '*' || wanted === etag;
  });
}

/**
 * @param prefix empty, or `x-amz-copy-source-` for the source of a copy, where nothing is "not modified"
 * @throws S3Error PreconditionFailed, or NotModified (304) on reads
 */
export function checkRead(headers: IncomingHttpHeaders, version: ObjectVersion, prefix = ''): void {
  const of = (name: string) => headers[`${prefix}${name}`] as string | undefined;
  const changed = seconds(version.at);
  const ifMatch = of('if-match');
  if (ifMatch !== undefined) {
    if (!names(ifMatch, version.etag)) throw preconditionFailed('If-Match');
  } else if (changed > seconds(Date.parse(of('if-unmodified-since') ?? ''))) {
    throw preconditionFailed('If-Unmodified-Since');
  }
  const ifNoneMatch = of('if-none-match');
  const same =
    ifNoneMatch !== undefined
      ? names(ifNoneMatch, version.etag)
      : changed <= seconds(Date.parse(of('if-modified-since') ?? ''));
  if (!same) return;
  if (prefix !== '') throw preconditionFailed('If-None-Match');
  throw new S3Error('NotModified', 'Not Modified', 304, {
    headers: { etag: `"${version.etag}"`, 'last-modified': new Date(version.at).toUTCString() },
  });
}

/** @param current the present version; a delete marker counts as absent */
export function checkWrite(headers: IncomingHttpHeaders, key: string, current: ObjectVersion | undefined): void {
  const present = current?.deleteMarker ? undefined : current;
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch !== '*') throw notImplemented('If-None-Match');
    if (present) throw preconditionFailed('If-None-Match');
  }
  const ifMatch = headers['if-match'];
  if (ifMatch === undefined) return;
  if (!present) throw noSuchKey(key);
  if (!names(ifMatch, present.etag)) throw preconditionFailed('If-Match');
}
