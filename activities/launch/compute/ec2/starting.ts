/**
 * Starting an instance for a share of a job: by the smallest type that has capacity, in whichever subnet.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import { type HostJob, hostJobAddress, itemsOfHost } from '../../../../lib/launch/host-job.ts';
import type { Settings } from '../../../../lib/settings.ts';
import { type Instances, TAGS } from './instances.ts';
import type { Slotted } from './shape.ts';
import { userData } from './user-data.ts';

export type Ec2Settings = Pick<
  Settings,
  | 'bucket'
  | 'jobLogGroup'
  | 'jobRuntime'
  | 'ec2Image'
  | 'ec2InstanceTypes'
  | 'ec2Subnets'
  | 'ec2SecurityGroups'
  | 'ec2InstanceProfile'
  | 'ec2Market'
  | 'ec2MaxInstances'
  | 'ec2MaxHours'
  | 'ec2VolumeGiB'
  | 'ec2Jobs'
  | 'ec2Scratch'
>;

/** `over`: that start has been, and the instance is gone. */
export type Started = { state: 'started' | 'over' } | { state: 'waiting'; reason: string };

/** What is left to boot, to read the job and to tell the end, on top of timeoutSeconds. */
const MARGIN_MINUTES = 30;

/**
 * By the pages "Error codes for the Amazon EC2 API" and "Troubleshoot instance launch issues": another type or subnet may
 * do; then limits of the account, for which it may not.
 */
const NO_CAPACITY =
  /^(Insufficient(Instance|Host|ReservedInstance)Capacity|InsufficientFreeAddressesInSubnet|Unsupported|SpotMaxPriceTooLow)$/;
const LIMIT =
  /^(VcpuLimitExceeded|InstanceLimitExceeded|MaxSpotInstanceCountExceeded|MaxIOPSLimitExceeded|VolumeLimitExceeded)$/;
const PASSING = /Throttl|RequestLimitExceeded|Unavailable|Internal|Timeout/i;

/** A user's fault of the settings or the role, in words of AWS Batch, so that it has the same remedies. */
export const MISCONFIGURED = 'MISCONFIGURATION:EC2_INSTANCE_CONFIGURATION_UNSUPPORTED';
const CAPACITY = 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY';

export function lifetimeMinutes(job: HostJob, slots: number, settings: Pick<Settings, 'ec2MaxHours'>): number {
  const most = settings.ec2MaxHours * 60;
  if (job.timeoutSeconds === undefined) return most;
  const rounds = Math.ceil(itemsOfHost(job, 0).length / slots);
  return Math.min(most, Math.ceil((rounds * job.timeoutSeconds) / 60) + MARGIN_MINUTES);
}

/**
 * The same share and attempt is the same request: EC2 answers it by the instance it has started already.
 * @throws what EC2 refuses for other reasons than capacity
 */
export async function startHost(
  instances: Instances,
  settings: Ec2Settings,
  variables: Readonly<Record<string, string>>,
  { job, host, attempt, types }: { job: HostJob; host: number; attempt: number; types: readonly Slotted[] },
): Promise<Started> {
  const device = await instances.rootDevice(settings.ec2Image);
  const subnets = words(settings.ec2Subnets);
  let refused = '';
  for (const type of types) {
    for (const subnet of subnets.length > 0 ? subnets : [undefined]) {
      try {
        await instances.start(request(type, subnet));
        return { state: 'started' };
      } catch (error) {
        const { name, message } = error as Error;
        if (name === 'IdempotentInstanceTerminated') return { state: 'over' };
        if (LIMIT.test(name)) return { state: 'waiting', reason: `CAPACITY:${name} - ${message}` };
        if (!NO_CAPACITY.test(name)) throw error;
        refused = `${type.type}${subnet ? ` in ${subnet}` : ''}: ${name}: ${message}`;
      }
    }
  }
  return { state: 'waiting', reason: `${CAPACITY} - ${refused}` };

  function request({ type, slots }: Slotted, subnet: string | undefined): RunInstancesCommandInput {
    const { ec2InstanceProfile: profile, ec2Market, ec2VolumeGiB } = settings;
    const data = userData({
      jobAddress: hostJobAddress(settings.bucket, job.id),
      host,
      attempt,
      slots,
      program: settings.ec2Jobs,
      scratch: settings.ec2Scratch,
      lifetimeMinutes: lifetimeMinutes(job, slots, settings),
      variables,
    });
    const tags = {
      ...job.tags,
      [TAGS.job]: job.id,
      [TAGS.host]: String(host),
      [TAGS.attempt]: String(attempt),
      [TAGS.slots]: String(slots),
      [TAGS.workflow]: job.workflowId,
      [TAGS.bucket]: settings.bucket,
      Name: job.name,
    };
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const groups = words(settings.ec2SecurityGroups);
    return {
      ImageId: settings.ec2Image,
      InstanceType: type as NonNullable<RunInstancesCommandInput['InstanceType']>,
      MinCount: 1,
      MaxCount: 1,
      // At most 64 characters.
      ClientToken: createHash('sha256').update([job.id, host, attempt, type, subnet].join('|')).digest('hex'),
      UserData: Buffer.from(data).toString('base64'),
      InstanceInitiatedShutdownBehavior: 'terminate',
      // Two hops: main may run in a container.
      MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 2 },
      BlockDeviceMappings: [
        { DeviceName: device, Ebs: { VolumeSize: ec2VolumeGiB, VolumeType: 'gp3', DeleteOnTermination: true } },
      ],
      TagSpecifications: [
        { ResourceType: 'instance', Tags },
        { ResourceType: 'volume', Tags },
      ],
      ...(subnet && { SubnetId: subnet }),
      ...(groups.length > 0 && { SecurityGroupIds: groups }),
      ...(profile && { IamInstanceProfile: profile.startsWith('arn:') ? { Arn: profile } : { Name: profile } }),
      // A head works for days: no spot for it.
      ...(ec2Market === 'spot' &&
        !job.head && {
          InstanceMarketOptions: {
            MarketType: 'spot' as const,
            SpotOptions: { SpotInstanceType: 'one-time' as const, InstanceInterruptionBehavior: 'terminate' as const },
          },
        }),
    };
  }
}

export const words = (list: string): string[] => list.split(',').filter((word) => word !== '');

/** What EC2 refuses once it refuses always, unlike throttling, its own errors and a connection that broke. */
export function isRefusal(error: unknown): error is Error {
  const { name = '', $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode ?? 500;
  return status >= 400 && status < 500 && !PASSING.test(name);
}
