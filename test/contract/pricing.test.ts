import {
  DescribeServicesCommand,
  type Filter,
  GetAttributeValuesCommand,
  GetProductsCommand,
  type GetProductsCommandInput,
  ListPriceListsCommand,
  PricingClient,
  paginateDescribeServices,
  paginateGetProducts,
} from '@aws-sdk/client-pricing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { priceListRegion } from '../../lib/prices/endpoints.ts';
import { createPriceList } from '../../lib/prices/price-list.ts';
import { restorePrices } from '../../lib/prices/restore-prices.ts';
import { PRICES } from '../support/restore-prices.ts';
import { openTarget, type Target } from './target.ts';

const ServiceCode = 'AmazonS3';

let target: Target;
let pricing: PricingClient;

beforeAll(async () => {
  target = await openTarget();
  pricing = new PricingClient({ ...target.client, region: priceListRegion(target.client.region) });
});
// What earlier tests have used of the rate is there again.
beforeEach(() => target.local?.kit.clock.advance(10_000));
afterAll(async () => {
  pricing.destroy();
  await target.close();
});

interface Document {
  product: { sku: string; attributes: Record<string, string> };
  terms: { OnDemand: Record<string, { priceDimensions: Record<string, Record<string, unknown>> }> };
}

const filter = (Type: Filter['Type'], Field: string, Value: string): Filter => ({ Type, Field, Value });
const inRegion = (...more: Filter[]) => [filter('TERM_MATCH', 'regionCode', 'us-east-1'), ...more];

async function products(input: Partial<GetProductsCommandInput>): Promise<Document[]> {
  const { PriceList = [] } = await pricing.send(new GetProductsCommand({ ServiceCode, ...input }));
  return [...PriceList].map((text) => JSON.parse(String(text)) as Document);
}

const attribute = (documents: readonly Document[], name: string) =>
  documents.map(({ product }) => product.attributes[name] ?? '').toSorted();

describe('services', () => {
  it('are told with the attributes they can be asked by', async () => {
    const { Services = [], FormatVersion } = await pricing.send(new DescribeServicesCommand({ ServiceCode }));

    expect(FormatVersion).toBe('aws_v1');
    expect(Services).toHaveLength(1);
    expect(Services[0]).toMatchObject({
      ServiceCode,
      AttributeNames: expect.arrayContaining(['usagetype', 'operation', 'regionCode', 'volumeType', 'productFamily']),
    });
  });

  it('have a code each; the Deep Archive has a list of its own', async () => {
    const codes: (string | undefined)[] = [];
    for await (const { Services = [] } of paginateDescribeServices({ client: pricing }, {})) {
      codes.push(...Services.map((service) => service.ServiceCode));
    }

    expect(codes).toEqual(expect.arrayContaining([ServiceCode, 'AmazonS3GlacierDeepArchive']));
    expect(new Set(codes).size).toBe(codes.length);
  });

  it('tell the values of an attribute', async () => {
    const { AttributeValues = [] } = await pricing.send(
      new GetAttributeValuesCommand({ ServiceCode, AttributeName: 'volumeType' }),
    );

    expect(AttributeValues.map(({ Value }) => Value)).toEqual(
      expect.arrayContaining(['Standard', 'Standard - Infrequent Access']),
    );
  });
});

