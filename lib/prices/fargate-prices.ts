/**
 * Fargate: vCPU-hours and GB-hours of tasks with Linux, by architecture.
 *
 * @module
 */
import { listModel, notListed, onlyPrice } from './list-price.ts';
import { type PriceList, withoutPrefix } from './price-list.ts';
import type { PricingModel } from './pricing-model.ts';

/** Those of Windows have the same attributes but one. */
const USAGE_TYPES = {
  x86_64: { vcpu: 'Fargate-vCPU-Hours:perCPU', gb: 'Fargate-GB-Hours' },
  arm64: { vcpu: 'Fargate-ARM-vCPU-Hours:perCPU', gb: 'Fargate-ARM-GB-Hours' },
};
const ATTRIBUTES = { vcpu: { cputype: 'perCPU' }, gb: { memorytype: 'perGB' } };

export const fargatePrices = (list: PriceList): PricingModel =>
  listModel('Fargate', 'fargate', async (key) => {
    // Neither is its history to be had, as that of instances is.
    if (key.spot) return notListed('Fargate Spot');
    const query = { serviceCode: 'AmazonECS', filters: { regionCode: key.region, ...ATTRIBUTES[key.of] } };
    const products = (await list.find(query)).map(withoutPrefix);
    const usagetype = USAGE_TYPES[key.architecture][key.of];
    return onlyPrice(products, { ...query, filters: { ...query.filters, usagetype } }, key);
  });
