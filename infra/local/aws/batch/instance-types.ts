/**
 * The instance types jobs are placed on. vCPUs and memory are EC2's published figures; what the ECS agent registers
 * is less, because kernel and firmware keep a part.
 *
 * @module
 */

/** A type as EC2 publishes it. */
export interface PublishedType {
  type: string;
  vcpus: number;
  /** What is installed. */
  memoryMiB: number;
  architecture: 'x86_64' | 'arm64';
}

export interface InstanceShape {
  type: string;
  vcpus: number;
  /** What the ECS agent registers. */
  memoryMiB: number;
}

const SIZES: Readonly<Record<string, number>> = {
  large: 2,
  xlarge: 4,
  '2xlarge': 8,
  '4xlarge': 16,
  '8xlarge': 32,
  '9xlarge': 36,
  '10xlarge': 40,
  '12xlarge': 48,
  '16xlarge': 64,
  '18xlarge': 72,
  '24xlarge': 96,
  '32xlarge': 128,
  '48xlarge': 192,
};

const MODERN = ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge', '24xlarge'];
const SIXTH = [...MODERN, '32xlarge'];
const GRAVITON = MODERN.slice(0, -1);

/** GiB of memory per vCPU, and the sizes that exist. */
const FAMILIES: Readonly<Record<string, { gibPerVcpu: number; sizes: readonly string[] }>> = {
  c4: { gibPerVcpu: 1.875, sizes: ['large', 'xlarge', '2xlarge', '4xlarge'] },
  m4: { gibPerVcpu: 4, sizes: ['large', 'xlarge', '2xlarge', '4xlarge', '10xlarge', '16xlarge'] },
  r4: { gibPerVcpu: 7.625, sizes: ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '16xlarge'] },
  c5: {
    gibPerVcpu: 2,
    sizes: ['large', 'xlarge', '2xlarge', '4xlarge', '9xlarge', '12xlarge', '18xlarge', '24xlarge'],
  },
  m5: { gibPerVcpu: 4, sizes: MODERN },
  r5: { gibPerVcpu: 8, sizes: MODERN },
  c6i: { gibPerVcpu: 2, sizes: SIXTH },
  m6i: { gibPerVcpu: 4, sizes: SIXTH },
  r6i: { gibPerVcpu: 8, sizes: SIXTH },
  c7i: { gibPerVcpu: 2, sizes: [...MODERN, '48xlarge'] },
  c6g: { gibPerVcpu: 2, sizes: GRAVITON },
  m6g: { gibPerVcpu: 4, sizes: GRAVITON },
  r6g: { gibPerVcpu: 8, sizes: GRAVITON },
  c7g: { gibPerVcpu: 2, sizes: GRAVITON },
};

const X86 = ['m6i', 'c6i', 'r6i', 'c7i'];

/** Names that stand for several families, as the reference of ComputeResource lists them. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  optimal: X86,
  default_x86_64: X86,
  default_arm64: ['m6g', 'c6g', 'r6g', 'c7g'],
};

/**
 * An approximation: of 32 GiB 31,431 MiB are known to be registered (aws/containers-roadmap#2231); the part kept
 * grows with the memory beside a fixed amount.
 */
function registeredMiB(installedMiB: number): number {
  return Math.floor(installedMiB * 0.963 - 124);
}

/** Every type there is, by name. */
export const PUBLISHED: ReadonlyMap<string, PublishedType> = publish();
const SHAPES = new Map<string, InstanceShape>(
  [...PUBLISHED.values()].map(({ type, vcpus, memoryMiB }) => [
    type,
    { type, vcpus, memoryMiB: registeredMiB(memoryMiB) },
  ]),
);

function publish(): Map<string, PublishedType> {
  const types = new Map<string, PublishedType>();
  for (const [family, { gibPerVcpu, sizes }] of Object.entries(FAMILIES)) {
    const architecture = /^[a-z]\dg$/.test(family) ? 'arm64' : 'x86_64';
    for (const size of sizes) {
      const vcpus = SIZES[size] ?? 0;
      const type = `${family}.${size}`;
      types.set(type, { type, vcpus, memoryMiB: vcpus * gibPerVcpu * 1024, architecture });
    }
  }
  return types;
}

/**
 * The shapes a name from `instanceTypes` stands for: one type, a family, or a group; none when it is unknown.
 */
export function shapesOf(name: string): InstanceShape[] {
  const one = SHAPES.get(name);
  if (one) return [one];
  const families = Object.hasOwn(GROUPS, name) ? (GROUPS[name] ?? []) : [name];
  return [...SHAPES.values()].filter((shape) => families.includes(shape.type.slice(0, shape.type.indexOf('.'))));
}
