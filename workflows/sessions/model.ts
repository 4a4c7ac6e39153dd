/**
 * The contract of the sessions' purge: users of the gateway who have been away for too long are forgotten.
 *
 * @module
 */

export const WORKFLOW_TYPE = 'sessionsPurge';
export const ACTIVITY_TASK_QUEUE = 'longhaul-sessions';
/** Of the schedule, and what ids of its workflows begin with. */
export const SCHEDULE_ID = 'sessions-purge';
/** How often it looks. */
export const EVERY_MS = 60_000;

export interface Purged {
  /** Rows of connections that were removed, and sessions. */
  connections: number;
  sessions: number;
  /** Whether there is more to do. */
  more: boolean;
}
