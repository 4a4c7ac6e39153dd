/**
 * What S3 bills a launch for: requests of jobs to S3 Standard, and restores with their temporary copies.
 *
 * @module
 */
import { listModel, listPrice, onlyPrice } from './list-price.ts';
import { unitOf } from './price-keys.ts';
import { type PriceList, PriceUnknownError, withoutPrefix } from './price-list.ts';
import type { PricingModel } from './pricing-model.ts';
import { copyProduct, retrievalProduct } from './restore-prices.ts';

/** Tier 1: PUT, COPY, POST, LIST. Tier 2: GET and all others. */
const REQUESTS = {
  put: { group: 'S3-API-Tier1', usagetype: 'Requests-Tier1' },
  get: { group: 'S3-API-Tier2', usagetype: 'Requests-Tier2' },
};

export const s3RequestPrices = (list: PriceList): PricingModel =>
  listModel('S3 requests', 's3-request', async (key) => {
    const { group, usagetype } = REQUESTS[key.of];
    const query = { serviceCode: 'AmazonS3', filters: { regionCode: key.region, group } };
    const products = (await list.find(query)).map(withoutPrefix);
    return onlyPrice(products, { ...query, filters: { ...query.filters, usagetype, operation: '' } }, key);
  });

export const retrievalPrices = (list: PriceList): PricingModel =>
  listModel('S3 retrievals', 'retrieval', async (key) => {
    const product = await retrievalProduct(list, key);
    if (!product) {
      const { region, archive, tier } = key;
      throw new PriceUnknownError({ serviceCode: 'AmazonS3', filters: { regionCode: region, archive, tier } }, []);
    }
    return listPrice(product, unitOf(key));
  });

/** Temporary copies are billed as S3 Standard, with its price tiers. */
export const copyPrices = (list: PriceList): PricingModel =>
  listModel('S3 copies of restores', 'copy', async (key) =>
    listPrice(await copyProduct(list, key.region), unitOf(key)),
  );
