/** Tiers, deadlines and money: never an illegal tier, never above the limit unasked, and the cheapest that is in time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatUsd } from '../../workflows/restore/details.ts';
import { ARCHIVES, type Archive, TIERS, type Totals, type Wishes } from '../../workflows/restore/model.ts';
import {
  formatDuration,
  nearestTier,
  parseDuration,
  planRestore,
  quoteRestore,
  REQUESTS_PER_SECOND,
  retrievalSeconds,
  tiersOf,
} from '../../workflows/restore/plan.ts';
import type { RestorePrices } from '../../workflows/restore/prices.ts';
import { PRICES } from '../support/restore-prices.ts';

const GB = 2 ** 30;
const HOUR = 3600;
const none = { objects: 0, bytes: 0 };
const totalsOf = (archive: Archive, objects: number, bytes: number): Totals => ({
  [archive]: { archived: { objects, bytes }, restoring: none, readable: none },
});

const amount = fc.record({ objects: fc.nat(20_000_000), bytes: fc.nat({ max: 2 ** 52 }) });
const anyTotals: fc.Arbitrary<Totals> = fc.dictionary(
  fc.constantFrom(...ARCHIVES),
  fc.record({ archived: amount, restoring: amount, readable: amount }),
);
const anyPrices: fc.Arbitrary<RestorePrices> = fc
  .record({
    perRequest: fc.array(fc.double({ min: 0, max: 0.02, noNaN: true }), { minLength: 12, maxLength: 12 }),
    perGb: fc.array(fc.double({ min: 0, max: 0.1, noNaN: true }), { minLength: 12, maxLength: 12 }),
    copyPerGbMonth: fc.double({ min: 0, max: 0.1, noNaN: true }),
  })
  .map(({ perRequest, perGb, copyPerGbMonth }) => ({
    region: 'us-east-1',
    pricesAt: PRICES.pricesAt,
    copyPerGbMonth,
    retrieval: Object.fromEntries(
      ARCHIVES.map((archive, row) => [
        archive,
        Object.fromEntries(
          tiersOf(archive).map((tier, column) => {
            const at = row * 3 + column;
            return [tier, { perRequest: perRequest[at] ?? 0, perGb: perGb[at] ?? 0 }];
          }),
        ),
      ]),
    ) as RestorePrices['retrieval'],
  }));
const anyWishes: fc.Arbitrary<Wishes> = fc.record(
  {
    tier: fc.constantFrom(...TIERS),
    deadlineSeconds: fc.integer({ min: 1, max: 80 * HOUR }),
    days: fc.integer({ min: 1, max: 400 }),
    limitUsd: fc.double({ min: 0, max: 1e6, noNaN: true }),
  },
  { requiredKeys: [] },
);

/** All plans there are, by trying: one legal tier for each archive. */
function allPlans(totals: Totals, prices: RestorePrices, wishes: Wishes) {
  const { archives } = quoteRestore(totals, prices, wishes);
  const requesting = Math.ceil(archives.reduce((sum, { objects }) => sum + objects, 0) / REQUESTS_PER_SECOND);
  let plans: { usd: number; seconds: number }[] = [{ usd: 0, seconds: 0 }];
  for (const { archive, tiers } of archives) {
    const open = tiers.filter(({ tier }) => wishes.tier === undefined || tier === nearestTier(archive, wishes.tier));
    plans = plans.flatMap((plan) =>
      open.map(({ cost, seconds }) => ({
        usd: plan.usd + (cost?.total ?? 0),
        seconds: Math.max(plan.seconds, requesting + seconds),
      })),
    );
  }
  return plans.filter(({ seconds }) => wishes.deadlineSeconds === undefined || seconds <= wishes.deadlineSeconds);
}

