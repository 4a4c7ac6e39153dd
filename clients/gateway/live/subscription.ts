/**
 * One watcher of one run. It knows the sequence it needs next and takes what follows from the feed, so each event comes once
 * and in order, whatever happens between: a watcher that cannot keep up takes nothing until it can, and then what has come
 * meanwhile, merged.
 *
 * @module
 */
import type { Position, RunFacts } from '../../../workflows/progress/model.ts';
import { mergeEvents } from '../../../workflows/progress/picture.ts';
import type { ErrorCode, Resume } from '../../live/protocol.ts';
import type { RunFeed } from './feed.ts';
import { type Batch, type Entry, entryOf } from './message.ts';

export interface Problem {
  code: Extract<ErrorCode, 'not-found' | 'forbidden' | 'unavailable'>;
  message: string;
  remedy: string;
}

/** Where a subscription's news goes. */
export interface Sink {
  /** It takes no more events for now. */
  readonly full: boolean;
  allowed(facts: RunFacts): boolean;
  /** @param snapshot the one of `resume` as JSON */
  begun(run: string, resume: Resume, snapshot: string | undefined): void;
  events(run: string, batch: Batch): void;
  /** These have come while it was full. */
  held(batch: Batch): void;
  /** The subscription has ended. */
  failed(run: string, problem: Problem): void;
}

/** Events taken at a time; a merged event of more would be long. */
const TAKEN = 100;
/** A run that was just started has no log for a moment. */
export const AWAIT_LOG_MS = 3_000;
const RESTARTS = 5;

export class Subscription {
  readonly feed: RunFeed;
  /** Epoch ms: since when it waits for a log to begin. */
  waitingSince: number | undefined;
  readonly #sink: Sink;
  readonly #now: () => number;
  /** What it was asked to go on from, until it has begun. */
  #asked: Position | 'start' | undefined;
  #epoch = '';
  /** 0: not begun. */
  #next = 0;
  /** A beginning that was overtaken by another one is not gone on with. */
  #turn = 0;
  #beginning = false;
  #paging = false;
  #merging = false;
  #ended = false;
  #restarts = 0;

  constructor(feed: RunFeed, sink: Sink, now: () => number) {
    this.feed = feed;
    this.#sink = sink;
    this.#now = now;
    feed.watchers.add(this);
    feed.usedAt = now();
  }

  /** Whether everything up to there has been handed on. */
  reached({ epoch, seq }: Position): boolean {
    return epoch === this.#epoch && seq < this.#next;
  }

  async begin(position: Position | 'start' | undefined): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    this.#asked = position;
    this.#next = 0;
    this.#beginning = true;
    try {
      const beginning = await this.feed.begin(position);
      if (this.#ended || turn !== this.#turn) return;
      this.#beginning = false;
      // A run of others is as if it were not there, so that its name tells nothing.
      if (!beginning || 'purged' in beginning || !this.#sink.allowed(beginning.facts)) {
        this.#wait(position);
        return;
      }
      this.waitingSince = undefined;
      this.#epoch = beginning.epoch;
      this.#next = beginning.next;
      this.#sink.begun(this.feed.run, beginning.resume, beginning.snapshot);
      this.#take();
    } catch {
      if (turn === this.#turn)
        this.fail({
          code: 'unavailable',
          message: 'the log of the run cannot be read now',
          remedy: 'subscribe again in a while',
        });
    }
  }

  /** There is no log. Who has seen one learns so; who has not waits, since one may begin just now. */
  #wait(position: Position | 'start' | undefined): void {
    // Who wants all of it wants the beginning of the one that comes.
    this.#asked = position === 'start' ? 'start' : undefined;
    if (position === undefined || position === 'start') {
      this.waitingSince ??= this.#now();
      return;
    }
    this.waitingSince = Number.POSITIVE_INFINITY;
    this.#sink.begun(this.feed.run, { verdict: 'purged' }, undefined);
  }

  /** Asks again who may see it, of a token that was renewed. */
  check(): void {
    const { head } = this.feed;
    if (this.#next === 0 || !head || this.#sink.allowed(head)) return;
    this.fail({
      code: 'forbidden',
      message: 'this run belongs to somebody else',
      remedy: 'ask for a token of its consumer',
    });
  }

  /** The log is another one, or has lost what was needed next. */
  restart(): void {
    if (this.#ended) return;
    void this.begin(this.#next === 0 ? this.#asked : { epoch: this.#epoch, seq: this.#next - 1 });
  }

  /** @param first the batch's first sequence */
  append(first: number, batch: Batch): void {
    if (this.#next === 0 || this.#paging) return;
    if (this.#sink.full) this.#sink.held(batch);
    else if (this.#next === first) this.#hand(batch);
    else this.#take();
  }

  /** The sink takes events again. */
  drained(): void {
    this.#merging = this.#next <= this.feed.tail;
    this.#take();
  }

  /** The feed has looked at the log: what could not be read before may be there now. */
  looked(): void {
    if (this.waitingSince === undefined) this.#take();
    // One that begins has this look behind it.
    else if (this.feed.head && !this.#beginning) this.restart();
  }

  /** Without a word to the sink. */
  end(): void {
    this.#ended = true;
    this.feed.watchers.delete(this);
    this.feed.usedAt = this.#now();
  }

  fail(problem: Problem): void {
    if (this.#ended) return;
    this.end();
    this.#sink.failed(this.feed.run, problem);
  }

  #take(): void {
    while (this.#next > 0 && this.#next <= this.feed.tail && !this.#paging && !this.#ended && !this.#sink.full) {
      const entries = this.feed.recent(this.#next, TAKEN);
      if (!entries) {
        void this.#page();
        return;
      }
      this.#hand({ entries: this.#merging ? this.#merged(entries) : entries });
    }
    if (this.#next > this.feed.tail) this.#merging = false;
  }

  /** From the log, what the feed has no more. */
  async #page(): Promise<void> {
    this.#paging = true;
    const turn = this.#turn;
    let entries: readonly Entry[] = [];
    try {
      entries = await this.feed.page(this.#next);
    } catch {
      // The next look at the log tries again.
      this.#paging = false;
      return;
    }
    this.#paging = false;
    if (this.#ended || turn !== this.#turn) return;
    if (entries[0]?.event.seq !== this.#next) {
      await this.#lost();
      return;
    }
    for (let from = 0; from < entries.length && !this.#sink.full && !this.#ended; from += TAKEN) {
      const part = entries.slice(from, from + TAKEN);
      this.#hand({ entries: this.#merging ? this.#merged(part) : part });
    }
    this.#take();
  }

  /** They were dropped from the log before they could be read. */
  async #lost(): Promise<void> {
    this.#restarts += 1;
    await this.feed.look().catch(() => {});
    if (this.#restarts <= RESTARTS) this.restart();
    else
      this.fail({ code: 'unavailable', message: 'the log of the run has holes', remedy: 'subscribe again in a while' });
  }

  #merged(entries: readonly Entry[]): readonly Entry[] {
    const merged = mergeEvents(entries.map(({ event }) => event));
    if (merged.length === entries.length) return entries;
    return merged.map((event) => entries.find((entry) => entry.event === event) ?? entryOf(this.feed.run, event));
  }

  #hand(batch: Batch): void {
    const last = batch.entries.at(-1);
    if (!last) return;
    this.#next = last.event.seq + 1;
    this.#restarts = 0;
    this.#sink.events(this.feed.run, batch);
  }
}
