/**
 * File systems and clusters, which are there for several launches: wholly a launch's while it uses them, or at each moment
 * divided by the number of launches that use them then.
 *
 * @module
 */
import type { Cluster, FileSystem, Interval, Usage } from '../../workflows/cost/model.ts';
import { type Consumed, type Consumption, countOf, WHOLE } from './consumption.ts';
import { groupBy } from './group.ts';
import { meet, union } from './intervals.ts';

export const allocateShared = ({ launchId, fileSystems, clusters }: Usage): Consumption[] => [
  ...fileSystems.flatMap((each) => divide(each, fileSystem(each), launchId)),
  ...clusters.flatMap((each) => divide(each, cluster(each), launchId)),
];

function fileSystem({ id, region, deploymentType, storageType, throughputPerUnit, gib }: FileSystem): Consumed {
  const words = [deploymentType, storageType, ...(throughputPerUnit === undefined ? [] : [throughputPerUnit])];
  return {
    component: 'filesystem',
    purpose: 'use',
    resource: id,
    resourceType: words.join(' '),
    region,
    service: 'AmazonFSx',
    unit: 'GB-Mo',
    size: countOf(gib),
    key: {
      kind: 'lustre',
      region,
      deploymentType,
      storageType,
      ...(throughputPerUnit !== undefined && { throughputPerUnit }),
    },
  };
}

const cluster = ({ id, region, support }: Cluster): Consumed => ({
  component: 'control_plane',
  purpose: 'use',
  resource: id,
  resourceType: `${support} support`,
  region,
  service: 'AmazonEKS',
  unit: 'Hrs',
  size: WHOLE,
  key: { kind: 'eks', region, support },
});

function divide({ used, others, sharing }: FileSystem | Cluster, what: Consumed, launchId: string): Consumption[] {
  const own = union(used);
  if (sharing === 'whole') return own.map((interval) => ({ what, share: WHOLE, ...interval }));
  const theirs = groupBy(
    others.filter((other) => other.launchId !== launchId),
    (other) => other.launchId,
  );
  // A launch counts once, however many of its entries lie over each other.
  const users = [...theirs.values()].flatMap(union);
  return own.flatMap((interval) =>
    pieces(interval, users).map(({ from, to, count }) => ({
      what,
      share: { n: 1n, d: BigInt(count + 1) },
      from,
      to,
    })),
  );
}

/** Cut wherever somebody comes or goes; with how many are there. */
function pieces(interval: Interval, users: readonly Interval[]): (Interval & { count: number })[] {
  const within = users.flatMap((user) => meet(user, interval) ?? []);
  const changes = new Map<number, number>([[interval.from, 0]]);
  const change = (time: number, by: number) => changes.set(time, (changes.get(time) ?? 0) + by);
  for (const { from, to } of within) {
    change(from, 1);
    change(to, -1);
  }
  const times = [...changes.keys()].filter((time) => time < interval.to).toSorted((a, b) => a - b);
  let count = 0;
  return times.map((from, index) => {
    count += changes.get(from) ?? 0;
    return { from, to: times[index + 1] ?? interval.to, count };
  });
}
