/**
 * From lines to what the launch's item says, and to sums by day, from which reports are made.
 *
 * @module
 */
import { COMPONENTS, type Component, type CostSummary, type LedgerLine } from '../../workflows/cost/model.ts';
import { type Decimal, exact, roundParts, written } from './money.ts';

/** Those an item always has. */
const ALWAYS = ['instance', 'volume', 'filesystem'] as const satisfies readonly Component[];
const DEFAULT_CURRENCY = 'USD';

export interface DaySum {
  /** `2026-11-26` */
  day: string;
  currency: string;
  /** Decimal numbers, unrounded. */
  total: string;
  components: Partial<Record<Component, string>>;
  lost: string;
  idle: string;
  packing: string;
}

/** Money that bought no result. */
export const isLost = ({ purpose, outcome }: Pick<LedgerLine, 'purpose' | 'outcome'>): boolean =>
  purpose === 'use' && outcome !== undefined && outcome !== 'done';

export const totalOf = (lines: readonly Pick<LedgerLine, 'amount'>[]): Decimal =>
  lines.reduce((sum, { amount }) => sum.plus(amount), exact(0));

/** One for each currency, that of the most lines first; of a launch that has cost nothing there is one all the same. */
export function summarise(lines: readonly LedgerLine[]): [CostSummary, ...CostSummary[]] {
  const groups = groupBy(lines, ({ currency }) => currency);
  const [first, ...rest] = [...groups].toSorted(
    ([a, some], [b, others]) => others.length - some.length || a.localeCompare(b),
  );
  return [
    summaryOf(first?.[0] ?? DEFAULT_CURRENCY, first?.[1] ?? []),
    ...rest.map(([currency, some]) => summaryOf(currency, some)),
  ];
}

function summaryOf(currency: string, lines: readonly LedgerLine[]): CostSummary {
  const present = groupBy(lines, ({ component }) => component);
  const named = COMPONENTS.filter((component) => present.has(component) || ALWAYS.some((one) => one === component));
  const { total, parts } = roundParts(
    Object.fromEntries(named.map((component) => [`${component}_cost`, totalOf(present.get(component) ?? [])])),
  );
  return { total_cost: total, ...parts, currency } as CostSummary;
}

/** By day and currency, in order. */
export function byDay(lines: readonly LedgerLine[]): DaySum[] {
  const groups = groupBy(lines, ({ from, currency }) => `${from.slice(0, 10)}#${currency}`);
  return [...groups]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([key, some]) => {
      const [day = '', currency = ''] = key.split('#');
      const components = [...groupBy(some, ({ component }) => component)].map(
        ([component, own]) => [component, written(totalOf(own))] as const,
      );
      return {
        day,
        currency,
        total: written(totalOf(some)),
        components: Object.fromEntries(components),
        lost: written(totalOf(some.filter(isLost))),
        idle: written(totalOf(some.filter(({ purpose }) => purpose === 'idle'))),
        packing: written(totalOf(some.filter(({ purpose }) => purpose === 'packing'))),
      };
    });
}

function groupBy<T, Key>(values: readonly T[], keyOf: (value: T) => Key): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value)) ?? [];
    group.push(value);
    groups.set(keyOf(value), group);
  }
  return groups;
}
