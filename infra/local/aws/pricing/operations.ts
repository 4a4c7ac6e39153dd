/**
 * DescribeServices, GetAttributeValues, GetProducts.
 *
 * @module
 */
import type { Clock } from '../../kit/clock.ts';
import type { JsonOperation } from '../../kit/json-protocol.ts';
import { AwsError } from '../../kit/service.ts';
import { TokenBucket } from '../../kit/token-bucket.ts';
import { readFilters } from './filters.ts';
import { type ListedProduct, OFFERS, type Offer } from './offers.ts';
import { pageOf } from './pages.ts';

type Json = Record<string, unknown>;

const FORMAT = 'aws_v1';
/** AWS throttles, and publishes no rate: this one is ours. */
const RATE = { perSecond: 10, burst: 20 };

const invalid = (message: string) => new AwsError('InvalidParameterException', message);
const subject = (input: Json) => String(input.ServiceCode ?? '');

export function priceListOperations(clock: Clock): Record<string, JsonOperation> {
  const rate = new TokenBucket(clock, RATE);
  const paced = (run: (input: Json, region: string) => Json): JsonOperation => ({
    subject,
    run(input, request) {
      if (!rate.take()) throw new AwsError('ThrottlingException', 'Rate exceeded');
      return run(input, request.region);
    },
  });
  return {
    DescribeServices: paced((input) => {
      const offers = input.ServiceCode === undefined ? [...OFFERS.values()] : [readOffer(input)];
      const { items, ...next } = pageOf(offers, input, { operation: 'DescribeServices', clock });
      const Services = items.map(({ serviceCode, attributeNames }) => ({
        ServiceCode: serviceCode,
        AttributeNames: attributeNames,
      }));
      return { Services, FormatVersion: readFormat(input), ...next };
    }),
    GetAttributeValues: paced((input) => {
      const { products, attributeNames, serviceCode } = readOffer(input);
      const name = input.AttributeName;
      if (typeof name !== 'string' || name === '') {
        throw invalid('Input Parameters are invalid. attributeName cannot be null or empty');
      }
      if (!attributeNames.includes(name)) {
        throw new AwsError('NotFoundException', `${serviceCode} has no attribute ${name}`);
      }
      const values = new Set(products.flatMap(({ fields }) => fields[name] || []));
      const { items, ...next } = pageOf([...values].toSorted(), input, { operation: 'GetAttributeValues', clock });
      return { AttributeValues: items.map((Value) => ({ Value })), ...next };
    }),
    GetProducts: paced((input, region) => {
      const { products } = readOffer(input);
      const tests = [inPartitionOf(region), ...readFilters(input.Filters)];
      const found = products.filter((product) => tests.every((test) => test(product)));
      const { items, ...next } = pageOf(found, input, { operation: 'GetProducts', clock });
      return { FormatVersion: readFormat(input), PriceList: items.map(({ document }) => document), ...next };
    }),
  };
}

/** China has a list of its own, asked for in cn-northwest-1; no other endpoint has its prices, nor it theirs. */
const inPartitionOf =
  (region: string) =>
  ({ fields }: ListedProduct): boolean =>
    isChina(fields.regionCode ?? '') === isChina(region);
const isChina = (region: string) => region.startsWith('cn-');

function readOffer({ ServiceCode: code }: Json): Offer {
  if (typeof code !== 'string' || code === '') {
    throw invalid('Input Parameters are invalid. serviceCode cannot be null or empty');
  }
  if (!/^[A-Za-z0-9]+$/.test(code)) throw invalid('ServiceCode can only contain a-z, A-Z, 0-9');
  const offer = OFFERS.get(code);
  if (!offer) throw invalid(`Service code ${code} is invalid`);
  return offer;
}

function readFormat({ FormatVersion = FORMAT }: Json): string {
  if (FormatVersion !== FORMAT) throw invalid(`FormatVersion must be ${FORMAT}`);
  return FORMAT;
}
