/**
 * What several launches share: file systems and control planes, when this launch used them, and when others did.
 *
 * @module
 */
import type { Rates } from '../../lib/prices/rates.ts';
import { regionOfZone } from '../../lib/prices/regions.ts';
import type { LaunchItem } from '../../lib/store/launches.ts';
import type { Cluster, FileSystem, Interval, JobAttempt, Occupancy, Unpriced } from '../../workflows/cost/model.ts';
import type { CostDependencies } from './dependencies.ts';
import type { FoundAttempts } from './job-attempts.ts';

/** Launches that run now and are asked whether they share it. */
const OPEN = 1_000;

export interface FoundShared {
  fileSystems: FileSystem[];
  clusters: Cluster[];
  unknown: Unpriced[];
}

type Needs = Pick<CostDependencies, 'resources' | 'ledger' | 'launches' | 'settings' | 'region' | 'now'>;

export async function findShared(
  dependencies: Needs,
  item: LaunchItem,
  { attempts, started, sharing }: Pick<FoundAttempts, 'attempts' | 'started'> & { sharing: Rates['sharing'] },
): Promise<FoundShared> {
  const found: FoundShared = { fileSystems: [], clusters: [], unknown: [] };
  const used = usedBy(attempts);
  if (used.length === 0) return found;
  // Where its instances are, it is.
  const [zone] = started.flatMap(({ record }) => record.instance?.zone ?? []);
  const region = zone === undefined ? await dependencies.region() : regionOfZone(zone);
  const of = { region, used };
  const { shared_file_system: system } = item;
  if (system?.startsWith('fs-'))
    await findFileSystem(dependencies, item, system, { ...of, sharing: sharing.fileSystems }, found);
  const eks = started.some(({ row }) => row.compute_service === 'eks');
  const cluster = eks ? (item.cluster_id ?? dependencies.settings.eksCluster) : '';
  if (cluster !== '') await findCluster(dependencies, item, cluster, { ...of, sharing: sharing.clusters }, found);
  return found;
}

type Of = Pick<FileSystem, 'region' | 'sharing' | 'used'>;

async function findFileSystem(dependencies: Needs, item: LaunchItem, id: string, of: Of, found: FoundShared) {
  const facts = await dependencies.resources.lustre(of.region, id);
  if (!facts) {
    found.unknown.push({
      resource: id,
      component: 'filesystem',
      reason: `FSx in ${of.region} knows no file system of Lustre of that id`,
      remedy: 'EFS and file systems that are gone are priced by a rate of your own: docs/cost-rates.md',
    });
    return;
  }
  found.fileSystems.push({ ...facts, ...of, others: await othersOf(dependencies, item, id, of) });
}

async function findCluster(dependencies: Needs, item: LaunchItem, name: string, of: Of, found: FoundShared) {
  const facts = await dependencies.resources.cluster(of.region, name);
  if (!facts) {
    found.unknown.push({
      resource: name,
      component: 'control_plane',
      reason: `EKS in ${of.region} knows no cluster of that name`,
      remedy: 'check the setting eksCluster, or clusterId of the sheet',
    });
    return;
  }
  found.clusters.push({ ...facts, ...of, others: await othersOf(dependencies, item, name, of) });
}

/** One interval for each attempt of the launch: from its first job to its last. */
function usedBy(attempts: readonly JobAttempt[]): Interval[] {
  const used = new Map<number, Interval>();
  for (const { attempt, from, to } of attempts) {
    const known = used.get(attempt) ?? { from, to };
    used.set(attempt, { from: Math.min(known.from, from), to: Math.max(known.to, to) });
  }
  return [...used.values()];
}

/** Launches that have been priced say what they held; those that run now have held it since they were READY. */
async function othersOf(
  { ledger, launches, now = Date.now }: Needs,
  { launch_id: launchId }: LaunchItem,
  id: string,
  { used }: Of,
): Promise<FileSystem['others']> {
  const from = Math.min(...used.map((one) => one.from));
  const to = Math.max(...used.map((one) => one.to));
  const [held, running] = await Promise.all([
    ledger.holdings(id, launchId, from, to),
    launches.list({ status: 'RUNNING', limit: OPEN }, ['RUNNING']),
  ]);
  const open = running.flatMap((other): (Interval & { launchId: string })[] => {
    const since = other.statuses.READY;
    const shares = other.shared_file_system === id || other.cluster_id === id;
    return other.launch_id !== launchId && shares && since
      ? [{ launchId: other.launch_id, from: Date.parse(since), to: now() }]
      : [];
  });
  return [
    ...held.map(({ launchId: other, ...interval }: Occupancy) => ({
      launchId: other,
      from: interval.from,
      to: interval.to,
    })),
    ...open,
  ];
}
