/**
 * The axis of the timeline. Time in which nothing ran can be folded: what is left is active time, of which a window is
 * shown, and each fold in it has a fixed width.
 *
 * @module
 */

/** Epoch ms; `to` is not before `from`. */
export interface Span {
  from: number;
  to: number;
}

export interface Axis {
  domain: Span;
  /** What is folded: in order, apart from one another, inside the domain. */
  gaps: readonly Span[];
  /** Ms that are not folded. */
  length: number;
}

/** Of active time, in ms from the beginning of the axis. */
export type Window = Span;

export interface Scale {
  width: number;
  window: Window;
  /** Pixels from the left; outside the window it goes on, so that bars can be clipped. */
  x(time: number): number;
  time(x: number): number;
  /** Folds that are to be seen. */
  folds: readonly (Span & { x0: number; x1: number })[];
}

export const FOLD_PIXELS = 28;
/** No window is shorter, in ms. */
export const SHORTEST_WINDOW = 50;

/**
 * Where nothing ran for longer than `minGap`.
 * @param busy when something ran, in any order
 * @param minGap ms
 */
export function foldIdle(busy: readonly Span[], minGap: number, within: Span): Span[] {
  const gaps: Span[] = [];
  let idleFrom = within.from;
  const close = (to: number): void => {
    if (to - idleFrom > minGap) gaps.push({ from: idleFrom, to });
  };
  for (const { from, to } of [...busy].sort((a, b) => a.from - b.from)) {
    if (from >= within.to) break;
    close(from);
    idleFrom = Math.max(idleFrom, to);
  }
  close(within.to);
  return gaps;
}

/** Shorter idle time is not worth a fold: a quarter of what ran, and at least half a minute. Ms. */
export function worthFolding(busy: readonly Span[]): number {
  let active = 0;
  let reached = Number.NEGATIVE_INFINITY;
  for (const { from, to } of [...busy].sort((a, b) => a.from - b.from)) {
    if (to > reached) active += to - Math.max(from, reached);
    reached = Math.max(reached, to);
  }
  return Math.max(30_000, active / 4);
}

export function makeAxis(domain: Span, gaps: readonly Span[] = []): Axis {
  const folded = gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0);
  // A run that has only begun has a length too.
  return { domain, gaps, length: Math.max(SHORTEST_WINDOW, domain.to - domain.from - folded) };
}

/** Active ms from the beginning of the axis; a moment within a fold is where the fold is. */
export function toActive({ domain, gaps }: Axis, time: number): number {
  let folded = 0;
  for (const gap of gaps) {
    if (time <= gap.from) break;
    folded += Math.min(time, gap.to) - gap.from;
  }
  return time - domain.from - folded;
}

/** The first moment with so much active time before it. */
export function toTime({ domain, gaps }: Axis, active: number): number {
  let time = domain.from + active;
  for (const gap of gaps) {
    if (time <= gap.from) break;
    time += gap.to - gap.from;
  }
  return time;
}

export const wholeWindow = (axis: Axis): Window => ({ from: 0, to: axis.length });

/** As near as can be to what was asked for. */
export function clampWindow(axis: Axis, { from, to }: Window): Window {
  const length = Math.min(axis.length, Math.max(SHORTEST_WINDOW, to - from));
  const start = Math.min(Math.max(0, from), axis.length - length);
  return { from: start, to: start + length };
}

/** `factor` above 1 shows more of the axis; what is at `anchor` (active ms) stays where it is. */
export function zoomWindow(axis: Axis, { from, to }: Window, factor: number, anchor: number): Window {
  const before = (anchor - from) * factor;
  const length = Math.min(axis.length, Math.max(SHORTEST_WINDOW, (to - from) * factor));
  const start = (to - from) * factor === length ? anchor - before : anchor - ((anchor - from) / (to - from)) * length;
  return clampWindow(axis, { from: start, to: start + length });
}

/** @param share of the window; below 0: to the left */
export function panWindow(axis: Axis, window: Window, share: number): Window {
  const by = (window.to - window.from) * share;
  return clampWindow(axis, { from: window.from + by, to: window.to + by });
}

export function makeScale(axis: Axis, window: Window, width: number): Scale {
  const shown = axis.gaps
    .map((gap) => ({ gap, at: toActive(axis, gap.from) }))
    .filter(({ at }) => at >= window.from && at <= window.to);
  const foldWidth = Math.min(FOLD_PIXELS, (width * 0.5) / Math.max(1, shown.length));
  const perMs = Math.max(0, width - foldWidth * shown.length) / (window.to - window.from);
  const folds = shown.map(({ gap, at }, index) => {
    const x0 = (at - window.from) * perMs + foldWidth * index;
    return { ...gap, x0, x1: x0 + foldWidth };
  });
  return {
    width,
    window,
    folds,
    x(time) {
      let left = (toActive(axis, time) - window.from) * perMs;
      for (const fold of folds) {
        if (time <= fold.from) break;
        left += time >= fold.to ? foldWidth : (foldWidth * (time - fold.from)) / (fold.to - fold.from);
      }
      return left;
    },
    time(x) {
      let left = x;
      for (const fold of folds) {
        if (x <= fold.x0) break;
        if (x < fold.x1) return fold.from + ((x - fold.x0) / foldWidth) * (fold.to - fold.from);
        left -= foldWidth;
      }
      const active = window.from + left / perMs;
      const time = toTime(axis, active);
      // To the right of a fold its beginning and its end are the same active moment: the end is meant.
      const ended = folds.find((fold) => fold.from === time && x >= fold.x1);
      return ended ? ended.to : time;
    },
  };
}