describe('the planner', () => {
  it('chooses of all plans in time the cheapest, and none where there is none', () => {
    fc.assert(
      fc.property(anyTotals, anyPrices, anyWishes, (totals, prices, wishes) => {
        const planned = planRestore(quoteRestore(totals, prices, wishes), wishes);
        const plans = allPlans(totals, prices, wishes);
        if ('problem' in planned) {
          expect(plans).toEqual([]);
          return;
        }
        const cheapest = Math.min(...plans.map(({ usd }) => usd));
        expect(planned.plan.usd ?? Number.NaN).toBeCloseTo(cheapest, 6);
        if (wishes.deadlineSeconds !== undefined)
          expect(planned.plan.seconds).toBeLessThanOrEqual(wishes.deadlineSeconds);
      }),
    );
  });

  it('never takes a tier an archive does not have, nor a faster one than was asked for where it has that', () => {
    fc.assert(
      fc.property(anyTotals, anyPrices, anyWishes, (totals, prices, wishes) => {
        const planned = planRestore(quoteRestore(totals, prices, wishes), wishes);
        if ('problem' in planned) return;
        for (const [archive, tier] of Object.entries(planned.plan.tiers) as [Archive, (typeof TIERS)[number]][]) {
          expect(tiersOf(archive)).toContain(tier);
          if (wishes.tier) expect(TIERS.indexOf(tier)).toBeGreaterThanOrEqual(TIERS.indexOf(wishes.tier));
        }
        expect(planned.plan.tiers.DEEP_ARCHIVE).not.toBe('Expedited');
        expect(planned.plan.tiers.DEEP_ARCHIVE_ACCESS).not.toBe('Expedited');
      }),
    );
  });

  it('never spends more than the limit without asking, and asks for nothing it need not', () => {
    fc.assert(
      fc.property(anyTotals, anyPrices, anyWishes, (totals, prices, wishes) => {
        const planned = planRestore(quoteRestore(totals, prices, wishes), wishes);
        if ('problem' in planned) return;
        const { usd = Number.POSITIVE_INFINITY } = planned.plan;
        expect(planned.needsApproval).toBe(wishes.limitUsd !== undefined && usd > wishes.limitUsd);
      }),
    );
  });

  it('without prices takes the slowest, names no price, and takes no limit as kept', () => {
    const quote = quoteRestore(totalsOf('GLACIER', 10, GB), { unknown: 'no permission' }, {});
    expect(quote).toMatchObject({ unpriced: 'no permission' });
    expect(planRestore(quote, {})).toMatchObject({ plan: { tiers: { GLACIER: 'Bulk' } }, needsApproval: false });
    const limited = planRestore(quote, { limitUsd: 1_000_000 });
    expect(limited).toMatchObject({ needsApproval: true });
    expect('plan' in limited && limited.plan.usd).toBeUndefined();
    expect(planRestore(quote, { deadlineSeconds: HOUR })).toMatchObject({ plan: { tiers: { GLACIER: 'Expedited' } } });
  });

  it('all Flexible goes by Bulk, whose requests and bytes are free; only the copies cost', () => {
    const wishes = { days: 6 };
    const quote = quoteRestore(totalsOf('GLACIER', 1000, 1024 * GB), PRICES, wishes);
    const [bulk] = quote.archives[0]?.tiers ?? [];
    expect(bulk).toMatchObject({ tier: 'Bulk', cost: { requests: 0, bytes: 0 } });
    // A week at most: 1,024 GB at 0.023 a month of 730 hours.
    expect(bulk?.cost?.copies).toBeCloseTo((1024 * 0.023 * 7 * 24) / 730, 6);
  });

  it('mixed archives get a tier each: what the deadline leaves, no faster', () => {
    const totals = {
      ...totalsOf('GLACIER', 1, GB),
      ...totalsOf('DEEP_ARCHIVE', 1, GB),
      ...totalsOf('ARCHIVE_ACCESS', 1, GB),
    };
    const planned = planRestore(quoteRestore(totals, PRICES, {}), { deadlineSeconds: 13 * HOUR });
    expect(planned).toMatchObject({
      plan: { tiers: { GLACIER: 'Bulk', DEEP_ARCHIVE: 'Standard', ARCHIVE_ACCESS: 'Standard' } },
    });
  });

  it('a deadline counts the time the requests take', () => {
    const objects = REQUESTS_PER_SECOND * HOUR;
    const quote = quoteRestore(totalsOf('GLACIER', objects, objects), PRICES, {});
    expect(planRestore(quote, { deadlineSeconds: 12.5 * HOUR })).toMatchObject({
      plan: { tiers: { GLACIER: 'Standard' } },
    });
    expect(planRestore(quote, { deadlineSeconds: 13 * HOUR })).toMatchObject({ plan: { tiers: { GLACIER: 'Bulk' } } });
  });

  it('says what cannot be in time, with what is fastest', () => {
    const quote = quoteRestore(totalsOf('DEEP_ARCHIVE', 1, 1), PRICES, {});
    const planned = planRestore(quote, { deadlineSeconds: 90 * 60 });
    expect(planned).toEqual({
      problem: 'the fastest of DEEP_ARCHIVE, Standard, takes up to 12 h, and the deadline is 1 h 30 min',
    });
    expect(planRestore(quote, { tier: 'Bulk', deadlineSeconds: 13 * HOUR })).toEqual({
      problem: 'Bulk on DEEP_ARCHIVE takes up to 48 h, and the deadline is 13 h',
    });
  });

  it('has nothing to do for what is restored, or being restored, already', () => {
    const restoring = { objects: 5, bytes: 5 };
    const totals: Totals = { GLACIER: { archived: none, restoring, readable: restoring } };
    expect(planRestore(quoteRestore(totals, PRICES, { limitUsd: 0 }), { limitUsd: 0 })).toMatchObject({
      plan: { objects: 0, usd: 0, seconds: 0, tiers: {} },
      needsApproval: false,
    });
  });
});

