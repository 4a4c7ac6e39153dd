/**
 * Pacing on DynamoDB: separate pacers on one table share one rate, a cut reaches all of them, and a table that cannot
 * be used stops nobody.
 *
 * @module
 */
import { DescribeTimeToLiveCommand, DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeTables } from '../../infra/local/bootstrap.ts';
import { sliceAt } from '../../lib/pacing/bucket.ts';
import { createPacer } from '../../lib/pacing/pacer.ts';
import { type QuotaTable, quotaTable } from '../../lib/pacing/quota-table.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { openDynamoDb, type Tables } from '../support/dynamodb.ts';

const quota = { key: '123456789012/us-east-1/batch:SubmitJob', ceiling: 30 };

let local: Tables;
let nth = 0;
let prefix: string;
let table: QuotaTable;
const clients: DynamoDBClient[] = [];

beforeAll(async () => {
  local = await openDynamoDb();
});
afterAll(() => local.close());
beforeEach(async () => {
  nth += 1;
  prefix = `t${nth}-`;
  await makeTables(local.client, prefix);
  table = quotaTable(local.client, tableNames(prefix));
  // The first requests of a fresh DynamoDB Local take their time.
  await table.lastCut('warm');
});
afterEach(() => {
  local.kit.faults.set([]);
  for (const client of clients.splice(0)) client.destroy();
});

/** A pacer with a client of its own, as in a process of its own. */
function openPacer(warn: (message: string) => void = (message) => expect.unreachable(message)) {
  const credentials = { accessKeyId: 'contract', secretAccessKey: 'contract' };
  const client = new DynamoDBClient({ region: 'us-east-1', endpoint: local.url, credentials });
  clients.push(client);
  return createPacer({ dynamodb: client, tables: tableNames(prefix), warn });
}

/** What the table has of a quota, by slice. */
async function slices(): Promise<Map<number, { allowance: number; remaining: number; expires: number }>> {
  const { Items = [] } = await local.client.send(
    new QueryCommand({
      TableName: tableNames(prefix).quotas,
      KeyConditionExpression: 'quota = :quota AND slice > :none',
      ExpressionAttributeValues: { ':quota': { S: quota.key }, ':none': { N: '0' } },
      ConsistentRead: true,
    }),
  );
  const number = (item: (typeof Items)[number], name: string) => Number(item[name]?.N);
  return new Map(
    Items.map((item) => [
      number(item, 'slice'),
      {
        allowance: number(item, 'allowance'),
        remaining: number(item, 'remaining'),
        expires: number(item, 'expires_at'),
      },
    ]),
  );
}

describe('four pacers on one table', () => {
  it('never exceed the rate in a slice, and use it', async () => {
    const pacers = Array.from({ length: 4 }, () => openPacer());
    const granted = new Map<number, number>();
    await Promise.all(
      pacers.flatMap((pacer) =>
        Array.from({ length: 35 }, async () => {
          const slice = await pacer.take(quota);
          granted.set(slice, (granted.get(slice) ?? 0) + 1);
        }),
      ),
    );

    const opened = await slices();
    for (const [slice, count] of granted) {
      const { allowance, remaining } = opened.get(slice) ?? { allowance: 0, remaining: 0 };
      expect(allowance).toBe(30);
      expect(remaining).toBeGreaterThanOrEqual(0);
      expect(count).toBeLessThanOrEqual(allowance - remaining);
    }
    // 140 at 30 a slice; the first may have begun late, and the last ones are shared out unevenly.
    expect(granted.size).toBeLessThanOrEqual(7);
  });

  it('cut the rate once when all of them are throttled in one slice, and all keep to it', async () => {
    const pacers = Array.from({ length: 4 }, () => openPacer());
    const slice = await (pacers[0]?.take(quota) ?? Promise.reject(new Error('no pacer')));
    await Promise.all(pacers.map((pacer) => pacer.throttled(quota, slice)));

    expect(await table.lastCut(quota.key)).toEqual({ rate: 21, slice });
    const after: number[] = [];
    while (after.length < 60) after.push(...(await Promise.all(pacers.map((pacer) => pacer.take(quota)))));
    const opened = await slices();
    for (const next of new Set(after.filter((one) => one > slice + 1))) {
      expect(opened.get(next)?.allowance).toBe(Math.floor(21 + (next - slice) * 0.6));
    }
  });

  it('cut it again and again while throttling goes on, from what the others have made of it', async () => {
    const pacers = Array.from({ length: 2 }, () => openPacer());
    const slice = sliceAt(Date.now());
    for (const [index, pacer] of [...pacers, ...pacers].entries()) await pacer.throttled(quota, slice + index);

    const { rate = 0 } = (await table.lastCut(quota.key)) ?? {};
    expect(rate).toBeCloseTo(((21 + 0.6) * 0.7 + 0.6) * 0.7 * 0.7 + 0.6 * 0.7);
  });
});