describe('a product', () => {
  it('comes as JSON in a string, with its price on demand', async () => {
    const [found, ...others] = await products({
      Filters: inRegion(
        filter('TERM_MATCH', 'usagetype', 'Requests-Tier3'),
        filter('TERM_MATCH', 'operation', 'RestoreObject'),
      ),
    });
    const sku = found?.product.sku ?? '';
    const term = `${sku}.JRTCKXETXF`;
    const rateCode = `${term}.6YS6EN2CT7`;

    expect(others).toEqual([]);
    expect(sku).toMatch(/^[A-Z0-9]{16}$/);
    expect(found).toMatchObject({
      product: {
        attributes: {
          servicecode: 'AmazonS3',
          servicename: 'Amazon Simple Storage Service',
          regionCode: 'us-east-1',
          location: 'US East (N. Virginia)',
          locationType: 'AWS Region',
          usagetype: 'Requests-Tier3',
          operation: 'RestoreObject',
          group: 'S3-API-Tier3',
        },
      },
      serviceCode: ServiceCode,
      version: expect.stringMatching(/^\d{14}$/),
      publicationDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      terms: {
        OnDemand: {
          [term]: {
            sku,
            offerTermCode: 'JRTCKXETXF',
            effectiveDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
            termAttributes: {},
            priceDimensions: {
              [rateCode]: {
                rateCode,
                unit: 'Requests',
                beginRange: '0',
                endRange: 'Inf',
                appliesTo: [],
                description: expect.any(String),
                pricePerUnit: { USD: expect.stringMatching(/^0\.\d{10}$/) },
              },
            },
          },
        },
      },
    });
  });

  it('that is cheaper by the volume has a price for each tier', async () => {
    const [found] = await products({ Filters: inRegion(filter('TERM_MATCH', 'usagetype', 'TimedStorage-ByteHrs')) });
    const dimensions = Object.values(found?.terms.OnDemand ?? {}).flatMap((term) =>
      Object.values(term.priceDimensions),
    );

    expect(
      dimensions.map(({ beginRange, endRange }) => `${String(beginRange)}-${String(endRange)}`).toSorted(),
    ).toEqual(['0-51200', '51200-512000', '512000-Inf']);
  });

  it('is not the only one of its usage type', async () => {
    const ofRequests = await products({ Filters: inRegion(filter('TERM_MATCH', 'usagetype', 'Requests-Tier3')) });
    const ofBytes = await products({
      Filters: inRegion(filter('TERM_MATCH', 'usagetype', 'Standard-Retrieval-Bytes')),
    });

    expect(attribute(ofRequests, 'operation')).toEqual(['RestoreObject', 'S3-GDATransition', 'S3-GlacierTransition']);
    expect(attribute(ofBytes, 'operation')).toEqual(['DeepArchiveRestoreObject', 'RestoreObject']);
  });
});

