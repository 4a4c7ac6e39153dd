/** What the bill says of a launch, by Cost Explorer's own protocol, beside what the ledger has. */
import { CostExplorerClient } from '@aws-sdk/client-cost-explorer';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createActualsActivities } from '../../activities/cost/actuals.ts';
import type { CostDependencies } from '../../activities/cost/dependencies.ts';
import { putUsage, usageAddress } from '../../lib/cost/files.ts';
import type { LaunchItem } from '../../lib/store/launches.ts';
import type { LedgerItem } from '../../lib/store/ledger.ts';
import type { JobAttempt, Usage } from '../../workflows/cost/model.ts';
import { openTarget, type Target } from './target.ts';

const DAY_MS = 86_400_000;
const LOCAL = process.env.LONGHAUL_VERIFY_AWS !== '1';

let target: Target;
let s3: S3Client;
let bill: CostExplorerClient;
let written: LedgerItem[] = [];
let recorded: Partial<LaunchItem> | undefined;

/** At 18:00; of a month that has been closed, whose figures AWS does not call estimated any more. */
const MONTH_AGO = (Math.floor(Date.now() / DAY_MS) - 45.25) * DAY_MS;
const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);

const usage = (launchId: string, from: number): Usage => ({
  launchId,
  attempts: [{ from, to: from + DAY_MS / 2 } as JobAttempt],
  instances: [],
  volumes: [],
  fileSystems: [],
  clusters: [],
  restores: [],
  requests: [],
  unknown: [],
});

// An account of one's own has no launches to bill.
describe.skipIf(!LOCAL)('the bill of a launch', () => {
  beforeAll(async () => {
    target = await openTarget();
    s3 = new S3Client({ ...target.client, forcePathStyle: true });
    bill = new CostExplorerClient(target.client);
    await s3.send(new CreateBucketCommand({ Bucket: 'longhaul' }));
    const row = (launch: string, date: string, service: string, amount: string) => ({
      date,
      service,
      amount,
      currency: 'USD',
      tags: { 'longhaul:launch': launch },
    });
    const rows = [
      row('run-1', dayOf(MONTH_AGO), 'Amazon Elastic Compute Cloud - Compute', '1.2500000001'),
      row('run-1', dayOf(MONTH_AGO), 'EC2 - Other', '0.25'),
      row('run-1', dayOf(MONTH_AGO + DAY_MS), 'EC2 - Other', '0.1'),
      row('run-2', dayOf(MONTH_AGO), 'EC2 - Other', '99'),
      row('fresh', dayOf(Date.now() - DAY_MS), 'EC2 - Other', '3'),
    ];
    await target.local?.kit.actions.get('POST billing-rows')?.({ rows });
  });
  afterAll(() => target.close());
  beforeEach(() => {
    written = [];
    recorded = undefined;
  });

  async function compare(launchId: string, { last = false, from = MONTH_AGO } = {}) {
    await putUsage(s3, usageAddress('longhaul', launchId, 1), usage(launchId, from));
    const { compareActuals } = createActualsActivities({
      s3,
      bill,
      settings: { bucket: 'longhaul' },
      launches: {
        get: async () => undefined,
        recordCost: async (_: string, __: number, facts: Partial<LaunchItem>) => {
          recorded = facts;
          return true;
        },
      },
      ledger: {
        replace: async (_: string, __: number, items: LedgerItem[]) => {
          written = items;
          return true;
        },
        lines: async () => [
          { component: 'instance', currency: 'USD', amount: '1.2' },
          { component: 'volume', currency: 'USD', amount: '0.35' },
          { component: 'request', currency: 'USD', amount: '7' },
        ],
      },
    } as unknown as CostDependencies);
    return (await new MockActivityEnvironment().run(compareActuals, { launchId, attempt: 1, last })) as {
      found: boolean;
    };
  }

  it('is written beside the estimate of what carries the tag, with the difference', async () => {
    expect(await compare('run-1')).toEqual({ found: true });
    expect(written.map(({ line }) => line).toSorted()).toEqual([
      `actual#${dayOf(MONTH_AGO)}#Amazon Elastic Compute Cloud - Compute`,
      `actual#${dayOf(MONTH_AGO)}#EC2 - Other`,
      `actual#${dayOf(MONTH_AGO + DAY_MS)}#EC2 - Other`,
    ]);
    expect(recorded).toEqual({ cost_status: 'FINAL', actual_cost: '1.6000', cost_difference: '0.0500' });
  });

  it('that has nothing of it yet is waited for, until it is asked for the last time', async () => {
    expect(await compare('unknown')).toEqual({ found: false });
    expect(recorded).toBeUndefined();
    expect(await compare('unknown', { last: true })).toEqual({ found: false });
    expect(recorded).toEqual({ cost_status: 'FINAL' });
    expect(written).toEqual([]);
  });

  it('that AWS still changes is no final one', async () => {
    const from = Date.now() - DAY_MS;
    expect(await compare('fresh', { from })).toEqual({ found: false });
    expect(recorded).toBeUndefined();
    expect(await compare('fresh', { from, last: true })).toEqual({ found: false });
    expect(recorded).toMatchObject({ actual_cost: '3.0000' });
  });
});
