/**
 * The journal every stand-in keeps its state in: one JSON line per change, appended before the caller hears of
 * success. A process killed at any instant leaves at worst a torn last line, which nobody was told about; the next
 * start cuts it off. Lines that later ones made void are dropped by rewriting the file from the present state.
 *
 * @module
 */
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Journal<Entry> {
  /** On the disk of the kernel when it returns, so that `kill -9` cannot lose it. */
  append(entry: Entry): void;
  close(): void;
}

/** Rewriting is worth it only when most of the file is void. */
const LEAST_LINES_TO_REWRITE = 50_000;
const READ_BYTES = 1 << 20;

/**
 * Opens (or creates) the journal and replays it.
 * @param options.replay applies one entry to the state; must not append
 * @param options.snapshot the entries that would rebuild the present state
 * @throws Error when a line other than the last is damaged
 */
export function openJournal<Entry>(options: {
  file: string;
  replay(entry: Entry): void;
  snapshot(): Iterable<Entry>;
}): Journal<Entry> {
  mkdirSync(dirname(options.file), { recursive: true });
  let descriptor = openSync(options.file, 'a+');
  let lines = 0;
  let size = 0;
  readLines(descriptor, (line, end) => {
    options.replay(parseLine<Entry>(line, options.file, lines + 1));
    lines += 1;
    size = end;
  });
  ftruncateSync(descriptor, size);
  let live = 0;
  for (const _ of options.snapshot()) live += 1;
  let rewriteAt = Math.max(LEAST_LINES_TO_REWRITE, live * 4);
  if (lines > live * 2 + 100) rewrite();

  /** Nothing of the old file is touched before the new one stands under its name. */
  function rewrite(): void {
    const fresh = `${options.file}.new`;
    const output = openSync(fresh, 'w');
    let text = '';
    let freshLines = 0;
    let freshSize = 0;
    const flush = () => {
      freshSize += writeAll(output, Buffer.from(text));
      text = '';
    };
    try {
      for (const entry of options.snapshot()) {
        text += `${JSON.stringify(entry)}\n`;
        freshLines += 1;
        if (text.length > READ_BYTES) flush();
      }
      flush();
    } finally {
      closeSync(output);
    }
    renameSync(fresh, options.file);
    closeSync(descriptor);
    descriptor = openSync(options.file, 'a+');
    lines = freshLines;
    size = freshSize;
    rewriteAt = Math.max(LEAST_LINES_TO_REWRITE, lines * 4);
  }

  function rewriteSoon(): void {
    if (descriptor < 0) return;
    try {
      rewrite();
    } catch (error) {
      // A longer file is no harm; the next try comes when it has grown again.
      rewriteAt = lines + LEAST_LINES_TO_REWRITE;
      console.error(`${options.file} could not be rewritten`, error);
    }
  }

  return {
    append(entry) {
      const bytes = Buffer.from(`${JSON.stringify(entry)}\n`);
      try {
        size += writeAll(descriptor, bytes);
      } catch (error) {
        // A full disk may have taken half a line; the next one must not be glued to it.
        ftruncateSync(descriptor, size);
        throw error;
      }
      lines += 1;
      // Later, not now: the caller may not yet have applied this entry to the state the snapshot is taken from.
      if (lines === rewriteAt) setImmediate(rewriteSoon);
    },
    close() {
      if (descriptor < 0) return;
      closeSync(descriptor);
      descriptor = -1;
    },
  };
}

/** Calls `each` with every whole line and the offset behind it; a last line without its end is left out. */
export function readLines(descriptor: number, each: (line: Buffer, end: number) => void): void {
  const total = fstatSync(descriptor).size;
  const chunk = Buffer.allocUnsafe(Math.max(1, Math.min(READ_BYTES, total)));
  let rest: Buffer = Buffer.alloc(0);
  let position = 0;
  while (position < total) {
    const count = readSync(descriptor, chunk, 0, chunk.length, position);
    if (count === 0) break;
    const base = position - rest.length;
    const data = rest.length === 0 ? chunk.subarray(0, count) : Buffer.concat([rest, chunk.subarray(0, count)]);
    position += count;
    let start = 0;
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10, start)) {
      each(data.subarray(start, end), base + end + 1);
      start = end + 1;
    }
    // A copy, since the chunk is filled anew.
    rest = Buffer.from(data.subarray(start));
  }
}

/** Writes everything; a short write is continued. */
export function writeAll(descriptor: number, bytes: Buffer): number {
  let written = 0;
  while (written < bytes.length) written += writeSync(descriptor, bytes, written);
  return written;
}

function parseLine<Entry>(line: Buffer, file: string, number: number): Entry {
  try {
    return JSON.parse(line.toString('utf8')) as Entry;
  } catch (cause) {
    throw new Error(`${file}:${number} is damaged`, { cause });
  }
}
