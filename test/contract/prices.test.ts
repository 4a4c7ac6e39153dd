/**
 * Every kind of price a launch can need, by the product's own look-ups: against the stand-ins, or AWS.
 *
 * @module
 */
import { EC2Client } from '@aws-sdk/client-ec2';
import { PricingClient } from '@aws-sdk/client-pricing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPriceBook } from '../../lib/prices/pricing-models.ts';
import { NO_RATES } from '../../lib/prices/rates.ts';
import type { PriceKey } from '../../workflows/cost/model.ts';
import { openTarget, type Target } from './target.ts';

const HOUR = 3_600_000;
const region = 'us-east-1';

let target: Target;
let ec2: EC2Client;
let book: ReturnType<typeof openPriceBook>;

beforeAll(async () => {
  target = await openTarget();
  ec2 = new EC2Client(target.client);
  book = openPriceBook({ pricing: new PricingClient(target.client), ec2: () => ec2, rates: NO_RATES });
});
afterAll(() => target.close());

const KEYS: [string, PriceKey, string][] = [
  ['an instance', { kind: 'instance', region, type: 'm5.xlarge', market: 'on-demand' }, 'Hrs'],
  ['an instance of Graviton', { kind: 'instance', region, type: 'm6g.xlarge', market: 'on-demand' }, 'Hrs'],
  ['gp3 storage', { kind: 'volume', region, type: 'gp3', of: 'storage' }, 'GB-Mo'],
  ['gp3 IOPS', { kind: 'volume', region, type: 'gp3', of: 'iops' }, 'IOPS-Mo'],
  ['gp3 throughput', { kind: 'volume', region, type: 'gp3', of: 'throughput' }, 'MiBps-Mo'],
  ['gp2 storage', { kind: 'volume', region, type: 'gp2', of: 'storage' }, 'GB-Mo'],
  ['io1 IOPS', { kind: 'volume', region, type: 'io1', of: 'iops' }, 'IOPS-Mo'],
  ['io2 IOPS', { kind: 'volume', region, type: 'io2', of: 'iops' }, 'IOPS-Mo'],
  ['st1 storage', { kind: 'volume', region, type: 'st1', of: 'storage' }, 'GB-Mo'],
  ['Fargate vCPUs', { kind: 'fargate', region, architecture: 'x86_64', of: 'vcpu', spot: false }, 'vCPU-Hours'],
  ['Fargate memory on ARM', { kind: 'fargate', region, architecture: 'arm64', of: 'gb', spot: false }, 'GB-Hours'],
  [
    'FSx for Lustre',
    { kind: 'lustre', region, deploymentType: 'PERSISTENT_2', storageType: 'SSD', throughputPerUnit: 125 },
    'GB-Mo',
  ],
  ['scratch of Lustre', { kind: 'lustre', region, deploymentType: 'SCRATCH_2', storageType: 'SSD' }, 'GB-Mo'],
  ['a control plane', { kind: 'eks', region, support: 'standard' }, 'Hrs'],
  ['its extended support', { kind: 'eks', region, support: 'extended' }, 'Hrs'],
  ['retrieval', { kind: 'retrieval', region, archive: 'GLACIER', tier: 'Standard', of: 'gb' }, 'GB'],
  [
    'a restore request',
    { kind: 'retrieval', region, archive: 'DEEP_ARCHIVE', tier: 'Bulk', of: 'request' },
    'Requests',
  ],
  ['a temporary copy', { kind: 'copy', region }, 'GB-Mo'],
  ['PUT', { kind: 's3-request', region, of: 'put' }, 'Requests'],
  ['GET', { kind: 's3-request', region, of: 'get' }, 'Requests'],
  ['standard voices', { kind: 'speech', region, engine: 'standard' }, '1M Characters'],
  ['neural voices', { kind: 'speech', region, engine: 'neural' }, '1M Characters'],
  ['long-form voices', { kind: 'speech', region, engine: 'long-form' }, '1M Characters'],
  ['neural voices elsewhere', { kind: 'speech', region: 'eu-west-1', engine: 'neural' }, '1M Characters'],
];

describe('the price list has exactly one price of', () => {
  it.each(KEYS)('%s', async (_, key, unit) => {
    const over = { from: Date.now() - HOUR, to: Date.now() };
    const price = await book.price(key, over);
    expect(price).toMatchObject({ spans: [{ ...over, unit, currency: 'USD', source: 'price-list' }] });
    if ('spans' in price) expect(Number(price.spans[0]?.perUnit)).toBeGreaterThan(0);
  });
});

describe('what has no price is said to have none', () => {
  it.each([
    ['a type that is none', { kind: 'instance', region, type: 'm5.huge', market: 'on-demand' }, /no product/],
    [
      'a Region that is none',
      { kind: 'instance', region: 'xx-east-9', type: 'm5.xlarge', market: 'on-demand' },
      /no product/,
    ],
    ['Fargate Spot', { kind: 'fargate', region, architecture: 'x86_64', of: 'vcpu', spot: true }, /spot/i],
    ['an engine that is none', { kind: 'speech', region, engine: 'shouting' }, /shouting/],
    ['a model that is not listed', { kind: 'tokens', model: 'gpt-9', of: 'input' }, /input tokens of gpt-9/],
    ['a cluster without rates', { kind: 'on-premises', cluster: 'hpc', of: 'vcpu' }, /no rates of the cluster hpc/],
  ] as [string, PriceKey, RegExp][])('%s', async (_, key, reason) => {
    const price = await book.price(key, { from: Date.now() - HOUR, to: Date.now() });
    expect(price).toMatchObject({ unpriced: { reason: expect.stringMatching(reason) as string } });
    if ('unpriced' in price) expect(price.unpriced.remedy).not.toBe('');
  });
});

it('spot prices follow the history of their zone without a gap', async () => {
  const over = { from: Date.now() - 72 * HOUR, to: Date.now() - HOUR };
  const price = await book.price({ kind: 'spot', region, zone: `${region}a`, type: 'm5.xlarge' }, over);
  if (!('spans' in price)) throw new Error(price.unpriced.reason);
  expect(price.spans.at(0)?.from).toBe(over.from);
  expect(price.spans.at(-1)?.to).toBe(over.to);
  for (const [place, span] of price.spans.slice(1).entries()) expect(span.from).toBe(price.spans[place]?.to);
  expect(price.spans.every(({ source, currency }) => source === 'spot-history' && currency === 'USD')).toBe(true);
});
