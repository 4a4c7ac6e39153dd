/**
 * What users of the live client see of it.
 *
 * @module
 */
import type { Position, ProgressEvent } from '../../workflows/progress/model.ts';
import type { ErrorCode, Resume, ServerMessage } from './protocol.ts';

export type Welcome = ServerMessage & { type: 'welcome' };

/** `offline`: waits before it tries again. `closed`: for good. */
export type LiveState = 'connecting' | 'open' | 'offline' | 'closed';

/** What the gateway refused, or why the client gave up. */
export class LiveError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string;

  constructor(code: ErrorCode, message: string, remedy: string) {
    super(message);
    this.name = 'LiveError';
    this.code = code;
    this.remedy = remedy;
  }
}

export interface WatchOptions {
  /** Go on after this event; believed before `from`. */
  position?: Position;
  /** Default `cursor`. */
  from?: 'cursor' | 'start' | 'now';
  /** For how long a run that is not known (yet) is asked for again. Default 10 s. */
  patienceMs?: number;
  /** At the beginning and after every reconnect, before the events that follow it. */
  onResume?(resume: Resume): void;
  /** Each event once, in order. It counts as seen, and is acknowledged, when this has returned. */
  onEvent?(event: ProgressEvent, position: Position): void;
  /** The watch has ended: the run is not known, or not for this user. */
  onError?(error: LiveError): void;
}

export interface Watch {
  readonly run: string;
  /** The last event delivered. */
  readonly position: Position | undefined;
  close(): void;
}

export interface Identity {
  userId: string;
  secret?: string;
}

/** How long is waited before a connection is tried again: a random time up to `firstMs`, doubled each time up to `mostMs`. */
export interface ReconnectOptions {
  firstMs: number;
  mostMs: number;
}
export const RECONNECT: ReconnectOptions = { firstMs: 500, mostMs: 30_000 };

/** Such as `sessionStorage`. */
export interface IdentityStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** The part of a WebSocket that is used: of browsers, of Node from 22 on, and of the package `ws`. */
export interface WebSocketLike {
  readyState: number;
  send(text: string): void;
  close(code?: number): void;
  addEventListener(type: 'open', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
  addEventListener(type: 'error', listener: (event: { message?: string }) => void): void;
}
export type WebSocketType = new (url: string, protocols: string[]) => WebSocketLike;

export interface LiveOptions {
  /** Of the gateway: `http(s)://host[:port]` or `ws(s)://…`; a path is kept, or is that of the contract where there is none. */
  url: string;
  /** Of an anonymous session. Without it and without a token one is made, and kept in `storage`. */
  identity?: Identity;
  /** Default: `sessionStorage` where there is one, else this connection's memory. */
  storage?: IdentityStorage;
  /** A function is asked anew before the token it gave runs out. */
  token?: string | (() => string | Promise<string>);
  /** Default: the global one. Node before 22 has none: give it the one of `ws`. */
  WebSocket?: WebSocketType;
  /** Default: {@link RECONNECT}. */
  reconnect?: ReconnectOptions;
  onState?(state: LiveState): void;
  onWelcome?(welcome: Welcome): void;
  /** What no watch and no request is told of; after `unauthorized` the connection is `closed`. */
  onError?(error: LiveError): void;
  /** Every message as it comes and goes, for whoever wants to look. */
  onRaw?(direction: 'in' | 'out', text: string): void;
}

export interface Live {
  readonly state: LiveState;
  /** Of an anonymous session. */
  readonly userId: string | undefined;
  /** @throws Error when this run is watched already over this connection */
  watch(run: string, options: WatchOptions): Watch;
  /**
   * Asked again after a reconnect, until it is answered: handlers take a repeat as the same.
   * @throws LiveError
   */
  request(what: string, input?: unknown): Promise<{ run?: string; output?: unknown }>;
  /** Acknowledges what was seen and ends the connection. */
  close(): void;
}
