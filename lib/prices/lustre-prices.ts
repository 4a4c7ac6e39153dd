/**
 * Storage of FSx for Lustre. The list does not name deployment types: scratch has no throughput of its own, and those of
 * PERSISTENT_1 and PERSISTENT_2 differ. What is billed beside storage (backups, metadata IOPS, the SSD cache of HDD) is not
 * here.
 *
 * @module
 */
import { listModel, onlyPrice } from './list-price.ts';
import type { PriceList, Product } from './price-list.ts';
import { type PricingModel, unpriced } from './pricing-model.ts';

const SCRATCH = 'N/A';

export const lustrePrices = (list: PriceList): PricingModel =>
  listModel('FSx for Lustre', 'lustre', async ({ kind, ...key }) => {
    const throughput = key.deploymentType.startsWith('SCRATCH') ? SCRATCH : key.throughputPerUnit?.toString();
    if (throughput === undefined) {
      return unpriced(
        `the throughput per TiB of the ${key.deploymentType} file system is not known, and its price goes by it`,
        'set an own rate for the deployment type in the file of the setting costRates',
      );
    }
    const query = {
      serviceCode: 'AmazonFSx',
      filters: { regionCode: key.region, fileSystemType: 'Lustre', storageType: key.storageType },
    };
    const products = (await list.find(query)).map(withThroughput);
    const one = { productFamily: 'Storage', deploymentOption: 'Single-AZ', throughputCapacity: throughput };
    return onlyPrice(products, { ...query, filters: { ...query.filters, ...one } }, { kind, ...key });
  });

/** The number alone, whatever its unit is called. */
const withThroughput = (product: Product): Product => ({
  ...product,
  attributes: {
    ...product.attributes,
    throughputCapacity: /^\d+/.exec(product.attributes.throughputCapacity ?? '')?.[0] ?? SCRATCH,
  },
});
