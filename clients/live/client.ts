/**
 * The live client, for browsers and Node: watches runs over one WebSocket and delivers each event once and in order,
 * whatever happens to the connection. {@link createCore} decides, this drives it with real sockets and timers.
 *
 * @module
 */
import type { Live, LiveOptions, WebSocketLike, WebSocketType } from './client-types.ts';
import { createCore } from './core.ts';
import { defaultStorage, keepIdentity, newIdentity, readIdentity } from './identity.ts';
import { BEARER_PREFIX, CLOSE_CODES, PATH, TOKEN_PROTOCOL } from './protocol.ts';

export * from './client-types.ts';
export { memoryStorage, newIdentity, readIdentity } from './identity.ts';

const OPEN = 1;
/** Longest wait `setTimeout` knows. */
const LONGEST_MS = 2_147_483_647;

/** Of a page: what makes a client look at once. */
interface Page {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
  visibilityState?: string;
}

/** Connects, and goes on connecting until it is closed or refused. */
export function connectLive(options: LiveOptions): Live {
  const url = socketUrl(options.url);
  const Socket = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketType }).WebSocket;
  if (!Socket) throw new Error('this Node has no WebSocket of its own: give connectLive the one of the package ws');
  const { token } = options;
  const storage = options.storage ?? defaultStorage();
  let identity = options.identity ?? (token === undefined ? readIdentity(storage, url) : undefined);
  let renamed = false;
  const sockets = new Map<number, WebSocketLike | undefined>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const core = createCore(
    {
      now: () => Date.now(),
      random: () => Math.random(),
      open: (id) => void open(id),
      send(id, text) {
        const socket = sockets.get(id);
        if (socket?.readyState !== OPEN) return;
        options.onRaw?.('out', text);
        socket.send(text);
      },
      close(id) {
        const socket = sockets.get(id);
        sockets.delete(id);
        socket?.close(1000);
      },
      fetchToken: () => void renew(),
      refused() {
        if (renamed || !rename()) return false;
        renamed = true;
        return true;
      },
      onState: (state) => options.onState?.(state),
      onWelcome(welcome) {
        if (identity && welcome.secret !== undefined) {
          identity = { userId: identity.userId, secret: welcome.secret };
          if (!options.identity) keepIdentity(storage, url, identity);
        }
        options.onWelcome?.(welcome);
      },
      onError: (error) => options.onError?.(error),
    },
    { renewable: typeof token === 'function', ...(options.reconnect && { reconnect: options.reconnect }) },
  );

  /** An id whose secret never arrived: the connection broke in between. Nobody can use it any more. */
  function rename(): boolean {
    if (options.identity || token !== undefined || identity?.secret !== undefined) return false;
    identity = newIdentity(storage, url);
    return true;
  }

  /** Every input goes through here: the one timer is set to when something is next to be done. */
  function drive<T>(input: () => T): T {
    try {
      return input();
    } finally {
      clearTimeout(timer);
      const due = core.due();
      if (due !== undefined) timer = setTimeout(() => drive(core.tick), Math.min(LONGEST_MS, due - Date.now()));
    }
  }

  async function protocols(): Promise<string[]> {
    if (token !== undefined) {
      return [TOKEN_PROTOCOL, `${BEARER_PREFIX}${typeof token === 'function' ? await token() : token}`];
    }
    return identity ? [identity.userId, ...(identity.secret === undefined ? [] : [identity.secret])] : [];
  }

  async function open(id: number): Promise<void> {
    sockets.set(id, undefined);
    try {
      const offered = await protocols();
      if (!sockets.has(id) || !Socket) return;
      const socket = new Socket(url, offered);
      sockets.set(id, socket);
      listen(id, socket);
    } catch {
      // No token, or an address no socket can be made of: tried again as any connection that fails.
      drive(() => core.ended(id, 1006));
    }
  }

  function listen(id: number, socket: WebSocketLike): void {
    let refusal: number | undefined;
    let heard = false;
    socket.addEventListener('message', ({ data }) => {
      heard = true;
      if (!sockets.has(id)) return;
      const text = String(data);
      options.onRaw?.('in', text);
      drive(() => core.heard(id, text));
    });
    // Browsers do not tell why a handshake failed; `ws` does.
    socket.addEventListener('error', ({ message }) => {
      if (message?.includes('response: 401') || message?.includes('response: 403')) refusal = CLOSE_CODES.unauthorized;
    });
    socket.addEventListener('close', ({ code, reason }) => {
      if (!sockets.delete(id)) return;
      // It may have been refused, for an id that an earlier page has used and got no answer for.
      if (!heard && refusal === undefined) rename();
      drive(() => core.ended(id, refusal ?? code, reason));
    });
  }

  async function renew(): Promise<void> {
    let fresh: string | undefined;
    try {
      fresh = typeof token === 'function' ? await token() : undefined;
    } catch {
      // Asked for again until the old one has run out, and with the next connection after that.
    }
    if (typeof token === 'function') drive(() => core.renew(fresh));
  }

  const { document } = globalThis as { document?: Page };
  const page = globalThis as Page;
  const online = () => drive(() => core.wake(true));
  const hidden = () => drive(core.hide);
  const visibility = () => drive(() => (document?.visibilityState === 'hidden' ? core.hide() : core.wake(false)));
  if (document) {
    page.addEventListener?.('online', online);
    page.addEventListener?.('pagehide', hidden);
    document.addEventListener?.('visibilitychange', visibility);
  }
  drive(core.connect);

  return {
    get state() {
      return core.state;
    },
    get userId() {
      return identity?.userId;
    },
    watch(run, watchOptions) {
      return drive(() => core.watch(run, watchOptions));
    },
    request(what, input) {
      return drive(() => core.request(what, input));
    },
    close() {
      page.removeEventListener?.('online', online);
      page.removeEventListener?.('pagehide', hidden);
      document?.removeEventListener?.('visibilitychange', visibility);
      drive(core.stop);
    },
  };
}

/** @throws Error when it is no http(s) or ws(s) address */
export function socketUrl(address: string): string {
  const url = new URL(address);
  if (url.protocol === 'http:') url.protocol = 'ws:';
  if (url.protocol === 'https:') url.protocol = 'wss:';
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:')
    throw new Error(`${address} is no address of a gateway: http(s)://host[:port] is`);
  if (url.pathname === '/') url.pathname = PATH;
  return url.href;
}
