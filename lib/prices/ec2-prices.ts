/**
 * On-demand instances with Linux, by type and Region.
 *
 * A type has dozens of products in a Region, by operating system, software, tenancy, licence, and for reservations that
 * nobody uses; with all of these attributes it has one. Local Zones and Wavelength Zones have Region codes of their own
 * (`us-west-2-lax-1`), and other prices: a key with that code in `region` asks for them.
 *
 * @module
 */
import { listModel, onlyPrice } from './list-price.ts';
import type { PriceList, PriceQuery, Product } from './price-list.ts';
import type { PricingModel } from './pricing-model.ts';

const LINUX = {
  operatingSystem: 'Linux',
  preInstalledSw: 'NA',
  licenseModel: 'No License required',
  capacitystatus: 'Used',
  marketoption: 'OnDemand',
  tenancy: 'Shared',
};

export const ec2Prices = (list: PriceList): PricingModel =>
  listModel('EC2 on-demand', 'instance', async (key) => {
    const query: PriceQuery = {
      serviceCode: 'AmazonEC2',
      filters: { regionCode: key.region, instanceType: key.type, ...LINUX },
    };
    const products = await list.find(query);
    return onlyPrice(isZone(key.region) ? products : products.filter(inRegionItself), query, key);
  });

/** `us-west-2-lax-1`, not `us-west-2` or `us-gov-west-1`. */
const isZone = (region: string): boolean => /-\d+-[a-z]+-\d+$/.test(region);

/** Where the list has zones under the Region's code, they are told by the kind of place. */
const inRegionItself = ({ attributes: { locationType = 'AWS Region' } }: Product): boolean =>
  locationType === 'AWS Region';
