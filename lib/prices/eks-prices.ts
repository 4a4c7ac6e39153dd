/**
 * Control planes of EKS. What extended support costs is listed beside the cluster's hour, and billed with it.
 *
 * @module
 */
import { Decimal } from 'decimal.js';
import { type ListPrice, listModel, listPrice } from './list-price.ts';
import { only, type PriceList, PriceListFormatError, withoutPrefix } from './price-list.ts';
import type { PricingModel } from './pricing-model.ts';

const STANDARD = 'AmazonEKS-Hours:perCluster';
const EXTENDED = 'AmazonEKS-Hours:extendedSupport';

export const eksPrices = (list: PriceList): PricingModel =>
  listModel('EKS', 'eks', async (key) => {
    const query = { serviceCode: 'AmazonEKS', filters: { regionCode: key.region } };
    const products = (await list.find(query)).map(withoutPrefix);
    const priceOf = (usagetype: string): ListPrice =>
      listPrice(only(products, { ...query, filters: { ...query.filters, usagetype } }), 'Hrs');
    const cluster = priceOf(STANDARD);
    return key.support === 'standard' ? cluster : together(cluster, priceOf(EXTENDED));
  });

function together(cluster: ListPrice, support: ListPrice): ListPrice {
  if (cluster.currency !== support.currency) {
    throw new PriceListFormatError(`${cluster.sku} and ${support.sku} are priced in different currencies`);
  }
  return {
    ...cluster,
    perUnit: new Decimal(cluster.perUnit).plus(support.perUnit).toFixed(),
    pricesAt: [cluster.pricesAt, support.pricesAt].toSorted((a, b) => Date.parse(b) - Date.parse(a))[0] ?? '',
    marks: [`extended support, SKU ${support.sku}`],
  };
}
