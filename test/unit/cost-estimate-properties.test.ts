/** What must hold of estimates whatever history says. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { learn } from '../../lib/cost/estimate/estimate.ts';
import type { Band } from '../../lib/cost/estimate/model.ts';
import type { HistoryItem } from '../../lib/store/ledger.ts';
import { item, question } from '../support/cost-history.ts';

const bytes = fc.oneof(fc.constantFrom(-1, 0, 1, 2 ** 62, Number.MAX_VALUE), fc.integer({ min: 0, max: 2 ** 40 }));
const odd = fc.constantFrom(0, 0.01, -5, Number.NaN, Number.POSITIVE_INFINITY, 1e12);
const seconds = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: 0.01, max: 1e6, noNaN: true }) },
  { weight: 1, arbitrary: odd },
);
const samples = fc.array(fc.tuple(bytes, seconds), { maxLength: 20 });
const resource = fc.constantFrom('m5.xlarge', 'm5.2xlarge', 'c6i.large', 'fargate', 'cluster-a', 'unknown');
const market = fc.constantFrom('on-demand', 'spot', 'on-premises');
const past: fc.Arbitrary<HistoryItem[]> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 12 }), samples, resource, market, fc.constantFrom(0, 1, 2, 64)), {
    maxLength: 16,
  })
  .map((all) =>
    all.map(([nth, some, type, how, vcpus]) => item(nth, some, { resource_type: type, market: how, vcpus })),
  );
const items = fc.integer({ min: 0, max: 5_000 });

const ordered = ({ expected, p10, p90 }: Band) => {
  expect(Number.isFinite(p90)).toBe(true);
  expect(p10).toBeGreaterThanOrEqual(0);
  expect(p10).toBeLessThanOrEqual(expected);
  expect(expected).toBeLessThanOrEqual(p90);
};

it('every figure is a number, and every band in order, whatever was sampled', () => {
  fc.assert(
    fc.property(
      past,
      items,
      fc.array(bytes, { maxLength: 8 }),
      fc.option(resource, { nil: undefined }),
      (all, count, inputBytes, family) => {
        const estimate = learn([question({ items: count, inputBytes })], all).estimate(family);
        ordered(estimate.seconds);
        for (const { seconds: band } of estimate.steps) if (band) ordered(band);
        expect(Number.isFinite(estimate.wallSeconds.expected)).toBe(true);
        expect(estimate.wallSeconds.p10).toBeLessThanOrEqual(estimate.wallSeconds.p90);
      },
    ),
    { numRuns: 150 },
  );
});

it('the same for the same history, in whatever order it comes', () => {
  fc.assert(
    fc.property(
      past.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      items,
      ([all, other], count) => {
        // Of two items for one launch and instance type the store has only one.
        const unique = [...new Map(all.map((one) => [`${one.launch_id} ${one.line}`, one])).values()];
        const shuffled = other.filter((one) => unique.includes(one));
        const asked = [question({ items: count })];
        expect(learn(asked, shuffled).estimate()).toEqual(learn(asked, unique).estimate());
      },
    ),
    { numRuns: 100 },
  );
});

it('more items take longer, at each end of the band too', () => {
  fc.assert(
    fc.property(past, items, fc.integer({ min: 1, max: 1_000 }), (all, count, more) => {
      const of = (many: number) => learn([question({ items: many })], all).estimate();
      const [few, many] = [of(count), of(count + more)];
      for (const which of ['expected', 'p10', 'p90'] as const) {
        expect(many.seconds[which]).toBeGreaterThanOrEqual(few.seconds[which] * (1 - 1e-9));
        expect(many.wallSeconds[which]).toBeGreaterThanOrEqual(few.wallSeconds[which] * (1 - 1e-9));
      }
    }),
    { numRuns: 100 },
  );
});

it('larger inputs never take less', () => {
  const known = fc.integer({ min: 0, max: 2 ** 40 });
  fc.assert(
    fc.property(past, fc.array(known, { minLength: 1, maxLength: 12 }), fc.nat(), known, (all, sizes, place, more) => {
      const larger = sizes.map((size, index) => (index === place % sizes.length ? size + more : size));
      const of = (inputBytes: number[]) =>
        learn([question({ items: inputBytes.length, inputBytes })], all).estimate().seconds.expected;
      expect(of(larger)).toBeGreaterThanOrEqual(of(sizes) * (1 - 1e-9));
    }),
    { numRuns: 150 },
  );
});

it('what was bought on spot capacity took no other time than on demand', () => {
  fc.assert(
    fc.property(past, (all) => {
      const spot = all.map((one) => ({ ...one, market: 'spot' }));
      expect(learn([question()], spot).estimate()).toEqual(learn([question()], all).estimate());
    }),
    { numRuns: 50 },
  );
});

it('a step that is twice there, as two, takes twice as long', () => {
  fc.assert(
    fc.property(past, fc.integer({ min: 1, max: 100 }), (all, count) => {
      const one = learn([question({ items: count })], all).estimate();
      const two = learn(
        [question({ items: count }), question({ items: count, step: 'again', after: ['align'] })],
        all,
      ).estimate();
      const [a, b] = two.steps;
      expect(two.seconds.expected).toBeCloseTo((a?.seconds?.expected ?? 0) + (b?.seconds?.expected ?? 0), 3);
      expect(two.incomplete).toBe(one.incomplete);
    }),
    { numRuns: 50 },
  );
});
