/**
 * The instances jobs of a launch ran on, and their volumes: by start records, by EC2 as long as it remembers, and by what
 * other launches are known to have held.
 *
 * @module
 */
import { heartbeat } from '@temporalio/activity';
import { mapLimited } from '../../lib/concurrency.ts';
import { groupBy } from '../../lib/cost/group.ts';
import { regionOfZone } from '../../lib/prices/regions.ts';
import type { Instance, JobAttempt, Occupancy, Usage, Volume } from '../../workflows/cost/model.ts';
import type { CostDependencies } from './dependencies.ts';
import type { FoundAttempts, Started } from './job-attempts.ts';
import type { InstanceFacts, TypeFacts, VolumeFacts } from './resources.ts';

/**
 * An instance that was up for longer than this without any job that is known was up for somebody else: booting and the
 * scaling down of a compute environment take minutes.
 */
export const IDLE_LIMIT_MS = 15 * 60_000;
const ASKING = 16;
const GIB = 1024 ** 3;
/** What Amazon's ECS-optimised images have as their root volume, and what the compute service ec2 asks for. */
const ASSUMED_TYPE = 'gp3';

export interface FoundInstances {
  instances: Instance[];
  volumes: Volume[];
  /** Some of them still run: their idle time is not known to its end. */
  live: boolean;
}

/** @param earlier what was found when EC2 still knew more */
export async function findInstances(
  { resources, ledger, now = Date.now }: Pick<CostDependencies, 'resources' | 'ledger' | 'now'>,
  launchId: string,
  { started, attempts }: Pick<FoundAttempts, 'started' | 'attempts'>,
  earlier: Pick<Usage, 'instances' | 'volumes'>,
): Promise<FoundInstances> {
  const used = usedInstances(started, attempts);
  const before = new Map(earlier.instances.map((instance) => [instance.id, instance]));
  const facts: Facts = { instances: new Map(), types: new Map(), volumes: [] };
  for (const region of new Set(used.map((one) => one.region))) {
    heartbeat();
    const some = used.filter((one) => one.region === region);
    await ask(resources, region, some, facts);
  }
  const instances = await mapLimited(used, ASKING, async (one): Promise<Instance> => {
    heartbeat();
    const others = await ledger.holdings(one.id, launchId, one.first - IDLE_LIMIT_MS, one.last + IDLE_LIMIT_MS);
    return toInstance(one, facts, others, before.get(one.id));
  });
  const left = lostSight(used, earlier.volumes, facts.volumes);
  const there = new Set<string>();
  for (const region of new Set(left.map((volume) => volume.region))) {
    heartbeat();
    const ids = left.filter((volume) => volume.region === region).map(({ id }) => id);
    for (const id of await resources.existing(region, ids)) there.add(id);
  }
  const [knownOf, leftOf] = [groupBy(facts.volumes, onInstance), groupBy(left, onInstance)];
  const volumes = used.flatMap((one, place) =>
    volumesOf(one, instances[place] as Instance, knownOf.get(one.id) ?? [], {
      left: leftOf.get(one.id) ?? [],
      there,
      now: now(),
    }),
  );
  return { instances, volumes, live: used.some(({ id }) => facts.instances.get(id)?.live ?? false) };
}

const onInstance = ({ instanceId }: Pick<Volume, 'instanceId'>): string => instanceId;

/** Volumes that EC2 told of before, and does not any more as those of an instance. */
function lostSight(
  used: readonly UsedInstance[],
  before: readonly Volume[],
  known: readonly VolumeFacts[],
): readonly Volume[] {
  const [ours, attached] = [new Set(used.map(({ id }) => id)), new Set(known.map(({ id }) => id))];
  return before.filter(({ id, instanceId, assumed }) => ours.has(instanceId) && !attached.has(id) && !assumed);
}

interface Facts {
  instances: Map<string, InstanceFacts>;
  /** `<Region>/<type>` */
  types: Map<string, TypeFacts>;
  volumes: VolumeFacts[];
}

