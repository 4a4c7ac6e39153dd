/**
 * What a gateway is told when a log has grown: `{ run, epoch, events }`, or `{ nudges: [...] }` of several. It only makes
 * gateways look sooner: one that is lost, doubled or late does no harm.
 *
 * @module
 */
import type { ProgressEvent } from '../../workflows/progress/model.ts';
import { checkEvent, checkRun } from './report.ts';
import { fail, list, optional, record, text, whole } from './shape.ts';

export const NUDGE_PATH = '/internal/v1/nudge';

export interface Nudge {
  run: string;
  epoch: string;
  /** What is new; none: look for yourself. */
  events: readonly ProgressEvent[];
  /** Of the newest event, where it is known and `events` are left out. */
  seq?: number;
}

/** Of one request. */
export const NUDGE_LIMITS = { nudges: 100, events: 1_000, eventBytes: 65_536, bodyBytes: 1_048_576 } as const;

/**
 * Reads the body of a request, parsed from JSON.
 * @throws InvalidProgressError
 */
export function parseNudges(body: unknown): Nudge[] {
  const given = record(body, 'nudge');
  if (given.nudges === undefined) return [parseNudge(given)];
  const nudges = list(given.nudges, 'nudges');
  if (nudges.length > NUDGE_LIMITS.nudges) fail('nudges', `at most ${NUDGE_LIMITS.nudges}`);
  return nudges.map(parseNudge);
}

function parseNudge(nudge: unknown): Nudge {
  const given = record(nudge, 'nudge');
  const events = optional(given.events, (value) => list(value, 'events')) ?? [];
  if (events.length > NUDGE_LIMITS.events) fail('events', `at most ${NUDGE_LIMITS.events}`);
  const seq = optional(given.seq, (value) => whole(value, 'seq', 1));
  return {
    run: checkRun(given.run),
    epoch: text(given.epoch, 'epoch', 64),
    events: events.map(checkEvent),
    ...(seq !== undefined && { seq }),
  };
}
