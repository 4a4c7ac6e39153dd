/**
 * What one source has said and the log has not taken yet. One batch is under way at a time; what is said meanwhile goes
 * next, put together. Nothing is lost that could not be sent: it goes out before what came after it. A plain class
 * without waiting in it.
 *
 * @module
 */
import { addDraft, cut, type Draft, split } from './draft.ts';
import {
  type Change,
  type EventKind,
  isMergeable,
  nextLocalSeq,
  type Report,
  type RunFacts,
  type Source,
} from './model.ts';

/** What an activity is given: reports of one source, in their order. */
export interface Batch {
  /** The workflow id. */
  run: string;
  facts: RunFacts;
  reports: readonly Report[];
}

/** Reports of one batch: what the log takes well within the two seconds a local activity has. */
const BATCH = 25;
/** Best-effort batches of one run. Each costs its history an event, sent by a normal activity six. */
export const MOST_REPORTS = 2_000;
/** With n batches of the second half left at an age t, the next one may go 4 t / n after the last. */
const SPREAD = 4;
/** After a batch that failed nothing goes out by best effort for so long, each time twice as long, ms. */
const PAUSE = { first: 5_000, longest: 60_000 } as const;

export class Outbox {
  readonly source: Source;
  readonly #beganAt: number;
  #most: number;
  #drafts: Draft[] = [];
  /** Of batches that failed: they keep their numbers, so that what did arrive is not told twice. */
  #again: Report[] = [];
  #flying: Report[] | undefined;
  #last = 0;
  #sent = 0;
  #sentAt = 0;
  #pause = 0;
  #quietUntil = 0;

  /** @param now epoch ms: when the run began */
  constructor(source: Source, now: number, most: number = MOST_REPORTS) {
    this.source = source;
    this.#beganAt = now;
    this.#most = most;
  }

  /** Of a run that turns out to have less room in its history. */
  limit(most: number): void {
    this.#most = Math.min(this.#most, most);
  }

  /** Somebody else has told this much for the source. */
  toldUpTo(localSeq: number): void {
    this.#last = Math.max(this.#last, localSeq);
  }

  add(kind: EventKind, change: Change, now: number): void {
    addDraft(this.#drafts, { ...cut(change), kind, at: now });
  }

  get waits(): boolean {
    return this.#drafts.length + this.#again.length > 0;
  }

  /** Whether a batch is under way. */
  get busy(): boolean {
    return this.#flying !== undefined;
  }

  /** Whether something waits that must not be lost (a status, data, an end), and the last failure is long enough ago. */
  maySurely(now: number): boolean {
    return now >= this.#quietUntil && [...this.#again, ...this.#drafts].some(({ kind }) => !isMergeable(kind));
  }

  /**
   * Whether a best-effort batch may go now: nothing is under way, the last failure is long enough ago, and the history has
   * room. After half of the batches a run may have, the rest is spread: pauses grow with the age of the run, so that there
   * is always some left.
   */
  mayGo(now: number): boolean {
    if (!this.waits || this.busy || now < this.#quietUntil) return false;
    const left = this.#most - this.#sent;
    if (left <= 0) return false;
    return this.#sent < this.#most / 2 || now - this.#sentAt >= (SPREAD * (now - this.#beganAt)) / left;
  }

  /** The next batch, which is under way until it is settled. */
  take(now: number, { sure = false, most = BATCH }: { sure?: boolean; most?: number } = {}): Report[] {
    const again = this.#again.slice(0, most);
    const drafts = this.#drafts.flatMap(split);
    const fresh = drafts.splice(0, most - again.length).map((draft): Report => {
      this.#last = nextLocalSeq(this.#last, now);
      return { ...draft, source: this.source, localSeq: this.#last };
    });
    this.#again = this.#again.slice(again.length);
    this.#drafts = drafts;
    const reports = [...again, ...fresh];
    this.#flying = reports;
    if (!sure) {
      this.#sent += 1;
      this.#sentAt = now;
    }
    return reports;
  }

  /** @param told whether the log has the batch that was under way */
  settle(told: boolean, now: number): void {
    const { first, longest } = PAUSE;
    if (!told) this.#again = [...(this.#flying ?? []), ...this.#again];
    this.#flying = undefined;
    this.#pause = told ? 0 : Math.min(longest, this.#pause * 2 || first);
    this.#quietUntil = told ? 0 : now + this.#pause;
  }
}
