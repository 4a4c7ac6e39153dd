/**
 * The live connection as a state machine: which connection counts, when another is made, what is to be said when. It has
 * no timers, sockets or clock of its own: whoever drives it tells it what happened and calls `tick` at `due`.
 *
 * While a connection is being replaced both are read, and what comes twice is dropped, so that nothing waits for the
 * change.
 *
 * @module
 */
import {
  LiveError,
  type LiveState,
  RECONNECT,
  type ReconnectOptions,
  type Watch,
  type WatchOptions,
  type Welcome,
} from './client-types.ts';
import { createRequests, type Reply } from './pending.ts';
import { CLOSE_CODES, type ClientMessage, type ServerMessage } from './protocol.ts';
import { createWatching, type Stream } from './watching.ts';

/** A connection that has lasted so long was none of those that fail at once. */
const STABLE_MS = 5_000;
const OPEN_WITHIN_MS = 15_000;
/** For how long a replaced connection is still read, at most. */
const RETIRE_MS = 5_000;
const RENEW_BEFORE_MS = 60_000;
const RENEW_AGAIN_MS = 5_000;
const MOST_PARTS = 4_096;

export interface Ports {
  now(): number;
  /** 0 to 1. */
  random(): number;
  /** Begins a connection, of which `heard` and `ended` tell. */
  open(id: number): void;
  send(id: number, text: string): void;
  /** `ended` need not be told. */
  close(id: number): void;
  /** Get a new token and tell `renew`. */
  fetchToken(): void;
  /** The identity was refused. @returns whether there is another to try */
  refused(): boolean;
  onState(state: LiveState): void;
  onWelcome(welcome: Welcome): void;
  onError(error: LiveError): void;
}

interface Link extends Stream {
  begunAt: number;
  welcomedAt?: number;
  heardAt: number;
  heartbeatMs: number;
  pinged: boolean;
  parts: Map<string, string[]>;
  /** It is being replaced, and read until then. */
  endBy?: number;
}

/**
 * @param options.renewable whether there can be another token in the place of one that has run out
 * @param options.reconnect how long is waited before another connection
 */
