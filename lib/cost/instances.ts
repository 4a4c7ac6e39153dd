/**
 * Who used instances and their volumes. A volume is shared out as its instance is, at each moment of its own interval.
 *
 * @module
 */
import type { Instance, Interval, JobAttempt, Unpriced, Usage, Volume } from '../../workflows/cost/model.ts';
import { type Allocation, type Consumed, type Consumption, countOf, type Ratio, WHOLE } from './consumption.ts';
import { groupBy } from './group.ts';
import { isoOf, MINUTE_MS, meet } from './intervals.ts';
import { type Holding, type Part, shareOut, weightOf } from './sweep.ts';

/** What the use of an instance is told apart by. */
type Group = Required<Pick<Consumed, 'step' | 'outcome'>> & { marks: readonly string[] };
type OwnAttempt = JobAttempt & { on: { kind: 'instance' } };

/** An instance with the jobs on it, cut to the time it was there. */
interface Held {
  instance: Instance;
  holdings: readonly Holding<Group>[];
  capacity: number | undefined;
  /** What is billed of it; absent where nobody knows when it was there. */
  over?: Interval;
  /** Both ends are known. */
  sure: boolean;
}

export function allocateInstances(usage: Usage): Allocation {
  const unpriced: Unpriced[] = [];
  const consumptions: Consumption[] = [];
  const attempts = groupBy(usage.attempts.filter(isOnInstance), ({ on }) => on.id);
  const held = new Map<string, Held>();
  for (const instance of usage.instances) {
    const own = attempts.get(instance.id) ?? [];
    const found = hold(instance, own, usage.launchId);
    held.set(instance.id, found);
    unpriced.push(...outside(instance, own));
    if (instance.market === 'on-premises') unpriced.push(notBought(instance));
    else if (found.over) consumptions.push(...instanceParts(found, found.over, usage.launchId));
    else unpriced.push(neverSeen(instance));
  }
  for (const [id, own] of attempts) if (!held.has(id)) unpriced.push(unknownInstance(id, own));
  for (const volume of usage.volumes) {
    const found = held.get(volume.instanceId);
    if (found) consumptions.push(...volumeParts(volume, found, usage.launchId));
    else unpriced.push(loose(volume));
  }
  return { consumptions, unpriced };
}

const isOnInstance = (attempt: JobAttempt): attempt is OwnAttempt => attempt.on.kind === 'instance';

function hold(instance: Instance, own: readonly OwnAttempt[], launchId: string): Held {
  const { launchedAt, endedAt, vcpus, memoryMib } = instance;
  const known = vcpus !== undefined && memoryMib !== undefined;
  const groups = new Map<string, Group>();
  const groupOf = ({ step, outcome, endKnownBy }: JobAttempt): Group => {
    const marks = [...(endKnownBy === 'bound' ? ['end assumed'] : []), ...(known ? [] : ['instance size unknown'])];
    const name = JSON.stringify([step, outcome, marks]);
    const group = groups.get(name) ?? { step, outcome, marks };
    groups.set(name, group);
    return group;
  };
  const all: Holding<Group>[] = [
    ...own.map((attempt) => ({ ...attempt, launchId, weight: weightOf(attempt), group: groupOf(attempt) })),
    ...instance.others
      .filter((other) => other.launchId !== launchId)
      .map((other) => ({ ...other, weight: weightOf(other) })),
  ];
  // No job runs without its instance: where clocks or bounds say otherwise, the instance is believed.
  const holdings = all.flatMap((holding) => {
    const from = Math.max(holding.from, launchedAt ?? holding.from);
    const to = Math.min(holding.to, endedAt ?? holding.to);
    return from <= to ? [{ ...holding, from, to }] : [];
  });
  const over = billed(instance, holdings);
  return {
    instance,
    holdings,
    capacity: known ? weightOf({ vcpus, memoryMib }) : undefined,
    ...(over && { over }),
    sure: launchedAt !== undefined && endedAt !== undefined,
  };
}

/** EC2 bills by the second, and at least a minute: https://aws.amazon.com/ec2/pricing/on-demand/. */
function billed({ launchedAt, endedAt }: Instance, holdings: readonly Interval[]): Interval | undefined {
  if (launchedAt !== undefined && endedAt !== undefined) {
    return { from: launchedAt, to: Math.max(endedAt, launchedAt + MINUTE_MS) };
  }
  const least = (a: number, b: number) => Math.min(a, b);
  const most = (a: number, b: number) => Math.max(a, b);
  if (holdings.length === 0) return undefined;
  return {
    from: launchedAt ?? holdings.map(({ from }) => from).reduce(least),
    to: endedAt ?? holdings.map(({ to }) => to).reduce(most),
  };
}

