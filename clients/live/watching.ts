/**
 * What is watched over a live connection: each event is delivered once and in order, then acknowledged.
 *
 * @module
 */
import type { Position } from '../../workflows/progress/model.ts';
import type { LiveError, Watch, WatchOptions } from './client-types.ts';
import { takeEvent, takeResume } from './place.ts';
import type { ClientMessage, ServerMessage } from './protocol.ts';

const ACK_EVERY_MS = 250;
const RETRY_MS = 500;
/** A log that has been removed may be begun anew. */
const GONE_RETRY_MS = 5_000;
/** A run that was only just started has not told anything yet. */
const PATIENCE_MS = 10_000;
const MOST_HOLES = 5;

/** A connection, as far as watches care. */
export interface Stream {
  id: number;
  /** Epoch of each run that is told of here. */
  streams: Map<string, string>;
}

interface Watching {
  options: WatchOptions;
  position: Position | undefined;
  /** The sequence acknowledged on the present connection. */
  acked: number;
  holes: number;
  retryAt?: number | undefined;
  impatientAt: number;
}

interface Around {
  now(): number;
  /** The connection that counts. */
  current(): Stream | undefined;
  say(link: Stream, message: ClientMessage): void;
  /** This connection tells wrong things: leave it. */
  leave(link: Stream): void;
  /** Something may have begun or ended to be told of. */
  changed(): void;
}

export function createWatching({ now, current, say, leave, changed }: Around) {
  const watches = new Map<string, Watching>();
  let ackAt: number | undefined;

  function subscribe(link: Stream, run: string, watch: Watching): void {
    link.streams.delete(run);
    watch.retryAt = undefined;
    watch.acked = 0;
    const { position, options } = watch;
    say(link, { type: 'subscribe', run, ...(position ? { position } : options.from && { from: options.from }) });
  }

  function acknowledge(): void {
    ackAt = undefined;
    const link = current();
    if (!link) return;
    for (const [run, watch] of watches) {
      const { position } = watch;
      if (!position || position.seq <= watch.acked || link.streams.get(run) !== position.epoch) continue;
      watch.acked = position.seq;
      say(link, { type: 'ack', run, position });
    }
  }

  /** Nothing is delivered out of order: what is missing is asked for, and a connection that keeps missing is left. */
  function askAgain(link: Stream, run: string, watch: Watching): void {
    if (link !== current()) return;
    watch.holes += 1;
    if (watch.holes > MOST_HOLES) {
      watch.holes = 0;
      return leave(link);
    }
    say(link, { type: 'unsubscribe', run });
    subscribe(link, run, watch);
  }

  return {
    acknowledge,
    watch(run: string, options: WatchOptions): Watch {
      if (watches.has(run)) throw new Error(`${run} is watched already over this connection: close that watch first`);
      const watch: Watching = {
        options,
        position: options.position,
        acked: 0,
        holes: 0,
        impatientAt: now() + (options.patienceMs ?? PATIENCE_MS),
      };
      watches.set(run, watch);
      const link = current();
      if (link) subscribe(link, run, watch);
      return {
        run,
        get position() {
          return watch.position;
        },
        close() {
          if (watches.get(run) !== watch) return;
          acknowledge();
          watches.delete(run);
          const link = current();
          if (link) say(link, { type: 'unsubscribe', run });
          changed();
        },
      };
    },
    subscribeAll(link: Stream): void {
      for (const [run, watch] of watches) subscribe(link, run, watch);
    },
    /** Whether all that is watched is told of there. */
    isWhole: (link: Stream): boolean =>
      [...watches].every(([run, { retryAt }]) => link.streams.has(run) || retryAt !== undefined),

    resumed(link: Stream, message: ServerMessage & { type: 'subscribed' }): void {
      const { type: _, run, ...verdict } = message;
      const watch = watches.get(run);
      if (!watch || (link !== current() && current()?.streams.has(run))) return;
      const taken = takeResume(watch.position, verdict);
      if (taken === 'hole') return askAgain(link, run, watch);
      if (taken.position?.epoch !== watch.position?.epoch) watch.acked = 0;
      watch.position = taken.position;
      if (taken.position) {
        link.streams.set(run, taken.position.epoch);
        ackAt ??= now() + ACK_EVERY_MS;
      } else watch.retryAt = now() + GONE_RETRY_MS;
      watch.options.onResume?.(taken.resume);
      changed();
    },
    happened(link: Stream, { run, event: told }: ServerMessage & { type: 'event' }): void {
      const watch = watches.get(run);
      // Of a connection that has not said where it begins, or of a log that is no longer the one.
      if (!watch?.position || link.streams.get(run) !== watch.position.epoch) return;
      const event = takeEvent(watch.position, told);
      if (event === 'duplicate') return;
      if (event === 'hole') return askAgain(link, run, watch);
      watch.position = { epoch: watch.position.epoch, seq: event.seq };
      watch.holes = 0;
      ackAt ??= now() + ACK_EVERY_MS;
      watch.options.onEvent?.(event, watch.position);
    },
    failed(link: Stream, run: string, error: LiveError): void {
      const watch = watches.get(run);
      if (!watch || link !== current()) return;
      link.streams.delete(run);
      if (error.code === 'unavailable' || (error.code === 'not-found' && now() < watch.impatientAt))
        watch.retryAt = now() + RETRY_MS;
      else {
        watches.delete(run);
        watch.options.onError?.(error);
      }
      changed();
    },
    due(): (number | undefined)[] {
      return current() ? [ackAt, ...[...watches.values()].map(({ retryAt }) => retryAt)] : [];
    },
    tick(): void {
      if (ackAt !== undefined && ackAt <= now()) acknowledge();
      const link = current();
      if (!link) return;
      for (const [run, watch] of watches)
        if (watch.retryAt !== undefined && watch.retryAt <= now()) subscribe(link, run, watch);
    },
  };
}
