/**
 * Takes the body of an upload in: undoes `aws-chunked`, counts, hashes, compares every checksum that came with it,
 * and puts the bytes on disk. Never more than a small body is in memory.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { AwsRequest } from '../../kit/service.ts';
import { type Blobs, type BlobWriter, type Segment, SMALL_BYTES } from './blobs.ts';
import { ALGORITHMS, type Algorithm, createHasher, type Hasher, headerOf, LENGTHS } from './checksums.ts';
import { badDigest, invalidRequest, S3Error, tooLarge } from './errors.ts';

/** The most one PUT or one part may bring. */
const MAX_BYTES = 5 * 1024 ** 3;
/** Chunk headers and trailer lines are short; anything longer is no aws-chunked body. */
const MAX_LINE = 4096;

export interface Upload {
  segments: Segment[];
  size: number;
  /** MD5, hex. */
  md5: string;
  checksum?: { algorithm: Algorithm; value: string };
}

/** @throws AwsError BadDigest, InvalidDigest, IncompleteBody, EntityTooLarge, MissingContentLength, ... */
export async function takeUpload(request: AwsRequest, blobs: Blobs): Promise<Upload> {
  const { headers } = request;
  const sha256 = String(headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD');
  const chunked = sha256.startsWith('STREAMING-');
  const expected = expectedSize(request, chunked);
  if (expected > MAX_BYTES) throw tooLarge(expected, MAX_BYTES);
  const contentMd5 = headers['content-md5'];
  if (contentMd5 !== undefined && Buffer.from(String(contentMd5), 'base64').length !== 16) {
    throw new S3Error('InvalidDigest', 'The Content-MD5 you specified was invalid.');
  }
  const algorithm = announcedAlgorithm(request);
  const md5 = createHash('md5');
  const payload = chunked || !/^[0-9a-f]{64}$/.test(sha256) ? undefined : createHash('sha256');
  const hasher: Hasher | undefined = algorithm && createHasher(algorithm);
  const trailers: Record<string, string> = {};
  const sink = createSink(blobs);
  let size = 0;
  try {
    // Not destroyed when left early: the same socket carries the error.
    const body: AsyncIterable<Buffer> = request.body.iterator({ destroyOnReturn: false });
    for await (const piece of chunked ? unchunk(body, trailers) : body) {
      size += piece.length;
      if (size > expected) break;
      md5.update(piece);
      payload?.update(piece);
      hasher?.update(piece);
      await sink.write(piece);
    }
    if (size !== expected) {
      throw new S3Error(
        'IncompleteBody',
        'You did not provide the number of bytes specified by the Content-Length HTTP header',
      );
    }
    const digest = md5.digest();
    if (contentMd5 !== undefined && digest.toString('base64') !== contentMd5) throw badDigest('Content-MD5');
    if (payload && payload.digest('hex') !== sha256) {
      throw new S3Error(
        'XAmzContentSHA256Mismatch',
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    }
    const upload: Upload = { segments: [], size, md5: digest.toString('hex') };
    if (hasher && algorithm) {
      const name = headerOf(algorithm);
      const given = headers[name] ?? trailers[name];
      const value = hasher.digest().toString('base64');
      if (given !== undefined && Buffer.from(String(given), 'base64').length !== LENGTHS[algorithm]) {
        throw invalidRequest(`Value for ${name} header is invalid.`);
      }
      if (given !== undefined && given !== value) throw badDigest(algorithm);
      upload.checksum = { algorithm, value };
    }
    upload.segments = await sink.finish();
    return upload;
  } catch (error) {
    await sink.discard();
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
    throw new S3Error('RequestTimeout', 'Your socket connection to the server was not read from or written to.');
  }
}

function expectedSize(request: AwsRequest, chunked: boolean): number {
  const text = chunked ? request.headers['x-amz-decoded-content-length'] : request.headers['content-length'];
  if (text === undefined) {
    throw new S3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.', 411);
  }
  const size = Number(text);
  if (!Number.isSafeInteger(size) || size < 0) throw new S3Error('InvalidArgument', 'Invalid content length.');
  return size;
}

/** The algorithm named by a checksum header, by the trailer that is to come, or by the SDK's own header. */
export function announcedAlgorithm(request: AwsRequest): Algorithm | undefined {
  const inHeaders = ALGORITHMS.filter((algorithm) => request.headers[headerOf(algorithm)] !== undefined);
  if (inHeaders.length > 1)
    throw invalidRequest('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  const trailer = String(request.headers['x-amz-trailer'] ?? '').toLowerCase();
  const named = String(request.headers['x-amz-sdk-checksum-algorithm'] ?? '').toUpperCase();
  return (
    inHeaders[0] ??
    ALGORITHMS.find((algorithm) => headerOf(algorithm) === trailer) ??
    ALGORITHMS.find((algorithm) => algorithm === named)
  );
}

interface Sink {
  write(bytes: Buffer): Promise<void>;
  finish(): Promise<Segment[]>;
  discard(): Promise<void>;
}

/** Collects a small body in memory and writes it in one go; opens a file for a larger one. */
function createSink(blobs: Blobs): Sink {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let writer: BlobWriter | undefined;
  return {
    async write(bytes) {
      if (!writer) {
        held.push(bytes);
        heldBytes += bytes.length;
        if (heldBytes <= SMALL_BYTES) return;
        writer = await blobs.create();
        bytes = Buffer.concat(held);
        held = [];
      }
      await writer.write(bytes);
    },
    finish: async () => (writer ? writer.finish() : blobs.put(Buffer.concat(held))),
    discard: async () => writer?.discard(),
  };
}

/** `<hex length>[;chunk-signature=...]\r\n<bytes>\r\n ... 0\r\n<trailer lines>\r\n`. */
async function* unchunk(body: AsyncIterable<Buffer>, trailers: Record<string, string>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  /** Bytes of the present chunk still to come; its closing line break is read as an empty line. */
  let left = 0;
  let state: 'header' | 'data' | 'break' | 'trailer' | 'end' = 'header';
  for await (const incoming of body) {
    rest = rest.length === 0 ? incoming : Buffer.concat([rest, incoming]);
    while (rest.length > 0 && state !== 'end') {
      if (state === 'data') {
        const piece = rest.subarray(0, left);
        rest = rest.subarray(piece.length);
        left -= piece.length;
        if (left === 0) state = 'break';
        yield piece;
        continue;
      }
      const end = rest.indexOf('\r\n');
      if (end < 0) {
        if (rest.length > MAX_LINE) throw invalidRequest('The aws-chunked body is malformed.');
        break;
      }
      const line = rest.subarray(0, end).toString('latin1');
      rest = rest.subarray(end + 2);
      if (state === 'break') {
        if (line !== '') throw invalidRequest('The aws-chunked body is malformed.');
        state = 'header';
      } else if (state === 'header') {
        const length = /^([0-9a-fA-F]{1,10})(;.*)?$/.exec(line)?.[1];
        if (length === undefined) throw invalidRequest('The aws-chunked body is malformed.');
        left = Number.parseInt(length, 16);
        state = left === 0 ? 'trailer' : 'data';
      } else if (line === '') state = 'end';
      else {
        const colon = line.indexOf(':');
        trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
      }
    }
  }
  // Some signers end right behind the last chunk, without the empty line.
  if (state !== 'end' && state !== 'trailer') {
    throw new S3Error('IncompleteBody', 'The request body terminated unexpectedly');
  }
}
