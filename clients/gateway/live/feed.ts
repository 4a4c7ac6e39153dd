/**
 * The one reader a run has, however many watch it: keeps its newest events, encoded, and hands on what comes.
 *
 * News comes by nudges, which may have the events themselves; whatever they miss, a look at the log finds. A look reads the
 * head first, so a log that was removed and begun anew is noticed.
 *
 * @module
 */
import type { LogHead, ProgressReader } from '../../../lib/progress/log.ts';
import type { Position, ProgressEvent, RunFacts } from '../../../workflows/progress/model.ts';
import { RunPicture } from '../../../workflows/progress/picture.ts';
import type { Resume } from '../../live/protocol.ts';
import { type Batch, type Entry, entryOf } from './message.ts';
import type { Subscription } from './subscription.ts';
import { verdictOf } from './verdict.ts';

/** Events read at a time. */
const PAGE = 500;
/** Of the newest: those who lost their gateway come back all at once, and lack little. */
const PRELOAD = 200;
const RING_EVENTS = 2_000;
const RING_BYTES = 4_194_304;
/** What a watcher finds is at most this old when it comes. */
const FRESH_MS = 2_000;
const LOOK_MS = 2_000;
const LOOK_ENDED_MS = 30_000;
/** While somebody waits for a log to begin; a nudge is quicker. */
const LOOK_AWAITED_MS = 1_000;

/** How a subscription begins: what it is told, and which event it needs next. */
export interface Beginning {
  resume: Resume;
  /** The resume's snapshot as JSON. */
  snapshot?: string;
  epoch: string;
  next: number;
  facts: RunFacts;
}

export class RunFeed {
  readonly run: string;
  readonly watchers = new Set<Subscription>();
  /** Epoch ms, of the last time somebody came or went. */
  usedAt: number;
  readonly #reader: ProgressReader;
  readonly #now: () => number;
  #head: LogHead | undefined;
  #tail = 0;
  #ring: Entry[] = [];
  #ringBytes = 0;
  #picture: RunPicture | undefined;
  #snapshot: { seq: number; epoch: string; json: string } | undefined;
  #lookedAt = 0;
  #looking: Promise<void> | undefined;
  #lookingAgain: Promise<void> | undefined;
  readonly #pages = new Map<number, Promise<Entry[]>>();

  constructor(run: string, reader: ProgressReader, now: () => number) {
    this.run = run;
    this.#reader = reader;
    this.#now = now;
    this.usedAt = now();
  }

  get head(): LogHead | undefined {
    return this.#head;
  }

  /** The newest event known of. */
  get tail(): number {
    return this.#tail;
  }

  /** Epoch ms: when the log should be looked at again. */
  get dueAt(): number {
    if (!this.#head) {
      const awaited = [...this.watchers].some(({ waitingSince = 0 }) => waitingSince < Number.POSITIVE_INFINITY);
      return this.#lookedAt + (awaited ? LOOK_AWAITED_MS : LOOK_ENDED_MS);
    }
    return this.#lookedAt + (this.#head.endedAt === undefined ? LOOK_MS : LOOK_ENDED_MS);
  }

