/**
 * Intervals of time and calendar, in UTC. Depends on nothing.
 *
 * @module
 */
import type { Interval } from '../../workflows/cost/model.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What both have in common; none where they only touch. */
export function meet(a: Interval, b: Interval): Interval | undefined {
  const from = Math.max(a.from, b.from);
  const to = Math.min(a.to, b.to);
  return from < to ? { from, to } : undefined;
}

/** The moments that lie in any of them, as intervals that neither touch nor overlap, in order. */
export function union(intervals: readonly Interval[]): Interval[] {
  const merged: Interval[] = [];
  for (const { from, to } of intervals.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (from >= to) continue;
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}

/** What is left of an interval without those. */
export function without(interval: Interval, taken: readonly Interval[]): Interval[] {
  const left: Interval[] = [];
  let { from } = interval;
  for (const next of union(taken)) {
    if (next.from > from && from < interval.to) left.push({ from, to: Math.min(next.from, interval.to) });
    from = Math.max(from, next.to);
  }
  if (from < interval.to) left.push({ from, to: interval.to });
  return left;
}

/** Midnight (UTC) before or at a moment. */
export const dayOf = (time: number): number => Math.floor(time / DAY_MS) * DAY_MS;
export const nextDay = (day: number): number => day + DAY_MS;

/** Of the calendar month (UTC) a moment lies in: 672 to 744. */
export function hoursOfMonth(time: number): number {
  const date = new Date(time);
  const first = (month: number) => Date.UTC(date.getUTCFullYear(), month);
  return (first(date.getUTCMonth() + 1) - first(date.getUTCMonth())) / HOUR_MS;
}

/** `2026-03`. */
export const monthOf = (time: number): string => isoOf(time).slice(0, 7);
export const isoOf = (time: number): string => new Date(time).toISOString();
