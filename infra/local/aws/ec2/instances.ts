/**
 * DescribeInstances: the instances Batch's stand-in has launched, each in a reservation of its own, as Auto Scaling
 * launches them. What has ended is told of for an hour.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { listOf, type QueryOperation } from '../../kit/query-protocol.ts';
import type { XmlObject } from '../../kit/xml.ts';
import type { InstancePort, InstanceRecord, Place } from '../ports.ts';
import { FILTER_PARAMETERS, filtered, pageOf, readFilters, tagFilter } from './filters.ts';
import { INSTANCE, named } from './ids.ts';

export const ROOT_DEVICE = '/dev/xvda';

const FILTERS: Readonly<Record<string, (instance: InstanceRecord) => string[]>> = {
  'instance-id': ({ id }) => [id],
  'instance-type': ({ type }) => [type],
  'instance-state-name': (instance) => [stateOf(instance).name],
  'instance-lifecycle': ({ lifecycle }) => (lifecycle === 'spot' ? ['spot'] : []),
  'availability-zone': ({ zone }) => [zone],
  'subnet-id': ({ subnetId }) => [subnetId],
};

export function describeInstances(instances: InstancePort, place: Place): QueryOperation {
  return {
    knows: new RegExp(String.raw`^(InstanceId\.\d+|${FILTER_PARAMETERS})$`),
    subject: (input) => listOf(input, 'InstanceId').join(','),
    run(input) {
      const ids = listOf(input, 'InstanceId');
      const asked = named(instances.list(), ids, ({ id }) => id, INSTANCE);
      const found = filtered(asked, readFilters(input), (name) =>
        Object.hasOwn(FILTERS, name) ? FILTERS[name] : tagFilter(name),
      );
      const page = { least: 5, most: 1000, ids: { parameter: 'InstanceIds', count: ids.length } };
      const { items, ...next } = pageOf(found, input, page);
      return { reservationSet: { item: items.map((instance) => reservation(instance, place)) }, ...next };
    },
  };
}

const stateOf = ({ ended }: InstanceRecord) =>
  ended ? { code: 48, name: 'terminated' } : { code: 16, name: 'running' };

const reservation = (instance: InstanceRecord, { accountId }: Place): XmlObject => ({
  reservationId: `r-0${digestOf(instance).slice(0, 16)}`,
  ownerId: accountId,
  groupSet: '',
  instancesSet: { item: [view(instance)] },
});

const view = (instance: InstanceRecord): XmlObject => {
  const { id, type, zone, lifecycle, imageId, architecture, launchedAt, ended, subnetId, volumeId } = instance;
  const launchTime = new Date(launchedAt).toISOString();
  const volume = { volumeId, status: 'attached', attachTime: launchTime, deleteOnTermination: true };
  return {
    instanceId: id,
    imageId,
    instanceState: stateOf(instance),
    ...why(ended),
    amiLaunchIndex: 0,
    instanceType: type,
    launchTime,
    placement: { availabilityZone: zone, groupName: '', tenancy: 'default' },
    ...(!ended && { subnetId }),
    architecture,
    rootDeviceType: 'ebs',
    rootDeviceName: ROOT_DEVICE,
    // A terminated instance has none any more.
    blockDeviceMapping: ended ? '' : { item: [{ deviceName: ROOT_DEVICE, ebs: volume }] },
    virtualizationType: 'hvm',
    ...(lifecycle === 'spot' && {
      instanceLifecycle: 'spot',
      spotInstanceRequestId: `sir-${digestOf(instance).slice(0, 8)}`,
    }),
    tagSet: tagSet(instance.tags),
  };
};

export const tagSet = (tags: Readonly<Record<string, string>>): XmlObject => ({
  item: Object.entries(tags).map(([key, value]) => ({ key, value })),
});

/** `reason` is the SDKs' StateTransitionReason; empty while it runs. */
function why(ended: InstanceRecord['ended']): XmlObject {
  if (!ended) return { reason: '' };
  if (ended.by === 'spot') {
    const code = 'Server.SpotInstanceTermination';
    return { reason: code, stateReason: { code, message: `${code}: Spot instance termination` } };
  }
  const at = new Date(ended.at).toISOString().slice(0, 19).replace('T', ' ');
  const code = 'Client.UserInitiatedShutdown';
  return {
    reason: `User initiated (${at} GMT)`,
    stateReason: { code, message: `${code}: User initiated shutdown` },
  };
}

const digestOf = ({ id }: InstanceRecord): string => createHash('sha256').update(id).digest('hex');
