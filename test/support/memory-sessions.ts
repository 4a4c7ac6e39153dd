/**
 * Sessions and connections in memory, with what those on DynamoDB promise.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { Connection, ConnectionsStore } from '../../lib/store/connections.ts';
import { INACTIVE_MS, type SessionsStore } from '../../lib/store/sessions.ts';
import type { Position } from '../../workflows/progress/model.ts';

export interface MemorySessions extends SessionsStore {
  /** Of every user, by run. */
  readonly cursors: Map<string, Map<string, Position>>;
  /** Of cursors. */
  writes: number;
}

export function createMemorySessions(): MemorySessions {
  const identities = new Map<string, { subject: string; secret?: string; lastSeen: number }>();
  const random = (bytes: number) => randomBytes(bytes).toString('base64url');
  const memory: MemorySessions = {
    cursors: new Map(),
    writes: 0,
    async arrive(userId, secret, now) {
      await memory.purge(userId, now - INACTIVE_MS);
      const known = identities.get(userId);
      if (!known) {
        const identity = { subject: `anon.${random(16)}`, secret: random(32), lastSeen: now };
        identities.set(userId, identity);
        return { session: secret === undefined ? 'new' : 'purged', subject: identity.subject, secret: identity.secret };
      }
      if (secret === undefined || known.secret !== secret) return { session: 'refused' };
      known.lastSeen = now;
      return { session: 'resumed', subject: known.subject };
    },
    async arriveByToken(sub, now) {
      const user = { userId: `token#${sub}`, subject: sub };
      const known = identities.get(user.userId);
      identities.set(user.userId, { subject: sub, lastSeen: now });
      return { session: known ? 'resumed' : 'new', user };
    },
    async seen({ userId }, now) {
      const known = identities.get(userId);
      if (known) known.lastSeen = Math.max(known.lastSeen, now);
    },
    async cursor({ subject }, run) {
      return memory.cursors.get(subject)?.get(run);
    },
    async moveCursor({ subject }, run, position) {
      memory.writes += 1;
      const cursors = memory.cursors.get(subject) ?? new Map<string, Position>();
      memory.cursors.set(subject, cursors);
      const before = cursors.get(run);
      if (!before || before.epoch !== position.epoch || before.seq < position.seq) cursors.set(run, position);
    },
    async purge(userId, before) {
      const known = identities.get(userId);
      if (!known || known.lastSeen >= before) return false;
      identities.delete(userId);
      memory.cursors.delete(known.subject);
      return true;
    },
  };
  return memory;
}

export interface MemoryConnections extends ConnectionsStore {
  readonly rows: Map<string, Connection & { active: boolean; lastSeen: number }>;
}

export function createMemoryConnections(): MemoryConnections {
  const rows: MemoryConnections['rows'] = new Map();
  const put = (connection: Connection, active: boolean, now: number) =>
    void rows.set(connection.connectionId, { ...connection, active, lastSeen: now });
  return {
    rows,
    opened: async (connection, now) => put(connection, true, now),
    closed: async (connection, now) => put(connection, false, now),
    alive: async (connections, now) => connections.forEach((connection) => put(connection, true, now)),
    activeOf: async (userId, since) =>
      [...rows.values()].filter((row) => row.userId === userId && row.active && row.lastSeen >= since).length,
    inactive: async (before) => ({ connections: [...rows.values()].filter(({ lastSeen }) => lastSeen < before) }),
    remove: async (_userId, connectionId) => void rows.delete(connectionId),
  };
}
