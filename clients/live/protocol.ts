/**
 * What a gateway and its clients say to one another over a WebSocket: JSON objects in text frames. Shared by the gateway,
 * the typed client and the console. docs/live.md describes it for other languages.
 *
 * A client offers subprotocols: `[userId, secret?]` of an anonymous session, or `['longhaul', 'bearer.<JWT>']`; the first
 * is echoed, the second never.
 *
 * @module
 */
import type { Position, ProgressEvent, Snapshot } from '../../workflows/progress/model.ts';

export const PATH = '/api/v1/live';
/** Echoed when a token was offered. */
export const TOKEN_PROTOCOL = 'longhaul';
export const BEARER_PREFIX = 'bearer.';
/** Made by the client; opaque, and a legal subprotocol. */
export const USER_ID_PATTERN = /^[A-Za-z0-9_-]{16,64}$/;
/** Made by the gateway, 256 bits. */
export const SECRET_PATTERN = /^[A-Za-z0-9_-]{43}$/;

export const ROLES = ['viewer', 'operator', 'approver'] as const;
/** Each may do what the ones before it may. */
export type Role = (typeof ROLES)[number];

/** What a client says. */
export type ClientMessage =
  /**
   * `from`: `cursor` (default) goes on where this user's acknowledgements are, or with a snapshot where there are none;
   * `start` replays the log from its beginning; `now` begins with a snapshot. A `position` is believed before all of these.
   */
  | { type: 'subscribe'; run: string; position?: Position; from?: 'cursor' | 'start' | 'now' }
  | { type: 'unsubscribe'; run: string }
  /** Everything up to there has been seen: the cursor moves. */
  | { type: 'ack'; run: string; position: Position }
  /** A fresh token in the place of one that runs out. */
  | { type: 'renew'; token: string }
  /** Of the samples: starts a workflow, or tells a running one of this user something. */
  | { type: 'request'; id: string; what: string; input?: unknown }
  | { type: 'ping' };

/** How a subscription begins, and what was missed before it. */
export type Resume =
  /** No position was given and no cursor is known. */
  | { verdict: 'fresh'; snapshot: Snapshot }
  /** Nothing was missed. */
  | { verdict: 'current'; position: Position }
  /** `count` events follow as `event` messages, from `position.seq + 1` on. */
  | { verdict: 'replayed'; position: Position; count: number }
  /** Events `from` to `to` are no longer kept; the snapshot has what they said. Goes on after `snapshot.seq`. */
  | { verdict: 'gap'; from: number; to: number; snapshot: Snapshot }
  /** The log the position was of is gone; `snapshot` is of the one there is now, where there is one. */
  | { verdict: 'purged'; snapshot?: Snapshot };

/** What a gateway says. */
export type ServerMessage =
  | {
      type: 'welcome';
      connectionId: string;
      userId: string;
      /** Once, to a user who is new: offered as second subprotocol from now on. */
      secret?: string;
      /** `purged`: this user was away for too long, cursors are gone. */
      session: 'new' | 'resumed' | 'purged';
      role: Role;
      /** `*`: all. */
      consumers: readonly string[] | '*';
      /** A client that hears nothing for twice as long may reconnect. */
      heartbeatMs: number;
    }
  | ({ type: 'subscribed'; run: string } & Resume)
  | { type: 'event'; run: string; event: ProgressEvent }
  /** What a request led to; `run` can be subscribed to. */
  | { type: 'reply'; id: string; run?: string; output?: unknown }
  | { type: 'error'; code: ErrorCode; message: string; remedy: string; run?: string; id?: string }
  /** Renew by then (epoch ms), or the connection is closed with {@link CLOSE_CODES}.tokenExpired. */
  | { type: 'tokenExpires'; at: number }
  | { type: 'renewed'; expiresAt: number }
  /** This connection ends by then (epoch ms): open another one now; nothing is lost. */
  | { type: 'rotate'; by: number }
  /** A message too long for a frame, in parts: `JSON.parse` of all `text` in order. */
  | { type: 'part'; id: string; index: number; count: number; text: string }
  | { type: 'pong' };

export const ERROR_CODES = [
  'bad-message',
  'message-too-large',
  'too-many-messages',
  'too-many-subscriptions',
  'not-found',
  'forbidden',
  'unauthorized',
  'unavailable',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Application codes of close frames (4000 to 4999). */
export const CLOSE_CODES = {
  badMessage: 4400,
  unauthorized: 4401,
  tokenExpired: 4403,
  tooSlow: 4408,
  messageTooLarge: 4413,
  tooMany: 4429,
  rotate: 4300,
  /** The gateway ends: connect again at once, to another one. */
  goingAway: 1001,
} as const;

export const LIMITS = {
  /** Bytes of a client's message. */
  messageBytes: 65_536,
  subscriptions: 1_000,
  /** Client messages a second, with a burst of the same; acknowledgements are merged before they are counted. */
  messagesPerSecond: 50,
} as const;
