/**
 * An estimate with everything it asks: history, prices, instance types, of the settings.
 *
 * @module
 */
import type { AwsClients } from '../../lib/aws-clients.ts';
import { createInstanceTypeReader } from '../../lib/launch/instance-types.ts';
import { openPriceBook } from '../../lib/prices/pricing-models.ts';
import { readRates } from '../../lib/prices/rates-file.ts';
import type { Settings } from '../../lib/settings.ts';
import type { LedgerStore } from '../../lib/store/ledger.ts';
import { PriceStore } from '../../lib/store/prices.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { type EstimateRequest, estimateLaunch, type PlannedCost } from './estimate.ts';

export interface EstimatorDependencies {
  settings: Pick<Settings, 'tablePrefix' | 'costRates'>;
  aws: Pick<AwsClients, 's3' | 'pricing' | 'dynamodb'>;
  ledger: Pick<LedgerStore, 'history' | 'lines'>;
}

export async function estimateWith(
  { settings, aws, ledger }: EstimatorDependencies,
  request: EstimateRequest,
): Promise<PlannedCost> {
  const { EC2Client } = await import('@aws-sdk/client-ec2');
  const instanceTypes = createInstanceTypeReader();
  const ec2 = new EC2Client({});
  try {
    const prices = openPriceBook({
      pricing: aws.pricing,
      ec2: () => ec2,
      rates: await readRates(settings.costRates, aws.s3),
      cache: new PriceStore(aws.dynamodb, tableNames(settings.tablePrefix)),
    });
    const region = () => aws.s3.config.region();
    return await estimateLaunch({ s3: aws.s3, ledger, prices, instanceTypes, region, now: Date.now }, request);
  } finally {
    instanceTypes.destroy();
    ec2.destroy();
  }
}
