/**
 * What is billed for, between usage and money: so much of a resource, held over an interval, for one purpose.
 *
 * @module
 */
import type { Component, Interval, Market, Outcome, PriceKey, Purpose } from '../../workflows/cost/model.ts';
import type { Decimal } from './money.ts';

export interface Consumption extends Interval {
  component: Component;
  purpose: Purpose;
  step?: string;
  outcome?: Outcome;
  resource: string;
  resourceType: string;
  market?: Market;
  region: string;
  zone?: string;
  price: PriceKey;
  /** Of what is billed: 1 instance, GiB, vCPUs, IOPS, requests. Price tiers go by it. */
  capacity: Decimal;
  /** Of the capacity: 0 to 1. */
  share: Decimal;
  /** `hour`, `month`: capacity times time, of months the calendar's; `once`: the capacity itself, at `from`. */
  per: 'hour' | 'month' | 'once';
  marks: readonly string[];
}

/** Binary: AWS bills a GB of 2^30 bytes. */
export const GIB = 1024 ** 3;
export const MINUTE_MS = 60_000;

/** Whether an interval has any length. */
export const lasts = ({ from, to }: Interval): boolean => to > from;

/** Intervals that overlap or touch become one. */
export function union(intervals: readonly Interval[]): Interval[] {
  const merged: Interval[] = [];
  for (const { from, to } of intervals.filter(lasts).toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}
