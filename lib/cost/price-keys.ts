/**
 * Which prices are needed, for which time.
 *
 * @module
 */
import type { Interval, PriceKey } from '../../workflows/cost/model.ts';
import { compare } from '../digest.ts';
import { nameOf } from '../prices/price-keys.ts';
import type { Consumption } from './consumption.ts';

export interface PriceNeed {
  key: PriceKey;
  /** From the first use to the last; of what is used at a moment, that millisecond. */
  over: Interval;
}

/** Each key once, by its text. */
export function priceKeysOf(consumptions: readonly Consumption[]): PriceNeed[] {
  const needs = new Map<string, PriceNeed>();
  const texts = new Map<Consumption['what'], string>();
  for (const { what, from, to } of consumptions) {
    const text = texts.get(what) ?? nameOf(what.key);
    texts.set(what, text);
    const need = needs.get(text);
    const until = Math.max(to, from + 1);
    const over = { from: Math.min(from, need?.over.from ?? from), to: Math.max(until, need?.over.to ?? until) };
    needs.set(text, { key: what.key, over });
  }
  return [...needs].toSorted(([a], [b]) => compare(a, b)).map(([, need]) => need);
}

/** For people: `m5.xlarge on spot in us-east-1a`. */
export function priceWords(key: PriceKey): string {
  switch (key.kind) {
    case 'instance':
      return `${key.type} on demand in ${key.region}`;
    case 'spot':
      return `${key.type} on spot in ${key.zone}`;
    case 'fargate': {
      const of = key.of === 'vcpu' ? 'vCPU-hours' : 'GB-hours';
      return `${of} of Fargate${key.spot ? ' Spot' : ''} (${key.architecture}) in ${key.region}`;
    }
    case 'on-premises':
      return `${key.of === 'vcpu' ? 'vCPU-hours' : 'GB-hours'} of ${key.cluster}`;
    case 'volume':
      return `the ${key.of} of ${key.type} volumes in ${key.region}`;
    case 'lustre': {
      const throughput = key.throughputPerUnit === undefined ? '' : ` ${key.throughputPerUnit}`;
      return `FSx for Lustre ${key.deploymentType} ${key.storageType}${throughput} in ${key.region}`;
    }
    case 'eks':
      return `EKS clusters in ${key.support} support in ${key.region}`;
    case 'retrieval':
      return `${key.of === 'gb' ? 'GB' : 'requests'} of ${key.tier} restores from ${key.archive} in ${key.region}`;
    case 'copy':
      return `S3 Standard, which copies of restored objects pay, in ${key.region}`;
    case 's3-request':
      return `${key.of.toUpperCase()} requests to S3 in ${key.region}`;
    case 'tokens':
      return `${key.of.replace('-', ' ')} tokens of ${key.model}`;
    case 'speech':
      return `characters of Polly's ${key.engine} voices in ${key.region}`;
  }
}
