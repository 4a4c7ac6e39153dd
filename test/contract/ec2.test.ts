import {
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  type DescribeInstanceTypesCommandInput,
  type DescribeSpotPriceHistoryCommandInput,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  EC2Client,
  type InstanceTypeInfo,
  paginateDescribeInstanceTypes,
  paginateDescribeSpotPriceHistory,
  type SpotPrice,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTarget, type Target } from './target.ts';

let target: Target;
let ec2: EC2Client;

beforeAll(async () => {
  target = await openTarget();
  ec2 = new EC2Client(target.client);
});
// What earlier tests have used of the rate is there again.
beforeEach(() => target.local?.kit.clock.advance(10_000));
afterAll(async () => {
  ec2.destroy();
  await target.close();
});

const types = async (input: DescribeInstanceTypesCommandInput) =>
  (await ec2.send(new DescribeInstanceTypesCommand(input))).InstanceTypes ?? [];
const filter = (Name: string, ...Values: string[]) => ({ Filters: [{ Name, Values }] });
const figures = (infos: readonly InstanceTypeInfo[]) =>
  infos.map(({ InstanceType, VCpuInfo, MemoryInfo }) => [InstanceType, VCpuInfo?.DefaultVCpus, MemoryInfo?.SizeInMiB]);

describe('instance types', () => {
  it('have the figures EC2 publishes', async () => {
    const found = await types({ InstanceTypes: ['m5.2xlarge', 'c5.large', 'r6i.32xlarge', 'c7i.48xlarge'] });

    expect(figures(found).toSorted()).toEqual([
      ['c5.large', 2, 4096],
      ['c7i.48xlarge', 192, 393_216],
      ['m5.2xlarge', 8, 32_768],
      ['r6i.32xlarge', 128, 1_048_576],
    ]);
    expect(found[0]?.ProcessorInfo?.SupportedArchitectures).toContain('x86_64');
  });

  it('are found by a pattern: a family, not those whose names begin alike', async () => {
    const found = await types(filter('instance-type', 'c6g.*'));

    expect(found.length).toBeGreaterThan(5);
    expect(found.every(({ InstanceType }) => InstanceType?.startsWith('c6g.'))).toBe(true);
    expect(found.every(({ ProcessorInfo }) => ProcessorInfo?.SupportedArchitectures?.includes('arm64'))).toBe(true);
  });

  it('that nobody has are left out by a filter', async () => {
    expect(await types(filter('instance-type', 'nobody.*'))).toEqual([]);
  });

  it('are filtered by several filters at once', async () => {
    const found = await types({
      Filters: [
        { Name: 'instance-type', Values: ['m5.*', 'r5.*'] },
        { Name: 'vcpu-info.default-vcpus', Values: ['8'] },
        { Name: 'memory-info.size-in-mib', Values: ['32768', '65536'] },
        { Name: 'bare-metal', Values: ['false'] },
      ],
    });

    expect(figures(found).toSorted()).toEqual([
      ['m5.2xlarge', 8, 32_768],
      ['r5.2xlarge', 8, 65_536],
    ]);
  });

  it('come page by page, each once', async () => {
    const seen: (string | undefined)[] = [];
    const pages: number[] = [];
    const input = filter('instance-type', 'm5.*', 'm6i.*');
    for await (const page of paginateDescribeInstanceTypes({ client: ec2, pageSize: 5 }, input)) {
      pages.push(page.InstanceTypes?.length ?? 0);
      seen.push(...(page.InstanceTypes ?? []).map(({ InstanceType }) => InstanceType));
    }

    expect(pages.length).toBeGreaterThan(2);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(['m5.large', 'm6i.32xlarge']));
  });

  it.each<[string, DescribeInstanceTypesCommandInput, string]>([
    ['a type nobody has', { InstanceTypes: ['m5.nothing' as 'm5.large'] }, 'InvalidInstanceType'],
    ['a filter nobody has', filter('nothing', 'x'), 'InvalidParameterValue'],
    ['a page of one', { MaxResults: 1 }, 'InvalidParameterValue'],
    ['names and a page size at once', { InstanceTypes: ['m5.large'], MaxResults: 5 }, 'InvalidParameterCombination'],
  ])('are refused for %s', async (_, input, name) => {
    await expect(types(input)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
  });
});

