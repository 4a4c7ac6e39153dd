/**
 * What several launches use together: file systems and control planes, whole for each, or split evenly among those that
 * use it at the moment.
 *
 * @module
 */
import type { Cluster, FileSystem, Interval, Usage } from '../../workflows/cost/model.ts';
import { type Consumption, lasts, union } from './consumption.ts';
import { type Decimal, exact } from './money.ts';

export function sharedConsumptions({ fileSystems, clusters }: Pick<Usage, 'fileSystems' | 'clusters'>): Consumption[] {
  return [...fileSystems.flatMap(ofFileSystem), ...clusters.flatMap(ofCluster)];
}

function ofFileSystem(system: FileSystem): Consumption[] {
  const { id, region, deploymentType, storageType, throughputPerUnit, gib } = system;
  const fast = throughputPerUnit === undefined ? '' : ` ${throughputPerUnit}`;
  return turns(system).map(({ share, ...interval }) => ({
    ...interval,
    component: 'filesystem',
    purpose: 'use',
    resource: id,
    resourceType: `${deploymentType} ${storageType}${fast}`,
    region,
    price: {
      kind: 'lustre',
      region,
      deploymentType,
      storageType,
      ...(throughputPerUnit !== undefined && { throughputPerUnit }),
    },
    capacity: exact(gib),
    share,
    per: 'month',
    marks: [],
  }));
}

function ofCluster(cluster: Cluster): Consumption[] {
  const { id, region, support, version } = cluster;
  return turns(cluster).map(({ share, ...interval }) => ({
    ...interval,
    component: 'control_plane',
    purpose: 'use',
    resource: id,
    resourceType: `control plane${version === undefined ? '' : ` ${version}`}, ${support} support`,
    region,
    price: { kind: 'eks', region, support },
    capacity: exact(1),
    share,
    per: 'hour',
    marks: [],
  }));
}

/** When this launch used it, and which part of it was its own then. */
function turns({
  sharing,
  used,
  others,
}: Pick<FileSystem, 'sharing' | 'used' | 'others'>): (Interval & { share: Decimal })[] {
  const own = union(used);
  if (sharing === 'whole') return own.map((interval) => ({ ...interval, share: exact(1) }));
  return own.flatMap(({ from, to }) => {
    const moments = new Set([from, to]);
    for (const other of others)
      for (const moment of [other.from, other.to]) if (moment > from && moment < to) moments.add(moment);
    const inOrder = [...moments].sort((a, b) => a - b);
    return inOrder
      .map((begin, place) => ({ from: begin, to: inOrder[place + 1] ?? begin }))
      .filter(lasts)
      .map((turn) => {
        const there = others.filter((other) => other.from < turn.to && other.to > turn.from);
        return { ...turn, share: exact(1).div(1 + new Set(there.map(({ launchId }) => launchId)).size) };
      });
  });
}
