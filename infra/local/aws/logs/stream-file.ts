/**
 * The lines of one stream: an append-only file of JSON lines, and an index of it (time and place of each line) that
 * is built when somebody reads and dropped when many other streams were read since.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { readLines, writeAll } from '../../kit/journal.ts';

/** A line as kept: event time, time of arrival, text. */
export interface Line {
  t: number;
  i: number;
  m: string;
}

/** Where a line stands among its stream's lines: by event time, then by arrival. */
export interface Mark {
  time: number;
  /** Number of the line in the file, from 0. */
  arrival: number;
}

interface IndexEntry extends Mark {
  offset: number;
  length: number;
}

export interface StreamSummary {
  lines: number;
  bytes: number;
  firstEvent?: number;
  lastEvent?: number;
  lastIngestion?: number;
}

export function compareMarks(one: Mark, other: Mark): number {
  return one.time - other.time || one.arrival - other.arrival;
}

export class StreamFile {
  readonly path: string;
  /** 20 digits by which events of different streams differ. */
  readonly number: string;
  #summary: StreamSummary | undefined;
  #index: IndexEntry[] | undefined;

  constructor(path: string) {
    this.path = path;
    this.number = createHash('sha256').update(path).digest().readBigUInt64BE().toString().padStart(20, '0');
  }

  append(lines: readonly Line[]): void {
    const summary = this.summary();
    const texts = lines.map((line) => Buffer.from(`${JSON.stringify(line)}\n`));
    const descriptor = this.#openForAppend();
    try {
      writeAll(descriptor, Buffer.concat(texts));
    } catch (error) {
      ftruncateSync(descriptor, summary.bytes);
      throw error;
    } finally {
      closeSync(descriptor);
    }
    for (const [position, line] of lines.entries()) {
      const length = texts[position]?.length ?? 0;
      const entry = { time: line.t, arrival: summary.lines, offset: summary.bytes, length: length - 1 };
      if (this.#index) insert(this.#index, entry);
      count(summary, line, length);
    }
  }

  /** The folder is made once a group, so it is there but for the first time. */
  #openForAppend(): number {
    try {
      return openSync(this.path, 'a');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      mkdirSync(dirname(this.path), { recursive: true });
      return openSync(this.path, 'a');
    }
  }

  summary(): Readonly<StreamSummary> & StreamSummary {
    if (!this.#summary) this.#scan(false);
    return this.#summary as StreamSummary;
  }

  /** Marks of all lines, in order. */
  marks(): readonly Mark[] {
    if (!this.#index) this.#scan(true);
    return this.#index as IndexEntry[];
  }

  /** Reads the lines behind marks this file gave. */
  read(marks: readonly Mark[]): Line[] {
    if (marks.length === 0) return [];
    const descriptor = openSync(this.path, 'r');
    try {
      return marks.map((mark) => {
        const { offset, length } = mark as IndexEntry;
        const bytes = Buffer.allocUnsafe(length);
        readSync(descriptor, bytes, 0, length, offset);
        return JSON.parse(bytes.toString('utf8')) as Line;
      });
    } finally {
      closeSync(descriptor);
    }
  }

  dropIndex(): void {
    this.#index = undefined;
  }

  /** Reads the file once; a torn last line, left by a killed process, is cut off. */
  #scan(withIndex: boolean): void {
    const summary: StreamSummary = { lines: 0, bytes: 0 };
    const index: IndexEntry[] = [];
    // Most streams are new; an error that is thrown and caught costs more than a look.
    if (!existsSync(this.path)) {
      this.#summary = summary;
      if (withIndex) this.#index = index;
      return;
    }
    const descriptor = openSync(this.path, 'r+');
    try {
      readLines(descriptor, (bytes, end) => {
        const line = JSON.parse(bytes.toString('utf8')) as Line;
        if (withIndex)
          index.push({ time: line.t, arrival: summary.lines, offset: summary.bytes, length: bytes.length });
        count(summary, line, end - summary.bytes);
      });
      if (fstatSync(descriptor).size > summary.bytes) ftruncateSync(descriptor, summary.bytes);
    } finally {
      closeSync(descriptor);
    }
    this.#summary = summary;
    if (withIndex) this.#index = index.sort(compareMarks);
  }
}

function count(summary: StreamSummary, line: Line, bytes: number): void {
  summary.lines += 1;
  summary.bytes += bytes;
  summary.firstEvent = Math.min(summary.firstEvent ?? line.t, line.t);
  summary.lastEvent = Math.max(summary.lastEvent ?? line.t, line.t);
  summary.lastIngestion = line.i;
}

/** Lines mostly come in order, so the place is looked for from the end. */
function insert(index: IndexEntry[], entry: IndexEntry): void {
  let at = index.length;
  while (at > 0 && compareMarks(index[at - 1] as IndexEntry, entry) > 0) at -= 1;
  index.splice(at, 0, entry);
}