const HOUR = 3600 * 1000;
const history = async (input: DescribeSpotPriceHistoryCommandInput) => {
  const found: SpotPrice[] = [];
  const asked = { ProductDescriptions: ['Linux/UNIX'], ...input };
  for await (const { SpotPriceHistory = [] } of paginateDescribeSpotPriceHistory({ client: ec2 }, asked)) {
    found.push(...SpotPriceHistory);
  }
  return found;
};
/** A week that is over. */
const week = () => {
  const now = target.local?.kit.clock.now() ?? Date.now();
  return { StartTime: new Date(now - 8 * 24 * HOUR), EndTime: new Date(now - 24 * HOUR) };
};

describe('spot prices', () => {
  it('come newest first, with the one that holds as the time begins', async () => {
    const { StartTime, EndTime } = week();
    const zone = `${target.client.region}a`;
    const found = await history({ InstanceTypes: ['m5.xlarge'], AvailabilityZone: zone, StartTime, EndTime });

    const times = found.map(({ Timestamp }) => Timestamp?.getTime() ?? 0);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(times[0]).toBeLessThanOrEqual(EndTime.getTime());
    expect(times.filter((time) => time <= StartTime.getTime())).toHaveLength(1);
    expect(new Set(found.map(({ AvailabilityZone }) => AvailabilityZone))).toEqual(new Set([zone]));
    for (const { SpotPrice: price, ProductDescription, InstanceType } of found) {
      expect(price).toMatch(/^\d+\.\d{6}$/);
      expect(Number(price)).toBeGreaterThan(0);
      expect([ProductDescription, InstanceType]).toEqual(['Linux/UNIX', 'm5.xlarge']);
    }
  });

  it('are those of every zone, and of several types at once', async () => {
    const found = await history({ InstanceTypes: ['m5.xlarge', 'c5.xlarge'], ...week() });

    expect(new Set(found.map(({ AvailabilityZone }) => AvailabilityZone)).size).toBeGreaterThan(1);
    expect(new Set(found.map(({ InstanceType }) => InstanceType))).toEqual(new Set(['m5.xlarge', 'c5.xlarge']));
  });

  it('come page by page, each once', async () => {
    const input = { InstanceTypes: ['m5.xlarge' as const], ProductDescriptions: ['Linux/UNIX'], ...week() };
    const pages: number[] = [];
    const seen: string[] = [];
    for await (const { SpotPriceHistory = [] } of paginateDescribeSpotPriceHistory(
      { client: ec2, pageSize: 20 },
      { ...input },
    )) {
      pages.push(SpotPriceHistory.length);
      seen.push(
        ...SpotPriceHistory.map(({ AvailabilityZone, Timestamp }) => `${AvailabilityZone} ${Timestamp?.toISOString()}`),
      );
    }

    expect(pages.length).toBeGreaterThan(1);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBe((await history(input)).length);
  });

  it('hold for their time: what a part of it is asked for is the same', async () => {
    const { StartTime, EndTime } = week();
    const all = await history({
      InstanceTypes: ['m5.xlarge'],
      AvailabilityZone: `${target.client.region}b`,
      StartTime,
      EndTime,
    });
    const middle = new Date((StartTime.getTime() + EndTime.getTime()) / 2);
    const half = await history({
      InstanceTypes: ['m5.xlarge'],
      AvailabilityZone: `${target.client.region}b`,
      StartTime: middle,
      EndTime,
    });

    expect(all.slice(0, half.length)).toEqual(half);
    expect(half.at(-1)?.Timestamp?.getTime()).toBeLessThanOrEqual(middle.getTime());
  });

  it.each<[string, DescribeSpotPriceHistoryCommandInput]>([
    ['a type nobody has', { InstanceTypes: ['m5.nothing' as 'm5.large'] }],
    ['a zone of another Region', { AvailabilityZone: 'nowhere-1a' }],
    ['a product nobody has', { ProductDescriptions: ['Plan 9'] }],
  ])('are refused for %s', async (_, input) => {
    await expect(history(input)).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
  });
});

