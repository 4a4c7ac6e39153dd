/** Which product of AWS's lists a thing that was used is billed as, among its look-alikes, and in what unit. */
import { describe, expect, it } from 'vitest';
import { openPriceBook } from '../../lib/prices/pricing-models.ts';
import { NO_RATES } from '../../lib/prices/rates.ts';
import type { Price, PriceKey, PriceSpan } from '../../workflows/cost/model.ts';
import ebs from './fixtures/prices/amazon-ebs.json' with { type: 'json' };
import ecs from './fixtures/prices/amazon-ecs.json' with { type: 'json' };
import { documentOf, type PriceDocument, pricingOf, spotOf } from './prices-harness.ts';

const OVER = { from: Date.parse('2026-09-30T22:00:00Z'), to: Date.parse('2026-10-01T03:30:00Z') };
const REGION = 'us-east-1';

function open(documents: readonly PriceDocument[]) {
  const { client, asked } = pricingOf(documents);
  const book = openPriceBook({ pricing: client, ec2: spotOf({}).ec2, rates: NO_RATES, now: () => OVER.to });
  return { asked, price: (key: PriceKey) => book.price(key, OVER) };
}

/** Of a price that holds for all of the interval, what is not the interval. */
function whole(price: Price): Omit<PriceSpan, 'from' | 'to'> {
  if ('unpriced' in price) throw new Error(price.unpriced.reason);
  const [
    { from, to, ...span } = { from: 0, to: 0, perUnit: '', unit: '', currency: '', pricesAt: '', source: 'rates' },
  ] = price.spans;
  expect({ from, to, spans: price.spans.length }).toEqual({ ...OVER, spans: 1 });
  return span as Omit<PriceSpan, 'from' | 'to'>;
}

const reason = (price: Price): string =>
  'unpriced' in price ? `${price.unpriced.reason}: ${price.unpriced.remedy}` : '';

const linux = (type: string, more: Record<string, string> = {}) => ({
  regionCode: REGION,
  locationType: 'AWS Region',
  instanceType: type,
  operatingSystem: 'Linux',
  preInstalledSw: 'NA',
  licenseModel: 'No License required',
  capacitystatus: 'Used',
  marketoption: 'OnDemand',
  tenancy: 'Shared',
  operation: 'RunInstances',
  usagetype: `BoxUsage:${type}`,
  ...more,
});
const instances = (): PriceDocument[] => [
  documentOf('AmazonEC2', linux('m5.xlarge'), '0.1920000000', { sku: '5G4TA8Z4MUKE6MJB' }),
  documentOf('AmazonEC2', linux('m5.xlarge', { operatingSystem: 'Windows' }), '0.3760000000'),
  documentOf('AmazonEC2', linux('m5.xlarge', { preInstalledSw: 'SQL Std' }), '0.6720000000'),
  documentOf('AmazonEC2', linux('m5.xlarge', { tenancy: 'Dedicated' }), '0.2040000000'),
  documentOf('AmazonEC2', linux('m5.xlarge', { tenancy: 'Host' }), '0.0000000000'),
  documentOf('AmazonEC2', linux('m5.xlarge', { capacitystatus: 'UnusedCapacityReservation' }), '0.1920000000'),
  documentOf('AmazonEC2', linux('m5.xlarge', { capacitystatus: 'AllocatedCapacityReservation' }), '0.0000000000'),
  documentOf('AmazonEC2', linux('m5.xlarge', { marketoption: 'CapacityBlock' }), '0.0000000000'),
  documentOf('AmazonEC2', linux('m5.xlarge', { locationType: 'AWS Local Zone' }), '0.2400000000'),
  documentOf(
    'AmazonEC2',
    linux('m5.xlarge', { regionCode: 'us-west-2-lax-1', locationType: 'AWS Local Zone' }),
    '0.2300000000',
  ),
  documentOf('AmazonEC2', linux('m5.2xlarge'), '0.3840000000'),
  documentOf('AmazonEC2', linux('m5.xlarge', { regionCode: 'cn-north-1' }), '2.0260000000', {
    currency: 'CNY',
    sku: 'CNSKU',
  }),
];
const onDemand = (type: string, region = REGION): PriceKey => ({ kind: 'instance', region, type, market: 'on-demand' });

