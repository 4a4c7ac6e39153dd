/**
 * The clusters of the account, with their journal.
 *
 * @module
 */
import { join } from 'node:path';
import type { Kit } from '../../kit/front-door.ts';
import { type Journal, openJournal } from '../../kit/journal.ts';
import type { Place } from '../ports.ts';
import { knowsVersion } from './versions.ts';

type Json = Record<string, unknown>;

/** As DescribeCluster shows it. */
export interface Cluster extends Json {
  name: string;
}

const NAME = /^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$/;

export class ClusterStore {
  readonly #kit: Kit;
  readonly #place: Place;
  readonly #byName = new Map<string, Cluster>();
  readonly #journal: Journal<Cluster>;

  constructor(options: { kit: Kit; place: Place; directory: string }) {
    this.#kit = options.kit;
    this.#place = options.place;
    this.#journal = openJournal<Cluster>({
      file: join(options.directory, 'clusters.jsonl'),
      replay: (cluster) => this.#byName.set(cluster.name, cluster),
      snapshot: () => this.#byName.values(),
    });
  }

  find(name: string): Cluster | undefined {
    return this.#byName.get(name);
  }

  /**
   * Puts one in, or another in its place.
   * @throws Error for what EKS would not make
   */
  put(input: Json): Cluster {
    const { region, accountId } = this.#place;
    const name = String(input.name ?? '');
    const version = String(input.version ?? '1.35');
    const supportType = String((input.upgradePolicy as Json | undefined)?.supportType ?? 'EXTENDED');
    if (!NAME.test(name)) throw new Error(`'${name}' is no name of a cluster`);
    if (!knowsVersion(version)) throw new Error(`there is no version ${version}`);
    if (supportType !== 'STANDARD' && supportType !== 'EXTENDED') throw new Error(`no supportType: ${supportType}`);
    const cluster: Cluster = {
      name,
      arn: `arn:aws:eks:${region}:${accountId}:cluster/${name}`,
      createdAt: Number(input.createdAt ?? this.#kit.clock.now() / 1000),
      version,
      endpoint: `https://0123456789ABCDEF0123456789ABCDEF.gr7.${region}.eks.amazonaws.com`,
      roleArn: `arn:aws:iam::${accountId}:role/longhaul-eks`,
      resourcesVpcConfig: {},
      status: String(input.status ?? 'ACTIVE'),
      certificateAuthority: {},
      platformVersion: 'eks.1',
      tags: input.tags ?? {},
      upgradePolicy: { supportType },
    };
    this.#journal.append(cluster);
    this.#byName.set(name, cluster);
    return cluster;
  }

  close(): void {
    this.#journal.close();
  }
}
