/**
 * Sessions and connections on DynamoDB: who an id belongs to, cursors that only go on, users who are forgotten.
 *
 * @module
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { type ConnectionsStore, createConnectionsStore } from '../../lib/store/connections.ts';
import { purgeInactive } from '../../lib/store/purge.ts';
import { createSessionsStore, INACTIVE_MS, type SessionsStore } from '../../lib/store/sessions.ts';
import { freshTables } from '../support/fresh-tables.ts';

const ID = 'a-user-of-its-own-42';
const RUN = 'launch/run-1';
const NOW = 1_780_000_000_000;
const tables = freshTables();
let sessions: SessionsStore;
let connections: ConnectionsStore;

beforeEach(() => {
  sessions = createSessionsStore(tables.client, tables.names);
  connections = createConnectionsStore(tables.client, tables.names);
});

/** @throws where it is not new */
async function first(userId = ID, now = NOW) {
  const arrival = await sessions.arrive(userId, undefined, now);
  if (!('secret' in arrival)) throw new Error(`${userId} was there before`);
  return { ...arrival, user: { userId, subject: arrival.subject } };
}

describe('an id', () => {
  it('belongs to whoever comes with it first, of many at once', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => sessions.arrive(ID, undefined, NOW)));
    expect(all.filter(({ session }) => session === 'new')).toHaveLength(1);
    expect(all.filter(({ session }) => session === 'refused')).toHaveLength(7);
  });

  it('opens with its secret only, which is not kept as it is', async () => {
    const { secret, subject } = await first();
    expect(await sessions.arrive(ID, secret, NOW + 1)).toEqual({ session: 'resumed', subject });
    const other = Buffer.alloc(32).toString('base64url');
    for (const wrong of [undefined, other, `${secret.slice(0, -1)}_`])
      expect(await sessions.arrive(ID, wrong, NOW)).toEqual({ session: 'refused' });
    const written = tables.kit.calls.list({ operation: 'PutItem' }).map((call) => JSON.stringify(call));
    expect(written.join('')).not.toContain(secret);
  });

  it('is free again once its user was away for too long, and owns nothing of before', async () => {
    const { secret, user } = await first();
    await sessions.moveCursor(user, RUN, { epoch: 'e', seq: 4 });
    const later = NOW + INACTIVE_MS + 1;
    const again = await sessions.arrive(ID, secret, later);
    expect(again).toMatchObject({ session: 'purged', secret: expect.any(String) as string });
    if (!('secret' in again)) throw new Error('no secret');
    expect(again.subject).not.toBe(user.subject);
    expect(await sessions.cursor({ userId: ID, subject: again.subject }, RUN)).toBeUndefined();
    // Written late by a gateway that knew the one before.
    await sessions.moveCursor(user, RUN, { epoch: 'e', seq: 9 });
    expect(await sessions.cursor({ userId: ID, subject: again.subject }, RUN)).toBeUndefined();
    expect(await sessions.arrive(ID, again.secret, later)).toMatchObject({ session: 'resumed' });
  });

  it('stays its own while its user is seen', async () => {
    const { secret, user } = await first();
    await sessions.seen(user, NOW + INACTIVE_MS);
    await sessions.seen(user, NOW + 5);
    expect(await sessions.arrive(ID, secret, NOW + 2 * INACTIVE_MS)).toMatchObject({ session: 'resumed' });
  });
});

describe('a user with a token', () => {
  it('is found by its subject, and is nobody of the same id', async () => {
    const { session, user } = await sessions.arriveByToken(ID, NOW);
    expect(session).toBe('new');
    expect((await sessions.arriveByToken(ID, NOW + 1)).session).toBe('resumed');
    await sessions.moveCursor(user, RUN, { epoch: 'e', seq: 4 });
    const anonymous = await first(ID);
    expect(await sessions.cursor(anonymous.user, RUN)).toBeUndefined();
  });
});

describe('a cursor', () => {
  it('only goes on within a log, and begins anew with another', async () => {
    const { user } = await first();
    const move = (epoch: string, seq: number) => sessions.moveCursor(user, RUN, { epoch, seq });
    await Promise.all([move('e', 3), move('e', 7), move('e', 5)]);
    expect(await sessions.cursor(user, RUN)).toEqual({ epoch: 'e', seq: 7 });
    await move('e', 6);
    expect(await sessions.cursor(user, RUN)).toEqual({ epoch: 'e', seq: 7 });
    await move('f', 1);
    expect(await sessions.cursor(user, RUN)).toEqual({ epoch: 'f', seq: 1 });
    expect(await sessions.cursor(user, 'launch/other')).toBeUndefined();
  });
});

describe('the purge', () => {
  const connection = (userId: string, connectionId: string) => ({ userId, connectionId, gateway: 'g', openedAt: NOW });
  const purge = (now: number, limit?: number) =>
    purgeInactive({ connections, sessions, now, ...(limit !== undefined && { limit }) });

  it('forgets who left, and whose gateway died, and nobody who is there', async () => {
    const users = ['left-and-never-back-1', 'of-a-dead-gateway-22', 'there-all-the-time-3', 'back-on-another-one-4'];
    const [left, dead, there, back] = await Promise.all(users.map((user) => first(user)));
    for (const { user } of [left, dead, there, back] as { user: { userId: string } }[])
      await connections.opened(connection(user.userId, `${user.userId}-c1`), NOW);
    await connections.closed(connection(users[0] ?? '', `${users[0]}-c1`), NOW + 1);
    await connections.closed(connection(users[3] ?? '', `${users[3]}-c1`), NOW + 1);
    await sessions.moveCursor((left as { user: { userId: string; subject: string } }).user, RUN, {
      epoch: 'e',
      seq: 1,
    });
    const later = NOW + INACTIVE_MS + 10;
    for (const [at, one] of [there, back].entries()) {
      const { user } = one as { user: { userId: string; subject: string } };
      await connections.alive([connection(user.userId, `${user.userId}-c${at === 0 ? 1 : 2}`)], later);
      await sessions.seen(user, later);
    }
    let beats = 0;
    const done = await purgeInactive({ connections, sessions, now: later, beat: () => void (beats += 1) });
    expect(done).toEqual({ connections: 3, sessions: 2, more: false });
    expect(beats).toBe(16);
    expect(await Promise.all(users.map((user) => connections.activeOf(user, later)))).toEqual([0, 0, 1, 1]);
    expect(await sessions.arrive(users[0] ?? '', 'S'.repeat(43), later)).toMatchObject({ session: 'purged' });
    expect(await sessions.arrive(users[3] ?? '', back?.secret, later)).toMatchObject({ session: 'resumed' });
    expect(await purge(later)).toEqual({ connections: 0, sessions: 0, more: false });
  });

  it('does a part at a time, and goes on where it was', async () => {
    for (let user = 0; user < 30; user += 1)
      await connections.closed(connection(`user-that-has-left-${user}`, `${user}-c`), NOW);
    const now = NOW + INACTIVE_MS + 1;
    let rounds = 0;
    let removed = 0;
    for (let more = true; more; rounds += 1) {
      const done = await purge(now, 5);
      removed += done.connections;
      more = done.more;
    }
    expect(removed).toBe(30);
    expect(rounds).toBeGreaterThan(1);
  });
});
