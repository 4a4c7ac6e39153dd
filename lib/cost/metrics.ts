/**
 * Figures that jobs have reported of themselves, over all items of a step.
 *
 * @module
 */
import type { Commit } from '../../jobs/commit.ts';
import { compare } from '../digest.ts';
import { groupBy } from './group.ts';

/** A number: mean, least and most of the items. A distribution: sums by label. */
export type MetricSummary = { step: string; name: string; items: number } & (
  | { mean: number; min: number; max: number }
  | { sums: Readonly<Record<string, number>> }
);

type Reported = Pick<Commit, 'step' | 'item' | 'committedAt' | 'metrics'>;

/** Of each item the commit that came last counts; by step, then name. */
export function summariseMetrics(commits: readonly Reported[]): MetricSummary[] {
  const latest = new Map<string, Reported>();
  for (const commit of commits) {
    const key = JSON.stringify([commit.step, commit.item]);
    const known = latest.get(key);
    if (!known || known.committedAt < commit.committedAt) latest.set(key, commit);
  }
  const figures = [...latest.values()].flatMap(({ step, metrics = {} }) =>
    Object.entries(metrics).map(([name, figure]) => ({ step, name, figure })),
  );
  return [...groupBy(figures, ({ step, name }) => JSON.stringify([step, name]))]
    .flatMap(([, group]) => {
      const [first] = group;
      if (!first) return [];
      const { step, name } = first;
      const numbers = group.flatMap(({ figure }) => (typeof figure === 'number' ? [figure] : []));
      const spread = group.flatMap(({ figure }) => (typeof figure === 'number' ? [] : [figure]));
      return [
        ...(numbers.length > 0 ? [{ step, name, items: numbers.length, ...rangeOf(numbers) }] : []),
        ...(spread.length > 0 ? [{ step, name, items: spread.length, sums: sumsOf(spread) }] : []),
      ];
    })
    .toSorted((a, b) => compare(a.step, b.step) || compare(a.name, b.name));
}

function rangeOf(numbers: readonly number[]): { mean: number; min: number; max: number } {
  let [sum, min, max] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const one of numbers) {
    sum += one;
    min = Math.min(min, one);
    max = Math.max(max, one);
  }
  return { mean: sum / numbers.length, min, max };
}

function sumsOf(spread: readonly Record<string, number>[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const one of spread)
    for (const [label, value] of Object.entries(one)) sums.set(label, (sums.get(label) ?? 0) + value);
  return Object.fromEntries(sums);
}