describe('tiers', () => {
  it('a faster tier is never slower', () => {
    for (const archive of ARCHIVES) {
      const times = tiersOf(archive).map((tier) => retrievalSeconds(archive, tier));
      expect(times.map(({ most }) => most)).toEqual(times.map(({ most }) => most).toSorted((a, b) => a - b));
      for (const { least, most } of times) expect(least).toBeLessThan(most);
    }
  });

  it('knows no Expedited for what has none', () => {
    expect(() => retrievalSeconds('DEEP_ARCHIVE', 'Expedited')).toThrow('DEEP_ARCHIVE has no Expedited');
    expect(nearestTier('DEEP_ARCHIVE', 'Expedited')).toBe('Standard');
    expect(nearestTier('GLACIER', 'Expedited')).toBe('Expedited');
  });
});

describe('words', () => {
  it.each([
    ['90s', 90],
    ['30m', 1800],
    ['1.5h', 5400],
    ['12h', 43_200],
    ['2d', 172_800],
    ['5 min', 300],
  ])('%s is a time', (text, seconds) => expect(parseDuration(text)).toBe(seconds));
  it.each(['', '12', 'h', '-1h', '0h', '1e9h', '12 hours', '٣h'])('%s is none', (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );
  it('reads back what it writes', () => {
    expect([40, 300, 5400, 43_200].map(formatDuration)).toEqual(['40 s', '5 min', '1 h 30 min', '12 h']);
  });
  it('rounds money up, so that what costs never reads as nothing', () => {
    expect([0, 0.000_011, 0.5, 1.001, 23.1].map(formatUsd)).toEqual([
      '$0.0000',
      '$0.0001',
      '$0.5000',
      '$1.01',
      '$23.10',
    ]);
    expect(formatUsd(undefined)).toBe('an unknown price');
  });
  it('counts bytes as S3 does', () => {
    expect([0, 1023, 1024, 1.5 * GB].map(formatBytes)).toEqual(['0 B', '1023 B', '1.0 KiB', '1.5 GiB']);
  });
});
