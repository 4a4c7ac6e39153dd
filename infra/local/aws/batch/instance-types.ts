/**
 * The instance types jobs are placed on. vCPUs and memory are EC2's published figures; what the ECS agent registers
 * is less, because kernel and firmware keep a part.
 *
 * @module
 */

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
};

const MODERN = ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge', '24xlarge'];
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
  c6i: { gibPerVcpu: 2, sizes: MODERN },
  m6i: { gibPerVcpu: 4, sizes: MODERN },
  r6i: { gibPerVcpu: 8, sizes: MODERN },
  c6g: { gibPerVcpu: 2, sizes: GRAVITON },
  m6g: { gibPerVcpu: 4, sizes: GRAVITON },
  r6g: { gibPerVcpu: 8, sizes: GRAVITON },
};

/** Names that stand for several families. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  optimal: ['c4', 'm4', 'r4', 'c5', 'm5', 'r5'],
  default_x86_64: ['c5', 'm5', 'r5', 'c6i', 'm6i', 'r6i'],
  default_arm64: ['c6g', 'm6g', 'r6g'],
};

/**
 * An approximation: of 32 GiB 31,431 MiB are known to be registered (aws/containers-roadmap#2231); the part kept
 * grows with the memory beside a fixed amount.
 */
function registeredMiB(gib: number): number {
  return Math.floor(gib * 1024 * 0.963 - 124);
}

const SHAPES = new Map<string, InstanceShape>();
for (const [family, { gibPerVcpu, sizes }] of Object.entries(FAMILIES)) {
  for (const size of sizes) {
    const vcpus = SIZES[size] ?? 0;
    const type = `${family}.${size}`;
    SHAPES.set(type, { type, vcpus, memoryMiB: registeredMiB(vcpus * gibPerVcpu) });
  }
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
