/**
 * What AWS says of the resources jobs ran on: instances and volumes of EC2, file systems of FSx, clusters of EKS. Each
 * client is loaded and made at its first use, one a Region.
 *
 * @module
 */
import type { EC2Client, Instance as Ec2Instance, Volume as Ec2Volume } from '@aws-sdk/client-ec2';
import type { EKSClient } from '@aws-sdk/client-eks';
import type { FSxClient } from '@aws-sdk/client-fsx';
import { installedTypes } from '../../lib/launch/instance-types.ts';
import type { Cluster, FileSystem } from '../../workflows/cost/model.ts';

export interface TypeFacts {
  vcpus: number;
  memoryMib: number;
}

/** Of an instance that EC2 still knows: for about an hour after its end. */
export interface InstanceFacts {
  id: string;
  type?: string;
  /** Epoch ms. */
  launchedAt?: number;
  /** Epoch ms; absent while it lives. */
  endedAt?: number;
  live: boolean;
  spot: boolean;
  zone?: string;
  architecture?: string;
  autoScalingGroup?: string;
  capacityBlock: boolean;
}

export interface VolumeFacts {
  id: string;
  instanceId: string;
  type: string;
  gib: number;
  iops?: number;
  /** MiB/s. */
  throughput?: number;
  /** Epoch ms. */
  createdAt: number;
}

export type LustreFacts = Pick<FileSystem, 'id' | 'deploymentType' | 'storageType' | 'gib' | 'throughputPerUnit'>;

export type ClusterFacts = Pick<Cluster, 'id' | 'version' | 'support'>;

export interface ResourceReader {
  /** Those that are known, whatever else was asked for. */
  instances(region: string, ids: readonly string[]): Promise<InstanceFacts[]>;
  volumes(region: string, instanceIds: readonly string[]): Promise<VolumeFacts[]>;
  /** Which of these volumes are still there, attached or not. */
  existing(region: string, volumeIds: readonly string[]): Promise<Set<string>>;
  /** As EC2 says they have; unknown ones are left out. */
  types(region: string, names: readonly string[]): Promise<Map<string, TypeFacts>>;
  /** @returns undefined when it is not there any more, or no file system of Lustre */
  lustre(region: string, id: string): Promise<LustreFacts | undefined>;
  cluster(region: string, name: string): Promise<ClusterFacts | undefined>;
  destroy(): void;
}

/** EC2's limit of values in one filter. */
const VALUES = 200;
const PAGE = 500;

