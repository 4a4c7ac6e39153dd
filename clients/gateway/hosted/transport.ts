/**
 * A connection that API Gateway holds: what is sent goes by PostToConnection, one at a time, since two on their way at once may
 * arrive in either order.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Batch, Message } from '../live/message.ts';
import type { Transport, TransportEvents, TransportLimits } from '../live/transport.ts';

/** The two calls of API Gateway's management API that are needed. */
export interface ConnectionsApi {
  /** @throws Error by the name of API Gateway's error: GoneException, LimitExceededException, … */
  post(connectionId: string, bytes: Uint8Array): Promise<void>;
  end(connectionId: string): Promise<void>;
}

/**
 * Quotas of WebSocket APIs of API Gateway, none of which can be raised: a frame has 32 KB, a connection ends after two hours,
 * and after ten minutes of silence.
 */
export const LIMITS: Required<TransportLimits> = {
  maxMessageBytes: 32_768,
  // Ours end before that of API Gateway, whose clock began earlier.
  maxLifeMs: 2 * 60 * 60_000 - 60_000,
  idleMs: 10 * 60_000,
};
/** Bytes that wait, above which it takes no more. */
const FULL_BYTES = 131_072;
/** A connection is there only once $connect has been answered: until then posts are told that it is gone. */
const OPENING_MS = 10_000;
const OPENING_PAUSE_MS = 25;
const PAUSE_MS = { first: 50, most: 5_000 };

export class HostedTransport implements Transport {
  readonly limits = LIMITS;
  /** API Gateway looks after that, and posts are told. */
  readonly alive = true;
  readonly #id: string;
  readonly #api: ConnectionsApi;
  readonly #now: () => number;
  readonly #openedAt: number;
  /** Told once, however it ended. */
  onEnd: () => void = () => {};
  readonly #queue: Message[] = [];
  #events: TransportEvents | undefined;
  #bytes = 0;
  #posting = false;
  #reached = false;
  #ended = false;

  constructor(connectionId: string, api: ConnectionsApi, now: () => number) {
    this.#id = connectionId;
    this.#api = api;
    this.#now = now;
    this.#openedAt = now();
  }

  listen(events: TransportEvents): void {
    this.#events = events;
  }

  get full(): boolean {
    return this.#bytes > FULL_BYTES;
  }

  send(message: Message): void {
    if (this.#ended) return;
    this.#queue.push(message);
    this.#bytes += message.frame.length;
    if (!this.#posting) void this.#post();
  }

  sendBatch({ entries }: Batch): void {
    for (const { message } of entries) this.send(message);
  }

  /** There is no such frame at API Gateway: heartbeats are messages. */
  ping(): void {}

  /** What the client says, as one of the routes was told. */
  received(text: string): void {
    if (!this.#ended) this.#events?.message(text);
  }

  /** The client has gone. */
  left(): void {
    if (this.#ended) return;
    this.#end();
    this.#events?.closed();
  }

  /** The code does not reach the client, who is told to connect again, which is right in each case. */
  close(): void {
    this.terminate();
  }

  terminate(): void {
    if (this.#ended) return;
    this.#end();
    // Gone already is as good.
    this.#api.end(this.#id).catch(() => {});
  }

  #end(): void {
    this.#ended = true;
    this.#queue.length = 0;
    this.#bytes = 0;
    this.onEnd();
  }

  async #post(): Promise<void> {
    this.#posting = true;
    let pause = PAUSE_MS.first;
    while (!this.#ended) {
      const next = this.#queue[0];
      if (!next) break;
      const failure = await this.#try(next);
      if (failure === 'gone') this.left();
      else if (failure === 'opening') await delay(OPENING_PAUSE_MS);
      else if (failure === 'later') {
        await delay(pause * (0.5 + Math.random() / 2));
        pause = Math.min(PAUSE_MS.most, pause * 2);
      } else {
        pause = PAUSE_MS.first;
        this.#sent(next);
      }
    }
    this.#posting = false;
  }

  async #try({ frame, header }: Message): Promise<'gone' | 'opening' | 'later' | undefined> {
    try {
      await this.#api.post(this.#id, frame.subarray(header));
      this.#reached = true;
      return undefined;
    } catch (error) {
      const { name } = error as Error;
      if (name !== 'GoneException' && name !== 'ForbiddenException' && name !== 'PayloadTooLargeException')
        return 'later';
      const opening = !this.#reached && this.#now() - this.#openedAt < OPENING_MS;
      return name === 'GoneException' && opening ? 'opening' : 'gone';
    }
  }

  #sent(message: Message): void {
    if (this.#ended) return;
    this.#queue.shift();
    const full = this.full;
    this.#bytes -= message.frame.length;
    if (full && !this.full) this.#events?.drained();
  }
}
