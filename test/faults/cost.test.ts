/**
 * Pricing while things go wrong around it: lost calls, throttled price lists, a worker that is killed half-way. Each launch
 * gets its cost, once, and the lines behind it are whole.
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { awaitCost } from '../../clients/cost/follow.ts';
import type { FaultRule } from '../../infra/local/kit/faults.ts';
import { sumOf } from '../../lib/cost/money.ts';
import { LedgerStore } from '../../lib/store/ledger.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';
import { until } from '../support/stand-ins.ts';

const PATIENCE_MS = 90_000;

let longhaul: Longhaul;
let ledger: LedgerStore;
beforeAll(async () => {
  longhaul = await openLonghaul();
  ledger = new LedgerStore(longhaul.aws.dynamodb, tableNames(longhaul.settings.tablePrefix));
});
afterEach(() => longhaul.faults([]));
afterAll(() => longhaul?.close());

const launch = (launchId: string) =>
  longhaul.put(`sheets/lab-a/${launchId}.yaml`, sheet(launchId, { work: { command: `echo ${launchId}` } }));

/** The total is what the lines, and what the days, add up to. */
async function whole(launchId: string): Promise<string> {
  const item = await awaitCost(longhaul.launches, launchId, PATIENCE_MS);
  const lines = await ledger.lines(launchId);
  const total = sumOf(lines.map(({ amount }) => amount));
  const places = item.total_cost?.split('.')[1]?.length ?? 0;
  expect(total.toFixed(places)).toBe(item.total_cost);
  expect(total.gt(0)).toBe(true);
  expect(item.unpriced).toBeUndefined();
  const days = (
    await Promise.all([...new Set(lines.map(({ from }) => from.slice(0, 10)))].map((day) => ledger.day(day)))
  )
    .flat()
    .filter(({ launch_id }) => launch_id === launchId);
  expect(sumOf(days.map((day) => day.total)).eq(total)).toBe(true);
  // A line stands for one instance, purpose, step and day: a second set of lines would double them.
  const names = lines.map(({ component, purpose, step, resource, resourceType, from }) =>
    [component, purpose, step, resource, resourceType, from.slice(0, 10)].join(),
  );
  expect(new Set(names).size).toBe(names.length);
  return item.total_cost ?? '';
}

const LOST: [string, FaultRule[]][] = [
  [
    // The first launch: all others find the prices kept.
    'the price list is throttled, then fails, and nobody can share prices',
    [
      { service: 'pricing', effect: 'throttle', times: 8 },
      { service: 'pricing', effect: 'error', status: 500, nth: 9, times: 8 },
      { service: 'dynamodb', subject: 'Prices', effect: 'error', status: 500, times: 50 },
    ],
  ],
  [
    'lines are written, and the answer is lost',
    [{ service: 'dynamodb', operation: 'BatchWriteItem', effect: 'reset', when: 'after', times: 4 }],
  ],
  [
    'lines are not written',
    [{ service: 'dynamodb', operation: 'BatchWriteItem', effect: 'error', status: 500, times: 8 }],
  ],
  [
    'what was used is kept, and the answer is lost',
    [{ service: 's3', operation: 'PutObject', subject: 'costs/', effect: 'reset', when: 'after', times: 4 }],
  ],
  ['EC2 does not answer', [{ service: 'ec2', operation: 'DescribeInstances', effect: 'error', status: 503, times: 8 }]],
];

const hits = async () => ((await longhaul.action('GET faults')) as { hits: number[] }).hits;

it.each(LOST)('gets its cost while %s', async (what, rules) => {
  const launchId = `lost-${LOST.findIndex(([name]) => name === what)}`;
  await longhaul.faults(rules);
  await launch(launchId);
  expect((await longhaul.follow(launchId)).status).toBe('COMPLETE');
  await whole(launchId);
  for (const hit of await hits()) expect(hit).toBeGreaterThan(0);
});

it('gets its cost when the worker is killed while it writes the lines', async () => {
  await longhaul.faults([{ service: 'dynamodb', operation: 'BatchWriteItem', effect: 'hang', when: 'after' }]);
  await launch('killed-1');
  expect((await longhaul.follow('killed-1')).status).toBe('COMPLETE');
  await until('the lines are being written', async () => ((await hits())[0] ?? 0) > 0);
  const worker = longhaul.platform.status().find(({ name }) => name === 'worker');
  process.kill(-(worker?.pid ?? 0), 'SIGKILL');
  await whole('killed-1');
});