describe('an on-demand instance', () => {
  it('is the one product with Linux alone, not reserved, not dedicated, in the Region itself', async () => {
    const { asked, price } = open(instances());

    expect(whole(await price(onDemand('m5.xlarge')))).toEqual({
      perUnit: '0.1920000000',
      unit: 'Hrs',
      currency: 'USD',
      sku: '5G4TA8Z4MUKE6MJB',
      pricesAt: '2026-09-01T00:00:00Z',
      source: 'price-list',
    });
    const { locationType: _, usagetype: __, operation: ___, ...filters } = linux('m5.xlarge');
    expect(asked).toEqual([{ serviceCode: 'AmazonEC2', filters }]);
  });

  it('has the price of a Local Zone where that is asked for', async () => {
    expect(whole(await open(instances()).price(onDemand('m5.xlarge', 'us-west-2-lax-1'))).perUnit).toBe('0.2300000000');
  });

  it('is priced in the currency of the list', async () => {
    expect(whole(await open(instances()).price(onDemand('m5.xlarge', 'cn-north-1')))).toMatchObject({
      perUnit: '2.0260000000',
      currency: 'CNY',
      sku: 'CNSKU',
    });
  });

  it.each([
    ['an unknown type', onDemand('m5.huge'), 'AmazonEC2 in us-east-1 has no product with instanceType=m5.huge'],
    ['an unknown Region', onDemand('m5.xlarge', 'xx-moon-1'), 'AmazonEC2 in xx-moon-1 has no product'],
  ])('has no price for %s, with what to do', async (_, key, message) => {
    const told = reason(await open(instances()).price(key));

    expect(told).toContain(message);
    expect(told).toContain('check Region and type, or set an own rate');
  });

  it('has no price where AWS lists two: their SKUs are named', async () => {
    const twin = documentOf('AmazonEC2', linux('m5.xlarge'), '0.2000000000', { sku: 'TWIN' });

    expect(reason(await open([...instances(), twin]).price(onDemand('m5.xlarge')))).toMatch(
      /has 2 products \(SKUs 5G4TA8Z4MUKE6MJB, TWIN\).*set an own rate/,
    );
  });

  it.each([
    ['another unit', { unit: 'Quantity' }, 'has no price per Hrs, but per Quantity'],
    ['no unit', { unit: '' }, 'has no price per Hrs, but per (no unit)'],
  ])('has no price with %s', async (_, more, message) => {
    const listed = documentOf('AmazonEC2', linux('r5.large'), '0.1260000000', more);

    expect(reason(await open([listed]).price(onDemand('r5.large')))).toContain(message);
  });
});

const volume = (
  family: string,
  usagetype: string,
  volumeApiName: string,
  price: string | [string, string][],
  unit: string,
) => documentOf('AmazonEC2', { regionCode: REGION, usagetype, volumeApiName }, price, { unit, family });
const volumes = (): PriceDocument[] => [
  volume('Storage', 'EBS:VolumeUsage.gp3', 'gp3', '0.0800000000', 'GB-Mo'),
  volume('Storage', 'USE1-BOS1-EBS:VolumeUsage.gp3', 'gp3', '0.0960000000', 'GB-Mo'),
  volume('Storage', 'EBS:VolumeUsage.gp2', 'gp2', '0.1000000000', 'GB-Mo'),
  volume('Storage', 'EBS:VolumeUsage.piops', 'io1', '0.1250000000', 'GB-Mo'),
  volume('Storage', 'EBS:VolumeUsage.io2', 'io2', '0.1250000000', 'GB-month'),
  volume('Storage', 'EBS:VolumeUsage.st1', 'st1', '0.0450000000', 'GB-Mo'),
  volume('Storage', 'EBS:VolumeUsage.sc1', 'sc1', '0.0150000000', 'GB-Mo'),
  volume('Storage', 'EBS:VolumeUsage', 'standard', '0.0500000000', 'GB-Mo'),
  volume('System Operation', 'EBS:VolumeP-IOPS.gp3', 'gp3', [['3000', '0.0050000000']], 'IOPS-Mo'),
  volume('System Operation', 'EBS:VolumeP-IOPS.piops', 'io1', '0.0650000000', 'IOPS-Mo'),
  volume('System Operation', 'EBS:VolumeP-IOPS.io2', 'io2', '0.0650000000', 'IOPS-Mo'),
  volume('System Operation', 'EBS:VolumeP-IOPS.io2.tier2', 'io2', '0.0455000000', 'IOPS-Mo'),
  volume('System Operation', 'EBS:VolumeP-IOPS.io2.tier3', 'io2', '0.0318500000', 'IOPS-Mo'),
  volume('System Operation', 'EBS:VolumeIOUsage', 'standard', '0.0000000500', 'IOs'),
  volume('Provisioned Throughput', 'EBS:VolumeP-Throughput.gp3', 'gp3', '40.9600000000', 'GiBps-mo'),
];
const ofVolume = (type: string, of: 'storage' | 'iops' | 'throughput'): PriceKey => ({
  kind: 'volume',
  region: REGION,
  type,
  of,
});

