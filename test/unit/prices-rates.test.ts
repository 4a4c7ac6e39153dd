/** Own rates: what a file may say, what is told of one that is wrong, and what they do to prices. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createPriceBook } from '../../lib/prices/price-book.ts';
import type { PricingModel } from '../../lib/prices/pricing-model.ts';
import { budgetOf, exchangeRate, InvalidRatesError, NO_RATES, ratesModel, withTerms } from '../../lib/prices/rates.ts';
import { parseRates, readRates } from '../../lib/prices/rates-file.ts';
import type { Interval, Price, PriceKey } from '../../workflows/cost/model.ts';

const DAY = (date: string): number => Date.parse(`${date}T00:00:00Z`);
const READ_AT = '2026-10-01T00:00:00.000Z';
const m5 = (type = 'm5.xlarge', region = 'eu-central-1'): PriceKey => ({
  kind: 'instance',
  region,
  type,
  market: 'on-demand',
});
const EXAMPLE =
  /^```yaml rates\n([\s\S]*?)^```$/m.exec(
    readFileSync(join(import.meta.dirname, '../../docs/cost-rates.md'), 'utf8'),
  )?.[1] ?? '';

/** AWS's price of everything: 0.2 an hour. */
const listed: PricingModel = {
  name: 'list',
  lasting: true,
  covers: ({ kind }) => kind !== 'on-premises' && kind !== 'spot',
  price: async (_, over) => ({
    spans: [
      {
        ...over,
        perUnit: '0.2000000000',
        unit: 'Hrs',
        currency: 'USD',
        pricesAt: '2026-09-01T00:00:00Z',
        source: 'price-list',
      },
    ],
  }),
};

function open(text: string) {
  const rates = parseRates(text, 'rates.yaml');
  const book = createPriceBook({
    models: [ratesModel(rates, READ_AT), listed],
    now: () => 0,
    withTerms: (key, price) => withTerms(rates, key, price),
  });
  return {
    rates,
    price: (key: PriceKey, from = '2026-06-01', to = '2026-06-02') => book.price(key, { from: DAY(from), to: DAY(to) }),
  };
}

const spans = (price: Price) => {
  if ('unpriced' in price) throw new Error(price.unpriced.reason);
  return price.spans;
};
const problems = (text: string): readonly string[] => {
  try {
    parseRates(text, 'rates.yaml');
  } catch (error) {
    if (error instanceof InvalidRatesError) return error.problems;
    throw error;
  }
  return [];
};