describe('products', () => {
  it('come page by page, each once', async () => {
    const skus: string[] = [];
    let pages = 0;
    for await (const { PriceList = [] } of paginateGetProducts(
      { client: pricing, pageSize: 2 },
      { ServiceCode, Filters: inRegion(filter('CONTAINS', 'usagetype', 'Retrieval-Bytes')) },
    )) {
      pages += 1;
      expect(PriceList.length).toBeLessThanOrEqual(2);
      skus.push(...[...PriceList].map((text) => (JSON.parse(String(text)) as Document).product.sku));
    }

    expect(pages).toBeGreaterThanOrEqual(5);
    expect(new Set(skus).size).toBe(skus.length);
    expect(skus.length).toBeGreaterThanOrEqual(10);
  });

  it.each<[Filter, string[]]>([
    [filter('EQUALS', 'operation', 'DeepArchiveRestoreObject'), ['DeepArchiveRestoreObject']],
    [
      filter('ANY_OF', 'operation', 'IntAARestoreObject,IntDAARestoreObject'),
      ['IntAARestoreObject', 'IntDAARestoreObject'],
    ],
    [filter('CONTAINS', 'operation', 'IntDAA'), ['IntDAARestoreObject']],
    [filter('TERM_MATCH', 'operation', 'RestoreNothing'), []],
  ])('are filtered by %o', async (one, operations) => {
    const found = await products({ Filters: inRegion(one) });

    expect([...new Set(attribute(found, 'operation'))]).toEqual(operations);
  });

  it('are left out by what they must not have', async () => {
    const usagetype = filter('TERM_MATCH', 'usagetype', 'Requests-Tier3');
    const found = await products({
      Filters: inRegion(usagetype, filter('NONE_OF', 'operation', 'S3-GDATransition,S3-GlacierTransition')),
    });

    expect(attribute(found, 'operation')).toEqual(['RestoreObject']);
  });

  it.each<[string, Partial<GetProductsCommandInput>]>([
    ['no service', { ServiceCode: '' }],
    ['a service with a space', { ServiceCode: 'Amazon S3' }],
    ['a service nobody has', { ServiceCode: 'AmazonNothing' }],
    ['a page of none', { MaxResults: 0 }],
    ['a page of 101', { MaxResults: 101 }],
    ['another format', { FormatVersion: 'aws_v2' }],
    ['another filter', { Filters: [filter('LIKE' as Filter['Type'], 'operation', 'x')] }],
    ['a filter for nothing', { Filters: [filter('TERM_MATCH', 'operation', '')] }],
  ])('are refused for %s', async (_, input) => {
    await expect(products(input)).rejects.toMatchObject({
      name: target.real ? expect.stringMatching(/Exception$/) : 'InvalidParameterException',
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('are refused for a token nobody was given', async () => {
    await expect(products({ NextToken: 'bm9ib2R5:bm90aGluZw==' })).rejects.toMatchObject({
      name: 'InvalidNextTokenException',
      $metadata: { httpStatusCode: 400 },
    });
  });
});

describe('what restoring costs', () => {
  it.each(['us-east-1', 'us-east-2'])('is in the lists of %s', async (region) => {
    const { retrieval, copyPerGbMonth, pricesAt, ...others } = await restorePrices(createPriceList(pricing), region);
    const { GLACIER, DEEP_ARCHIVE, ARCHIVE_ACCESS, DEEP_ARCHIVE_ACCESS } = retrieval;

    expect(others).toEqual({ region });
    expect(Date.parse(pricesAt)).toBeGreaterThan(Date.parse('2025-01-01'));
    expect(copyPerGbMonth).toBeGreaterThan(0.01);
    expect([GLACIER, DEEP_ARCHIVE, ARCHIVE_ACCESS, DEEP_ARCHIVE_ACCESS].map((tiers) => Object.keys(tiers))).toEqual([
      ['Expedited', 'Standard', 'Bulk'],
      ['Standard', 'Bulk'],
      ['Expedited', 'Standard', 'Bulk'],
      ['Standard', 'Bulk'],
    ]);
    expect(GLACIER.Expedited?.perGb).toBeGreaterThan(GLACIER.Standard?.perGb ?? 1);
    expect(GLACIER.Expedited?.perRequest).toBeGreaterThan(GLACIER.Standard?.perRequest ?? 1);
    expect(DEEP_ARCHIVE.Standard?.perRequest).toBeGreaterThan(DEEP_ARCHIVE.Bulk?.perRequest ?? 1);
    expect(DEEP_ARCHIVE.Standard?.perGb).toBeGreaterThan(DEEP_ARCHIVE.Bulk?.perGb ?? 1);
    expect(ARCHIVE_ACCESS.Standard).toEqual({ perRequest: 0, perGb: 0 });
  });
});

describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('the stand-in', () => {
  it.each(['us-east-1', 'us-east-2'])('has for %s what AWS charged in September 2026', async (region) => {
    expect(await restorePrices(createPriceList(pricing), region)).toEqual({ ...PRICES, region });
  });

  it('takes a token for the question it was given for only, and for an hour', async () => {
    const first = new GetProductsCommand({ ServiceCode, MaxResults: 1 });
    const { NextToken } = await pricing.send(first);

    expect(await products({ MaxResults: 1, NextToken })).toHaveLength(1);
    await expect(products({ Filters: inRegion(), NextToken })).rejects.toMatchObject({
      name: 'InvalidNextTokenException',
    });
    target.local?.kit.clock.advance(2 * 60 * 60 * 1000);
    await expect(products({ NextToken })).rejects.toMatchObject({ name: 'ExpiredNextTokenException' });
  });

  it('throttles, and answers again a little later', async () => {
    const impatient = new PricingClient({ ...target.client, maxAttempts: 1 });
    const ask = () => impatient.send(new DescribeServicesCommand({ ServiceCode }));

    const answers = await Promise.allSettled(Array.from({ length: 60 }, ask));
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
    target.local?.kit.clock.advance(1_000);

    expect(refused.length).toBeLessThanOrEqual(40);
    expect(refused[0]).toMatchObject({ name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } });
    await expect(ask()).resolves.toHaveProperty('Services');
    impatient.destroy();
  });

  it('refuses what it does not have', async () => {
    const lists = new ListPriceListsCommand({ ServiceCode, EffectiveDate: new Date(0), CurrencyCode: 'USD' });
    const values = new GetAttributeValuesCommand({ ServiceCode, AttributeName: 'instanceType' });

    await expect(pricing.send(lists)).rejects.toMatchObject({ name: 'UnknownOperationException' });
    await expect(pricing.send(values)).rejects.toMatchObject({ name: 'NotFoundException' });
  });
});
