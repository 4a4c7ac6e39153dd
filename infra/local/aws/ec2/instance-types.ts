/**
 * DescribeInstanceTypes over the figures Batch's stand-in places jobs by.
 *
 * @module
 */
import { listOf, type QueryOperation } from '../../kit/query-protocol.ts';
import { AwsError } from '../../kit/service.ts';
import type { XmlObject } from '../../kit/xml.ts';
import { PUBLISHED, type PublishedType } from '../batch/instance-types.ts';
import { FILTER_PARAMETERS, filtered, invalid, pageOf, readFilters } from './filters.ts';

/** What EC2 allows in one call. */
const MOST_TYPES = 100;

const FILTERS: Readonly<Record<string, (type: PublishedType) => string[]>> = {
  'instance-type': ({ type }) => [type],
  'vcpu-info.default-vcpus': ({ vcpus }) => [String(vcpus)],
  'memory-info.size-in-mib': ({ memoryMiB }) => [String(memoryMiB)],
  'processor-info.supported-architecture': ({ architecture }) => [architecture],
  'bare-metal': () => ['false'],
};

export const describeInstanceTypes: QueryOperation = {
  knows: new RegExp(String.raw`^(InstanceType\.\d+|${FILTER_PARAMETERS})$`),
  subject: (input) =>
    [...listOf(input, 'InstanceType'), ...readFilters(input).flatMap(({ values }) => values)].join(','),
  run(input) {
    const named = listOf(input, 'InstanceType');
    if (named.length > MOST_TYPES) throw invalid(`The maximum number of instance types is ${MOST_TYPES}`);
    const unknown = named.filter((type) => !PUBLISHED.has(type));
    if (unknown.length > 0) {
      throw new AwsError(
        'InvalidInstanceType',
        `The following supplied instance types do not exist: [${unknown.join(', ')}]`,
      );
    }
    const asked = [...PUBLISHED.values()].filter(({ type }) => named.length === 0 || named.includes(type));
    const found = filtered(asked, readFilters(input), (name) =>
      Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined,
    );
    const ids = { parameter: 'InstanceTypes', count: named.length };
    const { items, ...next } = pageOf(found, input, { least: 5, most: 100, ids });
    return { instanceTypeSet: { item: items.map(view) }, ...next };
  },
};

const view = ({ type, vcpus, memoryMiB, architecture }: PublishedType): XmlObject => ({
  instanceType: type,
  // Of these families EC2 calls the fourth generation a previous one.
  currentGeneration: !/^[a-z]4\./.test(type),
  bareMetal: false,
  processorInfo: { supportedArchitectures: { item: [architecture] } },
  vCpuInfo: { defaultVCpus: vcpus },
  memoryInfo: { sizeInMiB: memoryMiB },
});
