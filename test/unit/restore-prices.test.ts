/** What restoring costs: which product of AWS's price lists is meant, and what is done when none, or more than one, is. */
import { PricingClient } from '@aws-sdk/client-pricing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createPricing } from '../../infra/local/aws/pricing/service.ts';
import { createKit, openFrontDoor } from '../../infra/local/kit/front-door.ts';
import { jsonService } from '../../infra/local/kit/json-protocol.ts';
import type { AwsService } from '../../infra/local/kit/service.ts';
import { createAwsClients } from '../../lib/aws-clients.ts';
import { priceListRegion } from '../../lib/prices/endpoints.ts';
import { createPriceList, only, type PriceList, type PriceQuery, type Product } from '../../lib/prices/price-list.ts';
import { restorePrices } from '../../lib/prices/restore-prices.ts';

const REGION = 'eu-west-1';
let nth = 0;

/** A product as the list has it; each with a SKU of its own. */
function product(usagetype: string, operation: string, usd: string, more: Partial<Product> = {}): Product {
  nth += 1;
  const unit = usagetype.includes('Bytes') ? 'GB' : 'Requests';
  return {
    sku: `SKU${nth}`,
    attributes: { regionCode: REGION, usagetype: `EU-${usagetype}`, operation },
    effectiveDate: '2026-01-01T00:00:00Z',
    dimensions: [{ unit, beginRange: 0, endRange: Number.POSITIVE_INFINITY, amount: usd, currency: 'USD' }],
    ...more,
  };
}

function storage(volumeType: string, ...usd: string[]): Product {
  const ranges = [0, 51_200, 512_000, Number.POSITIVE_INFINITY];
  return product('TimedStorage-ByteHrs', '', '0', {
    attributes: { regionCode: REGION, usagetype: 'EU-TimedStorage-ByteHrs', operation: '', volumeType },
    dimensions: usd.map((price, index) => ({
      unit: 'GB-Mo',
      beginRange: ranges[index] ?? 0,
      endRange: ranges[index + 1] ?? 0,
      amount: price,
      currency: 'USD',
    })),
  });
}

/** A price each that no other has, between the look-alikes that are really there. */
const s3Products = (): Product[] => [
  product('Standard-Retrieval-Bytes', 'IntDAARestoreObject', '0.0000000000'),
  product('Standard-Retrieval-Bytes', 'IntAARestoreObject', '0.0000000000'),
  product('Standard-Retrieval-Bytes', 'DeepArchiveRestoreObject', '0.0210000000'),
  product('Standard-Retrieval-Bytes', 'RestoreObject', '0.0110000000'),
  product('Bulk-Retrieval-Bytes', 'IntDAARestoreObject', '0.0000000000'),
  product('Bulk-Retrieval-Bytes', 'IntAARestoreObject', '0.0000000000'),
  product('Bulk-Retrieval-Bytes', 'RestoreObject', '0.0000000000'),
  product('Bulk-Retrieval-Bytes', 'DeepArchiveRestoreObject', '0.0031000000'),
  product('Expedited-Retrieval-Bytes', 'IntAARestoreObject', '0.0320000000'),
  product('Expedited-Retrieval-Bytes', '', '0.0330000000', { effectiveDate: '2026-03-01T00:00:00Z' }),
  product('Requests-Tier3', 'S3-GlacierTransition', '0.0000360000', { effectiveDate: '2026-09-01T00:00:00Z' }),
  product('Requests-Tier3', 'S3-GDATransition', '0.0000600000'),
  product('Requests-Tier3', 'RestoreObject', '0.0000550000'),
  product('Requests-Tier5', '', '0.0000000000'),
  product('Requests-Tier6', '', '0.0110000000'),
  product('Requests-INT-AA-Tier3', 'RestoreObject', '0.0000000000'),
  product('Requests-INT-AA-Tier5', 'RestoreObjectBulk', '0.0000000000'),
  product('Requests-INT-Tier6', 'RestoreObjectExpedited', '0.0120000000'),
  product('Requests-INT-DAA-Tier3', 'RestoreObject', '0.0000000000'),
  product('Requests-INT-DAA-Tier5', 'RestoreObjectBulk', '0.0000000000'),
  product('AdditionalRequest-INT', 'RestoreObject', '0.0000004000'),
  storage('INTAAS3ObjectOverhead', '0.0241500000'),
  storage('Standard', '0.0230000000', '0.0220000000', '0.0210000000'),
];
const deepArchiveProducts = (): Product[] => [
  product('Requests-GDA-Tier3', '', '0.0001100000'),
  product('Requests-GDA-Tier5', '', '0.0000280000'),
  product('Standard-Retrieval-Bytes', 'DeepArchiveRestoreObject', '0.0210000000'),
];

