/**
 * The hosts behind the names a compute environment gives its instance types, with EC2's figures.
 *
 * @module
 */
import type { EC2Client, EC2ClientConfig } from '@aws-sdk/client-ec2';
import { type Host, offeredMiB } from './hosts.ts';

export interface InstanceTypeReader {
  /**
   * @param names as `instanceTypes` of a compute environment has them
   * @returns those the Region has; a call for each 100 of them
   */
  describe(names: readonly string[]): Promise<Host[]>;
  destroy(): void;
}

const X86 = ['m6i', 'c6i', 'r6i', 'c7i'];
/**
 * Names that stand for families, as the reference of ComputeResource has them
 * (docs.aws.amazon.com/batch/latest/APIReference/API_ComputeResource.html). Until November 2025 `optimal` meant c4, m4
 * and r4, or c5, m5 and r5, which are no larger.
 */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  optimal: X86,
  default_x86_64: X86,
  default_arm64: ['m6g', 'c6g', 'r6g', 'c7g'],
};

/** EC2 takes this many values of a filter. */
const MOST_VALUES = 200;
/** EC2 gives at most this many types in one answer. */
const PAGE = 100;

/** `m5.large` stays, `m5` becomes `m5.*`, a group its families; each once. */
export function filterValues(names: readonly string[]): string[] {
  const families = names.flatMap((name) => (Object.hasOwn(GROUPS, name) ? (GROUPS[name] ?? []) : [name]));
  return [...new Set(families.map((name) => (name.includes('.') ? name : `${name}.*`)))];
}

/**
 * What types have installed, which is more than hosts of theirs offer to jobs.
 * @param values of the filter `instance-type`
 */
export async function* installedTypes(client: EC2Client, values: readonly string[]): AsyncGenerator<Host> {
  const { paginateDescribeInstanceTypes } = await import('@aws-sdk/client-ec2');
  for (let from = 0; from < values.length; from += MOST_VALUES) {
    const Filters = [{ Name: 'instance-type', Values: values.slice(from, from + MOST_VALUES) }];
    for await (const page of paginateDescribeInstanceTypes({ client, pageSize: PAGE }, { Filters })) {
      for (const { InstanceType: type, VCpuInfo, MemoryInfo } of page.InstanceTypes ?? []) {
        const [vcpus, memoryMiB] = [VCpuInfo?.DefaultVCpus, MemoryInfo?.SizeInMiB];
        if (type && vcpus && memoryMiB) yield { type, vcpus, memoryMiB };
      }
    }
  }
}

/** The client is loaded at first use: it is the largest of the SDK, and most commands do without. */
export function createInstanceTypeReader(config: EC2ClientConfig = {}): InstanceTypeReader {
  let client: EC2Client | undefined;
  return {
    async describe(names) {
      const { EC2Client } = await import('@aws-sdk/client-ec2');
      client ??= new EC2Client(config);
      const hosts = new Map<string, Host>();
      const values = filterValues(names);
      for await (const { type, vcpus, memoryMiB } of installedTypes(client, values))
        hosts.set(type, { type, vcpus, memoryMiB: offeredMiB(memoryMiB) });
      return [...hosts.values()];
    },
    destroy: () => client?.destroy(),
  };
}
