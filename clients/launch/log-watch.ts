/**
 * Watching log streams that are being written: each by itself while they are few, a hundred at a time when they are
 * many. A watch is asked in rounds.
 *
 * @module
 */
import { mapLimited } from '../../lib/concurrency.ts';
import { inChunks, type LogEvent, type LogStream } from './log-lines.ts';
import { FILTERED_STREAMS, type LogReader, type PageReader } from './log-reader.ts';

/** A stream that is being followed. */
export interface Followed extends LogStream {
  /** It is known that there is such a stream; before a container starts there is none. */
  there: boolean;
  /** Epoch milliseconds from which on nothing more is written to it; undefined while its attempt goes on. */
  closedAt?: number;
}

export interface Watch {
  add(streams: readonly Followed[]): void;
  /** Prepares a round. What is to be read in it: each source ends the round with an empty page. */
  begin(): Promise<(() => Promise<LogEvent[]>)[]>;
  /** Ends a round that began at `begunAt`, epoch milliseconds: what is closed and was read to its end is let go. */
  end(begunAt: number): Promise<void>;
  /** Streams that are followed still. */
  readonly size: number;
}

/** A page of fewer events is taken for all there is, for now: so one busy stream does not keep a round from its end. */
const LARGE_PAGE = 1_000;
/** Streams that are looked for one by one in a round. */
const LOOKED_FOR = 20;
const ASKING = 8;
/** Rounds between two looks for streams that are not there, at most. */
const MOST_ROUNDS = 10;
/** Lines come in late: hosts send theirs every few seconds, and again when they were throttled. */
const LATE_MS = 30_000;
/** Nothing tells how far a search has come but this machine's clock, which may be ahead of the hosts' by less than this. */
const SKEW_MS = 300_000;

export interface WatchOptions {
  since?: number | undefined;
  /** The last events of streams that are there when they are first read. */
  tail?: number | undefined;
  search?: string | undefined;
}

/** One call a stream and round. */
export class SingleWatch implements Watch {
  readonly #reader: PageReader;
  readonly #options: WatchOptions;
  readonly #streams = new Map<Followed, { token?: string | undefined; drained: boolean; round: number }>();
  #rounds = 0;

  constructor(reader: PageReader, options: WatchOptions) {
    this.#reader = reader;
    this.#options = options;
  }

  get size(): number {
    return this.#streams.size;
  }

  add(streams: readonly Followed[]): void {
    for (const stream of streams) this.#streams.set(stream, { drained: false, round: 0 });
  }

  async begin(): Promise<(() => Promise<LogEvent[]>)[]> {
    this.#rounds += 1;
    return [...this.#streams.keys()].map((stream) => () => this.#read(stream));
  }

  async end(begunAt: number): Promise<void> {
    for (const [stream, { drained }] of this.#streams) {
      if (drained && isClosed(stream, begunAt)) this.#streams.delete(stream);
    }
  }

  async #read(stream: Followed): Promise<LogEvent[]> {
    const state = this.#streams.get(stream);
    if (!state || state.round === this.#rounds) return [];
    for (;;) {
      const { since, tail } = this.#options;
      const last = this.#rounds === 1 && state.token === undefined ? tail : undefined;
      const page = await this.#reader.page(stream, { token: state.token, since, last });
      state.drained = !page || page.token === undefined || page.token === state.token;
      state.token = page?.token ?? state.token;
      if (state.drained || (page?.events.length ?? 0) < LARGE_PAGE) state.round = this.#rounds;
      // A page may be empty and yet not be the last.
      if (page && page.events.length > 0) return page.events;
      if (state.drained) return [];
    }
  }
}

/** One FilterLogEvents a hundred streams and round; what is searched for is filtered by the service. */
export class FilteredWatch implements Watch {
  readonly #reader: LogReader;
  readonly #options: WatchOptions;
  /** Not known to be there: one name that is not refuses the call for all. */
  #waiting: Followed[] = [];
  #chunks: Chunk[] = [];
  /** Rounds until the waiting are looked for again, and the rounds after that. */
  #pause = { left: 0, next: 0 };

  constructor(reader: LogReader, options: WatchOptions) {
    this.#reader = reader;
    this.#options = options;
  }

  get size(): number {
    return this.#waiting.length + this.#chunks.reduce((sum, { streams }) => sum + streams.length, 0);
  }

  add(streams: readonly Followed[]): void {
    this.#waiting.push(...streams);
    this.#pause = { left: 0, next: 0 };
  }