function instanceParts({ instance, holdings, capacity }: Held, over: Interval, launchId: string): Consumption[] {
  const { id, type, zone, region, market, commitment } = instance;
  const marks = commitment ? [`${commitment} at list price`] : [];
  const thing = {
    component: 'instance' as const,
    resource: id,
    resourceType: type,
    region,
    zone,
    market,
    service: 'AmazonEC2',
    key:
      market === 'spot'
        ? ({ kind: 'spot', region, zone, type } as const)
        : ({ kind: 'instance', region, type, market: 'on-demand' } as const),
    unit: 'Hrs' as const,
    size: WHOLE,
  };
  return consumed(shareOut(holdings, over, capacity, launchId), thing, marks);
}

/** Included in the price of a gp3 volume's storage: https://aws.amazon.com/ebs/general-purpose/. */
const GP3_IOPS = 3000;
const GP3_MIBPS = 125;

/** EBS bills by the second, and at least a minute: https://aws.amazon.com/ebs/pricing/. */
function volumeParts(volume: Volume, held: Held, launchId: string): Consumption[] {
  const { id, type, region, gib, iops = 0, throughput = 0, assumed } = volume;
  // What is only assumed of a volume is taken from its instance, and that may be a part of its time.
  const least = assumed && !held.sure ? 0 : MINUTE_MS;
  const over = { from: volume.from, to: Math.max(volume.to, volume.from + least) };
  const parts = shareOut(held.holdings, over, held.capacity, launchId);
  const extraIops = type === 'gp3' ? iops - GP3_IOPS : type === 'io1' || type === 'io2' ? iops : 0;
  const extraThroughput = type === 'gp3' ? throughput - GP3_MIBPS : 0;
  const priced = [
    { of: 'storage', unit: 'GB-Mo', count: gib },
    { of: 'iops', unit: 'IOPS-Mo', count: extraIops },
    { of: 'throughput', unit: 'MiBps-Mo', count: extraThroughput },
  ] as const;
  return priced
    .filter(({ count }) => count > 0)
    .flatMap(({ of, unit, count }) => {
      const thing = {
        component: 'volume' as const,
        resource: id,
        resourceType: type,
        region,
        zone: held.instance.zone,
        service: 'AmazonEC2',
        key: { kind: 'volume', region, type, of } as const,
        unit,
        size: countOf(count),
      };
      return consumed(parts, thing, assumed ? ['assumed'] : []);
    });
}

/** One `Consumed` for each group, shared by all of its parts. */
function consumed(
  parts: readonly Part<Group>[],
  thing: Omit<Consumed, 'purpose' | 'step' | 'outcome' | 'marks'> & { size: Ratio },
  thingMarks: readonly string[],
): Consumption[] {
  const whats = new Map<Group | string, Consumed>();
  return parts.map(({ purpose, group, share, from, to }) => {
    const kept = whats.get(group ?? purpose);
    const marks = [...thingMarks, ...(group?.marks ?? [])];
    const what = kept ?? {
      ...thing,
      purpose,
      ...(group && { step: group.step, outcome: group.outcome }),
      ...(marks.length > 0 && { marks }),
    };
    whats.set(group ?? purpose, what);
    return { what, share, from, to };
  });
}

const known = (id: string, own: readonly JobAttempt[]) => {
  const steps = [...new Set(own.map(({ step }) => step))].toSorted().join(', ');
  return `${own.length} attempt(s) of jobs of ${steps} ran on ${id}`;
};

function unknownInstance(id: string, own: readonly JobAttempt[]): Unpriced {
  return {
    resource: id,
    component: 'instance',
    reason: `${known(id, own)}, of which neither type nor zone is known`,
    remedy:
      'price launches within an hour of their end, while EC2 still describes their instances, or let jobs write start records',
  };
}

function outside(instance: Instance, own: readonly OwnAttempt[]): Unpriced[] {
  const { id, launchedAt = Number.NEGATIVE_INFINITY, endedAt = Number.POSITIVE_INFINITY } = instance;
  const lost = own.filter((attempt) => attempt.to > attempt.from && !meet(attempt, { from: launchedAt, to: endedAt }));
  if (lost.length === 0) return [];
  const from = isoOf(Math.min(...lost.map((attempt) => attempt.from)));
  return [
    {
      resource: id,
      component: 'instance',
      reason: `${known(id, lost)} from ${from} on, when it was not there`,
      remedy: 'compare the clocks of the hosts with the times EC2 tells of the instance',
    },
  ];
}

const neverSeen = ({ id }: Instance): Unpriced => ({
  resource: id,
  component: 'instance',
  reason: `nobody knows when ${id} was used`,
  remedy: 'look for the start records of the jobs',
});

const notBought = ({ id }: Instance): Unpriced => ({
  resource: id,
  component: 'instance',
  reason: `${id} is an instance on premises, which no price is for`,
  remedy: 'report hosts on premises by their cluster',
});

const loose = ({ id, instanceId, type, gib }: Volume): Unpriced => ({
  resource: id,
  component: 'volume',
  reason: `nothing is known of ${instanceId}, to which the ${type} volume of ${gib} GiB belongs`,
  remedy: 'see the reason for the instance',
});
