/**
 * Prices of restores for a plan, or why there are none.
 *
 * @module
 */
import type { AwsClients } from '../../lib/aws-clients.ts';
import { createPriceList, PriceUnknownError } from '../../lib/prices/price-list.ts';
import { restorePrices } from '../../lib/prices/restore-prices.ts';
import type { RestorePrices } from '../../workflows/restore/prices.ts';

export async function currentRestorePrices({
  s3,
  pricing,
}: Pick<AwsClients, 's3' | 'pricing'>): Promise<RestorePrices | { unknown: string }> {
  try {
    return await restorePrices(createPriceList(pricing), await s3.config.region());
  } catch (error) {
    if (!(error instanceof PriceUnknownError)) throw error;
    return { unknown: error.message };
  }
}