function listOf(
  s3 = s3Products(),
  deepArchive = deepArchiveProducts(),
): PriceList & { find: ReturnType<typeof vi.fn> } {
  return {
    find: vi.fn(async ({ serviceCode }: PriceQuery) => (serviceCode === 'AmazonS3' ? s3 : deepArchive)),
  };
}

const is = (usagetype: string, operation: string) => (one: Product) =>
  one.attributes.usagetype === `EU-${usagetype}` && one.attributes.operation === operation;

describe('what restoring costs', () => {
  it('is taken from the right product among those that look alike', async () => {
    expect(await restorePrices(listOf(), REGION)).toEqual({
      region: REGION,
      retrieval: {
        GLACIER: {
          Expedited: { perRequest: 0.011, perGb: 0.033 },
          Standard: { perRequest: 0.000055, perGb: 0.011 },
          Bulk: { perRequest: 0, perGb: 0 },
        },
        DEEP_ARCHIVE: {
          Standard: { perRequest: 0.00011, perGb: 0.021 },
          Bulk: { perRequest: 0.000028, perGb: 0.0031 },
        },
        ARCHIVE_ACCESS: {
          Expedited: { perRequest: 0.012, perGb: 0.032 },
          Standard: { perRequest: 0, perGb: 0 },
          Bulk: { perRequest: 0, perGb: 0 },
        },
        DEEP_ARCHIVE_ACCESS: {
          Standard: { perRequest: 0, perGb: 0 },
          Bulk: { perRequest: 0, perGb: 0 },
        },
      },
      copyPerGbMonth: 0.023,
      // The newest of those used: the transition is newer, and is not.
      pricesAt: '2026-03-01T00:00:00Z',
    });
  });

  it('asks for the Region in two lists, once a day', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const list = listOf();
    const [first, second] = await Promise.all([restorePrices(list, REGION), restorePrices(list, REGION)]);
    vi.setSystemTime(Date.now() + 23 * 60 * 60 * 1000);
    await restorePrices(list, REGION);

    expect(second).toEqual(first);
    expect(list.find.mock.calls).toEqual([
      [{ serviceCode: 'AmazonS3', filters: { regionCode: REGION } }],
      [{ serviceCode: 'AmazonS3GlacierDeepArchive', filters: { regionCode: REGION } }],
    ]);

    vi.setSystemTime(Date.now() + 2 * 60 * 60 * 1000);
    await restorePrices(list, REGION);
    expect(list.find).toHaveBeenCalledTimes(4);
  });

  it('is not mixed up between Regions', async () => {
    const list = listOf();
    await restorePrices(list, REGION);

    await expect(restorePrices(list, 'us-east-2')).rejects.toThrow('AmazonS3 in us-east-2 has no product');
  });

  it('is asked for again after it could not be had', async () => {
    const list = listOf();
    list.find.mockRejectedValueOnce(new Error('no answer'));

    await expect(restorePrices(list, REGION)).rejects.toThrow('no answer');
    expect(await restorePrices(list, REGION)).toHaveProperty('copyPerGbMonth', 0.023);
  });

  it('is unknown without a product', async () => {
    const products = s3Products().filter((one) => !is('Requests-Tier3', 'RestoreObject')(one));

    await expect(restorePrices(listOf(products), REGION)).rejects.toMatchObject({
      name: 'PriceUnknownError',
      message:
        'the price list of AmazonS3 in eu-west-1 has no product with usagetype=Requests-Tier3, operation=RestoreObject; ' +
        'needed is one',
      skus: [],
    });
  });

  it('is unknown with two', async () => {
    const products = [...s3Products(), product('Requests-Tier6', '', '0.5000000000')];
    const skus = products.filter(is('Requests-Tier6', '')).map(({ sku }) => sku);

    await expect(restorePrices(listOf(products), REGION)).rejects.toMatchObject({
      name: 'PriceUnknownError',
      message: `the price list of AmazonS3 in eu-west-1 has 2 products (SKUs ${skus.join(', ')}) with usagetype=Requests-Tier6, operation=(empty); needed is one`,
      skus,
    });
  });

  it.each<[string, Partial<Product['dimensions'][number]>]>([
    ['another unit', { unit: '1000 Requests' }],
    ['no price for the first one', { beginRange: 1 }],
    ['another currency', { currency: 'CNY' }],
  ])('is not guessed from %s', async (_, change) => {
    const products = s3Products().map((one) =>
      is('Requests-Tier6', '')(one)
        ? { ...one, dimensions: one.dimensions.map((each) => ({ ...each, ...change })) }
        : one,
    );

    await expect(restorePrices(listOf(products), REGION)).rejects.toMatchObject({ name: 'PriceListFormatError' });
  });
});

