/**
 * EC2's calls, as far as hosts of jobs need them. What an instance is for stands in its tags.
 *
 * @module
 */
import type { EC2Client, Instance, RunInstancesCommandInput } from '@aws-sdk/client-ec2';

/** Of an instance, beside those of the launch. */
export const TAGS = {
  job: 'longhaul:job',
  host: 'longhaul:host',
  attempt: 'longhaul:attempt',
  slots: 'longhaul:slots',
  workflow: 'longhaul:workflow',
  /** Names the installation: another one of the same account has another bucket. */
  bucket: 'longhaul:bucket',
} as const;

export interface HostInstance {
  id: string;
  job: string;
  workflowId: string;
  host: number;
  attempt: number;
  slots: number;
  state: string;
  /** Milliseconds since the epoch. */
  launchedAt: number;
}

/** EC2's limit of values in one filter. */
export const MOST_JOBS = 200;
const PAGE = 500;

export interface Instances {
  /** All of these jobs, also such as ended within the last hour. */
  ofJobs(ids: readonly string[]): Promise<HostInstance[]>;
  /** All that live, of any job. */
  live(): Promise<HostInstance[]>;
  start(input: RunInstancesCommandInput): Promise<void>;
  end(instances: readonly HostInstance[]): Promise<void>;
  /** @throws Error when there is no such image */
  rootDevice(imageId: string): Promise<string>;
  destroy(): void;
}

/** The client is loaded at first use: it is the largest of the SDK. */
export function createInstances(bucket: string, config: ConstructorParameters<typeof EC2Client>[0] = {}): Instances {
  let client: EC2Client | undefined;
  let device: Promise<string> | undefined;

  async function loaded() {
    const sdk = await import('@aws-sdk/client-ec2');
    client ??= new sdk.EC2Client(config);
    return { ...sdk, client };
  }

  async function find(filters: { Name: string; Values: string[] }[]): Promise<HostInstance[]> {
    const { client, paginateDescribeInstances } = await loaded();
    const Filters = [{ Name: `tag:${TAGS.bucket}`, Values: [bucket] }, ...filters];
    const found: HostInstance[] = [];
    for await (const page of paginateDescribeInstances({ client, pageSize: PAGE }, { Filters }))
      for (const { Instances = [] } of page.Reservations ?? [])
        found.push(...Instances.flatMap((one) => toHost(one) ?? []));
    return found;
  }

  async function readRootDevice(imageId: string): Promise<string> {
    const { client, DescribeImagesCommand } = await loaded();
    const { Images = [] } = await client.send(new DescribeImagesCommand({ ImageIds: [imageId] }));
    return Images[0]?.RootDeviceName ?? '/dev/xvda';
  }

  return {
    async ofJobs(ids) {
      const found: HostInstance[] = [];
      for (let first = 0; first < ids.length; first += MOST_JOBS)
        found.push(...(await find([{ Name: `tag:${TAGS.job}`, Values: ids.slice(first, first + MOST_JOBS) }])));
      return found;
    },

    live: () => find([{ Name: 'instance-state-name', Values: ['pending', 'running', 'stopping'] }]),

    async start(input) {
      const { client, RunInstancesCommand } = await loaded();
      await client.send(new RunInstancesCommand(input));
    },

    async end(instances) {
      if (instances.length === 0) return;
      const { client, TerminateInstancesCommand } = await loaded();
      await client.send(new TerminateInstancesCommand({ InstanceIds: instances.map(({ id }) => id) }));
    },

    rootDevice(imageId) {
      device ??= readRootDevice(imageId).catch((error: unknown) => {
        device = undefined;
        throw error;
      });
      return device;
    },

    destroy: () => client?.destroy(),
  };
}

function toHost({ InstanceId, State, LaunchTime, Tags = [] }: Instance): HostInstance | undefined {
  const tags = new Map(Tags.map(({ Key, Value }) => [Key ?? '', Value ?? '']));
  const job = tags.get(TAGS.job);
  if (!InstanceId || !job) return undefined;
  return {
    id: InstanceId,
    job,
    workflowId: tags.get(TAGS.workflow) ?? '',
    host: Number(tags.get(TAGS.host) ?? 0),
    attempt: Number(tags.get(TAGS.attempt) ?? 1),
    slots: Number(tags.get(TAGS.slots) ?? 1),
    state: State?.Name ?? 'pending',
    launchedAt: LaunchTime?.getTime() ?? 0,
  };
}
