/**
 * All live sessions of a gateway: heartbeats, ends of tokens and lives, rows of connections, cursors, requests. One timer for
 * all of them.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { mapLimited } from '../../../lib/concurrency.ts';
import type { Connection, ConnectionsStore } from '../../../lib/store/connections.ts';
import type { SessionsStore, SessionUser } from '../../../lib/store/sessions.ts';
import { CLOSE_CODES } from '../../live/protocol.ts';
import type { Tokens } from '../auth/tokens.ts';
import { type RequestContext, RequestError, type RequestHandler } from '../requests.ts';
import { Cursors } from './cursors.ts';
import { Deadlines } from './deadlines.ts';
import type { Hub } from './hub.ts';
import type { SessionIdentity } from './identity.ts';
import { Session } from './session.ts';
import type { Reply, SessionDeps } from './session-deps.ts';
import type { Transport } from './transport.ts';

const TICK_MS = 1_000;
const HEARTBEAT_MS = 25_000;
/** How long before its token or its life ends a client is told. */
const NOTICE_MS = 60_000;
/** Rows of connections that are there are written anew so often. */
const SEEN_MS = 60_000;
/** A row that has not been, for so long, is of a gateway that died. */
const DEAD_MS = 2.5 * SEEN_MS;
const WRITES_AT_A_TIME = 8;

export interface SessionsDeps {
  /** Of this process. */
  gateway: string;
  hub: Hub;
  connections: ConnectionsStore;
  sessions: SessionsStore;
  tokens?: Tokens | undefined;
  requests?: readonly RequestHandler[];
  /** For requests. */
  client?: Client;
  log: Logger;
  /** How often a client that hears nothing else hears something, and is asked whether it is there. */
  heartbeatMs?: number;
  now?(): number;
}

export interface Sessions {
  /** @returns the session, whose events the transport is to tell */
  open(identity: SessionIdentity, transport: Transport, connectionId?: string): Session;
  readonly count: number;
  cursors: Cursors;
  start(): void;
  /** Once a second. */
  tick(): void;
  /** Sends everybody to another gateway. */
  close(): Promise<void>;
}

/**
 * Where each message costs money, silence may last; it still has to be broken well before it ends the connection.
 * @returns every which heartbeat is one of this connection
 */
const restOf = ({ limits: { idleMs } }: Transport): number =>
  idleMs === undefined ? 1 : Math.max(1, Math.floor(idleMs / 2.5 / HEARTBEAT_MS));

