/**
 * Launches that have been, made up: for tests of estimates.
 *
 * @module
 */

import type { StepQuestion } from '../../lib/cost/estimate/model.ts';
import { normalOf, randomOf } from '../../lib/cost/estimate/numbers.ts';
import type { HistoryItem } from '../../lib/store/ledger.ts';

export const WORK = 'steps#align#lab/bwa';

export const question = (given: Partial<StepQuestion> = {}): StepQuestion => ({
  step: 'align',
  after: [],
  work: WORK,
  items: 10,
  cached: 0,
  inputBytes: [],
  vcpus: 2,
  memoryMib: 4096,
  ...given,
});

export const item = (nth: number, samples: [number, number][], given: Partial<HistoryItem> = {}): HistoryItem => ({
  launch_id: `run-${nth}`,
  attempt: 1,
  line: `work#align#${given.resource_type ?? 'm5.xlarge'}`,
  work: WORK,
  at: new Date(Date.UTC(2026, 8, 1 + nth)).toISOString(),
  consumer_name: 'lab-a',
  step: 'align',
  resource_type: 'm5.xlarge',
  market: 'on-demand',
  items: samples.length,
  failed: 0,
  vcpus: 2,
  memory_mib: 4096,
  samples,
  ...given,
});

export interface Truth {
  /** Seconds of an item of one GiB. */
  seconds: number;
  /** Power of the size. */
  slope: number;
  /** Deviations of logarithms. */
  within: number;
  between: number;
}

export const GIB = 2 ** 30;

/** What a launch with items of these bytes takes: the launch's own luck, and each item's. */
export function play(truth: Truth, seed: string, bytes: readonly number[]): [number, number][] {
  const random = randomOf(seed);
  const launch = Math.exp(truth.between * normalOf(random));
  return bytes.map((size) => [
    size,
    truth.seconds * launch * (size / GIB) ** truth.slope * Math.exp(truth.within * normalOf(random)),
  ]);
}

/** Sizes from half a GiB to 8. */
export function sizes(seed: string, count: number): number[] {
  const random = randomOf(`sizes ${seed}`);
  return Array.from({ length: count }, () => Math.round(GIB * 2 ** (4 * random() - 1)));
}

export const history = (truth: Truth, launches: number, items: number, seed = ''): HistoryItem[] =>
  Array.from({ length: launches }, (_, nth) =>
    item(nth, play(truth, `${seed} ${nth}`, sizes(`${seed} ${nth}`, items))),
  );