describe('instances and volumes', () => {
  const nobody = '0'.repeat(17);

  it.each<[string, () => Promise<unknown>, string]>([
    [
      'an instance that is not there',
      () => ec2.send(new DescribeInstancesCommand({ InstanceIds: [`i-${nobody}`] })),
      'InvalidInstanceID.NotFound',
    ],
    [
      'an instance by no id',
      () => ec2.send(new DescribeInstancesCommand({ InstanceIds: ['instance'] })),
      'InvalidInstanceID.Malformed',
    ],
    [
      'a filter nobody has',
      () => ec2.send(new DescribeInstancesCommand(filter('nothing', 'x'))),
      'InvalidParameterValue',
    ],
    [
      'a volume that is not there',
      () => ec2.send(new DescribeVolumesCommand({ VolumeIds: [`vol-${nobody}`] })),
      'InvalidVolume.NotFound',
    ],
  ])('are refused for %s', async (_, ask, name) => {
    await expect(ask()).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
  });

  it('that a filter leaves out are no error', async () => {
    const none = await ec2.send(new DescribeInstancesCommand(filter('instance-id', `i-${nobody}`)));
    const unattached = await ec2.send(new DescribeVolumesCommand(filter('attachment.instance-id', `i-${nobody}`)));

    expect([none.Reservations, unattached.Volumes]).toEqual([[], []]);
  });
});

describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('the stand-in', () => {
  it('refuses what it does not have, and parameters it does not know', async () => {
    await expect(ec2.send(new DescribeVpcsCommand({}))).rejects.toMatchObject({ name: 'InvalidAction' });
    await expect(types({ DryRun: true })).rejects.toMatchObject({ name: 'UnknownParameter' });
  });

  it('knows spot prices of 90 days', async () => {
    const now = target.local?.kit.clock.now() ?? 0;
    const found = await history({
      InstanceTypes: ['m5.xlarge'],
      AvailabilityZone: 'us-east-1a',
      StartTime: new Date(now - 200 * 24 * HOUR),
    });
    const old = await history({ InstanceTypes: ['m5.xlarge'], EndTime: new Date(now - 100 * 24 * HOUR) });

    expect((now - (found.at(-1)?.Timestamp?.getTime() ?? 0)) / (24 * HOUR)).toBeCloseTo(90, 0);
    expect(found.length).toBeGreaterThan(400);
    expect(old).toEqual([]);
  });

  it('has spot prices around what EC2 asked for, other ones in each zone', async () => {
    const found = await history({ InstanceTypes: ['m5.xlarge'], ...week() });
    const mean = (zone: string) => {
      const prices = found.flatMap((one) => (one.AvailabilityZone === zone ? [Number(one.SpotPrice)] : []));
      return prices.reduce((sum, one) => sum + one, 0) / prices.length;
    };

    expect(mean('us-east-1a')).toBeCloseTo(0.0601, 2);
    expect(mean('us-east-1a')).not.toBe(mean('us-east-1b'));
    expect(await history({ InstanceTypes: ['m5.xlarge'], ProductDescriptions: ['Windows'], ...week() })).toEqual([]);
  });

  it('throttles, and answers again a little later', async () => {
    const impatient = new EC2Client({ ...target.client, maxAttempts: 1 });
    const ask = () => impatient.send(new DescribeVolumesCommand({}));

    const answers = await Promise.allSettled(Array.from({ length: 150 }, ask));
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
    target.local?.kit.clock.advance(1_000);

    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toMatchObject({ name: 'RequestLimitExceeded', $metadata: { httpStatusCode: 503 } });
    await expect(ask()).resolves.toHaveProperty('Volumes');
    impatient.destroy();
  });
});