async function ask(
  resources: CostDependencies['resources'],
  region: string,
  some: readonly UsedInstance[],
  facts: Facts,
): Promise<void> {
  const ids = some.map(({ id }) => id);
  for (const fact of await resources.instances(region, ids)) facts.instances.set(fact.id, fact);
  facts.volumes.push(...(await resources.volumes(region, ids)));
  const names = [...new Set(some.map(({ type }) => type))];
  for (const [type, fact] of await resources.types(region, names)) facts.types.set(`${region}/${type}`, fact);
}

/** Its launch and its end count where they are near enough to jobs that are known. */
function toInstance(
  { first, last, volumeBytes: _volumeBytes, launchedAt: said, ...one }: UsedInstance,
  { instances, types }: Facts,
  others: readonly Occupancy[],
  before: Instance | undefined,
): Instance {
  const fact = instances.get(one.id);
  const launchedAt = fact?.launchedAt ?? said ?? before?.launchedAt;
  const endedAt = fact?.endedAt ?? before?.endedAt;
  const begin = Math.min(first, ...others.map(({ from }) => from));
  const end = Math.max(last, ...others.map(({ to }) => to));
  const group = fact?.autoScalingGroup ?? before?.autoScalingGroup;
  return {
    ...one,
    ...types.get(`${one.region}/${one.type}`),
    ...(launchedAt !== undefined && begin - launchedAt <= IDLE_LIMIT_MS && { launchedAt: Math.min(launchedAt, begin) }),
    ...(endedAt !== undefined && endedAt - end <= IDLE_LIMIT_MS && { endedAt: Math.max(endedAt, last) }),
    ...(group !== undefined && { autoScalingGroup: group }),
    ...(fact?.capacityBlock && { commitment: 'capacity-block' as const }),
    others,
  };
}

interface UsedInstance extends Pick<Instance, 'id' | 'type' | 'zone' | 'region' | 'market' | 'architecture'> {
  launchedAt?: number;
  /** Of its jobs of this launch, epoch ms. */
  first: number;
  last: number;
  volumeBytes?: number;
}

function usedInstances(started: readonly Started[], attempts: readonly JobAttempt[]): UsedInstance[] {
  const used = new Map<string, UsedInstance>();
  for (const [place, { record }] of started.entries()) {
    const { instance, volumeBytes } = record;
    const attempt = attempts[place];
    if (!instance || attempt?.on.kind !== 'instance') continue;
    const { id, type, zone, lifecycle, launchedAt, architecture } = instance;
    const known = used.get(id);
    used.set(id, {
      id,
      type,
      zone,
      region: regionOfZone(zone),
      market: lifecycle === 'spot' ? 'spot' : 'on-demand',
      ...(architecture !== undefined && { architecture }),
      ...(launchedAt !== undefined && { launchedAt: Date.parse(launchedAt) }),
      ...(volumeBytes !== undefined && { volumeBytes }),
      first: Math.min(known?.first ?? attempt.from, attempt.from),
      last: Math.max(known?.last ?? attempt.to, attempt.to),
    });
  }
  return [...used.values()];
}

/**
 * As EC2 says; of an instance that it does not know any more, what was known before, or else the volume its jobs have
 * seen.
 */
function volumesOf(
  { id, region, first, last, volumeBytes }: UsedInstance,
  instance: Instance,
  known: readonly VolumeFacts[],
  { left, there, now }: { left: readonly Volume[]; there: ReadonlySet<string>; now: number },
): Volume[] {
  const from = instance.launchedAt ?? first;
  const to = instance.endedAt ?? last;
  if (known.length + left.length === 0) {
    if (volumeBytes === undefined) return [];
    const gib = Math.ceil(volumeBytes / GIB);
    return [{ id: `${id}:root`, instanceId: id, type: ASSUMED_TYPE, gib, region, from, to, assumed: true }];
  }
  return [
    ...known.map(({ createdAt, ...volume }) => ({
      ...volume,
      region,
      // One that was there long before its instance is shared like it: not by this launch alone.
      from: instance.launchedAt === undefined ? from : Math.max(from, Math.min(createdAt, to)),
      to,
    })),
    // One that is still there without its instance goes on to cost.
    ...left.map((volume) => ({ ...volume, from: Math.min(volume.from, from), to: there.has(volume.id) ? now : to })),
  ];
}
