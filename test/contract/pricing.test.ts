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

const terms = (fields: Record<string, string>) =>
  Object.entries(fields).map(([field, value]) => filter('TERM_MATCH', field, value));

/** What the one product that is left costs, as AWS writes it. */
async function price(ServiceCode: string, fields: Record<string, string>, client = pricing) {
  const { PriceList = [] } = await client.send(
    new GetProductsCommand({ ServiceCode, Filters: terms({ regionCode: 'us-east-1', ...fields }) }),
  );
  expect(PriceList).toHaveLength(1);
  const { product, terms: found } = JSON.parse(String(PriceList[0])) as Document;
  const dimensions = Object.values(found.OnDemand).flatMap(({ priceDimensions }) => Object.values(priceDimensions));
  expect(dimensions).toHaveLength(1);
  const dimension: Record<string, unknown> = dimensions[0] ?? {};
  return { attributes: product.attributes, sku: product.sku, pricePerUnit: dimension.pricePerUnit, ...dimension };
}

const LINUX = {
  productFamily: 'Compute Instance',
  operatingSystem: 'Linux',
  preInstalledSw: 'NA',
  tenancy: 'Shared',
  capacitystatus: 'Used',
  marketoption: 'OnDemand',
};
const LUSTRE = { productFamily: 'Storage', fileSystemType: 'Lustre', operation: 'CreateFileSystem:Lustre' };

describe('what running costs', () => {
  it.each<[string, string, Record<string, string>, string]>([
    ['an instance', 'AmazonEC2', { ...LINUX, instanceType: 'm5.xlarge' }, 'Hrs'],
    ['a large instance', 'AmazonEC2', { ...LINUX, instanceType: 'r6i.4xlarge' }, 'Hrs'],
    ['an ARM instance', 'AmazonEC2', { ...LINUX, instanceType: 'm6g.xlarge' }, 'Hrs'],
    ['gp3', 'AmazonEC2', { productFamily: 'Storage', volumeApiName: 'gp3' }, 'GB-Mo'],
    ['io2', 'AmazonEC2', { productFamily: 'Storage', volumeApiName: 'io2' }, 'GB-month'],
    ['IOPS of gp3', 'AmazonEC2', { productFamily: 'System Operation', volumeApiName: 'gp3' }, 'IOPS-Mo'],
    ['throughput', 'AmazonEC2', { productFamily: 'Provisioned Throughput', volumeApiName: 'gp3' }, 'GiBps-mo'],
    ['a vCPU of Fargate', 'AmazonECS', { usagetype: 'USE1-Fargate-vCPU-Hours:perCPU' }, 'hours'],
    ['a GB of Fargate on ARM', 'AmazonECS', { usagetype: 'USE1-Fargate-ARM-GB-Hours' }, 'hours'],
    ['SCRATCH_2', 'AmazonFSx', { ...LUSTRE, usagetype: 'USE1-Storage' }, 'GB-Mo'],
    ['PERSISTENT_1', 'AmazonFSx', { ...LUSTRE, usagetype: 'USE1-Storage.SSD.100' }, 'GB-Mo'],
    ['PERSISTENT_2', 'AmazonFSx', { ...LUSTRE, usagetype: 'USE1-Storage.SSD.250' }, 'GB-Mo'],
    ['a cluster', 'AmazonEKS', { usagetype: 'USE1-AmazonEKS-Hours:perCluster' }, 'Hours'],
    ['extended support', 'AmazonEKS', { usagetype: 'USE1-AmazonEKS-Hours:extendedSupport' }, 'hours'],
    ['putting objects', 'AmazonS3', { group: 'S3-API-Tier1' }, 'Requests'],
    ['getting objects', 'AmazonS3', { group: 'S3-API-Tier2' }, 'Requests'],
  ])('is one SKU: %s', async (_, service, fields, unit) => {
    const found = await price(service, fields);

    expect(found).toMatchObject({ unit, beginRange: '0', endRange: 'Inf' });
    expect(Number((found.pricePerUnit as { USD: string }).USD)).toBeGreaterThan(0);
  });

  it('is several SKUs where a filter is missing: licences, tenancy and reservations stand beside each other', async () => {
    const found = await products({
      ServiceCode: 'AmazonEC2',
      Filters: terms({ regionCode: 'us-east-1', instanceType: 'm5.xlarge' }),
    });

    expect(attribute(found, 'operatingSystem')).toEqual(expect.arrayContaining(['Linux', 'Windows']));
    expect(attribute(found, 'capacitystatus')).toEqual(expect.arrayContaining(['UnusedCapacityReservation', 'Used']));
    expect(attribute(found, 'tenancy')).toEqual(expect.arrayContaining(['Dedicated', 'Shared']));
    expect(attribute(found, 'preInstalledSw')).toEqual(expect.arrayContaining(['NA', 'SQL Std']));
  });

  it('of io2 has a usage type for each tier of IOPS, not tiers of one', async () => {
    const found = await products({
      ServiceCode: 'AmazonEC2',
      Filters: inRegion(...terms({ productFamily: 'System Operation', volumeApiName: 'io2' })),
    });

    expect(attribute(found, 'usagetype')).toEqual([
      'EBS:VolumeP-IOPS.io2',
      'EBS:VolumeP-IOPS.io2.tier2',
      'EBS:VolumeP-IOPS.io2.tier3',
    ]);
  });

  it('is nothing for a type that does not exist', async () => {
    const Filters = terms({ ...LINUX, regionCode: 'us-east-1', instanceType: 'm5.nothing' });

    expect(await products({ ServiceCode: 'AmazonEC2', Filters })).toEqual([]);
  });
});

describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('the stand-in', () => {
  it.each(['us-east-1', 'us-east-2'])('has for %s what AWS charged in September 2026', async (region) => {
    expect(await restorePrices(createPriceList(pricing), region)).toEqual({ ...PRICES, region });
  });

  it.each<[string, Record<string, string>, string, string?]>([
    ['AmazonEC2', { ...LINUX, instanceType: 'm5.xlarge' }, '0.1920000000', '5G4TA8Z4MUKE6MJB'],
    ['AmazonEC2', { ...LINUX, instanceType: 'm5.xlarge', regionCode: 'eu-central-1' }, '0.2300000000'],
    ['AmazonEC2', { ...LINUX, instanceType: 'm5.xlarge', regionCode: 'us-east-2' }, '0.1920000000'],
    ['AmazonEC2', { productFamily: 'Storage', volumeApiName: 'gp3' }, '0.0800000000', 'JG3KUJMBRGHV3N8G'],
    ['AmazonECS', { usagetype: 'USE1-Fargate-vCPU-Hours:perCPU' }, '0.0404800000', '8CESGAFWKAJ98PME'],
    ['AmazonEKS', { usagetype: 'USE1-AmazonEKS-Hours:extendedSupport' }, '0.5000000000', 'M7977BSVFGDUJZ67'],
    ['AmazonFSx', { ...LUSTRE, usagetype: 'USE1-Storage.HDD.12' }, '0.0250000000'],
    ['AmazonS3', { group: 'S3-API-Tier2' }, '0.0000004000', 'ZWQ6Q48CRJXX4FXE'],
  ])('has of %s for %o what AWS charged', async (service, fields, usd, sku) => {
    const found = await price(service, fields);

    expect(found.pricePerUnit).toEqual({ USD: usd });
    expect(found.sku).toMatch(sku ?? /^STANDIN[0-9A-F]{9}$/);
  });

  it('has China in its own currency, at its own endpoint only', async () => {
    const china = new PricingClient({ ...target.client, region: 'cn-northwest-1' });
    const asked = { ...LINUX, instanceType: 'm5.xlarge', regionCode: 'cn-north-1' };

    expect(await price('AmazonEC2', asked, china)).toMatchObject({
      pricePerUnit: { CNY: '2.0260000000' },
      attributes: { usagetype: 'CNN1-BoxUsage:m5.xlarge', location: 'China (Beijing)' },
      rateCode: expect.stringMatching(/\.5Y9WH78GDR\.Q7UJUT2CE6$/),
    });
    expect(await products({ ServiceCode: 'AmazonEC2', Filters: terms(asked) })).toEqual([]);
    china.destroy();
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
