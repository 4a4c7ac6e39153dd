/**
 * Whose an instance is at each moment: jobs have shares of it, what they leave is packing, and idle is what nobody used.
 *
 * A job's share is (9 vCPUs + GiB) / (9 V + M): the weights of AWS's split cost allocation, by which a vCPU costs nine times
 * what a GB does (docs.aws.amazon.com/cur/latest/userguide/split-cost-allocation-data.html).
 *
 * @module
 */
import type { Instance, Interval, JobAttempt, Purpose } from '../../workflows/cost/model.ts';
import { MINUTE_MS } from './consumption.ts';
import { type Decimal, exact } from './money.ts';

const CPU_WEIGHT = 9;
const MIB_PER_GIB = 1024;

/** A part of the instance over a time in which nothing begins or ends. */
export interface Slice extends Interval {
  purpose: Purpose;
  share: Decimal;
  /** Of `use`: whose. */
  attempt?: JobAttempt;
}

/** A job on the instance: of this launch, or of another. */
interface Tenant extends Interval {
  launchId: string | undefined;
  weight: Decimal;
  attempt?: JobAttempt;
}

const weigh = ({ vcpus, memoryMib }: { vcpus: number; memoryMib: number }): Decimal =>
  exact(vcpus).times(CPU_WEIGHT).plus(exact(memoryMib).div(MIB_PER_GIB));

/** @returns what this launch has of it; what others have is left out */
export function slicesOf(instance: Instance, attempts: readonly JobAttempt[]): Slice[] {
  const { vcpus, memoryMib, others } = instance;
  const known = vcpus !== undefined && memoryMib !== undefined;
  const whole = known ? weigh({ vcpus, memoryMib }) : undefined;
  const tenants: Tenant[] = [
    ...attempts.map((attempt) => ({ ...spanOf(attempt), launchId: undefined, weight: weigh(attempt), attempt })),
    ...others.map((other) => ({ ...spanOf(other), launchId: other.launchId, weight: weigh(other) })),
  ].filter(({ from, to }) => to > from);
  const moments = momentsOf(instance, tenants);
  const sweep = new Sweep(tenants);
  const slices: Slice[] = [];
  for (const [place, from] of moments.slice(0, -1).entries()) {
    const to = moments[place + 1] ?? from;
    const present = sweep.at(from);
    const all = present.length > 0 ? shared({ from, to }, present, whole) : idle({ from, to }, sweep.nearest(from));
    slices.push(...all);
  }
  return slices;
}

const spanOf = ({ from, to }: Interval): Interval => ({ from, to });

/** Begin and end of the instance as far as they are known, and of every job; a started instance is billed a minute. */
function momentsOf({ launchedAt, endedAt }: Instance, tenants: readonly Tenant[]): number[] {
  const moments = new Set(tenants.flatMap(({ from, to }) => [from, to]));
  if (launchedAt !== undefined) moments.add(launchedAt);
  if (endedAt !== undefined) moments.add(endedAt);
  if (launchedAt !== undefined && endedAt !== undefined && endedAt < launchedAt + MINUTE_MS)
    moments.add(launchedAt + MINUTE_MS);
  return [...moments].sort((a, b) => a - b);
}

/** Without the instance's size its jobs have equal shares of all of it. */
function shared(interval: Interval, present: readonly Tenant[], whole: Decimal | undefined): Slice[] {
  const own = present.filter(({ launchId }) => launchId === undefined);
  if (own.length === 0) return [];
  const weightOf = (tenant: Tenant) => (whole ? tenant.weight : exact(1));
  const sum = (some: readonly Tenant[]) => some.reduce((all, tenant) => all.plus(weightOf(tenant)), exact(0));
  const reserved = sum(present);
  // Where more is reserved than there is, all of them have less.
  const base = whole && reserved.lt(whole) ? whole : reserved;
  const slices: Slice[] = own.map((tenant) => ({
    ...interval,
    purpose: 'use',
    share: weightOf(tenant).div(base),
    ...(tenant.attempt && { attempt: tenant.attempt }),
  }));
  const rest = base.minus(reserved);
  if (rest.gt(0))
    slices.push({ ...interval, purpose: 'packing', share: rest.times(sum(own)).div(base.times(reserved)) });
  return slices;
}

/** Of the launch whose job ran last, or of the one that came first; of several, in equal parts. */
function idle(interval: Interval, nearest: readonly Tenant[]): Slice[] {
  const launches = new Set(nearest.map(({ launchId }) => launchId));
  if (!launches.has(undefined)) return [];
  return [{ ...interval, purpose: 'idle', share: exact(1).div(launches.size) }];
}

/** Who is there as time goes on. */
class Sweep {
  readonly #coming: Tenant[];
  readonly #first: readonly Tenant[];
  #present: Tenant[] = [];
  #left: readonly Tenant[] = [];

  constructor(tenants: readonly Tenant[]) {
    this.#coming = tenants.toSorted((a, b) => b.from - a.from);
    const begin = Math.min(...tenants.map(({ from }) => from));
    this.#first = tenants.filter(({ from }) => from === begin);
  }

  /** @param moment not before the last one it was asked for */
  at(moment: number): readonly Tenant[] {
    while ((this.#coming.at(-1)?.from ?? Number.POSITIVE_INFINITY) <= moment)
      this.#present.push(this.#coming.pop() as Tenant);
    const gone = this.#present.filter(({ to }) => to <= moment);
    if (gone.length > 0) {
      const end = Math.max(...gone.map(({ to }) => to));
      this.#left = gone.filter(({ to }) => to === end);
      this.#present = this.#present.filter(({ to }) => to > moment);
    }
    return this.#present;
  }

  /** Those that have left last; before anybody came, those that come first. */
  nearest(_: number): readonly Tenant[] {
    return this.#left.length > 0 ? this.#left : this.#first;
  }
}
