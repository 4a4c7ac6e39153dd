/**
 * Tells pages that something of their story has changed, as server-sent events. What has changed they read themselves, so
 * however many watch, and however slowly, there is nothing to keep for them.
 *
 * @module
 */
import type { ServerResponse } from 'node:http';
import type { RunFacts } from '../../../workflows/progress/model.ts';
import { workflowIdOf } from '../../../workflows/story/model.ts';
import type { Resume } from '../../live/protocol.ts';
import type { Hub } from '../live/hub.ts';
import type { Batch } from '../live/message.ts';
import type { Sink, Subscription } from '../live/subscription.ts';

/** A family, and whoever it sent the link to. */
export const STREAMS_PER_STORY = 50;
const STREAMS = 2_000;
const HEARTBEAT_MS = 15_000;
/** After which a browser connects again. */
const RETRY_MS = 2_000;
const FULL_BYTES = 16_384;

export interface StoryStreams {
  /** @returns whether there is room for another one */
  room(storyId: string): boolean;
  /**
   * Takes the response over, headers included, and ends it.
   * @param until epoch ms: when the story goes
   */
  open(response: ServerResponse, story: { storyId: string; family: string; until: number }): void;
  readonly count: number;
  close(): void;
}

export function createStoryStreams(
  hub: Pick<Hub, 'subscribe'>,
  { now, heartbeatMs = HEARTBEAT_MS }: { now(): number; heartbeatMs?: number | undefined },
): StoryStreams {
  const all = new Map<string, Set<Stream>>();
  let count = 0;
  const timer = setInterval(() => {
    for (const streams of all.values()) for (const stream of streams) stream.beat(now());
  }, heartbeatMs);
  timer.unref();
  return {
    get count() {
      return count;
    },
    room: (storyId) => count < STREAMS && (all.get(storyId)?.size ?? 0) < STREAMS_PER_STORY,
    open(response, { storyId, family, until }) {
      const stream = new Stream(response, family, until);
      const ofStory = all.get(storyId) ?? new Set();
      all.set(storyId, ofStory.add(stream));
      count += 1;
      response.on('close', () => {
        stream.end();
        if (!ofStory.delete(stream)) return;
        count -= 1;
        if (ofStory.size === 0 && all.get(storyId) === ofStory) all.delete(storyId);
      });
      stream.begin(hub.subscribe(workflowIdOf(storyId), stream));
    },
    close() {
      clearInterval(timer);
      for (const streams of all.values()) for (const stream of streams) stream.end();
    },
  };
}

class Stream implements Sink {
  readonly #response: ServerResponse;
  readonly #family: string;
  readonly #until: number;
  #subscription: Subscription | undefined;
  #percent: number | undefined;

  constructor(response: ServerResponse, family: string, until: number) {
    this.#response = response;
    this.#family = family;
    this.#until = until;
  }

  begin(subscription: Subscription): void {
    this.#subscription = subscription;
    this.#response.on('drain', () => subscription.drained());
    this.#response.write(`retry: ${RETRY_MS}\n\n`);
    void subscription.begin(undefined);
  }

  get full(): boolean {
    return this.#response.writableLength > FULL_BYTES;
  }

  allowed({ consumer }: RunFacts): boolean {
    return consumer === this.#family;
  }

  /** Whoever comes back may have missed something. */
  begun(_run: string, resume: Resume): void {
    if ('snapshot' in resume) this.#percent = resume.snapshot.percent;
    this.#changed();
  }

  events(_run: string, { entries }: Batch): void {
    for (const { event } of entries) this.#percent = event.percent ?? this.#percent;
    this.#changed();
  }

  /** What comes once there is room again tells it too. */
  held(): void {}

  /** There is no log of it, or it cannot be read: the page looks by itself. */
  failed(): void {
    this.#response.end('event: untold\ndata: {}\n\n');
  }

  beat(now: number): void {
    if (now >= this.#until) this.end();
    else if (!this.full) this.#response.write(':\n\n');
  }

  end(): void {
    this.#subscription?.end();
    this.#response.end();
  }

  #changed(): void {
    this.#response.write(`event: changed\ndata: ${JSON.stringify({ percent: this.#percent })}\n\n`);
  }
}
