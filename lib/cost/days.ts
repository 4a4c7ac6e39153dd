/**
 * What a launch cost on each day: reports are summed from these, so that they need not read single lines.
 *
 * @module
 */
import type { Component, LedgerLine } from '../../workflows/cost/model.ts';
import { compare } from '../digest.ts';
import { groupBy } from './group.ts';
import { amountOf, isLost } from './summary.ts';

/** Of one day (UTC) and currency; decimal numbers, unrounded. */
export interface DaySum {
  /** `2026-11-26` */
  day: string;
  currency: string;
  total: string;
  components: Partial<Record<Component, string>>;
  /** Of the total: by attempts that did not commit; what nobody used. */
  lost: string;
  idle: string;
  packing: string;
}

/** In order. */
export function byDay(lines: readonly LedgerLine[]): DaySum[] {
  const groups = groupBy(lines, ({ from, currency }) => `${from.slice(0, 10)}#${currency}`);
  return [...groups]
    .toSorted(([a], [b]) => compare(a, b))
    .map(([key, some]) => {
      const [day = '', currency = ''] = key.split('#');
      const components = [...groupBy(some, ({ component }) => component)].map(
        ([component, own]) => [component, amountOf(own)] as const,
      );
      return {
        day,
        currency,
        total: amountOf(some),
        components: Object.fromEntries(components),
        lost: amountOf(some.filter(isLost)),
        idle: amountOf(some.filter(({ purpose }) => purpose === 'idle')),
        packing: amountOf(some.filter(({ purpose }) => purpose === 'packing')),
      };
    });
}
