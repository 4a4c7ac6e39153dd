/**
 * What the bill says of a launch, by AWS Cost Explorer and the tag `longhaul:launch`. Only services that carry the tag
 * into the bill are in it: it has to be activated as a cost allocation tag. See docs/cost.md.
 *
 * @module
 */
import {
  type CostExplorerClient,
  DataUnavailableException,
  GetCostAndUsageCommand,
  type GetCostAndUsageCommandInput,
} from '@aws-sdk/client-cost-explorer';

/** One day and service of the bill. */
export interface BilledDay {
  /** `2026-11-26`, UTC. */
  day: string;
  /** Cost Explorer's own words: `Amazon Elastic Compute Cloud - Compute`, `EC2 - Other`. */
  service: string;
  /** A decimal number. */
  amount: string;
  currency: string;
  /** AWS may still change it. */
  estimated: boolean;
}

const LAUNCH_TAG = 'longhaul:launch';
/** What usage costs without reservations, credits and refunds spread over it. */
const METRIC = 'UnblendedCost';
const DAY_MS = 86_400_000;

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/**
 * @param over epoch ms; whole days are asked for
 * @returns days and services that have cost something; empty as long as the bill has nothing of the launch
 */
export async function billedDays(
  client: CostExplorerClient,
  launchId: string,
  over: { from: number; to: number },
): Promise<BilledDay[]> {
  const input: GetCostAndUsageCommandInput = {
    TimePeriod: { Start: dayOf(over.from), End: dayOf(over.to + DAY_MS) },
    Granularity: 'DAILY',
    Metrics: [METRIC],
    Filter: { Tags: { Key: LAUNCH_TAG, Values: [launchId], MatchOptions: ['EQUALS'] } },
    GroupBy: [{ Type: 'DIMENSION', Key: 'SERVICE' }],
  };
  const found: BilledDay[] = [];
  let NextPageToken: string | undefined;
  do {
    const page = await pageOf(client, { ...input, ...(NextPageToken && { NextPageToken }) });
    if (!page) return [];
    for (const { TimePeriod, Groups = [], Estimated = false } of page.ResultsByTime ?? []) {
      for (const { Keys = [], Metrics = {} } of Groups) {
        const { Amount: amount, Unit: currency } = Metrics[METRIC] ?? {};
        if (!amount || !currency || Number(amount) === 0) continue;
        found.push({ day: TimePeriod?.Start ?? '', service: Keys[0] ?? '', amount, currency, estimated: Estimated });
      }
    }
    NextPageToken = page.NextPageToken;
  } while (NextPageToken);
  return found;
}

/** @returns undefined while Cost Explorer has nothing of the account: it takes a day after it was turned on */
async function pageOf(client: CostExplorerClient, input: GetCostAndUsageCommandInput) {
  try {
    return await client.send(new GetCostAndUsageCommand(input));
  } catch (error) {
    if (error instanceof DataUnavailableException) return undefined;
    throw error;
  }
}
