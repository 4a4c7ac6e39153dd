/**
 * Forgetting users who have been away for too long: their sessions with all cursors, and rows of their connections.
 *
 * @module
 */
import { mapLimited } from '../concurrency.ts';
import type { ConnectionsStore, InactivePage } from './connections.ts';
import { INACTIVE_MS, type SessionsStore } from './sessions.ts';

export interface PurgeOptions {
  connections: Pick<ConnectionsStore, 'inactive' | 'remove'>;
  sessions: Pick<SessionsStore, 'purge'>;
  /** Epoch ms. */
  now: number;
  /** Rows of connections looked at, at most; the rest is left to the next time. */
  limit?: number;
  /** Told after every page. */
  beat?(): void;
}

const ROWS = 2_000;
const PAGE = 100;
const AT_A_TIME = 8;

/**
 * A session goes before the rows it is found by, so that what is broken off is found again. One whose user has another
 * connection has been seen lately, and stays.
 */
export async function purgeInactive({
  connections,
  sessions,
  now,
  limit = ROWS,
  beat,
}: PurgeOptions): Promise<{ connections: number; sessions: number; more: boolean }> {
  const before = now - INACTIVE_MS;
  const done = { connections: 0, sessions: 0 };
  let page: InactivePage | undefined;
  do {
    const { connections: found, next } = await connections.inactive(before, page, PAGE);
    const gone = new Set<string>();
    await mapLimited([...new Set(found.map(({ userId }) => userId))], AT_A_TIME, async (userId) => {
      if (await sessions.purge(userId, before)) gone.add(userId);
    });
    await mapLimited(found, AT_A_TIME, ({ userId, connectionId }) => connections.remove(userId, connectionId));
    done.connections += found.length;
    done.sessions += gone.size;
    beat?.();
    page = next;
  } while (page && done.connections < limit);
  return { ...done, more: page !== undefined };
}
