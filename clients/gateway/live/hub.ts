/**
 * All feeds of a gateway: opened with the first watcher of a run, kept for a moment after the last, looked after by one timer.
 *
 * @module
 */
import type { Logger } from 'pino';
import { mapLimited } from '../../../lib/concurrency.ts';
import type { ProgressReader } from '../../../lib/progress/log.ts';
import type { ProgressEvent } from '../../../workflows/progress/model.ts';
import { RunFeed } from './feed.ts';
import { AWAIT_LOG_MS, type Sink, Subscription } from './subscription.ts';

const TICK_MS = 200;
/** Those who lost their connection come back within this. */
const LINGER_MS = 30_000;
const LOOKS_AT_A_TIME = 32;

export interface HubDeps {
  reader: ProgressReader;
  log: Logger;
  now?: () => number;
}

export class Hub {
  readonly #feeds = new Map<string, RunFeed>();
  readonly #reader: ProgressReader;
  readonly #log: Logger;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #failing = false;

  constructor({ reader, log, now = Date.now }: HubDeps) {
    this.#reader = reader;
    this.#log = log;
    this.#now = now;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.tick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Not begun yet: {@link Subscription.begin}. */
  subscribe(run: string, sink: Sink): Subscription {
    let feed = this.#feeds.get(run);
    if (!feed) {
      feed = new RunFeed(run, this.#reader, this.#now);
      this.#feeds.set(run, feed);
    }
    return new Subscription(feed, sink, this.#now);
  }

  /** News of a run; of one that nobody watches it is none. */
  told(run: string, epoch: string, events: readonly ProgressEvent[]): void {
    const feed = this.#feeds.get(run);
    if (!feed || feed.watchers.size === 0) return;
    feed.told(epoch, events).catch((error: unknown) => this.#failed(error));
  }

  get runs(): number {
    return this.#feeds.size;
  }

  /** Looks at the logs that are due, once at a time. */
  async tick(): Promise<void> {
    const now = this.#now();
    for (const feed of this.#feeds.values()) {
      if (feed.watchers.size === 0 && now - feed.usedAt > LINGER_MS) this.#feeds.delete(feed.run);
      this.#giveUp(feed, now);
    }
    if (this.#looking) return;
    this.#looking = true;
    const due = [...this.#feeds.values()].filter((feed) => feed.watchers.size > 0 && feed.dueAt <= now);
    let failures = 0;
    await mapLimited(due, LOOKS_AT_A_TIME, (feed) =>
      feed.look().catch((error: unknown) => {
        failures += 1;
        this.#failed(error);
      }),
    );
    if (due.length > failures) this.#failing = false;
    this.#looking = false;
  }

  #giveUp(feed: RunFeed, now: number): void {
    for (const watcher of feed.watchers) {
      if (now - (watcher.waitingSince ?? now) < AWAIT_LOG_MS) continue;
      watcher.fail({
        code: 'not-found',
        message: 'there is no such run, or its log has been removed',
        remedy: 'GET /api/v1/runs lists those there are',
      });
    }
  }

  /** Once for each outage; watchers get what they miss when it is over. */
  #failed(error: unknown): void {
    if (!this.#failing) this.#log.warn({ error: (error as Error).name }, 'logs of runs cannot be read now');
    this.#failing = true;
  }
}
