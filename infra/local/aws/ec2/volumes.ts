/**
 * DescribeVolumes: the root volumes of the instances that run, 30 GiB of gp3 with what comes for nothing, as the
 * ECS-optimised AMI has it. A volume is deleted with its instance.
 *
 * @module
 */
import { listOf, type QueryOperation } from '../../kit/query-protocol.ts';
import type { XmlObject } from '../../kit/xml.ts';
import type { InstancePort, InstanceRecord } from '../ports.ts';
import { FILTER_PARAMETERS, filtered, pageOf, readFilters, tagFilter } from './filters.ts';
import { named, VOLUME } from './ids.ts';
import { ROOT_DEVICE, tagSet } from './instances.ts';

const ROOT = { type: 'gp3', gib: 30, iops: 3000, throughput: 125 } as const;

const FILTERS: Readonly<Record<string, (instance: InstanceRecord) => string[]>> = {
  'volume-id': ({ volumeId }) => [volumeId],
  'volume-type': () => [ROOT.type],
  'attachment.instance-id': ({ id }) => [id],
  'attachment.delete-on-termination': () => ['true'],
  'attachment.status': () => ['attached'],
  'availability-zone': ({ zone }) => [zone],
  status: () => ['in-use'],
  size: () => [String(ROOT.gib)],
};

export function describeVolumes(instances: InstancePort): QueryOperation {
  return {
    knows: new RegExp(String.raw`^(VolumeId\.\d+|${FILTER_PARAMETERS})$`),
    subject: (input) => listOf(input, 'VolumeId').join(','),
    run(input) {
      const ids = listOf(input, 'VolumeId');
      const running = instances.list().filter(({ ended }) => !ended);
      const asked = named(running, ids, ({ volumeId }) => volumeId, VOLUME);
      const found = filtered(asked, readFilters(input), (name) => {
        if (Object.hasOwn(FILTERS, name)) return FILTERS[name];
        const ofTag = tagFilter(name);
        return ofTag && ((instance) => ofTag({ tags: tagsOf(instance) }));
      });
      const page = { least: 5, most: 1000, usual: 500, ids: { parameter: 'VolumeIds', count: ids.length } };
      const { items, ...next } = pageOf(found, input, page);
      return { volumeSet: { item: items.map(view) }, ...next };
    },
  };
}

const view = (instance: InstanceRecord): XmlObject => {
  const { id, volumeId, zone, launchedAt } = instance;
  const createTime = new Date(launchedAt).toISOString();
  const attachment = {
    volumeId,
    instanceId: id,
    device: ROOT_DEVICE,
    status: 'attached',
    attachTime: createTime,
    deleteOnTermination: true,
  };
  return {
    volumeId,
    size: ROOT.gib,
    snapshotId: 'snap-0123456789abcdef0',
    availabilityZone: zone,
    status: 'in-use',
    createTime,
    attachmentSet: { item: [attachment] },
    volumeType: ROOT.type,
    iops: ROOT.iops,
    throughput: ROOT.throughput,
    encrypted: false,
    multiAttachEnabled: false,
    tagSet: tagSet(tagsOf(instance)),
  };
};

/** The environment's own tags; what AWS writes on instances itself it does not write on volumes. */
const tagsOf = ({ tags }: InstanceRecord): Record<string, string> =>
  Object.fromEntries(Object.entries(tags).filter(([key]) => !key.startsWith('aws:')));
