/**
 * Events of one run as server-sent events, for whoever cannot use WebSockets. `id:` is `<epoch>:<seq>`, so that a browser
 * goes on where it was by itself.
 *
 * @module
 */
import type { ServerResponse } from 'node:http';
import type { Position, RunFacts } from '../../../workflows/progress/model.ts';
import type { Resume } from '../../live/protocol.ts';
import { maySee, type Principal } from '../principal.ts';
import { formatPosition } from './client-message.ts';
import type { Hub } from './hub.ts';
import { type Batch, keptOf } from './message.ts';
import type { Problem, Sink, Subscription } from './subscription.ts';

const FULL_BYTES = 131_072;
const HELD_BYTES = 4_194_304;
const KEEP_ALIVE_MS = 15_000;
/** After which a browser connects again. */
const RETRY_MS = 1_000;

export interface Streams {
  /** Takes the response over, and ends it. */
  open(response: ServerResponse, run: string, position: Position | undefined, principal: Principal): void;
  readonly count: number;
  close(): void;
}

export function createStreams(hub: Pick<Hub, 'subscribe'>, now: () => number = Date.now): Streams {
  const all = new Set<Stream>();
  const timer = setInterval(() => {
    for (const stream of all) stream.keepAlive(now());
  }, KEEP_ALIVE_MS);
  timer.unref();
  return {
    get count() {
      return all.size;
    },
    open(response, run, position, principal) {
      const stream = new Stream(response, principal);
      all.add(stream);
      response.on('close', () => {
        all.delete(stream);
        stream.end();
      });
      stream.begin(hub.subscribe(run, stream), position);
    },
    close() {
      clearInterval(timer);
      for (const stream of all) stream.end();
    },
  };
}

class Stream implements Sink {
  readonly #response: ServerResponse;
  readonly #principal: Principal;
  #subscription: Subscription | undefined;
  #epoch = '';
  #heldBytes = 0;
  #alive = true;

  constructor(response: ServerResponse, principal: Principal) {
    this.#response = response;
    this.#principal = principal;
  }

  begin(subscription: Subscription, position: Position | undefined): void {
    this.#subscription = subscription;
    this.#response.on('drain', () => {
      this.#heldBytes = 0;
      subscription.drained();
    });
    this.#response.write(`retry: ${RETRY_MS}\n\n`);
    void subscription.begin(position);
  }

  get full(): boolean {
    return this.#response.writableLength > FULL_BYTES;
  }

  allowed(facts: RunFacts): boolean {
    return maySee(this.#principal, facts);
  }

  begun(_run: string, resume: Resume, snapshot: string | undefined): void {
    const at = 'position' in resume ? resume.position : resume.snapshot;
    this.#epoch = at?.epoch ?? '';
    const id = at ? `id: ${formatPosition(at)}\n` : '';
    const { snapshot: _, ...rest } = { snapshot: undefined, ...resume };
    const text = JSON.stringify(rest);
    const data = snapshot === undefined ? text : `${text.slice(0, -1)},"snapshot":${snapshot}}`;
    this.#response.write(`${id}event: resume\ndata: ${data}\n\n`);
  }

  events(_run: string, { entries }: Batch): void {
    this.#alive = true;
    for (const { event } of entries)
      this.#response.write(`id: ${this.#epoch}:${event.seq}\ndata: ${JSON.stringify(event)}\n\n`);
  }

  held(batch: Batch): void {
    this.#heldBytes += keptOf(batch).bytes;
    // It comes back by itself, and goes on where it was.
    if (this.#heldBytes > HELD_BYTES) this.#response.destroy();
  }

  failed(_run: string, { code, message, remedy }: Problem): void {
    this.#response.end(`event: error\ndata: ${JSON.stringify({ code, message, remedy })}\n\n`);
  }

  keepAlive(now: number): void {
    const { expiresAt } = this.#principal;
    if (expiresAt !== undefined && expiresAt <= now) this.end();
    else if (!this.#alive && !this.full) this.#response.write(':\n\n');
    this.#alive = false;
  }

  end(): void {
    this.#subscription?.end();
    this.#response.end();
  }
}
