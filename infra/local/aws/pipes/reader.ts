/**
 * Reads one stream for one pipe: every record of every shard in its order, children after their parents, on from where
 * the last process was. The place in a shard is written down after its records were taken, so that a record may come
 * twice but never not at all.
 *
 * @module
 */
import { type Place, type Shard, type StreamRecord, type StreamsClient, StreamsError } from './streams.ts';

/** `done`: the shard has ended, and all of it was taken. */
export type Position = Place | 'done';

export interface ReaderOptions {
  streams: StreamsClient;
  streamArn: string;
  /** What earlier processes wrote down, by shard. */
  positions: ReadonlyMap<string, Position>;
  /** Writes a position down; undefined forgets a shard there no longer is. */
  mark(shardId: string, position: Position | undefined): void;
  /** Throws when it cannot take all of them now; then they come again. */
  take(records: readonly StreamRecord[]): void;
}

/** New shards follow ended ones, which is seen at once; this is for all others. */
const LIST_EVERY_MS = 10_000;

export class StreamReader {
  readonly #options: ReaderOptions;
  #shards: Shard[] = [];
  readonly #iterators = new Map<string, string>();
  #listAt = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /**
   * Where a new pipe begins. LATEST is turned into a sequence number: an iterator is forgotten with the process, and
   * asking for LATEST again would lose what was written in between.
   */
  async beginning(from: 'TRIM_HORIZON' | 'LATEST'): Promise<Map<string, Position>> {
    const { streams, streamArn } = this.#options;
    const positions = new Map<string, Position>();
    for (const { id, open } of await streams.shards(streamArn)) {
      if (from === 'TRIM_HORIZON') positions.set(id, 'horizon');
      else positions.set(id, open ? await this.#endOf(id) : 'done');
    }
    return positions;
  }

  /** Takes what is new: one GetRecords for each shard whose turn it is. */
  async round(): Promise<void> {
    if (performance.now() >= this.#listAt) await this.list();
    const { positions } = this.#options;
    const turn = this.#shards.filter(({ id, parent }) => {
      const before = parent === undefined ? undefined : positions.get(parent);
      return positions.get(id) !== 'done' && (before === undefined || before === 'done');
    });
    // All of them to their end: a shard must not be read by two rounds at once.
    const results = await Promise.allSettled(turn.map(({ id }) => this.#read(id)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Learns which shards there are. */
  async list(): Promise<void> {
    const { streams, streamArn, positions, mark } = this.#options;
    this.#shards = await streams.shards(streamArn);
    const listed = new Set(this.#shards.map(({ id }) => id));
    for (const id of listed) if (!positions.has(id)) mark(id, 'horizon');
    for (const id of [...positions.keys()]) if (!listed.has(id)) mark(id, undefined);
    this.#listAt = performance.now() + LIST_EVERY_MS;
  }

  async #read(id: string): Promise<void> {
    const { streams, streamArn, positions, mark, take } = this.#options;
    const position = positions.get(id) ?? 'horizon';
    if (position === 'done') return;
    try {
      const iterator = this.#iterators.get(id) ?? (await streams.iterator(streamArn, id, position));
      this.#iterators.delete(id);
      const { records, next } = await streams.records(iterator);
      const last = records.at(-1);
      if (last) {
        take(records);
        mark(id, { after: last.dynamodb.SequenceNumber });
      }
      if (next !== undefined) this.#iterators.set(id, next);
      else {
        mark(id, 'done');
        this.#listAt = 0;
      }
    } catch (error) {
      // The next round asks for an iterator anew, at the place that is written down.
      this.#iterators.delete(id);
      const code = error instanceof StreamsError ? error.code : '';
      // Records are kept for 24 hours: what was not read by then is gone, and the oldest there is comes next.
      if (code === 'TrimmedDataAccessException') mark(id, 'horizon');
      // The shard itself may be gone.
      else if (code === 'ResourceNotFoundException') this.#listAt = 0;
      else if (code !== 'ExpiredIteratorException') throw error;
    }
  }

  /** After the last record of an open shard. */
  async #endOf(id: string): Promise<Position> {
    const { streams, streamArn } = this.#options;
    let place: Position = 'horizon';
    let iterator: string | undefined = await streams.iterator(streamArn, id, place);
    while (iterator !== undefined) {
      const { records, next }: Awaited<ReturnType<StreamsClient['records']>> = await streams.records(iterator);
      const last = records.at(-1);
      if (!last) return place;
      place = { after: last.dynamodb.SequenceNumber };
      iterator = next;
    }
    return 'done';
  }
}
