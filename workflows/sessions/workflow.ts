/**
 * Forgets users who have been away for too long. A schedule starts it every minute; what it does not get done, the next
 * one does.
 *
 * History: at most {@link ROUNDS} activities, under 70 events.
 *
 * @module
 */
import { proxyActivities } from '@temporalio/workflow';
import type { SessionsActivities } from '../../activities/sessions/index.ts';
import { setVersioning } from '../kit/versioning.ts';
import { ACTIVITY_TASK_QUEUE, type Purged } from './model.ts';

const ROUNDS = 10;

const PURGE = {
  taskQueue: ACTIVITY_TASK_QUEUE,
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '10 seconds',
  // A purge that fails for long is given up: the next one begins where it was.
  retry: { maximumInterval: '1 minute', maximumAttempts: 5 },
} as const;
const { purgeSessions } = proxyActivities<SessionsActivities>(PURGE);

setVersioning('PINNED', sessionsPurge);
export async function sessionsPurge(): Promise<Purged> {
  const all: Purged = { connections: 0, sessions: 0, more: true };
  for (let round = 0; round < ROUNDS && all.more; round += 1) {
    const purged = await purgeSessions.executeWithOptions({ ...PURGE, summary: 'forget users who are away' }, []);
    all.connections += purged.connections;
    all.sessions += purged.sessions;
    all.more = purged.more;
  }
  return all;
}
