/** The arithmetic of pacing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allowanceOf,
  type Cut,
  cutFor,
  leaseSize,
  localAllowanceOf,
  rateAt,
  reserveOf,
  restOfSlice,
  restWhenReserveIs,
  sliceAt,
} from '../../lib/pacing/bucket.ts';
import { DEFAULT_SHARE, pacedQuota, QUOTAS } from '../../lib/pacing/quotas.ts';

const ceilings = fc.double({ min: 1, max: 1000, noNaN: true });

describe('the rate', () => {
  it('is the ceiling when nothing was throttled', () => {
    expect(rateAt(undefined, 17, 40)).toBe(40);
  });

  it('stays between 5 % of the ceiling and the ceiling, whatever is throttled when', () => {
    fc.assert(
      fc.property(ceilings, fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 50 }), (ceiling, gaps) => {
        let cut: Cut | undefined;
        let slice = 1000;
        for (const gap of gaps) {
          slice += gap;
          cut = cutFor(cut, slice, ceiling) ?? cut;
          const rate = rateAt(cut, slice, ceiling);
          expect(rate).toBeLessThanOrEqual(ceiling);
          expect(rate).toBeGreaterThanOrEqual(ceiling * 0.05);
        }
      }),
    );
  });

  it('falls by 30 % at a throttled call, once for a slice', () => {
    const cut = cutFor(undefined, 100, 40);

    expect(cut).toEqual({ rate: 28, slice: 100 });
    expect(cutFor(cut, 100, 40)).toBeUndefined();
    expect(cutFor(cut, 99, 40)).toBeUndefined();
    expect(cutFor(cut, 101, 40)?.rate).toBeCloseTo((28 + 0.8) * 0.7);
  });

  it('comes back by 2 % of the ceiling a second, and no further than the ceiling', () => {
    const cut = cutFor(undefined, 100, 40);

    expect(rateAt(cut, 105, 40)).toBeCloseTo(32);
    expect(rateAt(cut, 114, 40)).toBeLessThan(40);
    expect(rateAt(cut, 115, 40)).toBeCloseTo(40);
    expect(rateAt(cut, 1_000_000, 40)).toBe(40);
  });

  it('never rises before its cut, for a clock that lags behind', () => {
    expect(rateAt({ rate: 28, slice: 100 }, 90, 40)).toBe(28);
  });

  it('gives at least one token a slice', () => {
    expect(allowanceOf(0.2)).toBe(1);
    expect(localAllowanceOf(4)).toBe(1);
    expect(localAllowanceOf(40)).toBe(10);
  });
});

describe('a lease', () => {
  const demand = fc.record({
    waiting: fc.integer({ min: 0, max: 5000 }),
    used: fc.integer({ min: 0, max: 1000 }),
    before: fc.integer({ min: 0, max: 1000 }),
    rest: fc.double({ min: 0.001, max: 1, noNaN: true }),
    allowance: fc.integer({ min: 1, max: 1000 }),
  });

  it('is at least one token and at most a quarter of the slice', () => {
    fc.assert(
      fc.property(demand, (some) => {
        const size = leaseSize(some);
        expect(Number.isInteger(size)).toBe(true);
        expect(size).toBeGreaterThanOrEqual(1);
        expect(size).toBeLessThanOrEqual(Math.ceil(some.allowance / 4));
      }),
    );
  });

  it('is never smaller for more that wait', () => {
    fc.assert(
      fc.property(demand, fc.nat(100), (some, more) => {
        expect(leaseSize({ ...some, waiting: some.waiting + more })).toBeGreaterThanOrEqual(leaseSize(some));
      }),
    );
  });

  it.each([
    ['one call out of the blue', { waiting: 1, used: 0, before: 0, rest: 0.6 }, 1],
    ['many calls at once', { waiting: 7, used: 0, before: 0, rest: 0.9 }, 7],
    ['more calls than its part of the slice', { waiting: 90, used: 0, before: 0, rest: 0.9 }, 10],
    ['a chain that used 8 tokens in the last slice', { waiting: 1, used: 0, before: 8, rest: 1 }, 8],
    ['the same chain near the end of a slice', { waiting: 1, used: 0, before: 8, rest: 0.25 }, 2],
    ['a chain that has used 4 in half a slice', { waiting: 1, used: 4, before: 0, rest: 0.5 }, 4],
    ['a chain that has used 6 when a tenth is left', { waiting: 1, used: 6, before: 0, rest: 0.1 }, 1],
  ])('for %s', (_, some, tokens) => {
    expect(leaseSize({ ...some, allowance: 40 })).toBe(tokens);
  });
});

describe('the reserve of a slice', () => {
  it.each([
    [1, 30],
    [0.75, 20],
    [0.25, 0],
    [0.01, 0],
  ])('when %d of it is left: %i of 40 tokens', (rest, tokens) => {
    expect(reserveOf(40, rest)).toBe(tokens);
  });

  it('never holds back the only token, nor a whole lease at the start', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), (allowance) => {
        expect(allowance - reserveOf(allowance, 1)).toBe(Math.ceil(allowance / 4));
      }),
    );
  });

  it('is down to a number when it was said to be', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.nat(1000), (allowance, some) => {
        const reserve = Math.min(some, allowance);
        expect(reserveOf(allowance, restWhenReserveIs(reserve, allowance) - 1e-9)).toBeLessThanOrEqual(reserve);
      }),
    );
  });
});

describe('slices', () => {
  it('are seconds', () => {
    expect(sliceAt(1_800_000_000_999)).toBe(1_800_000_000);
    expect(restOfSlice(1_800_000_000_000)).toBe(1);
    expect(restOfSlice(1_800_000_000_750)).toBe(0.25);
  });
});

describe('the quotas', () => {
  const of = (api: string, region: string) => {
    const quota = QUOTAS.find((one) => one.api === api);
    return quota && pacedQuota(quota, '123456789012', region);
  };

  it.each([
    ['SubmitJob', 'us-east-1', 50],
    ['GetLogEvents', 'us-east-1', 25],
    ['GetLogEvents', 'eu-central-1', 10],
    ['FilterLogEvents', 'us-east-1', 25],
    ['FilterLogEvents', 'eu-central-1', 5],
    ['FilterLogEvents', 'eu-west-1', 10],
  ])('of %s in %s: 80 %% of %i', (api, region, published) => {
    expect(of(api, region)?.ceiling).toBe(published * DEFAULT_SHARE);
  });

  it('of RestoreObject: 95 % of 1,000', () => {
    expect(of('RestoreObject', 'us-east-1')?.ceiling).toBe(950);
  });

  it('are apart by account, Region and API', () => {
    expect(of('SubmitJob', 'us-east-1')?.key).toBe('123456789012/us-east-1/batch:SubmitJob');
    expect(of('GetLogEvents', 'eu-west-1')?.key).toBe('123456789012/eu-west-1/logs:GetLogEvents');
  });
});
