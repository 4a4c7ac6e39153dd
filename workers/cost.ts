/**
 * What the activities of the cost domain are made of.
 *
 * @module
 */
import type { CostDependencies } from '../activities/cost/dependencies.ts';
import { createResourceReader } from '../activities/cost/resources.ts';
import type { AwsClients } from '../lib/aws-clients.ts';
import type { PriceBook } from '../lib/prices/price-book.ts';
import { openPriceBook } from '../lib/prices/pricing-models.ts';
import type { Rates } from '../lib/prices/rates.ts';
import type { Settings } from '../lib/settings.ts';
import { PriceStore } from '../lib/store/prices.ts';
import type { Tables } from '../lib/store/tables.ts';

interface Parts extends Pick<CostDependencies, 'launches' | 'steps' | 'restores' | 'ledger' | 'compute' | 'progress'> {
  aws: AwsClients;
  tables: Tables;
  settings: Settings;
  rates(): Promise<Rates>;
  warn(message: string): void;
}

export async function costDependencies({
  aws,
  tables,
  settings,
  rates,
  warn,
  ...stores
}: Parts): Promise<CostDependencies> {
  return {
    ...stores,
    s3: aws.s3,
    resources: createResourceReader(),
    prices: await createPrices({ aws, tables, rates, warn }),
    settings,
    region: () => aws.s3.config.region(),
    sharing: async () => (await rates()).sharing,
    ...(settings.costActuals === 'cost-explorer' && { bill: await createBill() }),
  };
}

/** A book for as long as the rates stay the same; the prices it has looked up stand in the table too. */
async function createPrices({
  aws,
  tables,
  rates,
  warn,
}: Pick<Parts, 'aws' | 'tables' | 'rates' | 'warn'>): Promise<PriceBook> {
  const { EC2Client } = await import('@aws-sdk/client-ec2');
  const clients = new Map<string, InstanceType<typeof EC2Client>>();
  const ec2 = (region: string) => {
    const client = clients.get(region) ?? new EC2Client({ region });
    clients.set(region, client);
    return client;
  };
  const cache = new PriceStore(aws.dynamodb, tables);
  let open: { rates: Rates; book: PriceBook } | undefined;
  return {
    async price(key, over) {
      const now = await rates();
      if (open?.rates !== now)
        open = { rates: now, book: openPriceBook({ pricing: aws.pricing, ec2, rates: now, cache, warn }) };
      return open.book.price(key, over);
    },
  };
}

/** Cost Explorer has one endpoint, in us-east-1. */
async function createBill() {
  const { CostExplorerClient } = await import('@aws-sdk/client-cost-explorer');
  return new CostExplorerClient({ region: 'us-east-1' });
}
