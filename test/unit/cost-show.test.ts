/** One launch taken apart: steps, resources, savings, what is not priced, the bill; and its picture. */
import { describe, expect, it } from 'vitest';
import { drawComparison, drawCost, drawReport } from '../../clients/cli/cost-picture.ts';
import { NoCostError, pricedLaunch } from '../../clients/cost/view.ts';
import { compareLaunches } from '../../lib/cost/compare.ts';
import { costView } from '../../lib/cost/show.ts';
import type { LaunchItem } from '../../lib/store/launches.ts';
import { ENTRIES, lineOf } from '../support/focus-lines.ts';

const item = (parts: Partial<LaunchItem> = {}): LaunchItem => ({
  launch_id: 'run-1',
  status: 'COMPLETE',
  statuses: {},
  attempt: 1,
  sequence: 4,
  workflow_id: 'launch/run-1',
  run_id: 'r1',
  created_at: '2026-11-26T08:00:00Z',
  configuration_file: 's3://longhaul/sheets/lab-a/x.yaml',
  total_cost: '0.80',
  instance_cost: '0.78',
  volume_cost: '0.02',
  filesystem_cost: '0.00',
  currency: 'USD',
  cost_status: 'PENDING',
  durations: { PREPARING: 1.5, RUNNING: 3600 },
  ...parts,
});
const lines = ENTRIES[0]?.lines ?? [];
const plain = (drawn: readonly string[]) => drawn.join('\n').replace(/\u001b\[[0-9;]*m/g, '');

describe('the cost of a launch', () => {
  it('is told by step and by resource', () => {
    const { currencies, spotSavings } = costView(item(), lines);

    const [usd] = currencies;
    expect(usd?.currency).toBe('USD');
    const align = usd?.steps.find(({ step }) => step === 'align');
    expect(align).toMatchObject({ lost: '0.048', lostBy: { failed: '0.048' } });
    // One hour of November's 26th, and one of October's last day; what overlaps counts once.
    expect(align?.seconds).toBe(7_200);
    const spot = usd?.resources.find(({ resource }) => resource === 'i-spot');
    expect(spot).toMatchObject({ market: 'spot', zone: 'us-east-1a', hours: 1, skus: [], amount: '0.0719' });
    expect(usd?.resources.find(({ resource }) => resource === 'GLACIER')).not.toHaveProperty('hours');
    expect(spotSavings).toEqual([
      { type: 'm5.xlarge', region: 'us-east-1', currency: 'USD', spot: '0.0719', onDemand: '0.1776', saved: '0.1057' },
    ]);
  });

  it('tells of no savings where the price on demand is not known', () => {
    expect(costView(item(), [lineOf({ market: 'spot' })]).spotSavings).toEqual([]);
  });

  it('has the bill beside the estimate, and what is not priced', () => {
    const unpriced = [
      { resource: 'i-1', component: 'instance', reason: 'no such SKU', remedy: 'give a rate' },
    ] as const;
    const view = costView(
      item({ actual_cost: '0.9000', cost_difference: '0.1000', unpriced: [...unpriced] }),
      lines,
      ['0.4', '0.5'].map((amount, nth) => ({
        launch_id: 'run-1',
        attempt: 1,
        line: `actual#${nth}`,
        service: 'EC2 - Other',
        amount,
        currency: 'USD',
      })),
    );

    expect(view).toMatchObject({
      actual: { cost: '0.9000', byService: [{ service: 'EC2 - Other', amount: '0.9' }] },
      unpriced,
    });
    const drawn = plain(drawCost(view));
    expect(drawn).toContain('run-1  COMPLETE  0.80 USD');
    expect(drawn).toContain('by the bill: 0.9000 USD');
    expect(drawn).toMatch(/i-1 \(instance\): no such SKU\n\s+give a rate/);
    expect(drawn).toMatch(/align\s+0\.0480 failed/);
  });

  it('of a launch that used nothing can be drawn', () => {
    expect(plain(drawCost(costView(item({ total_cost: '0.00' }), [])))).toContain('0.00 USD');
  });
});

describe('a launch without a cost', () => {
  const asked = (found: LaunchItem | undefined) => pricedLaunch({ get: () => Promise.resolve(found) }, 'run-1');
  const { total_cost: _, ...unpriced } = item();

  it.each([
    [undefined, 'unknown', 'there is no launch run-1'],
    [{ ...unpriced, status: 'RUNNING' }, 'open', 'launch run-1 is RUNNING: it is priced once it has ended'],
    [{ ...unpriced, status: 'FAILED' }, 'pricing', 'is being priced: the workflow cost/run-1 shows'],
  ] as const)('says why: %#', async (found, reason, message) => {
    const error = await asked(found as LaunchItem | undefined).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NoCostError);
    expect(error).toMatchObject({ reason, message: expect.stringContaining(message) });
  });
});

describe('pictures', () => {
  it('of a report have a row for each group, and one for all', () => {
    const amounts = { total: '12.50', components: { instance: '12.50' }, lost: '1.00', idle: '0.00', packing: '0.00' };
    const row = { currency: 'USD', launches: 3, ...amounts, exact: amounts };
    const query = { by: 'consumer', from: '2026-11-01', to: '2026-11-30' } as const;
    const drawn = plain(
      drawReport({ ...query, rows: [{ group: 'lab-a', ...row }], totals: [row], read: { pages: 2, items: 3 } }),
    );

    expect(drawn.split('\n')).toHaveLength(4);
    expect(drawn).toMatch(/^CONSUMER {2}CURRENCY {2}LAUNCHES {2}TOTAL/);
    expect(drawn).toContain('3 entries read in 2 pages');
    expect(plain(drawReport({ ...query, rows: [], totals: [], read: { pages: 1, items: 0 } }))).toContain(
      'nothing has cost',
    );
  });

  it('of a comparison have a column for each launch', () => {
    const metrics = [{ step: 'md', name: 'ns/day', items: 2, mean: 15, min: 10, max: 20 }];
    const one = (launch_id: string, RUNNING: number) => ({
      item: item({ launch_id, durations: { RUNNING }, cost_status: 'FINAL' }),
      lines: [],
      steps: [],
      metrics,
    });
    const drawn = plain(drawComparison(compareLaunches([one('a', 60), one('b', 120)])));

    expect(drawn).toMatch(/^\s+a\s+b$/m);
    expect(drawn).toMatch(/verdict\s+fastest, cheapest\s+beaten/);
    expect(drawn).toMatch(/md: ns\/day\s+15 \(10 to 20\)/);
  });
});
