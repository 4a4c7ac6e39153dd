/** An estimate of a sheet: what history and prices are asked, and ways to buy the capacity side by side. */
import type { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { drawEstimate } from '../../clients/cli/cost-estimate.ts';
import { type EstimateDependencies, estimateLaunch } from '../../clients/cost/estimate.ts';
import { workOf } from '../../lib/cost/history.ts';
import type { HistoryItem, LineItem } from '../../lib/store/ledger.ts';
import type { Price, PriceKey } from '../../workflows/cost/model.ts';
import { item } from '../support/cost-history.ts';
import { planOf, sheetOf } from '../support/sheets.ts';

const NOW = Date.UTC(2026, 10, 26, 12);
const IMAGE = 'quay.io/lab/tool:1';
const MIB = 2 ** 20;
const PER_HOUR: Readonly<Record<string, string>> = {
  'm5.xlarge': '0.192',
  'm6i.xlarge': '0.192',
  'c6i.xlarge': '0.17',
  'r6i.xlarge': '0.252',
};
const hostsOf = (family: string, gib: number) => [
  { type: `${family}.large`, vcpus: 2, memoryMiB: gib * 1024 },
  { type: `${family}.xlarge`, vcpus: 4, memoryMiB: gib * 2048 },
];
const HOSTS = [...hostsOf('m5', 8), ...hostsOf('m6i', 8), ...hostsOf('c6i', 4), ...hostsOf('r6i', 16)];

const plan = planOf(
  sheetOf({
    align: {
      image: IMAGE,
      command: 'true',
      inputs: { reads: 'reads.fq' },
      outputs: { bam: 'o' },
      resources: { vcpus: 2, memoryMiB: 3_000 },
    },
    call: { image: IMAGE, command: 'true', inputs: { bam: { from: 'align.bam' } } },
  }),
);

const past = (step: string, seconds: number, given: Partial<HistoryItem> = {}): HistoryItem[] =>
  Array.from({ length: 5 }, (_, nth) =>
    item(nth, [[100 * MIB, seconds * (1 + nth / 100)]], { work: workOf('steps', step, IMAGE), step, ...given }),
  );

function world(history: readonly HistoryItem[], lines: readonly Partial<LineItem>[] = []) {
  const asked: PriceKey[] = [];
  const price = (key: PriceKey): Price => {
    const perUnit = 'type' in key ? PER_HOUR[key.type] : undefined;
    if (perUnit === undefined) return { unpriced: { reason: `no price of ${JSON.stringify(key)}`, remedy: 'set one' } };
    if (key.kind === 'spot' && !key.zone.endsWith('a')) return { unpriced: { reason: 'no such zone', remedy: 'none' } };
    const span = { unit: 'Hrs', currency: 'USD', pricesAt: '2026-11-01T00:00:00Z', source: 'price-list' as const };
    return {
      spans: [{ from: NOW, to: NOW, ...span, perUnit: key.kind === 'spot' ? String(Number(perUnit) / 2) : perUnit }],
    };
  };
  const deps: EstimateDependencies = {
    s3: { send: async () => ({ ETag: '"e"', ContentLength: 100 * MIB }) } as unknown as S3Client,
    ledger: {
      history: async (work) => history.filter((one) => one.work === work),
      lines: async () => lines as LineItem[],
    },
    prices: {
      price: async (key) => {
        asked.push(key);
        return price(key);
      },
    },
    instanceTypes: { describe: async (names) => HOSTS.filter(({ type }) => names.includes(type.split('.')[0] ?? '')) },
    region: async () => 'us-east-1',
    now: () => NOW,
  };
  return { deps, asked };
}

const both = [...past('align', 1_000), ...past('call', 100)];

describe('ways to buy it', () => {
  it('has on demand beside spot, and other families, the cheapest first', async () => {
    const { offers } = await estimateLaunch(world(both).deps, { plan });

    expect(offers.map(({ family, market }) => `${family} ${market}`).slice(0, 3)).toEqual([
      'm5 spot',
      'm6i spot',
      'r6i spot',
    ]);
    expect(offers).toHaveLength(8);
    const costs = offers.map(({ money }) => money?.expected ?? Number.NaN);
    expect(costs).toEqual(costs.toSorted((a, b) => a - b));
    expect(offers.filter(({ known }) => known).map(({ family }) => family)).toEqual(['m5', 'm5']);
  });

  it('takes the share of the host that the job reserves, helpers included', async () => {
    const { offers } = await estimateLaunch(world(past('align', 1_000)).deps, {
      plan,
      market: 'on-demand',
      families: ['m5'],
    });
    const [offer] = offers;
    const step = offer?.steps[0];

    expect(step).toMatchObject({ step: 'align', type: 'm5.xlarge' });
    const share = (step?.money.expected ?? 0) / ((step?.seconds.expected ?? 1) / 3_600) / 0.192;
    expect(share).toBeGreaterThan((9 * 2 + 3_000 / 1024) / (9 * 4 + 16));
    expect(share).toBeLessThan(1);
  });

  it('asks only for what is wanted', async () => {
    const { deps, asked } = world(both);
    const { offers } = await estimateLaunch(deps, { plan, market: 'on-demand', families: ['m6i'] });

    expect(offers.map(({ family, market }) => `${family} ${market}`)).toEqual(['m6i on-demand']);
    expect(new Set(asked.map(({ kind }) => kind))).toEqual(new Set(['instance']));
  });

  it('names what has no price, and puts it last', async () => {
    const { offers } = await estimateLaunch(world(both).deps, { plan, market: 'on-demand', families: ['x9', 'm6i'] });

    expect(offers.map(({ family }) => family)).toEqual(['m6i', 'x9']);
    expect(offers[1]).not.toHaveProperty('money');
    expect(offers[1]?.unpriced[0]?.reason).toBe('no instance type of x9 in us-east-1 holds a job of align');
  });

  it('adds what attempts that failed took, of the same market', async () => {
    const cost = async (failed: number) => {
      const { offers } = await estimateLaunch(world(past('align', 1_000, { failed, market: 'spot' })).deps, {
        plan,
        families: ['m5'],
      });
      return new Map(offers.map(({ market, money }) => [market, money?.expected ?? Number.NaN]));
    };
    const [none, some] = [await cost(0), await cost(1)];

    expect(some.get('on-demand')).toBe(none.get('on-demand'));
    expect((some.get('spot') ?? 0) / (none.get('spot') ?? 1)).toBeGreaterThan(1.2);
  });

  it('adds what launches cost beside their jobs, by their ledgers', async () => {
    const line = { component: 'instance', currency: 'USD' } as const;
    const lines = [
      { ...line, purpose: 'use', outcome: 'done', amount: '1.00' },
      { ...line, purpose: 'use', outcome: 'failed', amount: '7.00' },
      { ...line, purpose: 'idle', amount: '0.30' },
      { ...line, purpose: 'use', outcome: 'done', component: 'volume', amount: '0.30' },
    ] as const;
    const { overhead } = await estimateLaunch(world(both, lines).deps, { plan });

    // Five ledgers of 1.6, and one prior of 1.
    expect(overhead.factor).toBeCloseTo(1.5, 10);
    expect(overhead.launches).toBe(5);
  });
});

describe('what is asked of history', () => {
  it('knows sizes of inputs that are there, and none of those that steps make', async () => {
    const small = Array.from({ length: 6 }, (_, nth) =>
      item(nth, [[10 * MIB * (nth + 1), 100 * (nth + 1)]], { work: workOf('steps', 'align', IMAGE), step: 'align' }),
    );
    const { estimate } = await estimateLaunch(world(small).deps, { plan });

    // 100 MiB is more than any launch has had.
    expect(estimate.steps[0]?.seconds?.expected).toBeGreaterThan(400);
    expect(estimate.steps[1]?.missing).toMatch(/^not enough history: no launch has run it/);
    expect(estimate.incomplete).toBe(true);
  });

  it('leaves out what is cached', async () => {
    const { estimate, offers } = await estimateLaunch(world(both).deps, { plan, cached: { align: 1 } });

    expect(estimate.steps[0]).toMatchObject({ items: 0, cached: 1, seconds: { expected: 0 } });
    // It asks for half the vCPUs it had.
    expect(estimate.seconds.expected).toBeCloseTo(102 * Math.SQRT2, 0);
    expect(offers[0]?.steps.map(({ step }) => step)).toEqual(['call']);
  });

  it('prices launches on premises by their own rates', async () => {
    const { deps } = world(past('align', 100, { resource_type: 'hall-2', market: 'on-premises' }));
    const { offers } = await estimateLaunch(deps, { plan, families: ['hall-2'] });

    expect(offers).toMatchObject([{ family: 'hall-2', market: 'on-premises', known: true }]);
    expect(offers[0]?.unpriced[0]?.reason).toContain('hall-2');
  });
});

describe('the picture', () => {
  it('has steps, total, offers, and the launches it was learnt from', async () => {
    const text = drawEstimate(await estimateLaunch(world(both).deps, { plan }), 'cohort.yaml').join('\n');

    expect(text).toContain('cohort.yaml on m5, on-demand: work and USD');
    expect(text).toMatch(/^align +1 +17 min/m);
    expect(text).toMatch(/^total .* 0\.\d+/m);
    expect(text).toMatch(/^r6i +on-demand .*no launch has run on it$/m);
    expect(text).toContain('Learnt from 5 launches: run-4, run-3, run-2, run-1, run-0');
  });

  it('says of a step why it is not known', async () => {
    const text = drawEstimate(await estimateLaunch(world([]).deps, { plan }), 'cohort.yaml').join('\n');

    expect(text).toMatch(/^align +1 +not known$/m);
    expect(text).toContain('  call: not enough history: no launch has run it; 3 are needed');
    expect(text).toContain('Learnt from no launch');
  });
});
