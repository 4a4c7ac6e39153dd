/**
 * DescribeInstanceTypes over the figures Batch's stand-in places jobs by.
 *
 * @module
 */
import { listOf, type QueryOperation, type QueryParameters } from '../../kit/query-protocol.ts';
import { AwsError } from '../../kit/service.ts';
import type { XmlObject } from '../../kit/xml.ts';
import { PUBLISHED, type PublishedType } from '../batch/instance-types.ts';

/** What EC2 allows in one call. */
const MOST_TYPES = 100;
const MOST_FILTER_VALUES = 200;
const PAGE = { least: 5, most: 100 };

const FILTERS: Readonly<Record<string, (type: PublishedType) => string>> = {
  'instance-type': ({ type }) => type,
  'vcpu-info.default-vcpus': ({ vcpus }) => String(vcpus),
  'memory-info.size-in-mib': ({ memoryMiB }) => String(memoryMiB),
  'processor-info.supported-architecture': ({ architecture }) => architecture,
  'bare-metal': () => 'false',
};

const invalid = (message: string) => new AwsError('InvalidParameterValue', message);

export const describeInstanceTypes: QueryOperation = {
  knows: /^(InstanceType\.\d+|Filter\.\d+\.Name|Filter\.\d+\.Value\.\d+|MaxResults|NextToken)$/,
  subject: (input) =>
    [...listOf(input, 'InstanceType'), ...readFilters(input).flatMap(({ values }) => values)].join(','),
  run(input) {
    const named = listOf(input, 'InstanceType');
    const size = readPageSize(input);
    if (named.length > MOST_TYPES) throw invalid(`The maximum number of instance types is ${MOST_TYPES}`);
    if (named.length > 0 && size !== undefined) {
      throw new AwsError(
        'InvalidParameterCombination',
        'The parameter MaxResults cannot be used with the parameter InstanceTypes',
      );
    }
    const unknown = named.filter((type) => !PUBLISHED.has(type));
    if (unknown.length > 0) {
      throw new AwsError(
        'InvalidInstanceType',
        `The following supplied instance types do not exist: [${unknown.join(', ')}]`,
      );
    }
    const tests = readFilters(input).map(toTest);
    const found = [...PUBLISHED.values()].filter(
      (type) => (named.length === 0 || named.includes(type.type)) && tests.every((test) => test(type)),
    );
    const from = readToken(input.get('NextToken'));
    const end = from + (size ?? PAGE.most);
    return {
      instanceTypeSet: { item: found.slice(from, end).map(view) },
      ...(end < found.length && { nextToken: Buffer.from(String(end)).toString('base64url') }),
    };
  },
};

interface Filter {
  name: string;
  values: string[];
}

function readFilters(input: QueryParameters): Filter[] {
  const filters: Filter[] = [];
  for (let index = 1; ; index += 1) {
    const name = input.get(`Filter.${index}.Name`);
    if (name === undefined) return filters;
    filters.push({ name, values: listOf(input, `Filter.${index}.Value`) });
  }
}

/** A value may have `*` and `?`; one that matches is enough. */
function toTest({ name, values }: Filter): (type: PublishedType) => boolean {
  const read = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined;
  if (!read) throw invalid(`The filter '${name}' is invalid`);
  if (values.length > MOST_FILTER_VALUES) {
    throw new AwsError(
      'FilterLimitExceeded',
      `The maximum number of filter values specified on a single call is ${MOST_FILTER_VALUES}`,
    );
  }
  const patterns = values.map(
    (value) =>
      new RegExp(
        `^${value
          .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll('?', '.')}$`,
      ),
  );
  return (type) => patterns.some((pattern) => pattern.test(read(type)));
}

function readPageSize(input: QueryParameters): number | undefined {
  const text = input.get('MaxResults');
  if (text === undefined) return undefined;
  const size = Number(text);
  if (!/^\d+$/.test(text) || size < PAGE.least || size > PAGE.most) {
    throw invalid(
      `Value ( ${text} ) for parameter maxResults is invalid. Expecting a value between ${PAGE.least} and ${PAGE.most}.`,
    );
  }
  return size;
}

function readToken(token: string | undefined): number {
  if (token === undefined) return 0;
  const from = Buffer.from(token, 'base64url').toString('utf8');
  if (!/^\d+$/.test(from)) throw new AwsError('InvalidNextToken', `The token '${token}' is invalid`);
  return Number(from);
}

const view = ({ type, vcpus, memoryMiB, architecture }: PublishedType): XmlObject => ({
  instanceType: type,
  // Of these families EC2 calls the fourth generation a previous one.
  currentGeneration: !/^[a-z]4\./.test(type),
  bareMetal: false,
  processorInfo: { supportedArchitectures: { item: [architecture] } },
  vCpuInfo: { defaultVCpus: vcpus },
  memoryInfo: { sizeInMiB: memoryMiB },
});
