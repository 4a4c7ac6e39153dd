/** How often AWS is asked, what is kept and for how long, and what becomes of failures. */
import { describe, expect, it, vi } from 'vitest';
import { createPriceBook, type KeptPrice, type PriceCache } from '../../lib/prices/price-book.ts';
import { PriceUnknownError } from '../../lib/prices/price-list.ts';
import type { PricingModel } from '../../lib/prices/pricing-model.ts';
import { openPriceBook } from '../../lib/prices/pricing-models.ts';
import { NO_RATES } from '../../lib/prices/rates.ts';
import type { Price, PriceKey } from '../../workflows/cost/model.ts';
import ecs from './fixtures/prices/amazon-ecs.json' with { type: 'json' };
import { documentOf, type PriceDocument, pricingOf, serviceError, spotOf } from './prices-harness.ts';

const NOW = Date.parse('2026-10-10T12:00:00Z');
const HOUR = 3_600_000;
const KEY: PriceKey = { kind: 'instance', region: 'us-east-1', type: 'm5.xlarge', market: 'on-demand' };

/** Shared by books, as the table is by workers. */
function memoryCache(): PriceCache & { kept: Map<string, KeptPrice> } {
  const kept = new Map<string, KeptPrice>();
  return {
    kept,
    get: async (name) => structuredClone(kept.get(name)),
    put: async (name, price) => void kept.set(name, structuredClone(price)),
  };
}

function open({ cache, answer }: { cache?: PriceCache; answer?: () => Promise<Price> } = {}) {
  let now = NOW;
  const price = vi.fn<PricingModel['price']>(
    answer ??
      (async (_, over) => ({
        spans: [
          {
            ...over,
            perUnit: '0.192',
            unit: 'Hrs',
            currency: 'USD',
            sku: 'S',
            pricesAt: '2026-09-01T00:00:00Z',
            source: 'price-list',
          },
        ],
      })),
  );
  const warn = vi.fn<(message: string) => void>();
  const model: PricingModel = { name: 'list', lasting: true, covers: ({ kind }) => kind === 'instance', price };
  const book = createPriceBook({ models: [model], now: () => now, warn, ...(cache && { cache }) });
  return {
    asked: price,
    warn,
    ask: (from = 0) => book.price(KEY, { from, to: from + 5 }),
    book,
    later: (ms: number) => (now += ms),
  };
}

