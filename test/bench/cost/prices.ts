/**
 * A price book over clients that answer by themselves, and count what they are asked.
 *
 * @module
 */
import { EC2Client } from '@aws-sdk/client-ec2';
import { PricingClient } from '@aws-sdk/client-pricing';
import { openPriceBook } from '../../../lib/prices/pricing-models.ts';
import { NO_RATES } from '../../../lib/prices/rates.ts';
import type { PriceKey } from '../../../workflows/cost/model.ts';
import { INSTANCE_TYPE } from './launches.ts';

/** aws.amazon.com/ec2/pricing/on-demand, November 2026. */
const LIST: readonly { service: string; attributes: Record<string, string>; unit: string; usd: string }[] = [
  {
    service: 'AmazonEC2',
    attributes: {
      instanceType: INSTANCE_TYPE,
      operatingSystem: 'Linux',
      preInstalledSw: 'NA',
      licenseModel: 'No License required',
      capacitystatus: 'Used',
      marketoption: 'OnDemand',
      tenancy: 'Shared',
    },
    unit: 'Hrs',
    usd: '0.1920000000',
  },
];
const SPOT_USD = '0.076800';
const REGION = 'us-east-1';
const DAY_MS = 86_400_000;

export const ON_DEMAND: PriceKey = { kind: 'instance', region: REGION, type: INSTANCE_TYPE, market: 'on-demand' };
export const spotIn = (zone: string): PriceKey => ({ kind: 'spot', region: REGION, zone, type: INSTANCE_TYPE });
/** 4 vCPUs and 16 GiB: docs.aws.amazon.com/ec2/latest/instancetypes/gp.html. */
export const HOST = { vcpus: 4, memoryMib: 16_384 };

/** @param clock what it takes for now, so that days can pass */
export function countingBook(clock: { now: number }) {
  const asked = { pricing: 0, spot: 0 };
  const credentials = { accessKeyId: 'nobody', secretAccessKey: 'nobody' };
  const pricing = new PricingClient({ region: REGION, credentials });
  pricing.middlewareStack.add(
    () =>
      async ({ input }) => {
        asked.pricing += 1;
        const { ServiceCode } = input as { ServiceCode: string };
        const PriceList = LIST.filter(({ service }) => service === ServiceCode).map(productText);
        return { output: { $metadata: {}, PriceList } as never, response: {} };
      },
    { step: 'initialize' },
  );
  const ec2 = new EC2Client({ region: REGION, credentials });
  ec2.middlewareStack.add(
    () =>
      async ({ input }) => {
        asked.spot += 1;
        const { StartTime, EndTime, AvailabilityZone } = input as Record<string, Date> & { AvailabilityZone: string };
        const [from = 0, to = 0] = [StartTime?.getTime(), EndTime?.getTime()];
        // A change a day, and the last one before the start.
        const SpotPriceHistory = Array.from({ length: Math.floor((to - from) / DAY_MS) + 2 }, (_, day) => ({
          AvailabilityZone,
          InstanceType: INSTANCE_TYPE,
          ProductDescription: 'Linux/UNIX',
          SpotPrice: SPOT_USD,
          Timestamp: new Date(from + (day - 1) * DAY_MS),
        }));
        return { output: { $metadata: {}, SpotPriceHistory } as never, response: {} };
      },
    { step: 'initialize' },
  );
  const book = openPriceBook({ pricing, ec2: () => ec2, rates: NO_RATES, now: () => clock.now });
  return { book, asked };
}

function productText({ attributes, unit, usd }: (typeof LIST)[number]): string {
  const dimension = { unit, beginRange: '0', endRange: 'Inf', pricePerUnit: { USD: usd } };
  const term = { effectiveDate: '2026-11-01T00:00:00Z', priceDimensions: { 'X.Y.Z': dimension } };
  const product = {
    productFamily: 'Compute Instance',
    sku: `BENCH${unit}`,
    attributes: { ...attributes, regionCode: REGION },
  };
  return JSON.stringify({ product, serviceCode: 'AmazonEC2', terms: { OnDemand: { 'X.Y': term } } });
}