export function createResourceReader(): ResourceReader {
  const ec2s = new Map<string, EC2Client>();
  const fsxs = new Map<string, FSxClient>();
  const ekss = new Map<string, EKSClient>();
  const of = <Client>(clients: Map<string, Client>, region: string, make: () => Client): Client => {
    const client = clients.get(region) ?? make();
    clients.set(region, client);
    return client;
  };
  const ec2 = async (region: string) => {
    const sdk = await import('@aws-sdk/client-ec2');
    return { ...sdk, client: of(ec2s, region, () => new sdk.EC2Client({ region })) };
  };

  return {
    async instances(region, ids) {
      const { client, paginateDescribeInstances } = await ec2(region);
      const found: InstanceFacts[] = [];
      // By filter: one id that is not known any more would make the whole call an error.
      for (const Values of chunks(ids, VALUES)) {
        const Filters = [{ Name: 'instance-id', Values }];
        for await (const page of paginateDescribeInstances({ client, pageSize: PAGE }, { Filters }))
          for (const { Instances = [] } of page.Reservations ?? []) found.push(...Instances.flatMap(toInstance));
      }
      return found;
    },

    async volumes(region, instanceIds) {
      const { client, paginateDescribeVolumes } = await ec2(region);
      const found: VolumeFacts[] = [];
      for (const Values of chunks(instanceIds, VALUES)) {
        const Filters = [{ Name: 'attachment.instance-id', Values }];
        for await (const page of paginateDescribeVolumes({ client, pageSize: PAGE }, { Filters }))
          found.push(...(page.Volumes ?? []).flatMap(toVolume));
      }
      return found;
    },

    async existing(region, volumeIds) {
      const { client, paginateDescribeVolumes } = await ec2(region);
      const found = new Set<string>();
      for (const Values of chunks(volumeIds, VALUES)) {
        const Filters = [{ Name: 'volume-id', Values }];
        for await (const { Volumes = [] } of paginateDescribeVolumes({ client, pageSize: PAGE }, { Filters }))
          for (const { VolumeId, State } of Volumes) if (VolumeId && State !== 'deleting') found.add(VolumeId);
      }
      return found;
    },

    async types(region, names) {
      const { client } = await ec2(region);
      const found = new Map<string, TypeFacts>();
      for await (const { type, vcpus, memoryMiB } of installedTypes(client, names))
        found.set(type, { vcpus, memoryMib: memoryMiB });
      return found;
    },

    async lustre(region, id) {
      const { FSxClient, DescribeFileSystemsCommand, FileSystemNotFound } = await import('@aws-sdk/client-fsx');
      const client = of(fsxs, region, () => new FSxClient({ region }));
      try {
        const { FileSystems = [] } = await client.send(new DescribeFileSystemsCommand({ FileSystemIds: [id] }));
        const [system] = FileSystems;
        const { DeploymentType, PerUnitStorageThroughput } = system?.LustreConfiguration ?? {};
        if (!system?.StorageCapacity || !DeploymentType) return undefined;
        return {
          id,
          deploymentType: DeploymentType,
          storageType: system.StorageType ?? 'SSD',
          gib: system.StorageCapacity,
          ...(PerUnitStorageThroughput !== undefined && { throughputPerUnit: PerUnitStorageThroughput }),
        };
      } catch (error) {
        if (error instanceof FileSystemNotFound) return undefined;
        throw error;
      }
    },

    async cluster(region, name) {
      const { EKSClient, DescribeClusterCommand, DescribeClusterVersionsCommand, ResourceNotFoundException } =
        await import('@aws-sdk/client-eks');
      const client = of(ekss, region, () => new EKSClient({ region }));
      try {
        const { cluster } = await client.send(new DescribeClusterCommand({ name }));
        if (!cluster) return undefined;
        const { version } = cluster;
        // What is billed follows the version's own dates, not the policy of the cluster.
        const { clusterVersions = [] } = version
          ? await client.send(new DescribeClusterVersionsCommand({ clusterVersions: [version] }))
          : {};
        const extended = clusterVersions.some(({ versionStatus, status }) =>
          /extended/i.test(String(versionStatus ?? status ?? '')),
        );
        return { id: name, ...(version && { version }), support: extended ? 'extended' : 'standard' };
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      }
    },

    destroy() {
      for (const client of [...ec2s.values(), ...fsxs.values(), ...ekss.values()]) client.destroy();
    },
  };
}

function chunks(values: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, n) => values.slice(n * size, (n + 1) * size));
}

/** `User initiated (2026-11-26 10:00:00 GMT)`: EC2 tells the time of an end in these words alone. */
const ENDED_AT = /\((\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}) (?:GMT|UTC)\)/;

function toInstance(instance: Ec2Instance): InstanceFacts[] {
  const { InstanceId: id, LaunchTime, State, StateTransitionReason = '', Tags = [] } = instance;
  if (!id) return [];
  const live = !['terminated', 'shutting-down', 'stopped'].includes(State?.Name ?? '');
  const [, date, time] = ENDED_AT.exec(StateTransitionReason) ?? [];
  return [
    {
      id,
      live,
      ...(instance.InstanceType && { type: instance.InstanceType }),
      ...(LaunchTime && { launchedAt: LaunchTime.getTime() }),
      ...(!live && date && { endedAt: Date.parse(`${date}T${time}Z`) }),
      spot: instance.InstanceLifecycle === 'spot',
      capacityBlock: instance.InstanceLifecycle === 'capacity-block',
      ...(instance.Placement?.AvailabilityZone && { zone: instance.Placement.AvailabilityZone }),
      ...(instance.Architecture && { architecture: instance.Architecture }),
      ...group(Tags.find(({ Key }) => Key === 'aws:autoscaling:groupName')?.Value),
    },
  ];
}

const group = (name: string | undefined) => (name === undefined ? {} : { autoScalingGroup: name });

function toVolume(volume: Ec2Volume): VolumeFacts[] {
  const { VolumeId: id, Size, VolumeType, CreateTime, Attachments = [] } = volume;
  const instanceId = Attachments[0]?.InstanceId;
  if (!id || !instanceId || !Size || !VolumeType || !CreateTime) return [];
  return [
    {
      id,
      instanceId,
      type: VolumeType,
      gib: Size,
      ...(volume.Iops !== undefined && { iops: volume.Iops }),
      ...(volume.Throughput !== undefined && { throughput: volume.Throughput }),
      createdAt: CreateTime.getTime(),
    },
  ];
}
