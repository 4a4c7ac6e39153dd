/**
 * On-demand instances of EC2 in short: prices by Region and type, made into products with the attributes AWS gives them,
 * and what must not be taken for them: Windows, SQL Server, dedicated tenancy, reservations that nobody uses.
 *
 * @module
 */
import { PUBLISHED } from '../batch/instance-types.ts';
import type { OfferProduct, RegionOffer } from './offer-file.ts';

interface InstanceTable {
  prices: Readonly<Record<string, Readonly<Record<string, string>>>>;
  skus: Readonly<Record<string, Readonly<Record<string, string>>>>;
  variants: readonly {
    type: string;
    region: string;
    sku: string;
    price: string;
    /** What stands before the type in the usage type. */
    usage: string;
    attributes: Readonly<Record<string, string>>;
  }[];
}

const FAMILIES: Readonly<Record<string, string>> = {
  c: 'Compute optimized',
  m: 'General purpose',
  r: 'Memory optimized',
};

export function instanceProducts({ prices, skus, variants }: InstanceTable): OfferProduct[] {
  const types = [...new Set(Object.values(prices).flatMap((ofRegion) => Object.keys(ofRegion)))];
  const plain = types.map((type) => {
    const offers: Record<string, RegionOffer> = {};
    for (const [region, ofRegion] of Object.entries(prices)) {
      const price = ofRegion[type];
      const sku = skus[region]?.[type];
      if (price !== undefined) offers[region] = { ...(sku !== undefined && { sku }), ...priced(region, price) };
    }
    return product(type, 'BoxUsage', {}, offers);
  });
  const others = variants.map(({ type, usage, attributes, region, sku, price }) =>
    product(type, usage, attributes, { [region]: { sku, ...priced(region, price) } }),
  );
  return [...plain, ...others];
}

function product(
  type: string,
  usage: string,
  attributes: Readonly<Record<string, string>>,
  offers: Readonly<Record<string, RegionOffer>>,
): OfferProduct {
  const published = PUBLISHED.get(type);
  if (!published) throw new Error(`${type} is no instance type that is known here`);
  return {
    productFamily: 'Compute Instance',
    attributes: {
      instanceType: type,
      instanceFamily: FAMILIES[type.slice(0, 1)] ?? '',
      vcpu: String(published.vcpus),
      memory: `${published.memoryMiB / 1024} GiB`,
      storage: 'EBS only',
      operatingSystem: 'Linux',
      preInstalledSw: 'NA',
      licenseModel: 'No License required',
      tenancy: 'Shared',
      capacitystatus: 'Used',
      marketoption: 'OnDemand',
      operation: 'RunInstances',
      currentGeneration: /^[a-z]4\./.test(type) ? 'No' : 'Yes',
      processorArchitecture: '64-bit',
      availabilityzone: 'NA',
      ...attributes,
      usagetype: `${usage}:${type}`,
    },
    unit: 'Hrs',
    offers,
  };
}

/** With ten decimal places, as AWS writes prices. */
function priced(region: string, price: string): RegionOffer {
  const [whole = '', part = ''] = price.split('.');
  const prices = [`${whole}.${part.padEnd(10, '0')}`];
  return region.startsWith('cn-') ? { cny: prices } : { usd: prices };
}