describe('one product', () => {
  it('may be told by what it does not have', () => {
    const bare = product('Requests-Tier5', '', '0', { attributes: { usagetype: 'Requests-Tier5' } });
    const query = { serviceCode: 'AmazonS3', filters: { usagetype: 'Requests-Tier5', operation: '' } };

    expect(only([bare, product('Requests-Tier5', 'x', '1')], query)).toBe(bare);
  });
});

/** A price list behind the real client. */
async function open(service: (kit: ReturnType<typeof createKit>) => AwsService) {
  const kit = createKit();
  const door = await openFrontDoor(kit, [service(kit)]);
  const credentials = { accessKeyId: 'unit', secretAccessKey: 'unit' };
  const client = new PricingClient({ region: 'us-east-1', endpoint: door.url, credentials, maxAttempts: 3 });
  onTestFinished(async () => {
    client.destroy();
    await door.close();
  });
  return { kit, list: createPriceList(client) };
}

/** One that answers with these, two a page. */
const answering = (documents: readonly string[]) => () =>
  jsonService({
    names: ['pricing'],
    version: '1.1',
    operations: {
      GetProducts: {
        run({ NextToken = 0 }) {
          const end = Number(NextToken) + 2;
          return {
            PriceList: documents.slice(Number(NextToken), end),
            ...(end < documents.length && { NextToken: String(end) }),
          };
        },
      },
    },
  });

const QUERY = { serviceCode: 'AmazonS3', filters: { regionCode: 'us-east-1' } };

interface Term {
  effectiveDate?: unknown;
  priceDimensions?: unknown;
}
const dimension = (more: Record<string, unknown> = {}) => ({
  unit: 'GB',
  beginRange: '0',
  endRange: 'Inf',
  pricePerUnit: { USD: '0.0100000000' },
  ...more,
});
const term = (more: Term = {}): Term => ({
  effectiveDate: '2026-01-01T00:00:00Z',
  priceDimensions: { 'A.B.C': dimension() },
  ...more,
});
const documentOf = (OnDemand: unknown, product: unknown = { sku: 'A', attributes: { usagetype: 'x' } }) =>
  JSON.stringify({ product, terms: { OnDemand } });

