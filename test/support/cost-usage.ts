/** Usages of launches, and prices for them, for tests of what they cost. */

import { allocate } from '../../lib/cost/allocate.ts';
import { type Charged, charge } from '../../lib/cost/charge.ts';
import type { Consumption } from '../../lib/cost/consumption.ts';
import { priceKeysOf } from '../../lib/cost/price-keys.ts';
import { nameOf, unitOf } from '../../lib/prices/price-keys.ts';
import type { JobAttempt, Price, Usage } from '../../workflows/cost/model.ts';

export const LAUNCH = 'sample-1';
export const REGION = 'us-east-1';
export const ZONE = 'us-east-1a';

/** Of nothing but what is given. */
export const usageOf = (parts: Partial<Usage>): Usage => ({
  launchId: LAUNCH,
  attempts: [],
  instances: [],
  volumes: [],
  fileSystems: [],
  clusters: [],
  restores: [],
  requests: [],
  unknown: [],
  ...parts,
});

let nth = 0;

export function attemptOf(parts: Pick<JobAttempt, 'from' | 'to' | 'on'> & Partial<JobAttempt>): JobAttempt {
  nth += 1;
  return {
    attempt: 1,
    step: 'align',
    item: String(nth),
    jobId: `job-${nth}`,
    jobAttempt: 1,
    outcome: 'done',
    endKnownBy: 'service',
    vcpus: 2,
    memoryMib: 8192,
    ...parts,
  };
}

/** Another price for every hour of a day, of every key: so that lines are cut at many changes. */
export function restlessPrices(consumptions: readonly Consumption[], everyMs: number): Map<string, Price> {
  const needs = priceKeysOf(consumptions);
  return new Map(
    needs.map(({ key, over }, index) => {
      const first = Math.floor(over.from / everyMs);
      const count = Math.ceil(over.to / everyMs) - first;
      const spans = Array.from({ length: count }, (_, at) => ({
        from: (first + at) * everyMs,
        to: (first + at + 1) * everyMs,
        perUnit: `0.0${1 + ((first + at) % 7)}${index % 10}7`,
        unit: unitOf(key),
        currency: 'USD',
        pricesAt: '2026-01-01T00:00:00Z',
        source: 'price-list' as const,
      }));
      return [nameOf(key), { spans }] as const;
    }),
  );
}

/** Priced by what changes every so often, the same for usages that need the same prices. */
export function costOf(usage: Usage, everyMs = 7 * 3_600_000): Charged {
  const { consumptions, unpriced } = allocate(usage);
  const charged = charge(consumptions, restlessPrices(consumptions, everyMs));
  return { ...charged, unpriced: [...unpriced, ...charged.unpriced] };
}
