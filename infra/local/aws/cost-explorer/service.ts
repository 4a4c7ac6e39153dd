/**
 * The stand-in for Cost Explorer over the awsJson 1.1 protocol: GetCostAndUsage over rows that are put in.
 *
 * @module
 */
import type { Kit } from '../../kit/front-door.ts';
import { jsonService } from '../../kit/json-protocol.ts';
import { AwsError, type AwsService } from '../../kit/service.ts';
import { TokenBucket } from '../../kit/token-bucket.ts';
import type { Place } from '../ports.ts';
import { getCostAndUsage } from './cost-and-usage.ts';
import { BillingRows } from './rows.ts';

/** AWS says little of it; callers see that more than one a second is refused before long. */
const RATE = { perSecond: 1, burst: 5 };

export function createCostExplorer(options: { kit: Kit; place: Place; directory: string }): { service: AwsService } {
  const { kit, place, directory } = options;
  const rows = new BillingRows({ kit, directory, region: place.region });
  const rate = new TokenBucket(kit.clock, RATE);
  return {
    service: jsonService({
      names: ['ce'],
      version: '1.1',
      operations: {
        GetCostAndUsage: {
          run(input) {
            if (!rate.take()) throw new AwsError('LimitExceededException', 'Rate exceeded');
            return getCostAndUsage(rows, kit.clock, input);
          },
        },
      },
      async close() {
        rows.close();
      },
    }),
  };
}
