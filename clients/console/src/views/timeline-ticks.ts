/**
 * Ticks of a time axis: at round wall clock times, not too near to one another, and none within a fold.
 *
 * @module
 */
import { formatClock, formatDay } from './time-format.ts';
import type { Scale } from './timeline-axis.ts';

export interface Tick {
  at: number;
  x: number;
  /** Empty where there is no room for one. */
  label: string;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Pixels: half of what the label of a fold takes. */
const FOLD_LABEL = 40;
/** Pixels a character of a label takes at most. */
const CHARACTER = 8;

const STEPS = [
  ...[10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 28, 91, 182, 364].map((count) => count * DAY),
];

export interface TickOptions {
  /** Pixels between two ticks, at least. */
  spacing?: number;
  /** Ms to add to UTC for the wall clock. */
  offset?: number;
  timeZone?: string;
}

export function makeTicks(scale: Scale, { spacing = 84, offset = 0, timeZone }: TickOptions = {}): Tick[] {
  const pieces = [];
  let from = 0;
  for (const fold of scale.folds) {
    pieces.push({ x0: from, x1: fold.x0 });
    from = fold.x1;
  }
  pieces.push({ x0: from, x1: scale.width });

  const ticks: Tick[] = [];
  let day = '';
  let free = 0;
  const visible = pieces.filter(({ x0, x1 }) => x1 - x0 >= 1);
  for (const { x0, x1 } of visible) {
    // A little inside, because the edge of a fold is two moments.
    const start = scale.time(x0 === 0 ? 0 : x0 + 1e-6);
    const end = scale.time(x1 - 1e-6);
    const step = stepFor((end - start) / (x1 - x0), spacing);
    for (let at = Math.ceil((start + offset) / step) * step - offset; at <= end; at += step) {
      const x = scale.x(at);
      if (x < free || x < x0 || x > x1) continue;
      const today = formatDay(at, timeZone);
      const clock = step >= DAY ? '' : formatClock(at, step, timeZone);
      const label = today === day && clock ? clock : [today, clock].filter(Boolean).join(' ');
      // The fold says there how long it is.
      if (scale.folds.some((fold) => meets(fold, x, label))) {
        ticks.push({ at, x, label: '' });
        free = x + spacing;
        continue;
      }
      ticks.push({ at, x, label });
      day = today;
      // One with a date is longer than the others.
      free = x + Math.max(spacing, label.length * CHARACTER);
    }
  }
  return ticks;
}

const meets = (fold: { x0: number; x1: number }, x: number, label: string): boolean => {
  const middle = (fold.x0 + fold.x1) / 2;
  return x < middle + FOLD_LABEL && x + label.length * CHARACTER > middle - FOLD_LABEL;
};

function stepFor(msPerPixel: number, spacing: number): number {
  const wanted = msPerPixel * spacing;
  const step = STEPS.find((candidate) => candidate >= wanted);
  return step ?? Math.ceil(wanted / (364 * DAY)) * 364 * DAY;
}
