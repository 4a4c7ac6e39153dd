/**
 * The live connection as pages use it: one for the whole console. Where WebSockets do not get through, what matters most
 * is watched by server-sent events instead.
 *
 * @module
 */
import { signal } from '@preact/signals';
import type { ProgressEvent } from '../../../workflows/progress/model.ts';
import { connectLive, type Live, type LiveState, type Watch, type WatchOptions } from '../../live/client.ts';
import type { Resume } from '../../live/protocol.ts';
import { watchBySse } from '../../live/sse.ts';
import { token } from './http.ts';

export type Connection = 'connecting' | 'open' | 'lost';

export interface WatchHandlers {
  /** Comes first, and again after every reconnect. */
  resumed(resume: Resume): void;
  event(event: ProgressEvent): void;
  failed(error: { code: string; message: string; remedy: string }): void;
}

/** A connection that has not come to be within this time will not. */
const PATIENCE_MS = 8_000;
/** A token is renewed while it is still good for so long. */
const FRESH_MS = 120_000;

export const connection = signal<Connection>('connecting');
/** Epoch ms: when what is shown was last known to be so. */
export const lastHeard = signal(Date.now());

const STATES: Readonly<Record<LiveState, Connection>> = {
  connecting: 'connecting',
  open: 'open',
  offline: 'lost',
  closed: 'lost',
};

let connected: Live | undefined;
let welcomed = false;

/** Once it is known who we are. */
export function connect(): Live {
  if (connected && connected.state !== 'closed') return connected;
  connected = connectLive({
    url: location.origin,
    ...(token.value !== undefined && { token: freshToken }),
    onState(state) {
      if (connection.value === 'open') lastHeard.value = Date.now();
      // While it is made anew it is lost still.
      if (state !== 'connecting' || connection.value === 'open') connection.value = STATES[state];
    },
    onWelcome() {
      welcomed = true;
    },
  });
  return connected;
}

/** The token there is, if it is good for a while; else the one the user is asked for. */
function freshToken(): string | Promise<string> {
  const before = token.value ?? '';
  if (expiryOf(before) - Date.now() > FRESH_MS) return before;
  return new Promise((resolve) => {
    const stop = token.subscribe((text) => {
      if (text === undefined || text === before) return;
      queueMicrotask(() => stop());
      resolve(text);
    });
  });
}

/** Epoch ms, as the token itself says; what does not say is taken for good. */
function expiryOf(jwt: string): number {
  try {
    const { exp } = JSON.parse(atob((jwt.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'))) as {
      exp?: unknown;
    };
    return typeof exp === 'number' ? exp * 1000 : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/**
 * @param matters it is what the page is about: watched whatever way works
 * @returns ends it
 */
export function watchLive(run: string, handlers: WatchHandlers, matters: boolean): () => void {
  const options: WatchOptions = {
    from: 'now',
    onResume: (resume) => handlers.resumed(resume),
    onEvent: (event) => handlers.event(event),
    onError: (error) => handlers.failed(error),
  };
  let watch: Watch | undefined = connect().watch(run, options);
  const timer = setTimeout(() => {
    if (welcomed || !matters) return;
    watch?.close();
    watch = watchBySse(location.origin, run, {
      ...options,
      ...(token.value !== undefined && { token: () => token.value ?? '' }),
      onResume(resume) {
        connection.value = 'open';
        handlers.resumed(resume);
      },
      onRetry() {
        connection.value = 'lost';
      },
    });
  }, PATIENCE_MS);
  return () => {
    clearTimeout(timer);
    watch?.close();
    watch = undefined;
  };
}
