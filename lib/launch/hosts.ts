/**
 * Whether a job fits a host: what jobs reserve, what hosts offer. Pure logic; all memory in MiB.
 *
 * @module
 */
import { HELPER_RESOURCES } from './batch-submission.ts';
import { fargateHolds, LARGEST_FARGATE } from './fargate.ts';

export interface Host {
  /** `m5.2xlarge` */
  type: string;
  vcpus: number;
  /** What it offers to jobs, which is less than what is installed: {@link offeredMiB}. */
  memoryMiB: number;
}

/** What a compute environment can start. */
export interface HostPool {
  environment: string;
  platform: 'EC2' | 'FARGATE';
  maxVcpus: number;
  /** AWS Batch may go above maxvCpus by one instance, as with every allocation strategy but BEST_FIT. */
  mayExceed: boolean;
  /** Empty on Fargate. */
  hosts: readonly Host[];
}

/** What the user's command of a step asks for. */
export interface Demand {
  vcpus: number;
  memoryMiB: number;
  /** A head job whose folder is kept has a third helper. */
  head?: { state: { keep: readonly string[] } };
}

export interface Misfit {
  message: string;
  remedy: string;
}

/** The helpers stand in the same task, so their reservations count too: ECS adds up a task's containers. */
const helpersOf = ({ head }: Pick<Demand, 'head'>): string[] => [
  'stage',
  ...(head?.state.keep.length ? ['keep'] : []),
  'publish',
];

function help(demand: Pick<Demand, 'head'>): Demand {
  const { length } = helpersOf(demand);
  return { vcpus: length * HELPER_RESOURCES.vcpus, memoryMiB: length * HELPER_RESOURCES.memoryMiB };
}

/** What the job of a step reserves on its host. */
export const reserved = (demand: Demand): Demand => ({
  vcpus: demand.vcpus + help(demand).vcpus,
  memoryMiB: demand.memoryMiB + help(demand).memoryMiB,
});

/** What a step can ask for at most on this host. */
export const mostFor = ({ vcpus, memoryMiB }: Demand, step: Pick<Demand, 'head'> = {}): Demand => ({
  ...step,
  vcpus: vcpus - help(step).vcpus,
  memoryMiB: memoryMiB - help(step).memoryMiB,
});

/**
 * An estimate of what the ECS agent registers of a host's memory: kernel and firmware keep a part that grows with the
 * memory, and AWS Batch's AMI reserves 32 MiB (docs.aws.amazon.com/batch/latest/userguide/memory-management.html).
 * Set so that it does not promise more than is known to be registered: 31,431 of 32,768 (aws/containers-roadmap#2231),
 * 31,672 of 32,768 (ASFHyP3/hyp3#582), 507,821 of 524,288 (pytorch/torchx#795).
 */
export const offeredMiB = (installedMiB: number): number => Math.floor(installedMiB * 0.963 - 124);

/** The host with the most memory, and of those with the same the most vCPUs, over all environments. */
export function largestHost(pools: readonly HostPool[]): (Host & { environment: string }) | undefined {
  return all(pools).sort((a, b) => b.memoryMiB - a.memoryMiB || b.vcpus - a.vcpus)[0];
}

/** @returns undefined when some environment can run the job, or when there is nothing to compare with */
export function whyNoRoom(demand: Demand, pools: readonly HostPool[]): Misfit | undefined {
  if (pools.length === 0 || pools.some((pool) => holds(pool, reserved(demand)))) return undefined;
  const bounded = pools.filter((pool) => roomy(pool, reserved(demand)).length > 0 || pool.platform === 'FARGATE');
  const [widest] = bounded.sort((a, b) => b.maxVcpus - a.maxVcpus);
  if (!widest) return noHost(demand, pools);
  if (widest.platform === 'FARGATE' && !fargateHolds(reserved(demand))) return noTaskSize(demand, widest);
  return tooFewVcpus(demand, widest);
}

function holds(pool: HostPool, total: Demand): boolean {
  if (total.vcpus > pool.maxVcpus) return false;
  if (pool.platform === 'FARGATE') return fargateHolds(total);
  return roomy(pool, total).some(({ vcpus }) => pool.mayExceed || vcpus <= pool.maxVcpus);
}

const roomy = ({ hosts }: HostPool, total: Demand): Host[] =>
  hosts.filter(({ vcpus, memoryMiB }) => vcpus >= total.vcpus && memoryMiB >= total.memoryMiB);

