/**
 * The story as it changes: told by the gateway as it happens, looked after by a slow poll, and read anew when its signed
 * addresses grow old.
 *
 * @module
 */
import type { ReadableStory } from '../../../lib/story/document.ts';
import { isEnded } from '../../../workflows/story/model.ts';

/** Of signed addresses, which live an hour. */
const RENEW_MS = 50 * 60_000;
/** While the gateway tells, and while it does not. */
const POLL_TOLD_MS = 60_000;
const POLL_MS = 10_000;
/** Between two reads, however much is told. */
const PAUSE_MS = 500;

export interface FeedHandlers {
  story(story: ReadableStory): void;
  percent(percent: number): void;
  /** It can be read no more. */
  gone(): void;
}

/** Of what belongs to the story of this page: `story.json` */
export const addressOf = (name: string): string => `${location.pathname}/${name}${location.search}`;

export class StoryFeed {
  #story: ReadableStory;
  readonly #handlers: FeedHandlers;
  #source: EventSource | undefined;
  #timer: number | undefined;
  #etag: string | undefined;
  #readAt = Date.now();
  #reading: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(story: ReadableStory, handlers: FeedHandlers) {
    this.#story = story;
    this.#handlers = handlers;
  }

  start(): void {
    document.addEventListener('visibilitychange', this.#seen);
    if (!isEnded(this.#story.status)) this.#listen();
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    document.removeEventListener('visibilitychange', this.#seen);
    this.#source?.close();
    clearTimeout(this.#timer);
  }

  /** Reads it; addresses stay as they are where what they lead to has not changed, unless they are to be `renewed`. */
  async read({ renewed = false } = {}): Promise<void> {
    if (this.#reading && !renewed) {
      this.#again = true;
      return this.#reading;
    }
    const reading = this.#read(renewed)
      .catch(() => {})
      .finally(() => {
        if (this.#reading === reading) this.#reading = undefined;
        if (this.#again && !this.#stopped) setTimeout(() => void this.read(), PAUSE_MS);
        this.#again = false;
        this.#schedule();
      });
    this.#reading = reading;
    return reading;
  }

  async #read(renewed: boolean): Promise<void> {
    const unchanged = renewed || this.#etag === undefined ? {} : { 'if-none-match': this.#etag };
    const answer = await fetch(addressOf('story.json'), { headers: unchanged, cache: 'no-store' });
    if (this.#stopped) return;
    if (answer.status === 410 || answer.status === 404) {
      this.stop();
      this.#handlers.gone();
    }
    if (answer.status !== 200) return;
    const story = (await answer.json()) as ReadableStory;
    this.#etag = answer.headers.get('etag') ?? undefined;
    if (renewed) this.#readAt = Date.now();
    this.#story = renewed ? story : withAddressesOf(this.#story, story);
    this.#handlers.story(this.#story);
    if (!isEnded(story.status)) {
      // One that had failed is gone on with.
      if (!this.#source) this.#listen();
      return;
    }
    this.#source?.close();
    this.#source = undefined;
  }

  #listen(): void {
    const source = new EventSource(addressOf('events'));
    this.#source = source;
    source.addEventListener('changed', ({ data }: MessageEvent<string>) => {
      const { percent } = JSON.parse(data) as { percent?: number };
      if (percent !== undefined) this.#handlers.percent(percent);
      void this.read();
    });
    source.addEventListener('untold', () => source.close());
    source.addEventListener('error', () => this.#schedule());
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    const now = Date.now();
    const told = this.#source?.readyState === EventSource.OPEN;
    const { status } = this.#story;
    const slowly = told || isEnded(status);
    const polls = status === 'COMPLETE' ? Number.POSITIVE_INFINITY : slowly ? POLL_TOLD_MS : POLL_MS;
    const ends = Date.parse(this.#story.expiresAt) + 1_000 - now;
    const renews = this.#readAt + RENEW_MS - now;
    this.#timer = setTimeout(
      () => void this.read({ renewed: Date.now() - this.#readAt >= RENEW_MS }),
      Math.max(PAUSE_MS, Math.min(polls, ends, renews)),
    );
  }

  /** A page that slept may have missed anything. */
  readonly #seen = () => {
    if (document.visibilityState !== 'visible') return;
    const renewed = Date.now() - this.#readAt >= RENEW_MS;
    if (renewed || this.#story.status !== 'COMPLETE') void this.read({ renewed });
  };
}

/** An address that is signed anew leads to the same, and would be loaded again. */
function withAddressesOf(before: ReadableStory, now: ReadableStory): ReadableStory {
  const image = same(before.image.url, now.image.url) ? { ...now.image, url: before.image.url } : now.image;
  const audio = same(before.audio.url, now.audio.url) ? { ...now.audio, url: before.audio.url } : now.audio;
  return { ...now, image, audio } as ReadableStory;
}

function same(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  const [left, right] = [new URL(one, location.href), new URL(other, location.href)];
  return left.origin === right.origin && left.pathname === right.pathname;
}
