/**
 * Log groups and streams, their journal, and the files of their lines.
 *
 * @module
 */
import { createHash, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../kit/clock.ts';
import { type Journal, openJournal } from '../../kit/journal.ts';
import { AwsError } from '../../kit/service.ts';
import { type Line, type Mark, StreamFile } from './stream-file.ts';

/** Indexes of so many streams stay in memory, the most recently read. */
const INDEXES_KEPT = 64;

export interface LogStream {
  name: string;
  createdAt: number;
  /** Name of its file: a stream made anew under an old name must not see the old lines. */
  file: StreamFile;
}

export interface LogGroup {
  name: string;
  createdAt: number;
  retentionDays?: number;
  streams: Map<string, LogStream>;
}

type Entry =
  | { op: 'group'; name: string; createdAt: number; retentionDays?: number }
  | { op: 'endGroup'; name: string }
  | { op: 'stream'; group: string; name: string; createdAt: number; file: string }
  | { op: 'endStream'; group: string; name: string };

export class LogStore {
  readonly groups = new Map<string, LogGroup>();
  readonly #clock: Clock;
  readonly #directory: string;
  readonly #journal: Journal<Entry>;
  readonly #indexed = new Set<StreamFile>();

  constructor(options: { clock: Clock; directory: string }) {
    this.#clock = options.clock;
    this.#directory = options.directory;
    this.#journal = openJournal<Entry>({
      file: join(options.directory, 'groups.jsonl'),
      replay: (entry) => this.#apply(entry),
      snapshot: () => this.#snapshot(),
    });
  }

  group(name: unknown): LogGroup {
    const group = this.groups.get(String(name));
    if (!group) throw new AwsError('ResourceNotFoundException', 'The specified log group does not exist.');
    return group;
  }

  stream(group: LogGroup, name: unknown): LogStream {
    const stream = group.streams.get(String(name));
    if (!stream) throw new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.');
    return stream;
  }

  createGroup(name: string): void {
    this.#record({ op: 'group', name, createdAt: this.#clock.now() });
  }

  createStream(group: string, name: string): void {
    const file = createHash('sha256').update(`${group}\0${name}\0${randomUUID()}`).digest('hex').slice(0, 32);
    this.#record({ op: 'stream', group, name, createdAt: this.#clock.now(), file });
  }

  setRetention(group: LogGroup, days: number | undefined): void {
    const { name, createdAt } = group;
    this.#record({ op: 'group', name, createdAt, ...(days !== undefined && { retentionDays: days }) });
  }

  endGroup(group: LogGroup): void {
    this.#record({ op: 'endGroup', name: group.name });
    for (const stream of group.streams.values()) this.#removeFile(stream);
  }

  endStream(group: LogGroup, stream: LogStream): void {
    this.#record({ op: 'endStream', group: group.name, name: stream.name });
    this.#removeFile(stream);
  }

  append(stream: LogStream, lines: readonly { timestamp: number; message: string }[]): void {
    const now = this.#clock.now();
    stream.file.append(lines.map((line): Line => ({ t: line.timestamp, i: now, m: line.message })));
  }

  /** A stream's lines that are neither expired nor outside [from, to), in order. */
  marks(group: LogGroup, stream: LogStream, from = 0, to = Number.POSITIVE_INFINITY): readonly Mark[] {
    const marks = stream.file.marks();
    this.#indexed.delete(stream.file);
    this.#indexed.add(stream.file);
    const [oldest] = this.#indexed;
    if (this.#indexed.size > INDEXES_KEPT && oldest) {
      oldest.dropIndex();
      this.#indexed.delete(oldest);
    }
    const start = lowerBound(marks, Math.max(from, this.oldestKept(group)));
    return marks.slice(start, lowerBound(marks, to));
  }

  /** Older lines have fallen to the retention of their group. */
  oldestKept(group: LogGroup): number {
    return group.retentionDays === undefined ? 0 : this.#clock.now() - group.retentionDays * 86_400_000;
  }

  close(): void {
    this.#journal.close();
  }

  #record(entry: Entry): void {
    this.#journal.append(entry);
    this.#apply(entry);
  }

  #apply(entry: Entry): void {
    if (entry.op === 'group') {
      const { op: _, ...described } = entry;
      this.groups.set(entry.name, { ...described, streams: this.groups.get(entry.name)?.streams ?? new Map() });
    } else if (entry.op === 'endGroup') this.groups.delete(entry.name);
    else if (entry.op === 'endStream') this.groups.get(entry.group)?.streams.delete(entry.name);
    else {
      const { name, createdAt } = entry;
      const path = join(this.#directory, 'lines', entry.file.slice(0, 2), `${entry.file}.jsonl`);
      this.groups.get(entry.group)?.streams.set(name, { name, createdAt, file: new StreamFile(path) });
    }
  }

  #removeFile(stream: LogStream): void {
    this.#indexed.delete(stream.file);
    rmSync(stream.file.path, { force: true });
  }

  *#snapshot(): Iterable<Entry> {
    for (const group of this.groups.values()) {
      const { streams, ...described } = group;
      yield { op: 'group', ...described };
      for (const { name, createdAt, file } of streams.values()) {
        const id = file.path.slice(file.path.lastIndexOf('/') + 1, -'.jsonl'.length);
        yield { op: 'stream', group: group.name, name, createdAt, file: id };
      }
    }
  }
}

/** The first position whose time is at least `time`. */
function lowerBound(marks: readonly Mark[], time: number): number {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle] as Mark).time < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
