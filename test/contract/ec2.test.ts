import {
  DescribeInstanceTypesCommand,
  type DescribeInstanceTypesCommandInput,
  EC2Client,
  type InstanceTypeInfo,
  paginateDescribeInstanceTypes,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTarget, type Target } from './target.ts';

let target: Target;
let ec2: EC2Client;

beforeAll(async () => {
  target = await openTarget();
  ec2 = new EC2Client(target.client);
});
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

describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('the stand-in', () => {
  it('refuses what it does not have, and parameters it does not know', async () => {
    const { DescribeInstancesCommand } = await import('@aws-sdk/client-ec2');

    await expect(ec2.send(new DescribeInstancesCommand({}))).rejects.toMatchObject({ name: 'InvalidAction' });
    await expect(types({ DryRun: true })).rejects.toMatchObject({ name: 'UnknownParameter' });
  });
});
