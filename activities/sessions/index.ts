/**
 * What the purge of sessions does outside.
 *
 * @module
 */
import { Context } from '@temporalio/activity';
import type { ConnectionsStore } from '../../lib/store/connections.ts';
import { purgeInactive } from '../../lib/store/purge.ts';
import type { SessionsStore } from '../../lib/store/sessions.ts';
import type { Purged } from '../../workflows/sessions/model.ts';

export interface SessionsDependencies {
  connections: ConnectionsStore;
  sessions: SessionsStore;
}

export type SessionsActivities = ReturnType<typeof createSessionsActivities>;

export function createSessionsActivities(stores: SessionsDependencies) {
  return {
    /** Repeating it forgets nobody twice. */
    purgeSessions: (): Promise<Purged> =>
      purgeInactive({ ...stores, now: Date.now(), beat: () => Context.current().heartbeat() }),
  };
}
