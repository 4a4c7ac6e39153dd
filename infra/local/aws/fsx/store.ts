/**
 * The file systems of the account, with their journal.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Kit } from '../../kit/front-door.ts';
import { type Journal, openJournal } from '../../kit/journal.ts';
import type { Place } from '../ports.ts';

/** As DescribeFileSystems shows it. */
export interface FileSystem {
  FileSystemId: string;
  OwnerId: string;
  /** Epoch seconds. */
  CreationTime: number;
  FileSystemType: 'LUSTRE';
  Lifecycle: string;
  StorageCapacity: number;
  StorageType: 'SSD' | 'HDD';
  SubnetIds: string[];
  DNSName: string;
  ResourceARN: string;
  Tags: { Key: string; Value: string }[];
  LustreConfiguration: { DeploymentType: string; PerUnitStorageThroughput?: number; MountName: string };
}

type Json = Record<string, unknown>;

/** MB/s for each TiB that a file system can have. */
const THROUGHPUTS: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  SCRATCH_1: { SSD: [] },
  SCRATCH_2: { SSD: [] },
  PERSISTENT_1: { SSD: [50, 100, 200], HDD: [12, 40] },
  PERSISTENT_2: { SSD: [125, 250, 500, 1000] },
};

export class FileSystemStore {
  readonly #kit: Kit;
  readonly #place: Place;
  readonly #byId = new Map<string, FileSystem>();
  readonly #journal: Journal<FileSystem>;

  constructor(options: { kit: Kit; place: Place; directory: string }) {
    this.#kit = options.kit;
    this.#place = options.place;
    this.#journal = openJournal<FileSystem>({
      file: join(options.directory, 'file-systems.jsonl'),
      replay: (one) => this.#byId.set(one.FileSystemId, one),
      snapshot: () => this.#byId.values(),
    });
  }

  find(id: string): FileSystem | undefined {
    return this.#byId.get(id);
  }

  list(): FileSystem[] {
    return [...this.#byId.values()];
  }

  /**
   * Puts one in, or another in its place.
   * @throws Error for what FSx would not make
   */
  put(input: Json): FileSystem {
    const { region, accountId } = this.#place;
    const configuration = (input.LustreConfiguration ?? {}) as Json;
    const DeploymentType = String(configuration.DeploymentType ?? 'SCRATCH_2');
    const StorageType = input.StorageType === 'HDD' ? 'HDD' : 'SSD';
    const throughputs = THROUGHPUTS[DeploymentType]?.[StorageType];
    const throughput = configuration.PerUnitStorageThroughput;
    if (!throughputs) throw new Error(`there is no ${DeploymentType} on ${StorageType}`);
    if (throughputs.length > 0 ? !throughputs.includes(Number(throughput)) : throughput !== undefined) {
      throw new Error(
        `PerUnitStorageThroughput of ${DeploymentType} on ${StorageType}: ${throughputs.join(', ') || 'none'}`,
      );
    }
    const StorageCapacity = Number(input.StorageCapacity ?? 1200);
    if (!(StorageCapacity >= 1200)) throw new Error('StorageCapacity must be 1200 GiB or more');
    const FileSystemId = String(input.FileSystemId ?? `fs-0${randomBytes(8).toString('hex')}`);
    const one: FileSystem = {
      FileSystemId,
      OwnerId: accountId,
      CreationTime: Number(input.CreationTime ?? this.#kit.clock.now() / 1000),
      FileSystemType: 'LUSTRE',
      Lifecycle: String(input.Lifecycle ?? 'AVAILABLE'),
      StorageCapacity,
      StorageType,
      SubnetIds: ['subnet-00000000000000001'],
      DNSName: `${FileSystemId}.fsx.${region}.amazonaws.com`,
      ResourceARN: `arn:aws:fsx:${region}:${accountId}:file-system/${FileSystemId}`,
      Tags: (input.Tags ?? []) as FileSystem['Tags'],
      LustreConfiguration: {
        DeploymentType,
        ...(throughput !== undefined && { PerUnitStorageThroughput: Number(throughput) }),
        MountName: 'fsx',
      },
    };
    this.#journal.append(one);
    this.#byId.set(FileSystemId, one);
    return one;
  }

  close(): void {
    this.#journal.close();
  }
}
