/** What has no price is said to have none, for as long as it has none, and is never a zero. */
import { describe, expect, it } from 'vitest';
import { allocate } from '../../lib/cost/allocate.ts';
import { charge } from '../../lib/cost/charge.ts';
import { breakDown } from '../../lib/cost/summary.ts';
import { nameOf } from '../../lib/prices/price-keys.ts';
import type { Instance, Price, PriceKey, PriceSpan } from '../../workflows/cost/model.ts';
import { attemptOf, costOf, REGION, usageOf, ZONE } from '../support/cost-usage.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 2, 10);
const KEY: PriceKey = { kind: 'instance', region: REGION, type: 'm5.xlarge', market: 'on-demand' };
const INSTANCE: Instance = {
  id: 'i-1',
  type: 'm5.xlarge',
  zone: ZONE,
  region: REGION,
  market: 'on-demand',
  vcpus: 4,
  memoryMib: 16_384,
  others: [],
};
const ON = { kind: 'instance', id: 'i-1' } as const;
const job = attemptOf({ from: START, to: START + 4 * HOUR, vcpus: 4, memoryMib: 16_384, on: ON });
const usage = usageOf({ attempts: [job], instances: [INSTANCE] });

const span = (from: number, to: number, more: Partial<PriceSpan> = {}): PriceSpan => ({
  from: START + from * HOUR,
  to: START + to * HOUR,
  perUnit: '0.192',
  unit: 'Hrs',
  currency: 'USD',
  pricesAt: '2026-03-01T00:00:00Z',
  source: 'price-list',
  ...more,
});
const chargeAt = (price?: Price) => charge(allocate(usage).consumptions, new Map(price ? [[nameOf(KEY), price]] : []));

describe('a price', () => {
  it('with a gap prices the rest, and names the gap', () => {
    const { lines, unpriced } = chargeAt({ spans: [span(3, 9), span(-5, 1)] });

    expect(lines.map(({ quantity }) => quantity)).toEqual(['1', '1']);
    expect(unpriced.map(({ reason }) => reason)).toEqual([
      'no price of m5.xlarge on demand in us-east-1 is known from 2026-03-10T01:00:00.000Z to 2026-03-10T03:00:00.000Z',
    ]);
  });

  it('in pieces of the same terms is one line', () => {
    const { lines } = chargeAt({ spans: [span(2, 9), span(-5, 1), span(1, 2)] });

    expect(lines.map(({ quantity, amount }) => [quantity, amount])).toEqual([['4', '0.768']]);
  });

  it('that nobody could tell is passed on with its reason', () => {
    const why = { reason: 'spot history is older than 90 days', remedy: 'price launches sooner' };

    expect(chargeAt({ unpriced: why })).toEqual({
      lines: [],
      unpriced: [{ resource: 'i-1', component: 'instance', ...why }],
    });
  });

  it.each([
    ['nobody was asked for', undefined, /^nobody was asked for the price of m5\.xlarge/],
    ['for another unit', { spans: [span(0, 4, { unit: 'GB-Hours' })] }, /is for GB-Hours, not for Hrs$/],
    ['below zero', { spans: [span(0, 4, { perUnit: '-0.1' })] }, /is "-0\.1"$/],
    ['that is no number', { spans: [span(0, 4, { perUnit: '' })] }, /is ""$/],
    ['of no time', { spans: [] }, /^no price of m5\.xlarge on demand in us-east-1 is known/],
  ])('%s makes no line', (_, price, reason) => {
    const { lines, unpriced } = chargeAt(price);

    expect(lines).toEqual([]);
    expect(unpriced).toMatchObject([{ resource: 'i-1', component: 'instance' }]);
    expect(unpriced[0]?.reason).toMatch(reason);
  });
});

describe('what is not known of a usage', () => {
  const elsewhere = { ...INSTANCE, launchedAt: START + 9 * HOUR, endedAt: START + 10 * HOUR };
  const volume = { id: 'vol-1', instanceId: 'i-9', type: 'gp3', gib: 8, region: REGION, from: START, to: START + HOUR };
  const nowhere = { kind: 'unknown', reason: 'no start record' } as const;
  it.each([
    ['an instance', usageOf({ attempts: [job] }), /ran on i-1, of which neither type nor zone/],
    ['a host', usageOf({ attempts: [{ ...job, on: nowhere }] }), /no start record$/],
    ['the instance of a volume', usageOf({ volumes: [volume] }), /nothing is known of i-9/],
    ['when an instance was used', usageOf({ instances: [INSTANCE] }), /nobody knows when i-1 was used/],
    ['why a job came too early', usageOf({ attempts: [job], instances: [elsewhere] }), /when it was not there$/],
  ])('%s is told', (_, of, reason) => {
    expect(costOf(of).unpriced.map((each) => each.reason)).toEqual([expect.stringMatching(reason)]);
  });
});

describe('a breakdown', () => {
  it('tells for what the money went', () => {
    const lost = attemptOf({ ...job, step: 'call', from: job.to, to: job.to + HOUR, outcome: 'host-lost' });
    const instance = { ...INSTANCE, launchedAt: START - HOUR, endedAt: START + 6 * HOUR };
    const both = usageOf({ attempts: [job, lost], instances: [instance] });
    const { lines } = charge(allocate(both).consumptions, new Map([[nameOf(KEY), { spans: [span(-9, 9)] }]]));

    expect(breakDown(lines)).toMatchObject([
      {
        currency: 'USD',
        total: '1.34',
        ways: { effective: '0.77', 'host-lost': '0.19', failed: '0.00', packing: '0.00', idle: '0.38' },
        steps: [
          { step: 'align', amount: '0.768', lost: '0' },
          { step: 'call', amount: '0.192', lost: '0.192' },
          { amount: '0.384', idle: '0.384' },
        ],
        resources: [{ component: 'instance', resource: 'i-1', resourceType: 'm5.xlarge', amount: '1.344' }],
      },
    ]);
  });
});