  async begin(): Promise<(() => Promise<LogEvent[]>)[]> {
    const known = this.#waiting.filter(({ there }) => there);
    const found = new Set([...known, ...(await this.#lookFor(this.#waiting.filter(({ there }) => !there)))]);
    this.#waiting = this.#waiting.filter((stream) => !found.has(stream));
    for (const stream of found) stream.there = true;
    for (const streams of inChunks([...found], FILTERED_STREAMS))
      this.#chunks.push(new Chunk(this.#reader, this.#options, streams));
    return this.#chunks.map((chunk) => () => chunk.read());
  }

  async end(begunAt: number): Promise<void> {
    for (const chunk of this.#chunks.filter(({ lost }) => lost)) {
      const there = await this.#existing(chunk.streams);
      this.#waiting.push(...chunk.streams.filter((stream) => !there.has(stream)));
      for (const stream of chunk.streams) stream.there = there.has(stream);
      chunk.keep((stream) => there.has(stream));
    }
    for (const chunk of this.#chunks) chunk.keep((stream) => !isClosed(stream, begunAt));
    this.#chunks = joined(this.#chunks.filter(({ streams }) => streams.length > 0));
  }

  /** Those of the waiting that have come. The oldest are looked for first, and then stand at the end of the queue. */
  async #lookFor(waiting: readonly Followed[]): Promise<readonly Followed[]> {
    if (waiting.length === 0) return [];
    const now = Date.now();
    if (this.#pause.left > 0 && !waiting.some((stream) => isClosed(stream, now))) {
      this.#pause.left -= 1;
      return [];
    }
    const [oldest = []] = inChunks(waiting, FILTERED_STREAMS);
    // Jobs that started together log together: one call may tell that all of them do.
    if (oldest.length > 1 && (await this.#reader.filter(oldest, { limit: 1 }))) return oldest;
    const looked = oldest.slice(0, LOOKED_FOR);
    const there = await this.#existing(looked);
    const again = looked.filter((stream) => !there.has(stream) && !isClosed(stream, now));
    this.#waiting = [...this.#waiting.filter((stream) => there.has(stream) || !looked.includes(stream)), ...again];
    const idle = there.size === 0 && again.length === looked.length;
    const next = idle ? Math.min(Math.max(this.#pause.next * 2, 1), MOST_ROUNDS) : 0;
    this.#pause = { left: next, next };
    return [...there];
  }

  async #existing(streams: readonly Followed[]): Promise<Set<Followed>> {
    const there = await mapLimited(streams, ASKING, (stream) => this.#reader.exists(stream));
    return new Set(streams.filter((_, place) => there[place]));
  }
}

/** Streams that are read together. Each call looks back a little, for lines that came late. */
class Chunk {
  readonly #reader: LogReader;
  readonly #options: WatchOptions;
  streams: readonly Followed[];
  /** One of them is not there after all. */
  lost = false;
  #since: number | undefined;
  #newest = 0;
  #token: string | undefined;
  #over = false;
  #begunAt = 0;
  /** Ids of the events since {@link #since} that were given out, with their times. */
  #seen = new Map<string, number>();

  constructor(reader: LogReader, options: WatchOptions, streams: readonly Followed[]) {
    this.#reader = reader;
    this.#options = options;
    this.#since = options.since;
    this.streams = streams;
  }

  get group(): string {
    return this.streams[0]?.group ?? '';
  }

  keep(wanted: (stream: Followed) => boolean): void {
    this.streams = this.streams.filter(wanted);
    this.lost = false;
  }

  /** Between two rounds only. Both have been read to their ends, so only late lines can lie before the later start. */
  join(other: Chunk): void {
    this.streams = [...this.streams, ...other.streams];
    this.#newest = Math.max(this.#newest, other.#newest);
    this.#since = Math.max(this.#since ?? 0, other.#since ?? 0);
    for (const [id, time] of other.#seen) this.#seen.set(id, time);
    this.#forget();
  }

  async read(): Promise<LogEvent[]> {
    if (this.#token === undefined && !this.#over) this.#begunAt = Date.now();
    while (!this.#over) {
      const { search: pattern } = this.#options;
      const page = await this.#reader.filter(this.streams, { pattern, since: this.#since, token: this.#token });
      this.lost = !page;
      this.#token = page?.token;
      this.#over = this.#token === undefined;
      const events = (page?.events ?? []).filter(({ id = '' }) => !this.#seen.has(id));
      for (const { id = '', time } of events) {
        this.#seen.set(id, time);
        this.#newest = Math.max(this.#newest, time);
      }
      if (events.length > 0) return events;
    }
    this.#over = false;
    if (this.lost) return [];
    this.#since = Math.max(this.#since ?? 0, this.#newest - LATE_MS, this.#begunAt - SKEW_MS);
    this.#forget();
    return [];
  }

  #forget(): void {
    for (const [id, time] of this.#seen) if (time < (this.#since ?? 0)) this.#seen.delete(id);
  }
}

/** As few chunks as a first fit gives. */
function joined(chunks: readonly Chunk[]): Chunk[] {
  const kept: Chunk[] = [];
  for (const chunk of chunks) {
    const room = kept.find(
      ({ group, streams }) => group === chunk.group && streams.length + chunk.streams.length <= FILTERED_STREAMS,
    );
    if (room) room.join(chunk);
    else kept.push(chunk);
  }
  return kept;
}

/** Nothing can come any more that a round begun at this time has not read. */
const isClosed = ({ closedAt }: Followed, begunAt: number): boolean => closedAt !== undefined && closedAt <= begunAt;