  /** What somebody says has come; anything beyond what is known and not next to it is looked for. */
  async told(epoch: string, events: readonly ProgressEvent[]): Promise<void> {
    const fresh = events.filter(({ seq }) => seq > this.#tail);
    if (this.#head?.epoch === epoch && fresh.length === 0 && events.length > 0) return;
    if (this.#head?.epoch === epoch && isConsecutive(fresh, this.#tail)) this.#append(fresh);
    else await this.look();
  }

  /** Reads what is new; one that is begun after this call, not one under way. */
  look(): Promise<void> {
    if (!this.#looking) {
      this.#looking = this.#look().finally(() => {
        this.#looking = undefined;
      });
      return this.#looking;
    }
    this.#lookingAgain ??= this.#looking
      .catch(() => {})
      .then(() => {
        this.#lookingAgain = undefined;
        return this.look();
      });
    return this.#lookingAgain;
  }

  /**
   * What to tell somebody who has seen everything up to `position`.
   * @returns undefined where there is no log, and none was seen before
   */
  async begin(position: Position | 'start' | undefined): Promise<Beginning | { purged: true } | undefined> {
    // While nobody watched, nobody told.
    if (this.watchers.size <= 1 || this.#now() - this.#lookedAt > FRESH_MS) await this.look();
    else if (this.#looking) await this.#looking;
    for (let tries = 1; ; tries += 1) {
      const seen = position === 'start' ? this.#head && { epoch: this.#head.epoch, seq: 0 } : position;
      // Seen through another gateway, which was quicker.
      if (seen && seen.epoch === this.#head?.epoch && seen.seq > this.#tail) await this.look();
      const head = this.#head;
      if (!head) return seen ? { purged: true } : undefined;
      const verdict = verdictOf({ epoch: head.epoch, first: head.first, tail: this.#tail }, seen);
      const facts = factsOf(head);
      if (verdict.verdict === 'current' || verdict.verdict === 'replayed')
        return { resume: verdict, epoch: head.epoch, next: verdict.position.seq + 1, facts };
      const picture = await this.#pictureOf(head.epoch);
      if (picture && this.#head?.epoch === head.epoch) {
        const snapshot = picture.snapshot();
        return {
          resume: { ...verdict, snapshot },
          snapshot: this.#json(picture),
          epoch: head.epoch,
          next: snapshot.seq + 1,
          facts,
        };
      }
      if (tries === 3) throw new Error(`the picture of ${this.run} is of another log than its events`);
      await this.look();
    }
  }

  /** @returns undefined where they are not kept here */
  recent(from: number, limit: number): Entry[] | undefined {
    const first = this.#tail - this.#ring.length + 1;
    if (from < first) return undefined;
    return this.#ring.slice(from - first, from - first + limit);
  }

  /** From the log; those who ask for the same at once share it. */
  page(from: number): Promise<Entry[]> {
    const asked = this.#pages.get(from);
    if (asked) return asked;
    const page = this.#reader
      .read(this.run, from - 1, PAGE)
      .then((events) => events.map((event) => entryOf(this.run, event)))
      .finally(() => this.#pages.delete(from));
    this.#pages.set(from, page);
    return page;
  }

  async #look(): Promise<void> {
    const head = await this.#reader.head(this.run);
    this.#lookedAt = this.#now();
    if (head?.epoch !== this.#head?.epoch) this.#restart(head, head ? Math.max(head.first - 1, head.seq - PRELOAD) : 0);
    else this.#head = head && { ...head, seq: Math.max(head.seq, this.#tail) };
    for (;;) {
      if (!head || this.#head?.epoch !== head.epoch || this.#tail >= head.seq) break;
      const events = await this.#reader.read(this.run, this.#tail, PAGE);
      const fresh = events.filter(({ seq }) => seq > this.#tail);
      if (fresh.length === 0) break;
      // Those between have been dropped already: watchers are told of a gap.
      const first = (fresh[0] as ProgressEvent).seq;
      if (first !== this.#tail + 1) this.#restart({ ...head, first }, first - 1);
      this.#append(fresh);
    }
    for (const watcher of this.watchers) watcher.looked();
  }

  /** Goes on with another log, or a later part of the same. */
  #restart(head: LogHead | undefined, tail: number): void {
    const before = this.#head;
    this.#head = head && { ...head };
    this.#tail = tail;
    this.#ring = [];
    this.#ringBytes = 0;
    this.#picture = undefined;
    // Those who came before there was one are beginning just now, or wait until it has been looked at.
    if (before) for (const watcher of this.watchers) watcher.restart();
  }

  #append(events: readonly ProgressEvent[]): void {
    const [first] = events;
    if (!first || !this.#head) return;
    const entries = events.map((event) => entryOf(this.run, event));
    for (const { event, message } of entries) {
      this.#picture?.apply(event);
      this.#ringBytes += message.frame.length;
      if (event.status !== undefined) this.#head.status = event.status;
      if (event.kind === 'end') this.#head.endedAt = event.at;
      // As in the picture.
      else if (event.kind === 'status') delete this.#head.endedAt;
    }
    this.#ring.push(...entries);
    this.#tail += entries.length;
    this.#head.seq = Math.max(this.#head.seq, this.#tail);
    this.#trim();
    const batch: Batch = { entries };
    for (const watcher of this.watchers) watcher.append(first.seq, batch);
  }

  /** By halves, so that it costs little. */
  #trim(): void {
    if (this.#ring.length <= RING_EVENTS && this.#ringBytes <= RING_BYTES) return;
    const left = Math.max(1, Math.min(RING_EVENTS / 2, Math.floor(this.#ring.length / 2)));
    for (const { message } of this.#ring.splice(0, this.#ring.length - left)) this.#ringBytes -= message.frame.length;
  }

  /** The picture at the tail or later, kept up to date from then on. */
  async #pictureOf(epoch: string): Promise<RunPicture | undefined> {
    if (this.#picture) return this.#picture;
    const snapshot = await this.#reader.snapshot(this.run);
    if (snapshot?.epoch !== epoch) return undefined;
    const picture = new RunPicture(snapshot);
    while (picture.seq < this.#tail && this.#head?.epoch === epoch) {
      const entries = this.recent(picture.seq + 1, PAGE) ?? (await this.page(picture.seq + 1));
      if (entries[0]?.event.seq !== picture.seq + 1) return undefined;
      for (const { event } of entries) picture.apply(event);
    }
    if (this.#head?.epoch !== epoch) return undefined;
    // Somebody else may have been quicker; both are right.
    this.#picture ??= picture;
    return this.#picture;
  }

  #json(picture: RunPicture): string {
    const epoch = this.#head?.epoch ?? '';
    if (this.#snapshot?.seq !== picture.seq || this.#snapshot.epoch !== epoch)
      this.#snapshot = { seq: picture.seq, epoch, json: JSON.stringify(picture.snapshot()) };
    return this.#snapshot.json;
  }
}

const isConsecutive = (events: readonly ProgressEvent[], after: number): boolean =>
  events.length > 0 && events.every(({ seq }, index) => seq === after + 1 + index);

const factsOf = ({ domain, consumer, owner, parent }: LogHead): RunFacts => ({
  domain,
  ...(consumer !== undefined && { consumer }),
  ...(owner !== undefined && { owner }),
  ...(parent !== undefined && { parent }),
});
