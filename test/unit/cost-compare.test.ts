/** Launches side by side: times, costs, figures of jobs, who is beaten; and the plot of it. */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { type Compared, compareLaunches } from '../../lib/cost/compare.ts';
import { summariseMetrics } from '../../lib/cost/metrics.ts';
import { comparisonSvg } from '../../lib/cost/plot.ts';
import type { LaunchItem } from '../../lib/store/launches.ts';
import type { StepItem } from '../../lib/store/steps.ts';
import { lineOf } from '../support/focus-lines.ts';

const step = (parts: Partial<StepItem> = {}): StepItem =>
  ({
    step: 'align',
    attempt: 1,
    items: { total: 4, running: 0, succeeded: 4, failed: 0 },
    submitted_at: '2026-11-26T08:00:00Z',
    ended_at: '2026-11-26T08:10:00Z',
    ...parts,
  }) as StepItem;

const compared = (id: string, total: string, running: number, item: Partial<LaunchItem> = {}): Compared => ({
  item: {
    launch_id: id,
    status: 'COMPLETE',
    attempt: 1,
    workflow_type: 'steps',
    compute_service: 'batch',
    total_cost: total,
    instance_cost: total,
    currency: 'USD',
    cost_status: 'FINAL',
    durations: { PREPARING: 2, RUNNING: running },
    ...item,
  } as LaunchItem,
  lines: [{ launch_id: id, attempt: 1, ...lineOf({ amount: '0.8' }) }],
  steps: [step()],
  metrics: [],
});

describe('a comparison', () => {
  it('has times, costs of steps and of items', () => {
    const { launches } = compareLaunches([compared('a', '1.00', 600), compared('b', '2.00', 300)]);

    expect(launches[0]).toMatchObject({
      total: '1.00',
      components: { instance_cost: '1.00' },
      elapsedSeconds: 602,
      runningSeconds: 600,
      items: 4,
      perItem: '0.250000',
      steps: [{ step: 'align', seconds: 600, items: 4, cost: '0.800000', perItem: '0.200000' }],
    });
  });

  it('tells the fastest, the cheapest and who is beaten in both', () => {
    const all = [compared('cheap', '1.00', 600), compared('fast', '2.00', 300), compared('worse', '2.50', 700)];
    const failed = compared('failed', '0.10', 1, { status: 'FAILED' });

    const { verdict, notes } = compareLaunches([...all, failed]);

    expect(verdict).toEqual({ fastest: 'fast', cheapest: 'cheap', paretoOptimal: ['cheap', 'fast'] });
    expect(notes).toEqual(['failed is FAILED: it is not in the verdict']);
  });

  it('keeps both of two that are equal', () => {
    const { verdict } = compareLaunches([compared('a', '1.00', 600), compared('b', '1.00', 600)]);
    expect(verdict.paretoOptimal).toEqual(['a', 'b']);
  });

  it('does not call a launch cheap in another currency, nor one that ran less', () => {
    const other = compared('b', '0.10', 600, { currency: 'EUR', cost_status: 'PENDING' });
    const cached = step({ items: { total: 4, running: 0, succeeded: 4, failed: 0, cached: 3 } });

    const { verdict, notes } = compareLaunches([compared('a', '1.00', 300), { ...other, steps: [cached] }]);

    expect(verdict).toEqual({ fastest: 'a', paretoOptimal: [] });
    expect(notes).toEqual([
      'currencies differ: USD, EUR',
      'b ran less: 3 results were there before, and cost it nothing; --no-cache runs everything',
      'the cost of b is not final yet',
    ]);
  });
});

describe('figures of jobs', () => {
  it('are means of numbers and sums of distributions, of the last commit of each item', () => {
    const commit = (item: string, committedAt: string, metrics: object) =>
      ({ step: 'md', item, committedAt, metrics }) as Parameters<typeof summariseMetrics>[0][number];

    expect(
      summariseMetrics([
        commit('1', '2026-11-26T08:00:00Z', { 'ns/day': 99 }),
        commit('1', '2026-11-26T09:00:00Z', { 'ns/day': 10, threads: { '0': 3, '1': 1 } }),
        commit('2', '2026-11-26T08:00:00Z', { 'ns/day': 20, threads: { '1': 2 } }),
        { step: 'md', item: '3', committedAt: '2026-11-26T08:00:00Z' },
      ]),
    ).toEqual([
      { step: 'md', name: 'ns/day', items: 2, mean: 15, min: 10, max: 20 },
      { step: 'md', name: 'threads', items: 2, sums: { '0': 3, '1': 3 } },
    ]);
  });
});

describe('the plot', () => {
  const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '' });

  it('is well-formed SVG that says what it shows, with a point for each launch', () => {
    const svg = comparisonSvg(compareLaunches([compared('a', '1.00', 600), compared('b', '2.00', 300)]));

    expect(XMLValidator.validate(svg)).toBe(true);
    const { svg: root } = parser.parse(svg) as { svg: Record<string, unknown> };
    expect(root).toMatchObject({
      role: 'img',
      'aria-labelledby': 'title description',
      xmlns: 'http://www.w3.org/2000/svg',
    });
    expect(JSON.stringify(root.desc)).toContain('a (batch): 10 minutes, 1 USD; b (batch): 5 minutes, 2 USD');
    expect(root.circle).toHaveLength(2);
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(svg).not.toMatch(/<script|\son\w+=|NaN|Infinity/);
  });

  it('takes no text for markup', () => {
    const service = { compute_service: '<script>alert("&")</script>\u0000' } as Partial<LaunchItem>;
    const svg = comparisonSvg(compareLaunches([compared('a', '1.00', 600, service), compared('b', '1.00', 600)]));

    expect(XMLValidator.validate(svg)).toBe(true);
    expect(svg).not.toMatch(/<script|\u0000/);
    expect(svg).toContain('&lt;script&gt;alert(&quot;&amp;&quot;)');
  });

  it('of launches that took and cost nothing has no odd figures', () => {
    const svg = comparisonSvg(compareLaunches([compared('a', '0.00', 0), compared('b', '0.00', 0)]));
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  it('keeps labels of points at one place apart', () => {
    const svg = comparisonSvg(compareLaunches(['a', 'b', 'c'].map((id) => compared(id, '1.00', 600))));
    const places = [...svg.matchAll(/<circle[^>]*\/><text x="[^"]+" y="([^"]+)"/g)].map(([, y]) => Number(y));

    expect(places).toHaveLength(3);
    expect(Math.min(...places.map((y, nth) => (nth === 0 ? 16 : y - (places[nth - 1] ?? 0))))).toBeGreaterThanOrEqual(
      16,
    );
  });

  it('has the label of a point at the edge on its other side', () => {
    const long = 'a-launch-of-a-rather-long-name';
    const svg = comparisonSvg(compareLaunches([compared(long, '1.00', 1000), compared('b', '2.00', 10)]));

    expect(svg).toMatch(new RegExp(`<text x="[\\d.]+" y="[\\d.]+" text-anchor="end">${long}`));
    expect(svg).toMatch(/<text x="[\d.]+" y="[\d.]+">b \(batch\)/);
  });

  it('has no axis for two currencies', () => {
    const all = compareLaunches([compared('a', '1.00', 1), compared('b', '1.00', 1, { currency: 'EUR' })]);
    expect(() => comparisonSvg(all)).toThrow('no plot: the costs are in USD and EUR');
  });
});
