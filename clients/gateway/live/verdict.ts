/**
 * What a watcher is told when it comes, or comes back. Pure.
 *
 * @module
 */
import type { Position } from '../../../workflows/progress/model.ts';

/** What there is to go on from. */
export interface Kept {
  epoch: string;
  /** The oldest event kept; `tail + 1` when none is. */
  first: number;
  /** The newest known of. */
  tail: number;
}

export type Verdict =
  | { verdict: 'fresh' }
  | { verdict: 'current'; position: Position }
  | { verdict: 'replayed'; position: Position; count: number }
  | { verdict: 'gap'; from: number; to: number }
  | { verdict: 'purged' };

/** @param position what was seen last; without one it begins with a picture */
export function verdictOf({ epoch, first, tail }: Kept, position: Position | undefined): Verdict {
  if (!position) return { verdict: 'fresh' };
  // Of another log; or of one that was longer than this one, which cannot be the same.
  if (position.epoch !== epoch || position.seq > tail) return { verdict: 'purged' };
  if (position.seq === tail) return { verdict: 'current', position };
  if (position.seq + 1 < first) return { verdict: 'gap', from: position.seq + 1, to: first - 1 };
  return { verdict: 'replayed', position, count: tail - position.seq };
}