describe('a volume', () => {
  it.each([
    ['gp3', '0.0800000000'],
    ['gp2', '0.1000000000'],
    ['io1', '0.1250000000'],
    ['io2', '0.1250000000'],
    ['st1', '0.0450000000'],
    ['sc1', '0.0150000000'],
    ['standard', '0.0500000000'],
  ])('of %s has a price per GB-month', async (type, perUnit) => {
    expect(whole(await open(volumes()).price(ofVolume(type, 'storage')))).toMatchObject({ perUnit, unit: 'GB-Mo' });
  });

  it('is read from a document as AWS gave it', async () => {
    const { client } = pricingOf(ebs as unknown as PriceDocument[]);
    const book = openPriceBook({ pricing: client, ec2: spotOf({}).ec2, rates: NO_RATES, now: () => OVER.to });

    expect(
      whole(await book.price({ kind: 'volume', region: 'af-south-1', type: 'gp3', of: 'storage' }, OVER)),
    ).toMatchObject({ perUnit: '0.1047000000', sku: 'XWCTMRRUJM7TGYST', pricesAt: '2024-07-01T00:00:00Z' });
  });

  it('of gp3 has IOPS and throughput beyond what is included, throughput per MiB/s', async () => {
    const { price } = open(volumes());

    expect(whole(await price(ofVolume('gp3', 'iops')))).toMatchObject({ perUnit: '0.0050000000', unit: 'IOPS-Mo' });
    expect(whole(await price(ofVolume('gp3', 'throughput')))).toMatchObject({ perUnit: '0.04', unit: 'MiBps-Mo' });
  });

  it('of io2 has tiers, which are products of their own', async () => {
    const price = whole(await open(volumes()).price(ofVolume('io2', 'iops')));

    expect(price.perUnit).toBe('0.0650000000');
    expect(price.tiers).toEqual([
      { from: '0', perUnit: '0.0650000000' },
      { from: '32000', perUnit: '0.0455000000' },
      { from: '64000', perUnit: '0.0318500000' },
    ]);
    expect(price.marks).toEqual([expect.stringMatching(/^SKUs of higher tiers: SKU\d+, SKU\d+$/)]);
  });

  it('of another type has IOPS with its storage, and says so', async () => {
    expect(whole(await open(volumes()).price(ofVolume('gp2', 'iops')))).toMatchObject({
      perUnit: '0',
      unit: 'IOPS-Mo',
      marks: ['included in storage'],
    });
  });

  it('of magnetic disks is billed by requests nobody counts', async () => {
    expect(reason(await open(volumes()).price(ofVolume('standard', 'iops')))).toContain('billed by each I/O request');
  });

  it('of a type nobody knows has no price', async () => {
    expect(reason(await open(volumes()).price(ofVolume('gp9', 'storage')))).toContain('volumeApiName=gp9');
  });
});

describe('Fargate', () => {
  const key = (architecture: 'x86_64' | 'arm64', of: 'vcpu' | 'gb', spot = false): PriceKey => ({
    kind: 'fargate',
    region: REGION,
    architecture,
    of,
    spot,
  });

  it.each([
    ['x86_64', 'vcpu', '0.0404800000', 'vCPU-Hours', '8CESGAFWKAJ98PME'],
    ['x86_64', 'gb', '0.0044450000', 'GB-Hours', 'PBZNQUSEXZUC34C9'],
    ['arm64', 'vcpu', '0.0323800000', 'vCPU-Hours', 'XSZATS4VYMDC9CYN'],
    ['arm64', 'gb', '0.0035600000', 'GB-Hours', 'UNH9KPQP7W7C66C9'],
  ] as const)(
    'on %s has a price per %s, from documents as AWS gave them',
    async (architecture, of, perUnit, unit, sku) => {
      const { price } = open(ecs as unknown as PriceDocument[]);

      expect(whole(await price(key(architecture, of)))).toMatchObject({ perUnit, unit, sku });
    },
  );

  it('Spot has no list price', async () => {
    const { asked, price } = open(ecs as unknown as PriceDocument[]);

    expect(reason(await price(key('x86_64', 'vcpu', true)))).toMatch(/no price of Fargate Spot: set an own rate/);
    expect(asked).toEqual([]);
  });
});

