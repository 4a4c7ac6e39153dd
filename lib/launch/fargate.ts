/**
 * The sizes a task on Fargate can have, from the reference of AWS Batch's ResourceRequirement
 * (docs.aws.amazon.com/batch/latest/APIReference/API_ResourceRequirement.html). Jobs of Longhaul have whole vCPUs.
 *
 * @module
 */

/** Memory in MiB: from `least` to `most` in steps. */
const SIZES = [
  { vcpus: 1, least: 2048, most: 8192, step: 1024 },
  { vcpus: 2, least: 4096, most: 16_384, step: 1024 },
  { vcpus: 4, least: 8192, most: 30_720, step: 1024 },
  { vcpus: 8, least: 16_384, most: 61_440, step: 4096 },
  { vcpus: 16, least: 32_768, most: 122_880, step: 8192 },
] as const;
/** This one has three sizes only. */
const LARGEST = { vcpus: 32, memoryMiB: [61_440, 122_880, 249_856] } as const;

export const LARGEST_FARGATE = { vcpus: LARGEST.vcpus, memoryMiB: 249_856 };

export interface TaskSize {
  vcpus: number;
  memoryMiB: number;
}

/** The smallest task that holds this much; undefined when none does. */
export function fargateSize({ vcpus, memoryMiB }: TaskSize): TaskSize | undefined {
  for (const size of SIZES) {
    if (size.vcpus < vcpus || size.most < memoryMiB) continue;
    const steps = Math.max(0, Math.ceil((memoryMiB - size.least) / size.step));
    return { vcpus: size.vcpus, memoryMiB: size.least + steps * size.step };
  }
  const memory = LARGEST.memoryMiB.find((value) => value >= memoryMiB);
  return vcpus <= LARGEST.vcpus && memory !== undefined ? { vcpus: LARGEST.vcpus, memoryMiB: memory } : undefined;
}

export const fargateHolds = (total: TaskSize): boolean => fargateSize(total) !== undefined;
