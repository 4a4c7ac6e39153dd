/**
 * UploadPartCopy: a part whose bytes come from another object, whole or a range of it.
 *
 * @module
 */
import { Readable } from 'node:stream';
import type { Blobs, Segment } from './blobs.ts';
import type { S3Operation } from './call.ts';
import { type Algorithm, createHasher, memberOf } from './checksums.ts';
import { checkRead } from './conditions.ts';
import { invalidArgument, invalidRequest } from './errors.ts';
import type { ObjectVersion, Part } from './model.ts';
import { findUpload, partNumber } from './multipart.ts';
import { checkReadable, findVersion } from './reads.ts';
import { MAX_COPY_BYTES, parseSource } from './writes.ts';
import { xmlResponse } from './xml.ts';

export const uploadPartCopy: S3Operation = async ({ store }, { request, bucket: name, key }) => {
  const number = partNumber(request);
  const id = request.query.get('uploadId');
  const { algorithm } = findUpload(store.bucket(name), key, id);
  const source = parseSource(String(request.headers['x-amz-copy-source']));
  const sourceBucket = store.bucket(source.bucket);
  const original = findVersion(sourceBucket, source.key, source.versionId);
  checkRead(request.headers, original, 'x-amz-copy-source-');
  checkReadable(original, store.clock.now());
  const range = rangeOf(request.headers['x-amz-copy-source-range'], original.size);
  const size = range.end - range.start + 1;
  if (size > MAX_COPY_BYTES) {
    throw invalidRequest(
      `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_COPY_BYTES}`,
    );
  }
  const { segments, etag, checksum } = await take(store.blobs, original, range, algorithm);
  const part: Part = { size, etag, at: store.clock.now(), segments, ...(checksum && { checksum }) };
  try {
    // Copying took a while: the upload may have been completed or aborted.
    findUpload(store.bucket(name), key, id);
    store.record({ op: 'part', bucket: name, upload: String(id), number, part });
  } catch (error) {
    store.blobs.remove(segments);
    throw error;
  }
  return xmlResponse(
    'CopyPartResult',
    {
      LastModified: new Date(part.at).toISOString(),
      ETag: `"${etag}"`,
      ...(checksum && { [memberOf(checksum.algorithm)]: checksum.value }),
    },
    {
      'x-amz-server-side-encryption': 'AES256',
      ...(sourceBucket.settings.versioning && { 'x-amz-copy-source-version-id': original.id }),
    },
  );
};

interface Range {
  start: number;
  /** Inclusive. */
  end: number;
}

/** Unlike a Range header, this one must be whole and within the object. */
function rangeOf(header: string | string[] | undefined, size: number): Range {
  if (header === undefined) return { start: 0, end: size - 1 };
  const text = String(header);
  const found = /^bytes=(\d+)-(\d+)$/.exec(text);
  const start = Number(found?.[1]);
  const end = Number(found?.[2]);
  if (!found || end < start) {
    throw invalidArgument(
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
      'x-amz-copy-source-range',
      text,
    );
  }
  if (end < size) return { start, end };
  throw invalidArgument(
    `Range specified is not valid for source object of size: ${size}`,
    'x-amz-copy-source-range',
    text,
  );
}

/** A whole object's files get a second name; of a range the bytes are written anew. Both are read once, for the sums. */
async function take(
  blobs: Blobs,
  original: ObjectVersion,
  { start, end }: Range,
  algorithm: Algorithm | undefined,
): Promise<{ segments: Segment[]; etag: string; checksum?: { algorithm: Algorithm; value: string } }> {
  const md5 = createHasher('MD5');
  const hasher = algorithm && createHasher(algorithm);
  const whole = end - start + 1 === original.size;
  const linked = whole ? blobs.duplicate(original.segments) : [];
  const writer = whole ? undefined : await blobs.create();
  let segments: Segment[];
  try {
    const body = blobs.read(original.segments, start, end);
    for await (const piece of Buffer.isBuffer(body) ? Readable.from([body]) : body) {
      md5.update(piece as Buffer);
      hasher?.update(piece as Buffer);
      await writer?.write(piece as Buffer);
    }
    segments = writer ? await writer.finish() : linked;
  } catch (error) {
    blobs.remove(linked);
    await writer?.discard();
    throw error;
  }
  return {
    segments,
    etag: md5.digest().toString('hex'),
    ...(algorithm && hasher && { checksum: { algorithm, value: hasher.digest().toString('base64') } }),
  };
}