describe('FSx for Lustre', () => {
  const lustre = (usagetype: string, storageType: string, throughputCapacity: string, price: string) =>
    documentOf(
      'AmazonFSx',
      {
        regionCode: REGION,
        usagetype: `USE1-${usagetype}`,
        fileSystemType: 'Lustre',
        storageType,
        throughputCapacity,
        deploymentOption: 'Single-AZ',
      },
      price,
      { unit: 'GB-Mo', family: 'Storage' },
    );
  const products = () => [
    lustre('Storage', 'SSD', 'N/A', '0.1400000000'),
    lustre('Storage.SSD.50', 'SSD', '50', '0.1400000001'),
    lustre('Storage.SSD.125', 'SSD', '125', '0.1450000000'),
    lustre('Storage.HDD.12', 'HDD', '12', '0.0250000000'),
  ];

  it.each([
    ['SCRATCH_2', 'SSD', undefined, '0.1400000000'],
    ['PERSISTENT_1', 'SSD', 50, '0.1400000001'],
    ['PERSISTENT_2', 'SSD', 125, '0.1450000000'],
    ['PERSISTENT_1', 'HDD', 12, '0.0250000000'],
  ])('%s on %s with %s MB/s per TiB', async (deploymentType, storageType, throughputPerUnit, perUnit) => {
    const key: PriceKey = {
      kind: 'lustre',
      region: REGION,
      deploymentType,
      storageType,
      ...(throughputPerUnit !== undefined && { throughputPerUnit }),
    };

    expect(whole(await open(products()).price(key))).toMatchObject({ perUnit, unit: 'GB-Mo' });
  });

  it('has no price without the throughput it goes by', async () => {
    const key: PriceKey = { kind: 'lustre', region: REGION, deploymentType: 'PERSISTENT_2', storageType: 'SSD' };

    expect(reason(await open(products()).price(key))).toContain('throughput per TiB');
  });
});

describe('a control plane of EKS', () => {
  const eks = (usagetype: string, price: string) =>
    documentOf('AmazonEKS', { regionCode: REGION, usagetype: `USE1-${usagetype}` }, price, { unit: 'hours' });
  const products = [
    eks('AmazonEKS-Hours:perCluster', '0.1000000000'),
    eks('AmazonEKS-Hours:extendedSupport', '0.5000000000'),
    eks('AmazonEKS-Hours:Fargate-vCPU', '0.0400000000'),
  ];

  it('costs more with extended support, which is billed beside it', async () => {
    const { price } = open(products);

    expect(whole(await price({ kind: 'eks', region: REGION, support: 'standard' })).perUnit).toBe('0.1000000000');
    const extended = whole(await price({ kind: 'eks', region: REGION, support: 'extended' }));
    expect(extended).toMatchObject({ perUnit: '0.6', unit: 'Hrs' });
    expect(extended.marks).toEqual([expect.stringMatching(/^extended support, SKU /)]);
  });
});

