/**
 * Where a moment is on the scrubber. Half of the way is time and half is events: a burst of events has room, and two days
 * of waiting do not take all of it.
 *
 * @module
 */
import type { History, Mark } from './history.ts';

type Known = Pick<History, 'length' | 'from' | 'to' | 'indexAt' | 'timeOf'>;

/** At the moment of an event: a share of the way, 0 to 1. */
function knot(history: Known, index: number): number {
  const { length, from, to } = history;
  const byTime = to > from ? (history.timeOf(index) - from) / (to - from) : 0;
  return length === 0 ? byTime : (byTime + index / length) / 2;
}

/** A share of the way, 0 to 1. */
export function positionOf(history: Known, time: number): number {
  const { length, from, to } = history;
  if (time >= to) return 1;
  if (time <= from) return 0;
  const index = history.indexAt(time);
  const before = index === 0 ? from : history.timeOf(index);
  const after = index >= length ? to : history.timeOf(index + 1);
  const start = index === 0 ? 0 : knot(history, index);
  const end = index >= length ? 1 : knot(history, index + 1);
  return after > before ? start + ((time - before) / (after - before)) * (end - start) : start;
}

/** The moment at a share of the way; epoch ms. */
export function timeAt(history: Known, share: number): number {
  const { length, from, to } = history;
  if (share <= 0 || length === 0) return from + Math.max(0, Math.min(1, share)) * (to - from);
  if (share >= 1) return to;
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (knot(history, middle) <= share) low = middle;
    else high = middle - 1;
  }
  const before = low === 0 ? from : history.timeOf(low);
  const after = low >= length ? to : history.timeOf(low + 1);
  const start = low === 0 ? 0 : knot(history, low);
  const end = low >= length ? 1 : knot(history, low + 1);
  return end > start ? before + ((share - start) / (end - start)) * (after - before) : before;
}

/** So many events later, or earlier below 0; events of one moment are taken together. */
export function stepFrom(history: Known, time: number, events: number): number {
  const index = Math.max(0, Math.min(history.length, history.indexAt(time) + events));
  if (events > 0) return Math.max(time, history.timeOf(index));
  let earlier = index;
  while (earlier > 0 && history.timeOf(earlier) >= time) earlier -= 1;
  return earlier === 0 ? history.from : Math.min(time, history.timeOf(earlier));
}

/** As many marks as can be told apart, the graver ones first. */
export function thinMarks(marks: readonly Mark[], history: Known, width: number, apart = 4): (Mark & { x: number })[] {
  const grave = ['error', 'attempt', 'end', 'status'];
  const taken = new Map<number, Mark & { x: number }>();
  for (const mark of marks) {
    const x = positionOf(history, mark.at) * width;
    const slot = Math.floor(x / apart);
    const there = taken.get(slot);
    if (!there || grave.indexOf(mark.kind) < grave.indexOf(there.kind)) taken.set(slot, { ...mark, x });
  }
  return [...taken.values()];
}
