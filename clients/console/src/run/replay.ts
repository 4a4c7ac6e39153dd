/**
 * The history of a run from the events that are kept. Pure.
 *
 * @module
 */
import type { ProgressEvent, Snapshot } from '../../../../workflows/progress/model.ts';
import { beginningOf, createHistory, type History } from '../views/history.ts';

/**
 * What there was before the first event that is kept is not known, but for steps that none of them tells of: those are
 * today what they were then.
 * @param newest a picture that is not older than the events
 * @param events in order, up to the newest
 */
export function replayOf(newest: Snapshot, events: readonly ProgressEvent[]): History {
  const [first] = events;
  const beginning = beginningOf(newest);
  if (!first || first.seq === 1) return createHistory(events, beginning);
  const told = new Set(events.flatMap(({ steps = [] }) => steps.map(({ name }) => name)));
  const begun = events.some(({ begins }) => begins !== undefined);
  return createHistory(events, {
    ...beginning,
    seq: first.seq - 1,
    // Of an attempt that ended since then nothing is left.
    attempt: begun ? beginning.attempt : newest.attempt,
    steps: begun ? [] : newest.steps.filter(({ name }) => !told.has(name)),
    statuses: newest.statuses.filter(({ at }) => at < first.at),
  });
}