export function createCore(
  ports: Ports,
  { renewable, reconnect = RECONNECT }: { renewable: boolean; reconnect?: ReconnectOptions },
) {
  const { now } = ports;
  let ids = 0;
  let current: Link | undefined;
  let next: Link | undefined;
  let retiring: Link[] = [];
  let attempts = 0;
  let retryAt: number | undefined;
  let renewAt: number | undefined;
  let stopped: LiveError | undefined;
  let state: LiveState | undefined;

  const links = () => [current, next, ...retiring].filter((link) => link !== undefined);
  const find = (id: number) => links().find((link) => link.id === id);
  const say = (link: Stream, message: ClientMessage) => ports.send(link.id, JSON.stringify(message));
  const past = (time: number | undefined) => time !== undefined && time <= now();
  const requests = createRequests(now, (message) => {
    if (current) say(current, message);
    return current?.id;
  });
  const watching = createWatching({
    now,
    current: () => current,
    say,
    leave: (link) => drop(link.id, CLOSE_CODES.badMessage),
    changed: retire,
  });

  function show(): void {
    const is = stopped ? 'closed' : current ? 'open' : next ? 'connecting' : 'offline';
    if (is === state) return;
    state = is;
    ports.onState(is);
  }

  /** Begins a connection, beside the present one if there is one. */
  function connect(): void {
    retryAt = undefined;
    if (stopped || next) return;
    ids += 1;
    next = {
      id: ids,
      begunAt: now(),
      heardAt: now(),
      heartbeatMs: OPEN_WITHIN_MS,
      pinged: false,
      streams: new Map(),
      parts: new Map(),
    };
    show();
    ports.open(next.id);
  }

  /** Full jitter: many clients of one gateway do not come back together. */
  function connectLater(atOnce: boolean): void {
    if (stopped || next || retryAt !== undefined) return;
    const wait = Math.min(reconnect.mostMs, reconnect.firstMs * 2 ** Math.min(attempts, 10));
    retryAt = now() + (atOnce && attempts === 0 ? 0 : ports.random() * wait);
    attempts += 1;
  }

  /** It is read no longer. */
  function drop(id: number, code: number = CLOSE_CODES.goingAway): void {
    ports.close(id);
    ended(id, code);
  }

  /** The replaced connections end as soon as the present one tells of everything that is watched. */
  function retire(): void {
    if (retiring.length > 0 && current && watching.isWhole(current)) for (const { id } of retiring) drop(id);
  }

  function stop(error: LiveError): void {
    if (stopped) return;
    stopped = error;
    const open = links();
    current = next = retryAt = undefined;
    retiring = [];
    for (const { id } of open) ports.close(id);
    requests.refuseAll(error);
    show();
  }

  function refuse(error: LiveError, id?: number): void {
    if (ports.refused()) {
      if (id !== undefined) drop(id);
      return;
    }
    stop(error);
    ports.onError(error);
  }

  function welcomed(link: Link, welcome: Welcome): void {
    if (link !== next) return;
    link.welcomedAt = now();
    link.heartbeatMs = welcome.heartbeatMs;
    if (current) {
      current.endBy = now() + RETIRE_MS;
      retiring.push(current);
    }
    current = link;
    next = renewAt = undefined;
    watching.subscribeAll(link);
    requests.sendAgain();
    ports.onWelcome(welcome);
    show();
    retire();
  }

  function failed(link: Link, { code, message, remedy, run, id }: ServerMessage & { type: 'error' }): void {
    const error = new LiveError(code, message, remedy);
    if (requests.refuse(id, error)) return;
    if (run !== undefined) watching.failed(link, run, error);
    else if (code === 'unauthorized') refuse(error, link.id);
    else ports.onError(error);
  }

  /** @param text of a text frame */
  function heard(id: number, text: string): void {
    const link = find(id);
    if (!link) return;
    link.heardAt = now();
    link.pinged = false;
    let message: ServerMessage | undefined;
    try {
      message = JSON.parse(text) as ServerMessage;
      if (message.type === 'part') message = joinPart(link.parts, message);
    } catch {
      return drop(id, CLOSE_CODES.badMessage);
    }
    if (message) take(link, message);
  }

  function take(link: Link, message: ServerMessage): void {
    if (message.type === 'welcome') welcomed(link, message);
    else if (message.type === 'subscribed') watching.resumed(link, message);
    else if (message.type === 'event') watching.happened(link, message);
    else if (message.type === 'error') failed(link, message);
    else if (message.type === 'reply') {
      const { type: _, id, ...reply } = message;
      requests.answer(id, reply);
    } else if (message.type === 'tokenExpires')
      renewAt = message.at - Math.min(RENEW_BEFORE_MS, Math.max(0, message.at - now()) / 2);
    else if (message.type === 'rotate' && link === current) {
      link.endBy = message.by;
      connectLater(true);
    }
    // All else needs no answer, or is of a newer gateway.
  }

  /** A connection has ended, or could not be made. */
  function ended(id: number, code: number, reason = ''): void {
    const link = find(id);
    if (!link) return;
    if (link === next) next = undefined;
    else if (link === current) current = retiring.pop();
    else retiring = retiring.filter((one) => one !== link);
    if (link.welcomedAt !== undefined && now() - link.welcomedAt >= STABLE_MS) attempts = 0;
    if (code === CLOSE_CODES.unauthorized || (code === CLOSE_CODES.tokenExpired && !renewable))
      refuse(unauthorized(reason));
    if (code === CLOSE_CODES.tooMany) attempts = Math.max(attempts, 4);
    if (!current || current.endBy !== undefined)
      connectLater(code === CLOSE_CODES.goingAway || code === CLOSE_CODES.rotate);
    requests.sendAgain(id);
    show();
  }

  function tick(): void {
    if (next && past(next.begunAt + OPEN_WITHIN_MS)) drop(next.id);
    if (current && past(current.heardAt + 2 * current.heartbeatMs)) drop(current.id);
    else if (current && !current.pinged && past(current.heardAt + current.heartbeatMs)) {
      current.pinged = true;
      say(current, { type: 'ping' });
    }
    for (const { id } of retiring.filter(({ endBy }) => past(endBy))) drop(id);
    watching.tick();
    requests.tick();
    if (current && past(renewAt)) {
      renewAt = undefined;
      ports.fetchToken();
    }
    if (past(retryAt)) connect();
  }

  /** When `tick` has something to do; epoch ms. */
  function due(): number | undefined {
    if (stopped) return undefined;
    const times = [retryAt, next && next.begunAt + OPEN_WITHIN_MS, ...requests.due(), ...watching.due()];
    if (current) times.push(renewAt, current.heardAt + current.heartbeatMs * (current.pinged ? 2 : 1));
    times.push(...retiring.map(({ endBy }) => endBy));
    const known = times.filter((time) => time !== undefined);
    return known.length > 0 ? Math.min(...known) : undefined;
  }

  return {
    connect,
    heard,
    ended,
    tick,
    due,
    /** The network is there again, or somebody looks again: whatever is waited for is tried now. */
    wake(networkChanged: boolean): void {
      const silent = current !== undefined && now() - current.heardAt > current.heartbeatMs;
      if (retryAt !== undefined || silent || networkChanged) connect();
    },
    /** Whoever looks goes: what was seen is told at once. */
    hide: watching.acknowledge,
    /** @param token undefined: there is none yet, so it is asked for again */
    renew(token: string | undefined): void {
      if (token !== undefined && current) say(current, { type: 'renew', token });
      else renewAt = now() + RENEW_AGAIN_MS;
    },
    watch(run: string, options: WatchOptions): Watch {
      if (stopped) throw stopped;
      return watching.watch(run, options);
    },
    request: (what: string, input: unknown): Promise<Reply> =>
      stopped ? Promise.reject(stopped) : requests.ask(what, input),
    stop(): void {
      watching.acknowledge();
      stop(new LiveError('unavailable', 'this connection was closed by its user', 'connect again'));
    },
    get state(): LiveState {
      return state ?? 'connecting';
    },
  };
}

/** @throws Error when parts are missing */
function joinPart(
  known: Map<string, string[]>,
  { id, index, count, text }: ServerMessage & { type: 'part' },
): ServerMessage | undefined {
  const parts = known.get(id) ?? [];
  if (index !== parts.length || count > MOST_PARTS) throw new Error('parts are missing');
  parts.push(text);
  known.set(id, parts);
  if (parts.length < count) return undefined;
  known.delete(id);
  return JSON.parse(parts.join('')) as ServerMessage;
}

const unauthorized = (reason: string) =>
  new LiveError(
    'unauthorized',
    reason || 'the gateway does not take this identity or token',
    'sign in again for a fresh token, or reset the identity',
  );
