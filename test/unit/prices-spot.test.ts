/** What a spot instance cost, change by change, over the interval it ran. */
import { describe, expect, it } from 'vitest';
import { openPriceBook } from '../../lib/prices/pricing-models.ts';
import { NO_RATES } from '../../lib/prices/rates.ts';
import type { Interval, Price, PriceKey } from '../../workflows/cost/model.ts';
import { pricingOf, type SpotEntry, serviceError, spotOf } from './prices-harness.ts';

const NOW = Date.parse('2026-10-10T12:00:00Z');
const key = (zone = 'us-east-1a', type = 'm5.xlarge', region = 'us-east-1'): PriceKey => ({
  kind: 'spot',
  region,
  zone,
  type,
});
const over = (from: string, to: string): Interval => ({ from: Date.parse(from), to: Date.parse(to) });

const HISTORY: SpotEntry[] = [
  { at: '2026-10-05T03:00:00Z', price: '0.070100' },
  { at: '2026-10-07T01:10:11Z', price: '0.071200' },
  { at: '2026-10-07T18:00:00Z', price: '0.071200' },
  { at: '2026-10-08T09:30:00Z', price: '0.069900' },
  { at: '2026-10-09T23:59:59Z', price: '0.080000' },
  { at: '2026-10-07T02:00:00Z', price: '0.090000', zone: 'us-east-1b' },
  { at: '2026-10-01T00:00:00Z', price: '0.060000', zone: 'us-east-1b' },
  { at: '2026-10-07T02:00:00Z', price: '0.990000', type: 'm5.2xlarge' },
];

function open(
  entries: Readonly<Record<string, readonly SpotEntry[]>> = { 'us-east-1': HISTORY },
  options: Parameters<typeof spotOf>[1] = {},
) {
  const spot = spotOf(entries, options);
  let now = NOW;
  const book = openPriceBook({ pricing: pricingOf([]).client, ec2: spot.ec2, rates: NO_RATES, now: () => now });
  return { ...spot, book, price: book.price, later: (ms: number) => (now += ms) };
}

const rows = (price: Price) =>
  'unpriced' in price
    ? price.unpriced
    : price.spans.map(({ from, to, perUnit }) => [new Date(from).toISOString(), new Date(to).toISOString(), perUnit]);

describe('a spot instance', () => {
  it('is priced change by change over several days, from the last change before it on', async () => {
    const { asked, price } = open();
    const found = await price(key(), over('2026-10-06T12:00:00Z', '2026-10-09T06:00:00Z'));

    expect(rows(found)).toEqual([
      ['2026-10-06T12:00:00.000Z', '2026-10-07T01:10:11.000Z', '0.070100'],
      ['2026-10-07T01:10:11.000Z', '2026-10-08T09:30:00.000Z', '0.071200'],
      ['2026-10-08T09:30:00.000Z', '2026-10-09T06:00:00.000Z', '0.069900'],
    ]);
    expect('spans' in found && found.spans[0]).toMatchObject({
      unit: 'Hrs',
      currency: 'USD',
      source: 'spot-history',
      pricesAt: '2026-10-05T03:00:00.000Z',
    });
    expect(asked[0]).toMatchObject({ region: 'us-east-1', products: ['Linux/UNIX (Amazon VPC)', 'Linux/UNIX'] });
  });

  it('has the price of its own zone', async () => {
    expect(rows(await open().price(key('us-east-1b'), over('2026-10-07T01:00:00Z', '2026-10-07T03:00:00Z')))).toEqual([
      ['2026-10-07T01:00:00.000Z', '2026-10-07T02:00:00.000Z', '0.060000'],
      ['2026-10-07T02:00:00.000Z', '2026-10-07T03:00:00.000Z', '0.090000'],
    ]);
  });

  it('of another Region is asked of that one', async () => {
    const { asked, price } = open({
      'us-east-1': HISTORY,
      'eu-central-1': [{ at: '2026-10-01T00:00:00Z', price: '0.1', zone: 'eu-central-1a' }],
    });
    const found = await price(
      key('eu-central-1a', 'm5.xlarge', 'eu-central-1'),
      over('2026-10-07T01:00:00Z', '2026-10-07T02:00:00Z'),
    );

    expect(rows(found)).toEqual([['2026-10-07T01:00:00.000Z', '2026-10-07T02:00:00.000Z', '0.1']]);
    expect(asked.map(({ region }) => region)).toEqual(['eu-central-1']);
  });

  it.each([
    ['in pages', { page: 1 }],
    ['in pages out of order', { page: 2, order: (all: SpotEntry[]) => [...all.slice(2), ...all.slice(0, 2)] }],
  ])('is read %s to the end', async (_, options) => {
    const { asked, price } = open(undefined, options);
    const found = await price(key(), over('2026-10-06T12:00:00Z', '2026-10-10T11:00:00Z'));

    expect(rows(found)).toHaveLength(4);
    expect(asked.length).toBeGreaterThan(1);
  });

  it('has one series where EC2 tells both descriptions', async () => {
    const both = HISTORY.flatMap((each) => [each, { ...each, product: 'Linux/UNIX (Amazon VPC)', price: '0.055500' }]);

    expect(
      rows(await open({ 'us-east-1': both }).price(key(), over('2026-10-06T12:00:00Z', '2026-10-09T06:00:00Z'))),
    ).toEqual([['2026-10-06T12:00:00.000Z', '2026-10-09T06:00:00.000Z', '0.055500']]);
  });

  it('is priced in yuan in China', async () => {
    const { price } = open({ 'cn-north-1': [{ at: '2026-10-01T00:00:00Z', price: '0.7', zone: 'cn-north-1a' }] });
    const found = await price(
      key('cn-north-1a', 'm5.xlarge', 'cn-north-1'),
      over('2026-10-07T01:00:00Z', '2026-10-07T02:00:00Z'),
    );

    expect('spans' in found && found.spans[0]?.currency).toBe('CNY');
  });

  it.each([
    [
      'older than 90 days',
      key(),
      over('2026-07-12T11:59:00Z', '2026-07-12T13:00:00Z'),
      'on 2026-07-12 is not to be had: EC2 keeps 90 days',
    ],
    [
      'without history',
      key('us-east-1c'),
      over('2026-10-07T01:00:00Z', '2026-10-07T02:00:00Z'),
      'no history of spot prices of m5.xlarge in us-east-1c',
    ],
    [
      'before its history',
      key(),
      over('2026-10-04T01:00:00Z', '2026-10-07T02:00:00Z'),
      'begins at 2026-10-05T03:00:00.000Z',
    ],
  ])('%s has no price, with what to do', async (_, what, when, message) => {
    expect(rows(await open().price(what, when))).toEqual({
      reason: expect.stringContaining(message),
      remedy: expect.stringContaining('own rate of kind spot'),
    });
  });

  it('within 90 days, to the hour, has one', async () => {
    const { price } = open({ 'us-east-1': [{ at: '2026-07-01T00:00:00Z', price: '0.05' }] });

    expect(rows(await price(key(), over('2026-07-12T13:00:00Z', '2026-07-12T14:00:00Z')))).toHaveLength(1);
  });

  it('of a type EC2 does not know has no price; throttling is thrown', async () => {
    let error = serviceError('InvalidParameterValue', 'Invalid instance type');
    const { price } = open(undefined, {
      before: () => {
        throw error;
      },
    });
    const when = over('2026-10-07T01:00:00Z', '2026-10-07T02:00:00Z');

    expect(rows(await price(key(), when))).toMatchObject({ reason: expect.stringContaining('Invalid instance type') });
    error = serviceError('RequestLimitExceeded');
    await expect(price(key(), when)).rejects.toBe(error);
  });

  it('that may not be asked for says which permission is needed', async () => {
    const { price } = open(undefined, {
      before: () => {
        throw serviceError('UnauthorizedOperation');
      },
    });

    expect(rows(await price(key(), over('2026-10-07T01:00:00Z', '2026-10-07T02:00:00Z')))).toMatchObject({
      remedy: expect.stringContaining('ec2:DescribeSpotPriceHistory'),
    });
  });
});

