/**
 * Watching one run by whatever way works: WebSocket, server-sent events, plain requests.
 *
 * @module
 */
import { connectLive } from './client.ts';
import type { LiveOptions, Watch, WatchOptions } from './client-types.ts';
import { watchByPolling } from './poll.ts';
import { watchBySse } from './sse.ts';

export const WAYS = ['websocket', 'sse', 'poll'] as const;
export type Way = (typeof WAYS)[number];

/** Without a welcome for so long, or after so many failures, the next way is tried. */
const PATIENCE_MS = 8_000;
const FAILURES = 2;

export interface WatchRunOptions
  extends WatchOptions,
    Pick<LiveOptions, 'identity' | 'storage' | 'token' | 'WebSocket'> {
  /** This way only. */
  via?: Way;
  /** The way that is tried now. */
  onWay?(way: Way): void;
  /** A connection was lost or could not be made; it is made again by itself. */
  onRetry?(): void;
}

export function watchRun(url: string, run: string, options: WatchRunOptions): Watch {
  const { via, onWay, onRetry, identity, storage, token, WebSocket, ...watching } = options;
  const ways: readonly Way[] = via ? [via] : WAYS;
  let inner: Watch | undefined;
  let closed = false;
  const live = { identity, storage, token, WebSocket };

  /** What begins a way sets `inner` before anything can fail, and begins the next one from a later turn only. */
  function begin(index: number): void {
    const way = ways[index];
    if (!way || closed) return;
    onWay?.(way);
    const next = index + 1 < ways.length ? () => begin(index + 1) : undefined;
    if (way === 'websocket') byWebSocket(next);
    else byHttp(way, next);
  }

  function byWebSocket(next: (() => void) | undefined): void {
    let settled = next === undefined;
    let failures = 0;
    const settle = () => {
      settled = true;
      clearTimeout(timer);
    };
    const giveUp = () => {
      if (settled || closed) return;
      settle();
      connection.close();
      next?.();
    };
    const timer = settled ? undefined : setTimeout(giveUp, PATIENCE_MS);
    const connection = connectLive({
      url,
      ...defined(live),
      onWelcome: settle,
      onState(state) {
        if (state !== 'offline') return;
        failures += 1;
        onRetry?.();
        if (failures >= FAILURES) queueMicrotask(giveUp);
      },
      onError(error) {
        settle();
        if (error.code === 'unauthorized') watching.onError?.(error);
      },
    });
    const watch = connection.watch(run, watching);
    inner = {
      run,
      get position() {
        return watch.position;
      },
      close() {
        settle();
        watch.close();
        connection.close();
      },
    };
  }

  function byHttp(way: Way, next: (() => void) | undefined): void {
    let settled = next === undefined;
    const feed = (way === 'sse' ? watchBySse : watchByPolling)(url, run, {
      ...watching,
      ...(token !== undefined && { token }),
      onResume(resume) {
        settled = true;
        watching.onResume?.(resume);
      },
      onRetry(_error, attempt) {
        onRetry?.();
        if (settled || attempt < FAILURES) return;
        settled = true;
        feed.close();
        next?.();
      },
    });
    inner = feed;
  }

  begin(0);
  return {
    run,
    get position() {
      return inner?.position;
    },
    close() {
      closed = true;
      inner?.close();
    },
  };
}

function defined<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };
}
