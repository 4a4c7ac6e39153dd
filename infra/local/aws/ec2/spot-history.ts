/**
 * DescribeSpotPriceHistory: newest first, 90 days back at most, with the price that holds as the time begins.
 *
 * @module
 */
import type { Clock } from '../../kit/clock.ts';
import { listOf, type QueryOperation, type QueryParameters } from '../../kit/query-protocol.ts';
import { PUBLISHED } from '../batch/instance-types.ts';
import type { Place } from '../ports.ts';
import { FILTER_PARAMETERS, filtered, invalid, pageOf, readFilters } from './filters.ts';
import { type SpotPrice, spotPrices, spotZones } from './spot-prices.ts';

const DAY_MS = 24 * 3600 * 1000;
const KEPT_MS = 90 * DAY_MS;
const LINUX = ['Linux/UNIX', 'Linux/UNIX (Amazon VPC)'];
/** What else EC2 has prices of; here nobody runs it. */
const OTHERS = ['SUSE Linux', 'Red Hat Enterprise Linux', 'Windows'].flatMap((name) => [name, `${name} (Amazon VPC)`]);

const FILTERS: Readonly<Record<string, (price: SpotPrice) => string[]>> = {
  'availability-zone': ({ zone }) => [zone],
  'instance-type': ({ type }) => [type],
  'product-description': () => LINUX,
  'spot-price': ({ price }) => [price],
  timestamp: ({ at }) => [timestamp(at)],
};

export function describeSpotPriceHistory(clock: Clock, place: Place): QueryOperation {
  return {
    knows: new RegExp(
      String.raw`^(InstanceType\.\d+|ProductDescription\.\d+|AvailabilityZone|StartTime|EndTime|${FILTER_PARAMETERS})$`,
    ),
    subject: (input) => listOf(input, 'InstanceType').join(','),
    run(input) {
      const types = readTypes(input);
      const zones = readZones(input, place.region);
      const products = listOf(input, 'ProductDescription');
      for (const product of products) {
        if (!LINUX.includes(product) && !OTHERS.includes(product)) {
          throw invalid(`Invalid value '${product}' for product-description`);
        }
      }
      const now = clock.now();
      const to = Math.min(readTime(input, 'EndTime') ?? now, now);
      const from = Math.max(readTime(input, 'StartTime') ?? 0, now - KEPT_MS);
      if ((readTime(input, 'StartTime') ?? 0) > (readTime(input, 'EndTime') ?? now)) {
        throw invalid('The end time must not be before the start time');
      }
      const linux = products.length === 0 || products.some((product) => LINUX.includes(product));
      const all =
        linux && from <= to
          ? types.flatMap((type) => zones.flatMap((zone) => spotPrices(type, zone, { from, to })))
          : [];
      const found = filtered(all, readFilters(input), (name) =>
        Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined,
      ).sort((a, b) => b.at - a.at || a.type.localeCompare(b.type) || a.zone.localeCompare(b.zone));
      const { items, nextToken = '' } = pageOf(found, input, { least: 1, most: 1000 });
      // The last page has a token too: an empty one.
      return { spotPriceHistorySet: { item: items.map(view) }, nextToken };
    },
  };
}

const timestamp = (at: number) => new Date(at).toISOString();

const view = ({ type, zone, at, price }: SpotPrice) => ({
  instanceType: type,
  productDescription: 'Linux/UNIX',
  spotPrice: price,
  timestamp: timestamp(at),
  availabilityZone: zone,
});

function readTypes(input: QueryParameters): string[] {
  const named = listOf(input, 'InstanceType');
  const unknown = named.find((type) => !PUBLISHED.has(type));
  if (unknown !== undefined) throw invalid(`Invalid instance type: '${unknown}'`);
  return named.length > 0 ? [...new Set(named)] : [...PUBLISHED.keys()];
}

function readZones(input: QueryParameters, region: string): string[] {
  const zones = spotZones(region);
  const zone = input.get('AvailabilityZone');
  if (zone === undefined) return zones;
  if (!new RegExp(`^${region}[a-f]$`).test(zone)) throw invalid(`Invalid availability zone: [${zone}]`);
  return zones.filter((one) => one === zone);
}

function readTime(input: QueryParameters, name: 'StartTime' | 'EndTime'): number | undefined {
  const text = input.get(name);
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (!Number.isFinite(time)) throw invalid(`Invalid format for ${name}: '${text}'`);
  return time;
}