describe('S3', () => {
  const s3 = (usagetype: string, price: string | [string, string][], more: Record<string, string>, unit = 'Requests') =>
    documentOf('AmazonS3', { regionCode: REGION, usagetype, operation: '', ...more }, price, { unit });
  const products = () => [
    s3('Requests-Tier1', '0.0000050000', { group: 'S3-API-Tier1' }),
    s3('Requests-SIA-Tier1', '0.0000100000', { group: 'S3-API-Tier1' }),
    s3('Requests-Tier2', '0.0000004000', { group: 'S3-API-Tier2' }, 'API Requests'),
    s3('Bulk-Retrieval-Bytes', '0.0025000000', { operation: 'DeepArchiveRestoreObject' }, 'GB'),
    s3('Standard-Retrieval-Bytes', '0.0100000000', { operation: 'RestoreObject' }, 'GB'),
    s3(
      'TimedStorage-ByteHrs',
      [
        ['0', '0.0230000000'],
        ['51200', '0.0220000000'],
        ['512000', '0.0210000000'],
      ],
      { volumeType: 'Standard' },
      'GB-Mo',
    ),
  ];

  it('has requests of two tiers', async () => {
    const { price } = open(products());

    expect(whole(await price({ kind: 's3-request', region: REGION, of: 'put' })).perUnit).toBe('0.0000050000');
    expect(whole(await price({ kind: 's3-request', region: REGION, of: 'get' }))).toMatchObject({
      perUnit: '0.0000004000',
      unit: 'Requests',
    });
  });

  it('has restores by archive and tier, and their copies with price tiers', async () => {
    const { price } = open(products());
    const bulk: PriceKey = { kind: 'retrieval', region: REGION, archive: 'DEEP_ARCHIVE', tier: 'Bulk', of: 'gb' };

    expect(whole(await price(bulk))).toMatchObject({ perUnit: '0.0025000000', unit: 'GB' });
    const copy = whole(await price({ kind: 'copy', region: REGION }));
    expect(copy).toMatchObject({ perUnit: '0.0230000000', unit: 'GB-Mo' });
    expect(copy.tiers?.map(({ from }) => from)).toEqual(['0', '51200', '512000']);
  });

  it('has no Expedited of the Deep Archive', async () => {
    const key: PriceKey = { kind: 'retrieval', region: REGION, archive: 'DEEP_ARCHIVE', tier: 'Expedited', of: 'gb' };

    expect(reason(await open(products()).price(key))).toContain('archive=DEEP_ARCHIVE, tier=Expedited');
  });
});

describe('Polly', () => {
  const speech = (usagetype: string, price: Parameters<typeof documentOf>[2], unit = 'Characters') =>
    documentOf('AmazonPolly', { regionCode: REGION, usagetype }, price, { unit, sku: usagetype });
  const key = (engine: string): PriceKey => ({ kind: 'speech', region: REGION, engine });

  it('is priced by engine, for a million characters', async () => {
    const { price } = open([
      speech('USE1-SynthesizeSpeech-Characters', '0.0000040000'),
      speech('USE1-SynthesizeSpeechNeural-Characters', '0.0000160000'),
      speech('USE1-SynthesizeSpeechGenerative-Characters', '0.0000300000'),
    ]);

    expect(whole(await price(key('neural')))).toMatchObject({
      perUnit: '16',
      unit: '1M Characters',
      currency: 'USD',
      sku: 'USE1-SynthesizeSpeechNeural-Characters',
    });
    expect(whole(await price(key('standard'))).perUnit).toBe('4');
    expect(reason(await price(key('long-form')))).toContain('usagetype=SynthesizeSpeechLongForm-Characters');
    expect(reason(await price(key('generative')))).toContain('AWS lists no price of Polly');
  });

  it('has tiers that begin at millions, too', async () => {
    const tiers = [
      ['0', '0.0000160000'],
      ['5000000', '0.0000120000'],
    ] as const;
    const { price } = open([speech('SynthesizeSpeechNeural-Characters', tiers)]);

    expect(whole(await price(key('neural'))).tiers).toEqual([
      { from: '0', perUnit: '16' },
      { from: '5', perUnit: '12' },
    ]);
  });

  it('has no price in a unit nobody knows: it would be wrong by orders of magnitude', async () => {
    const { price } = open([speech('SynthesizeSpeechNeural-Characters', '16', 'Megacharacters')]);

    expect(reason(await price(key('neural')))).toContain('has no price per 1M Characters, but per Megacharacters');
  });
});

describe('tokens of OpenAI', () => {
  const key = (model: string, of: Extract<PriceKey, { kind: 'tokens' }>['of']): PriceKey => ({
    kind: 'tokens',
    model,
    of,
  });

  it('have list prices as of a day, also of snapshots, and nobody is asked', async () => {
    const { price, asked } = open([]);

    expect(whole(await price(key('gpt-5-mini', 'output')))).toEqual({
      perUnit: '2.00',
      unit: '1M Tokens',
      currency: 'USD',
      pricesAt: '2026-11-26T00:00:00Z',
      source: 'price-list',
    });
    expect(whole(await price(key('gpt-image-2-2026-04-21', 'image-output'))).perUnit).toBe('30.00');
    expect(asked).toEqual([]);
  });

  it.each([
    ['gpt-5-mini-high', 'output'],
    ['gpt-image-2', 'output'],
    ['constructor', 'input'],
  ] as const)('of %s have no price of %s, and the remedy is a rate', async (model, of) => {
    expect(reason(await open([]).price(key(model, of)))).toContain(`kind: tokens, model: ${model}, of: ${of}`);
  });
});