describe('a file of rates', () => {
  it('may be as the documentation shows', () => {
    expect(parseRates(EXAMPLE, 'rates.yaml')).toMatchObject({
      date: '2026-09-01',
      currency: 'EUR',
      rates: [
        {
          kind: 'instance',
          where: { type: 'm5.xlarge', region: 'eu-central-1' },
          perUnit: '0.171',
          currency: 'EUR',
          from: DAY('2026-01-01'),
          to: DAY('2027-01-01'),
        },
        { kind: 'fargate', where: { spot: true, of: 'vcpu' }, perUnit: '0.0142', currency: 'USD' },
        { kind: 'tokens', where: { model: 'gpt-5.4-mini', of: 'output' }, perUnit: '4.5', currency: 'USD' },
      ],
      sharing: { fileSystems: 'pro-rata', clusters: 'whole' },
      budgets: { default: '500', 'lab-a': '2500' },
    });
  });

  it('may be empty of all, and keeps every digit', () => {
    expect(parseRates('{}', 'rates.yaml')).toEqual(NO_RATES);
    expect(parseRates('rates: [{kind: eks, perUnit: "0.123456789012345678"}]', 'x').rates[0]?.perUnit).toBe(
      '0.123456789012345678',
    );
    expect(parseRates('rates: [{kind: eks, perUnit: 1e-7}]', 'x').rates[0]?.perUnit).toBe('0.0000001');
  });

  it('is refused with every wrong place, its line and what to do', () => {
    expect(
      problems(`currency: euro
rates:
  - kind: instance
    type: m5.xlarge
    perUnit: cheap
  - kind: instances
    perUnit: -1
  - perUnit: 1
    colour: red
discounts:
  - service: AmazonEC2
    percent: 101
`),
    ).toEqual([
      'rates.yaml:1: currency: got "euro"; expected three capital letters of ISO 4217',
      'rates.yaml:5: rates.0.perUnit: got "cheap"; expected a decimal number of at least 0, such as 0.192',
      'rates.yaml:6: rates.1.kind: got "instances"; use one of instance, spot, fargate, volume, lustre, eks, retrieval, copy, s3-request, tokens, speech',
      'rates.yaml:7: rates.1.perUnit: got -1; expected a decimal number of at least 0, such as 0.192',
      'rates.yaml:8: rates.2: kind is missing; add it',
      expect.stringMatching(/^rates\.yaml:9: rates\.2\.colour: unknown field; take it out, or use one of kind, region/),
      'rates.yaml:12: discounts.0.percent: got 101; expected a number from 0 to 100, taken off the list price',
    ]);
  });

  it('is refused for what would never apply, too', () => {
    expect(
      problems(`rates:
  - kind: volume
    perUnit: 1
  - kind: eks
    type: m5.large
    perUnit: 1
  - kind: fargate
    of: storage
    perUnit: 1
    from: 2026-02-30
  - kind: instance
    type: m5.large
    perUnit: 1
    from: 2026-05-01
    to: 2026-05-01
  - { kind: tokens, model: gpt-5-mini, of: vcpu, perUnit: 1 }
  - { kind: speech, region: us-east-1, model: gpt-5-mini, perUnit: 1 }
discounts:
  - service: AmazonS3
    family: m5
    percent: 1
onPremises:
  - { cluster: hpc, perVcpuHour: 1, perGbHour: 1 }
  - { cluster: hpc, perVcpuHour: 2, perGbHour: 1 }
commitments:
  - kind: reserved
exchange:
  - { from: USD, to: USD, rate: 1, date: 2026-01-01 }
`),
    ).toEqual([
      'rates.yaml:2: rates.0: a rate of kind volume needs type; add it',
      'rates.yaml:2: rates.0: a rate of kind volume needs of; add it',
      'rates.yaml:5: rates.1.type: a rate of kind eks has no type; take it out',
      'rates.yaml:8: rates.2.of: got "storage"; of kind fargate use one of vcpu, gb',
      'rates.yaml:10: rates.2.from: there is no day 2026-02-30; correct it',
      'rates.yaml:15: rates.3.to: 2026-05-01 is not after 2026-05-01; to is the first day it no longer holds',
      'rates.yaml:16: rates.4.of: got "vcpu"; of kind tokens use one of input, cached-input, output, image-output',
      'rates.yaml:17: rates.5: a rate of kind speech needs engine; add it',
      'rates.yaml:17: rates.5.model: a rate of kind speech has no model; take it out',
      'rates.yaml:20: discounts.0.family: AmazonS3 has no instance families; take it out',
      'rates.yaml:24: onPremises.1: hpc stands here twice; keep one',
      'rates.yaml:26: commitments.0: says nothing of what it covers; add families, types or regions',
      'rates.yaml:28: exchange.0: USD to itself; use two currencies',
    ]);
  });

  it.each([
    ['no YAML', 'currency: [', /^rates\.yaml:1: not valid YAML or JSON: .*; correct it$/],
    ['the same field twice', 'currency: USD\ncurrency: EUR\n', /^rates\.yaml:2: not valid YAML/],
    ['a list', '- 1', /^rates\.yaml:1: expected a mapping/],
    ['nothing', '', /^rates\.yaml:1: expected a mapping/],
  ])('is refused as %s', (_, text, message) => {
    expect(problems(text)).toEqual([expect.stringMatching(message)]);
  });

  it('is read from a path, and missed with what to do', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'longhaul-rates-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'rates.yaml'), 'currency: EUR');

    expect((await readRates(join(folder, 'rates.yaml'))).currency).toBe('EUR');
    expect(await readRates('')).toBe(NO_RATES);
    await expect(readRates(join(folder, 'other.yaml'))).rejects.toMatchObject({
      name: 'InvalidRatesError',
      message: expect.stringMatching(
        /other\.yaml: there is no such file; put the file there, or correct the setting costRates$/,
      ),
    });
  });
});

describe('an own rate', () => {
  const TEXT = `currency: EUR
date: 2026-05-05
rates:
  - { kind: instance, type: m5.xlarge, region: eu-central-1, perUnit: 0.15, from: 2026-06-01, to: 2026-07-01 }
  - { kind: instance, type: m5.xlarge, perUnit: 0.16, to: 2026-06-03 }
  - { kind: spot, type: m5.xlarge, zone: eu-central-1a, perUnit: 0.05 }
onPremises:
  - { cluster: hpc, perVcpuHour: 0.012, perGbHour: 0.0015 }
`;

  it('comes before the list price, and is marked', async () => {
    expect(spans(await open(TEXT).price(m5()))).toEqual([
      {
        from: DAY('2026-06-01'),
        to: DAY('2026-06-02'),
        perUnit: '0.15',
        unit: 'Hrs',
        currency: 'EUR',
        pricesAt: '2026-06-01T00:00:00Z',
        source: 'rates',
        marks: ['own rate'],
      },
    ]);
  });

  it('holds from its day to its day: before and after goes what comes next', async () => {
    const found = spans(await open(TEXT).price(m5(), '2026-05-30', '2026-07-02'));

    expect(found.map(({ from, to, perUnit, source }) => [from, to, perUnit, source])).toEqual([
      [DAY('2026-05-30'), DAY('2026-06-01'), '0.16', 'rates'],
      [DAY('2026-06-01'), DAY('2026-07-01'), '0.15', 'rates'],
      [DAY('2026-07-01'), DAY('2026-07-02'), '0.2000000000', 'price-list'],
    ]);
  });

  it('is of a moment, too', async () => {
    const { price } = open(TEXT);

    expect(spans(await price(m5(), '2026-06-15', '2026-06-15'))[0]?.perUnit).toBe('0.15');
    expect(spans(await price(m5(), '2026-07-01', '2026-07-01'))[0]?.perUnit).toBe('0.2000000000');
  });

  it('is not of other types, Regions and zones', async () => {
    const { price } = open(TEXT);

    expect(spans(await price(m5('m5.large')))[0]?.source).toBe('price-list');
    const spot = (zone: string): PriceKey => ({ kind: 'spot', region: 'eu-central-1', zone, type: 'm5.xlarge' });
    expect(spans(await price(spot('eu-central-1a')))[0]).toMatchObject({
      perUnit: '0.05',
      pricesAt: '2026-05-05T00:00:00Z',
    });
    expect(await price(spot('eu-central-1b'))).toHaveProperty('unpriced');
  });

  it('is what a cluster in the house costs', async () => {
    const { price } = open(TEXT);

    expect(spans(await price({ kind: 'on-premises', cluster: 'hpc', of: 'gb' }))[0]).toMatchObject({
      perUnit: '0.0015',
      unit: 'GB-Hours',
      currency: 'EUR',
    });
    expect(await price({ kind: 'on-premises', cluster: 'other', of: 'vcpu' })).toEqual({
      unpriced: {
        reason: 'there are no rates of the cluster other',
        remedy: 'add it to onPremises in the file of the setting costRates',
      },
    });
  });
});