describe('the table', () => {
  it('gives what is left when that is less than asked for, and then nothing', async () => {
    const ask = { quota: 'q', slice: 100, tokens: 5, allowance: 8, reserve: 0 };
    expect(await table.lease(ask)).toEqual({ taken: 5, remaining: 3, allowance: 8 });
    expect(await table.lease(ask)).toEqual({ taken: 3, remaining: 0, allowance: 8 });
    expect(await table.lease(ask)).toEqual({ taken: 0, remaining: 0, allowance: 8 });
    expect(await table.lease({ ...ask, slice: 101, tokens: 1 })).toEqual({ taken: 1, remaining: 7, allowance: 8 });
  });

  it('leaves what is reserved for later in the slice', async () => {
    const ask = { quota: 'q', slice: 100, tokens: 2, allowance: 8, reserve: 6 };
    expect(await table.lease(ask)).toEqual({ taken: 2, remaining: 6, allowance: 8 });
    expect(await table.lease(ask)).toEqual({ taken: 0, remaining: 6, allowance: 8 });
    expect(await table.lease({ ...ask, reserve: 5 })).toEqual({ taken: 0, remaining: 6, allowance: 8 });
    expect(await table.lease({ ...ask, reserve: 4 })).toEqual({ taken: 2, remaining: 4, allowance: 8 });
    expect(await table.lease({ ...ask, tokens: 5, reserve: 1 })).toEqual({ taken: 3, remaining: 1, allowance: 8 });
  });

  it('keeps to the allowance a slice was opened with, whatever rate others believe in', async () => {
    await table.open('q', 100, 4);
    await table.open('q', 100, 40);

    const ask = { quota: 'q', slice: 100, tokens: 10, allowance: 40, reserve: 0 };
    expect(await table.lease(ask)).toEqual({ taken: 4, remaining: 0, allowance: 4 });
  });

  it('lets slices expire ten minutes after they are over, and no cut', async () => {
    const slice = await openPacer().take(quota);
    const { TimeToLiveDescription } = await local.client.send(
      new DescribeTimeToLiveCommand({ TableName: tableNames(prefix).quotas }),
    );

    expect(TimeToLiveDescription).toMatchObject({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expires_at' });
    expect((await slices()).get(slice)?.expires).toBe(slice + 600);
    await makeTables(local.client, prefix);
  });

  it('may lose the answer to a lease: its tokens are lost, and never granted twice', async () => {
    local.kit.faults.set([{ operation: 'UpdateItem', nth: 1, effect: 'reset', when: 'after' }]);
    const slice = await openPacer().take(quota);

    const { allowance = 0, remaining = 0 } = (await slices()).get(slice) ?? {};
    expect(allowance - remaining).toBeLessThanOrEqual(2);
    expect(allowance - remaining).toBeGreaterThanOrEqual(1);
  });
});

describe('without the table', () => {
  it('calls go on at a quarter of the rate, and the reason is told once', async () => {
    prefix = 'missing-';
    const warnings: string[] = [];
    const pacer = openPacer((message) => warnings.push(message));
    const taken = await Promise.all(Array.from({ length: 15 }, () => pacer.take(quota)));

    for (const slice of taken) expect(taken.filter((one) => one === slice).length).toBeLessThanOrEqual(7);
    expect(warnings).toEqual([expect.stringContaining('ResourceNotFoundException')]);
  });

  it('that does not answer, a call waits a second, not for ever', async () => {
    local.kit.faults.set([{ operation: 'UpdateItem', times: 10, effect: 'delay', delayMs: 30_000 }]);
    const warnings: string[] = [];
    await openPacer((message) => warnings.push(message)).take(quota);

    expect(warnings).toEqual([expect.stringContaining('no answer in time')]);
  });
});