describe('a price book', () => {
  it('asks once for callers at the same time, and once a day', async () => {
    const { asked, ask, later } = open();
    const found = await Promise.all([ask(1), ask(2), ask(3)]);

    expect(found.map((price) => 'spans' in price && [price.spans[0]?.from, price.spans[0]?.to])).toEqual([
      [1, 6],
      [2, 7],
      [3, 8],
    ]);
    later(23 * HOUR);
    await ask();
    expect(asked).toHaveBeenCalledTimes(1);
    later(2 * HOUR);
    await ask();
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it('shares with others what it has found, with SKU and date, until it is a day old', async () => {
    const cache = memoryCache();
    await open({ cache }).ask();
    const other = open({ cache });

    expect(await other.ask(7)).toEqual({
      spans: [
        {
          from: 7,
          to: 12,
          perUnit: '0.192',
          unit: 'Hrs',
          currency: 'USD',
          sku: 'S',
          pricesAt: '2026-09-01T00:00:00Z',
          source: 'price-list',
        },
      ],
    });
    expect(other.asked).not.toHaveBeenCalled();
    expect([...cache.kept.keys()]).toEqual(['instance/market=on-demand/region=us-east-1/type=m5.xlarge']);

    other.later(25 * HOUR);
    await other.ask();
    expect(other.asked).toHaveBeenCalledTimes(1);
  });

  it('goes on by itself while the table is down, and leaves it alone for a minute', async () => {
    const get = vi.fn<PriceCache['get']>().mockRejectedValue(new Error('no table'));
    const { ask, asked, warn, later } = open({ cache: { get, put: async () => {} } });
    await ask();
    await ask();

    expect([asked.mock.calls.length, get.mock.calls.length, warn.mock.calls.length]).toEqual([1, 1, 1]);
    later(25 * HOUR);
    await ask();
    expect(get).toHaveBeenCalledTimes(2);
  });

  it('keeps what is unknown for minutes, and to itself', async () => {
    const cache = memoryCache();
    const error = new PriceUnknownError({ serviceCode: 'AmazonEC2', filters: { regionCode: 'us-east-1' } }, []);
    const { ask, asked, later } = open({ cache, answer: async () => Promise.reject(error) });
    await ask();
    later(4 * 60_000);

    expect(await ask()).toHaveProperty('unpriced.reason', error.message);
    expect(asked).toHaveBeenCalledTimes(1);
    later(2 * 60_000);
    await ask();
    expect(asked).toHaveBeenCalledTimes(2);
    expect(cache.kept.size).toBe(0);
  });

  it.each(['ThrottlingException', 'InternalErrorException', 'ExpiredTokenException'])(
    'throws %s, and asks again',
    async (name) => {
      let failing = true;
      const { ask, asked } = open({
        answer: async () => {
          if (failing) throw serviceError(name);
          return { unpriced: { reason: 'r', remedy: 'x' } };
        },
      });

      const both = await Promise.allSettled([ask(), ask()]);
      expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      await expect(ask()).rejects.toMatchObject({ name });
      failing = false;
      await ask();
      expect(asked).toHaveBeenCalledTimes(3);
    },
  );

  it('says what nobody prices', async () => {
    const { book } = open();

    expect(await book.price({ kind: 'copy', region: 'us-east-1' }, { from: 0, to: 1 })).toMatchObject({
      unpriced: { reason: 'nothing prices copy/region=us-east-1' },
    });
  });

  it('names the permission it lacks', async () => {
    const { ask } = open({ answer: async () => Promise.reject(serviceError('AccessDeniedException', 'no')) });

    expect(await ask()).toMatchObject({
      unpriced: { reason: 'list: AWS refused: no', remedy: expect.stringContaining('pricing:GetProducts') },
    });
  });
});

describe('a thousand launches on the same types', () => {
  const LAUNCHES = 1000;
  const ZONES = ['us-east-1a', 'us-east-1b'];

  const linux = (instanceType: string) => ({
    regionCode: 'us-east-1',
    instanceType,
    operatingSystem: 'Linux',
    preInstalledSw: 'NA',
    licenseModel: 'No License required',
    capacitystatus: 'Used',
    marketoption: 'OnDemand',
    tenancy: 'Shared',
  });
  const TYPES = ['m5.xlarge', 'c5.2xlarge', 'r5.xlarge'];
  const documents = [
    ...(ecs as unknown as PriceDocument[]),
    ...TYPES.map((type) => documentOf('AmazonEC2', linux(type), '0.1920000000')),
    documentOf(
      'AmazonEC2',
      { regionCode: 'us-east-1', volumeApiName: 'gp3', usagetype: 'EBS:VolumeUsage.gp3' },
      '0.08',
      { unit: 'GB-Mo', family: 'Storage' },
    ),
  ];
  const keys: PriceKey[] = [
    ...TYPES.map((type): PriceKey => ({ ...KEY, type })),
    ...TYPES.flatMap((type) => ZONES.map((zone): PriceKey => ({ kind: 'spot', region: 'us-east-1', zone, type }))),
    { kind: 'volume', region: 'us-east-1', type: 'gp3', of: 'storage' },
    { kind: 'fargate', region: 'us-east-1', architecture: 'x86_64', of: 'vcpu', spot: false },
    { kind: 'fargate', region: 'us-east-1', architecture: 'x86_64', of: 'gb', spot: false },
  ];
  const history = TYPES.flatMap((type) =>
    ZONES.map((zone) => ({ at: '2026-10-01T00:00:00Z', price: '0.07', zone, type })),
  );

  it.each([1, 4])('cost fewer than 0.2 calls each, on %i workers', async (workers) => {
    const cache = memoryCache();
    const { client, asked } = pricingOf(documents, { page: 1 });
    const spot = spotOf({ 'us-east-1': history });
    const books = Array.from({ length: workers }, () =>
      openPriceBook({ pricing: client, ec2: spot.ec2, rates: NO_RATES, cache, now: () => NOW }),
    );
    for (let launch = 0; launch < LAUNCHES; launch += 1) {
      const from = NOW - 10 * HOUR + launch * 10_000;
      const prices = await Promise.all(
        keys.map(
          async (key) => (await books[launch % workers]?.price(key, { from, to: from + HOUR })) ?? { spans: [] },
        ),
      );
      expect(prices.filter((price) => 'unpriced' in price || price.spans.length === 0)).toEqual([]);
    }
    const calls = books.reduce((sum, book) => sum + book.calls(), 0);

    expect(calls).toBe(asked.length + spot.asked.length);
    expect(calls / LAUNCHES).toBeLessThan(0.2);
  });
});

describe('throttling', () => {
  it('of the price list is thrown as it is', async () => {
    const { client } = pricingOf([], {
      before: () => {
        throw serviceError('ThrottlingException');
      },
    });
    const book = openPriceBook({ pricing: client, ec2: spotOf({}).ec2, rates: NO_RATES });

    await expect(book.price(KEY, { from: 0, to: 1 })).rejects.toMatchObject({ name: 'ThrottlingException' });
  });
});
