/**
 * How a story may end, by what became of its stages: docs/story.md has the table.
 *
 * @module
 */
import { PARTS, type Part, type PartState, type PartStates } from './model.ts';

export const PENDING: PartStates = { image: 'PENDING', audio: 'PENDING', mail: 'PENDING', event: 'PENDING' };

/** What a part may be when nothing more will come. */
const ENDS: Readonly<Record<Part, readonly PartState[]>> = {
  image: ['READY', 'STOCK', 'FAILED'],
  audio: ['READY', 'FAILED'],
  mail: ['READY', 'NONE', 'UNCERTAIN', 'FAILED'],
  event: ['READY', 'FAILED'],
};

export const isEndOf = (part: Part, state: PartState): boolean => ENDS[part].includes(state);
export const allEnded = (parts: PartStates): boolean => PARTS.every((part) => isEndOf(part, parts[part]));