describe('terms', () => {
  const TEXT = `
discounts:
  - { service: AmazonEC2, family: r6i, percent: 12 }
  - { service: AmazonEC2, region: eu-central-1, percent: 7.5 }
  - { service: AmazonEBS, percent: 10 }
commitments:
  - { kind: savings-plan, families: [m5], regions: [eu-central-1] }
  - { kind: reserved, types: [c5.large] }
`;
  it.each<[string, PriceKey, string, string[] | undefined]>([
    ['the first discount that fits', m5('r6i.large'), '0.176', ['discount 12 %']],
    ['a discount of the Region beside a commitment', m5(), '0.185', ['discount 7.5 %', 'savings-plan']],
    ['a commitment at list price', m5('c5.large', 'us-east-1'), '0.2000000000', ['reserved']],
    [
      'a discount of volumes',
      { kind: 'volume', region: 'us-east-1', type: 'gp3', of: 'storage' },
      '0.18',
      ['discount 10 %'],
    ],
    ['neither', m5('m5.large', 'us-east-1'), '0.2000000000', undefined],
  ])('are %s', async (_, key, perUnit, marks) => {
    const [span] = spans(await open(TEXT).price(key));

    expect([span?.perUnit, span?.marks]).toEqual([perUnit, marks]);
  });

  it('are of tiers too, and not of own rates', () => {
    const rates = parseRates(TEXT, 'x');
    const over: Interval = { from: 0, to: 1 };
    const span = {
      ...over,
      perUnit: '0.1',
      unit: 'GB-Mo',
      currency: 'USD',
      pricesAt: '',
      tiers: [
        { from: '0', perUnit: '0.1' },
        { from: '9', perUnit: '0.05' },
      ],
    };
    const key: PriceKey = { kind: 'volume', region: 'us-east-1', type: 'io2', of: 'iops' };

    expect(spans(withTerms(rates, key, { spans: [{ ...span, source: 'price-list' }] }))[0]?.tiers).toEqual([
      { from: '0', perUnit: '0.09' },
      { from: '9', perUnit: '0.045' },
    ]);
    expect(spans(withTerms(rates, key, { spans: [{ ...span, source: 'rates' }] }))[0]?.perUnit).toBe('0.1');
  });
});

describe('exchange and budgets', () => {
  const rates = parseRates(
    `currency: EUR
exchange:
  - { from: USD, to: EUR, rate: 0.9, date: 2026-01-01 }
  - { from: USD, to: EUR, rate: 0.8, date: 2026-07-01 }
budgets: { lab-a: 12.50, default: 5 }
`,
    'x',
  );

  it('have the newest rate of the day, and the way back', () => {
    expect(exchangeRate(rates, 'USD', 'EUR', DAY('2026-06-30'))).toMatchObject({ rate: '0.9', date: '2026-01-01' });
    expect(exchangeRate(rates, 'USD', 'EUR', DAY('2026-07-01'))).toMatchObject({ rate: '0.8' });
    expect(exchangeRate(rates, 'EUR', 'USD', DAY('2026-08-01'))).toEqual({
      from: 'EUR',
      to: 'USD',
      rate: '1.25',
      date: '2026-07-01',
    });
    expect(exchangeRate(rates, 'USD', 'EUR', DAY('2025-12-31'))).toBeUndefined();
    expect(exchangeRate(rates, 'USD', 'CNY', DAY('2026-08-01'))).toBeUndefined();
  });

  it('are by consumer, with a default', () => {
    expect(budgetOf(rates, 'lab-a')).toEqual({ amount: '12.5', currency: 'EUR' });
    expect(budgetOf(rates, 'toString')).toEqual({ amount: '5', currency: 'EUR' });
    expect(budgetOf(NO_RATES, 'lab-a')).toBeUndefined();
  });
});