const all = (pools: readonly HostPool[]) =>
  pools.flatMap(({ environment, hosts }) => hosts.map((host) => ({ ...host, environment })));

function noHost(demand: Demand, pools: readonly HostPool[]): Misfit {
  const total = reserved(demand);
  const enough = all(pools).filter(({ vcpus }) => vcpus >= total.vcpus);
  const host = (enough.length > 0 ? enough : all(pools)).sort((a, b) =>
    enough.length > 0 ? b.memoryMiB - a.memoryMiB || b.vcpus - a.vcpus : b.vcpus - a.vcpus || b.memoryMiB - a.memoryMiB,
  )[0];
  if (!host) {
    const names = pools.map(({ environment }) => environment).join(', ');
    return {
      message: `asks for ${size(total)}, but EC2 offers none of the instance types of ${names} in this Region`,
      remedy: 'give the compute environment instance types that the Region has',
    };
  }
  const short = { vcpus: total.vcpus > host.vcpus, memoryMiB: total.memoryMiB > host.memoryMiB };
  return {
    message: `asks for ${asked(demand, short)}, but the largest host of compute environment ${host.environment} (${host.type}) offers ${size(host)}`,
    remedy: `${atMost(mostFor(host, demand), short)}, or add a larger instance type`,
  };
}

function noTaskSize(demand: Demand, { environment }: HostPool): Misfit {
  const total = reserved(demand);
  const short = { vcpus: total.vcpus > LARGEST_FARGATE.vcpus, memoryMiB: true };
  return {
    message: `asks for ${asked(demand, short)}, but no task of Fargate (compute environment ${environment}) is that large: at most ${size(LARGEST_FARGATE)}`,
    remedy: `${atMost(mostFor(LARGEST_FARGATE, demand), short)}, or use an EC2 compute environment`,
  };
}

function tooFewVcpus(demand: Demand, pool: HostPool): Misfit {
  const total = reserved(demand);
  const limit = `compute environment ${pool.environment} has at most ${vcpus(pool.maxVcpus)} (maxvCpus)`;
  if (total.vcpus > pool.maxVcpus) {
    const short = { vcpus: true, memoryMiB: false };
    return {
      message: `asks for ${asked(demand, short)}, but ${limit}`,
      remedy: `${atMost(mostFor({ ...total, vcpus: pool.maxVcpus }, demand), short)}, or raise maxvCpus to ${total.vcpus} or more`,
    };
  }
  const smallest = roomy(pool, total).sort((a, b) => a.vcpus - b.vcpus)[0];
  return {
    message: `asks for ${size(total)}; the smallest host that holds it, ${smallest?.type}, has ${vcpus(smallest?.vcpus ?? 0)}, but ${limit}`,
    remedy: `raise maxvCpus to ${smallest?.vcpus} or more, or add a smaller instance type that holds the job`,
  };
}

const number = (value: number): string => value.toLocaleString('en-US');
const vcpus = (count: number): string => `${number(count)} ${count === 1 ? 'vCPU' : 'vCPUs'}`;
const size = (demand: Demand): string => `${vcpus(demand.vcpus)} and ${number(demand.memoryMiB)} MiB`;

/** What is too much is broken down, since the sheet says a smaller number. */
function asked(demand: Demand, short: Record<'vcpus' | 'memoryMiB', boolean>): string {
  const total = reserved(demand);
  const parts = (what: 'vcpus' | 'memoryMiB') =>
    short[what]
      ? ` (main ${number(demand[what])}, ${helpersOf(demand)
          .map((name) => `${name} ${number(HELPER_RESOURCES[what])}`)
          .join(', ')})`
      : '';
  return `${vcpus(total.vcpus)}${parts('vcpus')} and ${number(total.memoryMiB)} MiB${parts('memoryMiB')}`;
}

function atMost(most: Demand, short: Record<'vcpus' | 'memoryMiB', boolean>): string {
  if ((short.vcpus && most.vcpus < 1) || (short.memoryMiB && most.memoryMiB < 4)) {
    return `besides the command a job needs ${size(help(most))} for ${helpersOf(most).join(' and ')}, so no job fits`;
  }
  const bounds = [
    ...(short.vcpus ? [vcpus(most.vcpus)] : []),
    ...(short.memoryMiB ? [`${number(most.memoryMiB)} MiB`] : []),
  ];
  return `ask for at most ${bounds.join(' and ')}`;
}