describe('the price list', () => {
  it('is read through all pages, and typed', async () => {
    const tiers = {
      'A.B.2': dimension({ beginRange: '100', pricePerUnit: { USD: '0.0000000025' } }),
      'A.B.1': dimension({ endRange: '100' }),
    };
    const { list } = await open(
      answering([
        documentOf({ 'A.B': term({ priceDimensions: tiers }) }),
        documentOf({ 'A.B': term() }),
        documentOf({ 'A.B': term() }),
      ]),
    );
    const found = await list.find(QUERY);

    expect(found).toHaveLength(3);
    expect(found[0]).toEqual({
      sku: 'A',
      attributes: { usagetype: 'x' },
      effectiveDate: '2026-01-01T00:00:00Z',
      dimensions: [
        { unit: 'GB', beginRange: 0, endRange: 100, amount: '0.0100000000', currency: 'USD' },
        { unit: 'GB', beginRange: 100, endRange: Number.POSITIVE_INFINITY, amount: '0.0000000025', currency: 'USD' },
      ],
    });
  });

  it('has a product for each of its terms on demand, and none for one that is only reserved', async () => {
    const twice = documentOf({ 'A.B': term(), 'A.D': term({ effectiveDate: '2027-01-01T00:00:00Z' }) });
    const reserved = JSON.stringify({ product: { sku: 'R', attributes: {} }, terms: { Reserved: {} } });
    const { list } = await open(answering([twice, reserved]));

    expect((await list.find(QUERY)).map(({ effectiveDate }) => effectiveDate)).toEqual([
      '2026-01-01T00:00:00Z',
      '2027-01-01T00:00:00Z',
    ]);
  });

  it.each<[string, string, string]>([
    ['no JSON', '{"product":', 'not valid JSON'],
    ['no object', '[]', 'a product is no object'],
    ['no SKU', documentOf({}, { attributes: {} }), 'sku is no string'],
    ['no attributes', documentOf({}, { sku: 'A' }), 'A in the price list of AmazonS3: attributes is no object'],
    [
      'an attribute that is no text',
      documentOf({}, { sku: 'A', attributes: { usagetype: 1 } }),
      'usagetype is no string',
    ],
    ['no terms', JSON.stringify({ product: { sku: 'A', attributes: {} } }), 'terms is no object'],
    ['a term without a price', documentOf({ t: term({ priceDimensions: {} }) }), 'a term without a price'],
    ['a term without a date', documentOf({ t: term({ effectiveDate: 'soon' }) }), 'effectiveDate is no date'],
    [
      'a price without a currency',
      documentOf({ t: term({ priceDimensions: { d: dimension({ pricePerUnit: {} }) } }) }),
      'pricePerUnit has no currency; needed is one',
    ],
    [
      'a price in two currencies',
      documentOf({ t: term({ priceDimensions: { d: dimension({ pricePerUnit: { USD: '1', CNY: '7' } }) } }) }),
      'pricePerUnit has USD, CNY; needed is one',
    ],
    [
      'a price that is no number',
      documentOf({ t: term({ priceDimensions: { d: dimension({ pricePerUnit: { USD: 'free' } }) } }) }),
      'pricePerUnit.USD is free',
    ],
    [
      'a range that is no number',
      documentOf({ t: term({ priceDimensions: { d: dimension({ beginRange: '' }) } }) }),
      'beginRange is ',
    ],
  ])('is refused with %s', async (_, document, message) => {
    const { list } = await open(answering([document]));

    await expect(list.find(QUERY)).rejects.toMatchObject({
      name: 'PriceListFormatError',
      message: expect.stringContaining(message),
    });
  });

  it('is asked again when it throttles', async () => {
    const { kit, list } = await open((kit) => createPricing({ kit }).service);
    kit.faults.set([{ service: 'pricing', operation: 'GetProducts', effect: 'throttle' }]);

    expect(await list.find(QUERY)).not.toEqual([]);
    expect(kit.calls.list({ service: 'pricing' }).map(({ error }) => error)).toEqual(['ThrottlingException', '']);
  });

  it.each([
    ['us-east-1', 'us-east-1'],
    ['eu-central-1', 'eu-central-1'],
    ['ap-south-1', 'ap-south-1'],
    ['eu-west-1', 'eu-central-1'],
    ['ap-southeast-2', 'ap-south-1'],
    ['us-west-2', 'us-east-1'],
    ['sa-east-1', 'us-east-1'],
    ['cn-north-1', 'cn-northwest-1'],
    ['cn-northwest-1', 'cn-northwest-1'],
  ])('for %s is asked in %s', async (region, expected) => {
    vi.stubEnv('AWS_REGION', region);
    onTestFinished(() => void vi.unstubAllEnvs());
    const clients = createAwsClients();
    onTestFinished(() => clients.destroy());

    expect(priceListRegion(region)).toBe(expected);
    expect(await clients.pricing.config.region()).toBe(expected);
  });
});
