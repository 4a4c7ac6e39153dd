/**
 * Figures of several rounds as one.
 *
 * @module
 */
import { percentile } from '../report.ts';
import type { Steady } from './steady.ts';

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** To a hundredth; undefined where one of them was not measured. */
export const ratio = (ours: number | undefined, peer: number | undefined): number | undefined =>
  ours === undefined || !peer ? undefined : Math.round((100 * ours) / peer) / 100;

/** Medians of the rounds, and sums of what went wrong. */
export function summarySteady(rounds: readonly Steady[]): Record<string, number> {
  const of = (name: keyof Steady) => rounds.flatMap((round) => round[name] ?? []);
  const medians = (
    ['p50Ms', 'p95Ms', 'p99Ms', 'keptP50Ms', 'keptP95Ms', 'serverCpuPercent', 'crowdCpuPercent'] as const
  )
    .filter((name) => of(name).length > 0)
    .map((name) => [name, median(of(name))] as const);
  const sums = (['delivered', 'lost', 'duplicated', 'outOfOrder'] as const).map(
    (name) => [name, of(name).reduce((all, value) => all + value, 0)] as const,
  );
  return Object.fromEntries([...medians, ...sums]);
}