export function createSessions(deps: SessionsDeps): Sessions {
  const { hub, connections, sessions, log, now = Date.now } = deps;
  const heartbeatMs = deps.heartbeatMs ?? HEARTBEAT_MS;
  const slots = Math.max(1, Math.round(heartbeatMs / TICK_MS));
  const all = new Set<Session>();
  const cursors = new Cursors(sessions, log, now);
  const deadlines = new Deadlines(now());
  const handlers = new Map(deps.requests?.map((handler) => [handler.what, handler]));
  const takeBack = new WeakMap<Session, (() => void)[]>();
  const writing = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let failing = false;

  /** Rows are for looking at, and for whoever comes after: no connection ends because one could not be written. */
  const write = (work: () => Promise<unknown>): Promise<void> => {
    const done = work().then(
      () => {
        failing = false;
      },
      (error: unknown) => {
        if (!failing) log.warn({ error: (error as Error).name }, 'rows of connections cannot be written now');
        failing = true;
      },
    );
    const kept = done.finally(() => writing.delete(kept));
    writing.add(kept);
    return kept;
  };

  const contextOf = ({ principal, identity }: Session, client: Client, at: number): RequestContext => ({
    principal,
    client,
    at,
    cursor: (run) => cursors.get(identity.user, run),
  });

  const request = async (session: Session, what: string, input: unknown): Promise<Reply> => {
    const handler = handlers.get(what);
    const problem = (code: RequestError['code'], message: string, remedy: string): Reply => ({
      problem: { code, message, remedy },
    });
    if (!handler)
      return problem('bad-message', `there is no request ${what}`, `there are: ${[...handlers.keys()].join(', ')}`);
    if (!deps.client) return problem('unavailable', 'this gateway starts no workflows', 'ask another one');
    try {
      return await handler.handle(contextOf(session, deps.client, now()), input);
    } catch (error) {
      if (error instanceof RequestError) return problem(error.code, error.message, error.remedy);
      log.error({ request: what, error: (error as Error).name }, 'a request over a live connection failed');
      return problem('unavailable', 'the request failed', 'try again in a while');
    }
  };

  const until = (session: Session, at: number, run: () => void) => {
    const list = takeBack.get(session) ?? [];
    list.push(deadlines.at(at, run));
    takeBack.set(session, list);
  };

  const expires = (session: Session, at: number) => {
    until(session, at - NOTICE_MS, () => {
      if (session.principal.expiresAt === at) session.say({ type: 'tokenExpires', at });
    });
    until(session, at, () => {
      if (session.principal.expiresAt === at) session.close(CLOSE_CODES.tokenExpired, 'the token has expired');
    });
  };

  const leave = async (session: Session, connection: Connection): Promise<void> => {
    const at = now();
    await cursors.flush(session.identity.user);
    await connections.closed(connection, at);
    await sessions.seen(session.identity.user, at);
    const leaving = [...handlers.values()].filter(({ left }) => left);
    if (!deps.client || leaving.length === 0) return;
    if ((await connections.activeOf(connection.userId, at - DEAD_MS)) > 0) return;
    for (const handler of leaving) await handler.left?.(contextOf(session, deps.client, at));
  };

  const connectionOf = (session: Session): Connection => ({
    userId: session.identity.user.userId,
    connectionId: session.id,
    gateway: deps.gateway,
    openedAt: session.openedAt,
  });

  const sessionDeps: SessionDeps = {
    hub,
    cursors,
    tokens: deps.tokens,
    now,
    request,
    expires,
    closed(session) {
      all.delete(session);
      for (const back of takeBack.get(session) ?? []) back();
      void write(() => leave(session, connectionOf(session)));
    },
  };

  /** Spread over the interval, so that thousands are not written to at once. */
  const beat = (slot: number) => {
    let place = 0;
    for (const session of all) {
      place += 1;
      if (place % slots !== slot) continue;
      const beats = Math.floor(ticks / slots);
      if (!session.transport.alive) session.transport.terminate();
      else if (beats % restOf(session.transport) === 0) {
        if (session.quiet) session.say({ type: 'pong' });
        session.quiet = true;
        session.transport.ping();
      }
    }
  };

  let ticks = 0;
  const seen = async () => {
    const at = now();
    await connections.alive([...all].map(connectionOf), at);
    const users = new Map<string, SessionUser>([...all].map(({ identity: { user } }) => [user.userId, user]));
    await mapLimited([...users.values()], WRITES_AT_A_TIME, (user) => sessions.seen(user, at));
  };

  const live: Sessions = {
    cursors,
    get count() {
      return all.size;
    },
    open(identity, transport, connectionId = randomBytes(12).toString('base64url')) {
      const session = new Session(connectionId, identity, transport, sessionDeps);
      all.add(session);
      session.welcome(heartbeatMs * restOf(transport));
      if (session.principal.expiresAt !== undefined) expires(session, session.principal.expiresAt);
      const { maxLifeMs } = transport.limits;
      if (maxLifeMs !== undefined) {
        const by = session.openedAt + maxLifeMs;
        until(session, by - NOTICE_MS, () => session.say({ type: 'rotate', by }));
        until(session, by, () => session.close(CLOSE_CODES.rotate, 'open another connection'));
      }
      void write(() => connections.opened(connectionOf(session), session.openedAt));
      return session;
    },
    start() {
      timer ??= setInterval(() => live.tick(), TICK_MS);
    },
    tick() {
      ticks += 1;
      deadlines.tick(now());
      beat(ticks % slots);
      void cursors.tick();
      if (ticks % (SEEN_MS / TICK_MS) === 0) void write(seen);
    },
    async close() {
      clearInterval(timer);
      for (const session of [...all]) session.close(CLOSE_CODES.goingAway, 'the gateway ends; connect again');
      await Promise.all(writing);
      await cursors.flush();
    },
  };
  return live;
}
