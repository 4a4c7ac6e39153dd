/**
 * The bytes of objects: files that are written once under a name of their own, then named by a journal line. A file
 * no line names is what a killed process left behind; the next start removes it. An object is a row of such files
 * (the parts of a multipart upload stay as they came).
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { closeSync, createReadStream, linkSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { writeAll } from '../../kit/journal.ts';

export interface Segment {
  /** Names its file; empty where the bytes are `inline`. */
  id: string;
  size: number;
  /** The bytes themselves, in Base64: they stand in the journal, beside what names them. */
  inline?: string;
}

/** Up to here a body is handled in one piece: a stream would cost more than the bytes. */
export const SMALL_BYTES = 256 * 1024;
/** Up to here bytes go into the journal: to make a file takes longer than to write them. */
const INLINE_BYTES = 2 * 1024;

/** Bytes `start` to `end` inclusive of a segment. */
interface Piece {
  id: string;
  start: number;
  end: number;
  inline?: string;
}

export interface BlobWriter {
  write(bytes: Buffer): Promise<void>;
  /** The file stands; the segment may be named now. */
  finish(): Promise<Segment[]>;
  /** Takes back what was written. */
  discard(): Promise<void>;
}

export class Blobs {
  readonly #directory: string;
  /** Readers per file: a deleted object is read to its end by who had begun. */
  readonly #readers = new Map<string, number>();
  readonly #doomed = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
    for (let shard = 0; shard < 256; shard += 1) {
      mkdirSync(join(directory, shard.toString(16).padStart(2, '0')), { recursive: true });
    }
  }

  /** Removes every file that is not `named`; for the start, before anything is written. */
  sweep(named: ReadonlySet<string>): void {
    for (const shard of readdirSync(this.#directory)) {
      for (const id of readdirSync(join(this.#directory, shard))) if (!named.has(id)) rmSync(this.#path(id));
    }
  }

  /** Writes a small body at once. */
  put(bytes: Buffer): Segment[] {
    if (bytes.length === 0) return [];
    if (bytes.length <= INLINE_BYTES) return [{ id: '', size: bytes.length, inline: bytes.toString('base64') }];
    const id = newId();
    const descriptor = openSync(this.#path(id), 'wx');
    try {
      writeAll(descriptor, bytes);
    } catch (error) {
      rmSync(this.#path(id), { force: true });
      throw error;
    } finally {
      closeSync(descriptor);
    }
    return [{ id, size: bytes.length }];
  }

  async create(): Promise<BlobWriter> {
    const id = newId();
    const path = this.#path(id);
    const file = await open(path, 'wx');
    let size = 0;
    return {
      async write(bytes) {
        for (let written = 0; written < bytes.length; ) written += (await file.write(bytes, written)).bytesWritten;
        size += bytes.length;
      },
      async finish() {
        await file.close();
        return [{ id, size }];
      },
      async discard() {
        await file.close();
        rmSync(path, { force: true });
      },
    };
  }

  /** The same bytes under new names, without copying them. */
  duplicate(segments: readonly Segment[]): Segment[] {
    return segments.map((segment) => {
      const { id, size, inline } = segment;
      if (inline !== undefined) return segment;
      const copy = newId();
      linkSync(this.#path(id), this.#path(copy));
      return { id: copy, size };
    });
  }

  /** Bytes `start` to `end` inclusive; small ones as a buffer, large ones as a stream. */
  read(segments: readonly Segment[], start: number, end: number): Buffer | Readable {
    const pieces: Piece[] = [];
    let base = 0;
    for (const { id, size, inline } of segments) {
      const from = Math.max(0, start - base);
      const to = Math.min(size - 1, end - base);
      if (from <= to) pieces.push({ id, start: from, end: to, ...(inline !== undefined && { inline }) });
      base += size;
    }
    const [only] = pieces;
    const whole = segments.length === 1 && end - start + 1 === segments[0]?.size;
    if (only === undefined) return Buffer.alloc(0);
    if (pieces.length === 1 && only.inline !== undefined) return bytesOf(only, only.inline);
    if (whole && end - start < SMALL_BYTES) return readFileSync(this.#path(only.id));
    const files = pieces.filter(({ inline }) => inline === undefined);
    for (const { id } of files) this.#readers.set(id, (this.#readers.get(id) ?? 0) + 1);
    const stream =
      pieces.length === 1
        ? createReadStream(this.#path(only.id), { start: only.start, end: only.end, highWaterMark: SMALL_BYTES })
        : Readable.from(this.#pieces(pieces), { objectMode: false });
    stream.once('close', () => {
      for (const { id } of files) this.#release(id);
    });
    return stream;
  }

  /** Removes files nothing names any more, once nobody reads them. */
  remove(segments: readonly Segment[]): void {
    for (const { id, inline } of segments) {
      if (inline !== undefined) continue;
      if (this.#readers.has(id)) this.#doomed.add(id);
      else rmSync(this.#path(id), { force: true });
    }
  }

  async *#pieces(pieces: readonly Piece[]): AsyncGenerator<Buffer> {
    for (const { id, start, end, inline } of pieces) {
      if (inline !== undefined) yield bytesOf({ start, end }, inline);
      else yield* createReadStream(this.#path(id), { start, end, highWaterMark: SMALL_BYTES }) as AsyncIterable<Buffer>;
    }
  }

  #release(id: string): void {
    const left = (this.#readers.get(id) ?? 1) - 1;
    if (left > 0) {
      this.#readers.set(id, left);
      return;
    }
    this.#readers.delete(id);
    if (this.#doomed.delete(id)) rmSync(this.#path(id), { force: true });
  }

  #path(id: string): string {
    return join(this.#directory, id.slice(0, 2), id);
  }
}

function bytesOf({ start, end }: Pick<Piece, 'start' | 'end'>, inline: string): Buffer {
  return Buffer.from(inline, 'base64').subarray(start, end + 1);
}

function newId(): string {
  return randomBytes(12).toString('hex');
}
