/**
 * Where a watcher is in the log of its run, whatever its connections say: what came before is dropped, what has a hole
 * before it is not taken. Pure.
 *
 * @module
 */
import type { Position, ProgressEvent } from '../../workflows/progress/model.ts';
import type { Resume } from './protocol.ts';

/**
 * @param position the last event delivered
 * @returns the event to deliver; of merged ones it says how many are new
 */
export function takeEvent(position: Position, event: ProgressEvent): ProgressEvent | 'duplicate' | 'hole' {
  const unseen = event.seq - position.seq;
  const told = event.merged ?? 1;
  if (unseen <= 0) return 'duplicate';
  if (unseen > told) return 'hole';
  return unseen === told ? event : { ...event, merged: unseen };
}

/** The place after which a subscription goes on. */
function placeOf(resume: Resume): Position | undefined {
  if ('position' in resume) return resume.position;
  return resume.snapshot && { epoch: resume.snapshot.epoch, seq: resume.snapshot.seq };
}

/**
 * A verdict as it is true for this watcher: another connection may have delivered more since it was asked for.
 * @param before the last event delivered, if any was
 */
export function takeResume(
  before: Position | undefined,
  resume: Resume,
): { resume: Resume; position?: Position } | 'hole' {
  const position = placeOf(resume);
  if (!position) return { resume };
  if (before?.epoch !== position.epoch) return { resume, position };
  if (resume.verdict === 'current' || resume.verdict === 'replayed') {
    if (position.seq > before.seq) return 'hole';
    const last = position.seq + (resume.verdict === 'replayed' ? resume.count : 0);
    const count = last - before.seq;
    return { resume: count > 0 ? { verdict: 'replayed', position: before, count } : current(before), position: before };
  }
  if (position.seq <= before.seq) return { resume: current(before), position: before };
  if (resume.verdict === 'gap') return { resume: { ...resume, from: Math.max(resume.from, before.seq + 1) }, position };
  return { resume, position };
}

const current = (position: Position): Resume => ({ verdict: 'current', position });