describe('spot history', () => {
  it('is asked for once by launches of the same time, and again for what came since', async () => {
    const { asked, price, later, book } = open();
    await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        price(key(), over(`2026-10-08T${10 + (at % 10)}:00:00Z`, '2026-10-09T06:00:00Z')),
      ),
    );
    expect(asked).toHaveLength(1);

    later(3_600_000);
    await price(key(), { from: NOW, to: NOW + 1_800_000 });
    await price(key(), { from: NOW, to: NOW + 3_600_000 });
    expect(asked).toHaveLength(2);
    expect(book.calls()).toBe(2);
  });

  it('goes on after a failure', async () => {
    let failures = 1;
    const { price } = open(undefined, {
      before: () => {
        if (failures-- > 0) throw serviceError('RequestLimitExceeded');
      },
    });
    const when = over('2026-10-07T01:00:00Z', '2026-10-07T02:00:00Z');
    const [first, second] = await Promise.allSettled([price(key(), when), price(key(), when)]);

    expect([first?.status, second?.status]).toEqual(['rejected', 'fulfilled']);
  });

  it('covers any interval exactly and without gaps', async () => {
    const random = sequence(7);
    const begin = Date.parse('2026-09-01T00:00:00Z');
    const changes = Array.from(
      { length: 200 },
      (): SpotEntry => ({
        at: new Date(begin + Math.floor(random() * 38 * 86_400) * 1000).toISOString(),
        price: (0.05 + Math.floor(random() * 5) / 1000).toFixed(6),
      }),
    );
    const { price } = open({ 'us-east-1': [{ at: '2026-08-01T00:00:00Z', price: '0.04' }, ...changes] }, { page: 7 });
    for (let run = 0; run < 300; run += 1) {
      const from = begin + Math.floor(random() * 38 * 86_400_000);
      const to = Math.min(NOW, from + Math.floor(random() ** 3 * 20 * 86_400_000));
      const found = await price(key(), { from, to });
      if ('unpriced' in found) throw new Error(found.unpriced.reason);
      const { spans } = found;

      expect(spans[0]?.from).toBe(from);
      expect(spans.at(-1)?.to).toBe(to);
      spans.forEach((span, index) => {
        if (index > 0) expect(span.from).toBe(spans[index - 1]?.to);
        if (index > 0) expect(span.perUnit).not.toBe(spans[index - 1]?.perUnit);
        if (to > from) expect(span.to).toBeGreaterThan(span.from);
        const held = [...changes]
          .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
          .findLast(({ at }) => Date.parse(at) <= span.from);
        expect(span.perUnit).toBe(held?.price ?? '0.04');
      });
    }
  });
});

/** The same numbers each time. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}
