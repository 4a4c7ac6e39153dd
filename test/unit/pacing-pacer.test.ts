/** Pacers that share a table, over any arrivals: never more calls than tokens, first come first served, nobody lost. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mulberry32 } from '../../infra/local/kit/faults.ts';
import { sliceAt } from '../../lib/pacing/bucket.ts';
import { type Pacer, pacerOver } from '../../lib/pacing/pacer.ts';
import { type MemoryTable, memoryTable, VirtualTime } from '../support/pacing-world.ts';

const KEY = '123456789012/us-east-1/batch:SubmitJob';

interface World {
  time: VirtualTime;
  table: MemoryTable;
  pacers: Pacer[];
  /** Tokens granted by the slice they are of. */
  granted: Map<number, number>;
  warnings: string[];
  /** Takes a token at `ms` from the start, and gives the slice. */
  arrive(ms: number, pacer: number, signal?: AbortSignal): Promise<number>;
}

function openWorld({
  pacers = 1,
  ceiling = 40,
  latency = 8,
  seed = 1,
}): World & { quota: Parameters<Pacer['take']>[0] } {
  const time = new VirtualTime();
  const start = time.now();
  const random = mulberry32(seed);
  const table = memoryTable(time, () => 2 * latency * random());
  const warnings: string[] = [];
  const quota = { key: KEY, ceiling };
  const granted = new Map<number, number>();
  const world = {
    time,
    table,
    quota,
    granted,
    warnings,
    pacers: Array.from({ length: pacers }, () =>
      pacerOver(table, { clock: time, random, warn: (message) => warnings.push(message) }),
    ),
    async arrive(ms: number, pacer: number, signal?: AbortSignal) {
      await new Promise<void>((resolve) => time.at(start + ms, resolve));
      const slice = await (world.pacers[pacer] as Pacer).take(quota, signal);
      // A token is for its own slice.
      expect(sliceAt(time.now())).toBe(slice);
      granted.set(slice, (granted.get(slice) ?? 0) + 1);
      return slice;
    },
  };
  return world;
}

const leasedOf = (table: MemoryTable, slice: number): number => {
  const item = table.slices.get(`${KEY}#${slice}`);
  return item ? item.allowance - item.remaining : 0;
};

/** AWS's side: a bucket that refills at the published rate, and holds what comes in one second. */
class ServiceBucket {
  least: number;
  readonly #perSecond: number;
  #tokens: number;
  #at = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.least = perSecond;
  }

  take(now: number): void {
    this.#tokens = Math.min(this.#perSecond, this.#tokens + ((now - this.#at) / 1000) * this.#perSecond) - 1;
    this.#at = now;
    this.least = Math.min(this.least, this.#tokens);
  }
}

/** Single calls and crowds. */
const arrivals = fc
  .array(fc.record({ ms: fc.nat(4000), pacer: fc.nat(4), calls: fc.constantFrom(1, 1, 1, 5, 40) }), {
    minLength: 1,
    maxLength: 60,
  })
  .map((groups) => groups.flatMap(({ calls, ...call }) => Array.from({ length: calls }, () => call)));

describe('pacers that share a table', () => {
  it('grant no more than the rate in any slice, every call once, and in the order of arrival', async () => {
    await fc.assert(
      fc.asyncProperty(
        arrivals,
        fc.integer({ min: 1, max: 50 }),
        fc.constantFrom(0, 8, 200, 900),
        fc.nat(),
        async (calls, ceiling, latency, seed) => {
          const { time, table, granted, arrive, warnings } = openWorld({ pacers: 5, ceiling, latency, seed });
          const order: number[][] = [[], [], [], [], []];
          const service = new ServiceBucket(ceiling / 0.8);
          const sorted = calls.toSorted((a, b) => a.ms - b.ms);
          const all = Promise.all(
            sorted.map(async ({ ms, pacer }, nth) => {
              await arrive(ms, pacer);
              order[pacer]?.push(nth);
              service.take(time.now());
            }),
          );
          await time.run();
          await all;

          for (const [slice, count] of granted) {
            expect(count).toBeLessThanOrEqual(ceiling);
            expect(count).toBeLessThanOrEqual(leasedOf(table, slice));
          }
          expect(service.least).toBeGreaterThan(-1);
          for (const served of order) expect(served).toEqual(served.toSorted((a, b) => a - b));
          expect(warnings).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keep to what is left after throttling, and come back to the full rate', async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, fc.array(fc.nat(149), { maxLength: 8 }), fc.nat(), async (calls, bad, seed) => {
        const { time, table, granted, arrive, pacers, quota } = openWorld({ pacers: 5, seed });
        const all = Promise.all(
          calls.map(async ({ ms, pacer }, nth) => {
            const slice = await arrive(ms, pacer);
            if (bad.includes(nth)) await pacers[pacer]?.throttled(quota, slice);
          }),
        );
        await time.run();
        await all;

        for (const [slice, count] of granted) expect(count).toBeLessThanOrEqual(leasedOf(table, slice));
        for (const { allowance } of table.slices.values()) {
          expect(allowance).toBeLessThanOrEqual(40);
          expect(allowance).toBeGreaterThanOrEqual(2);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('lose nobody in an outage, and never allow themselves more than a quarter each', async () => {
    await fc.assert(
      fc.asyncProperty(
        arrivals,
        fc.array(fc.record({ from: fc.nat(4000), ms: fc.nat(3000) }), { maxLength: 3 }),
        fc.nat(),
        async (calls, outages, seed) => {
          const { time, table, granted, arrive } = openWorld({ pacers: 5, seed });
          const start = time.now();
          for (const { from, ms } of outages) {
            time.at(start + from, () => (table.broken = true));
            time.at(start + from + ms, () => (table.broken = false));
          }
          const all = Promise.all(calls.map(({ ms, pacer }) => arrive(ms, pacer)));
          await time.run();
          await all;

          for (const [slice, count] of granted) expect(count).toBeLessThanOrEqual(leasedOf(table, slice) + 5 * 10);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('use up what there is while calls wait', async () => {
    const { time, granted, arrive } = openWorld({ pacers: 4 });
    const all = Promise.all(Array.from({ length: 400 }, (_, nth) => arrive(0, nth % 4)));
    await time.run();
    await all;

    const counts = [...granted.values()];
    expect(counts.slice(0, 7)).toEqual(Array.from({ length: 7 }, () => 40));
    // At the end some lease more than is still to come.
    expect(counts.length).toBeLessThanOrEqual(11);
  });

  it('share what there is: each has got its part when half is gone', async () => {
    const { time, arrive } = openWorld({ pacers: 4 });
    const first = sliceAt(time.now());
    const served = Promise.all(Array.from({ length: 800 }, async (_, nth) => [nth % 4, await arrive(0, nth % 4)]));
    await time.run();
    const early = (await served).filter(([, slice = 0]) => slice < first + 10).map(([pacer]) => pacer);

    expect(early).toHaveLength(400);
    for (const pacer of [0, 1, 2, 3]) {
      expect(early.filter((one) => one === pacer).length).toBeGreaterThan(60);
    }
  });
});

describe('throttling', () => {
  it('cuts the next slice for every pacer, once however many calls were throttled', async () => {
    const { time, table, arrive, pacers, quota } = openWorld({ pacers: 4 });
    const start = sliceAt(time.now());
    const all = Promise.all(
      Array.from({ length: 200 }, async (_, nth) => {
        const slice = await arrive(0, nth % 4);
        if (slice === start) await pacers[nth % 4]?.throttled(quota, slice);
      }),
    );
    await time.run();
    await all;

    const rates = [0, 1, 2, 3].map((more) => table.slices.get(`${KEY}#${start + more}`)?.allowance);
    expect(rates).toEqual([40, 28, 29, 30]);
  });
});

describe('a lease', () => {
  it('takes one token for one call', async () => {
    const { time, table, arrive } = openWorld({});
    const slice = arrive(300, 0);
    await time.run();

    expect(leasedOf(table, await slice)).toBe(1);
  });

  it('serves the following calls of a chain without asking the table again', async () => {
    const { time, table, arrive } = openWorld({});
    const chain = async () => {
      for (let nth = 0; nth < 50; nth += 1) await arrive(nth * 100, 0);
    };
    const all = chain();
    await time.run();
    await all;

    // Five slices: four questions in the first, then one or two each.
    expect(table.leases).toBeLessThanOrEqual(13);
  });
});

describe('a call that is aborted', () => {
  it('leaves its place, and the others get their tokens', async () => {
    const { time, arrive, granted } = openWorld({ ceiling: 4 });
    const controller = new AbortController();
    const aborted = Promise.allSettled([8, 9, 10].map((ms) => arrive(ms, 0, controller.signal)));
    const others = Promise.all([1, 2, 3, 4, 5, 11, 12].map((ms) => arrive(ms, 0)));
    time.at(time.now() + 500, () => controller.abort(new Error('no longer wanted')));
    await time.run();

    for (const outcome of await aborted) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } });
    }
    await others;
    expect([...granted.values()]).toEqual([4, 3]);
  });

  it('takes nothing when it was aborted before', async () => {
    const { table, pacers, quota } = openWorld({});

    await expect(pacers[0]?.take(quota, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    expect(table.leases).toBe(0);
  });
});

describe('a table that cannot be reached', () => {
  it('leaves each process a quarter of the rate, warns once, and is asked again after 5 s', async () => {
    const { time, table, arrive, granted, warnings } = openWorld({});
    table.broken = true;
    const all = Promise.all(Array.from({ length: 200 }, () => arrive(0, 0)));
    time.at(time.now() + 4000, () => (table.broken = false));
    await time.run();
    await all;

    const counts = [...granted.values()];
    expect(counts.slice(0, 5)).toEqual([10, 10, 10, 10, 10]);
    expect(counts.slice(6, 8)).toEqual([40, 40]);
    expect(warnings).toEqual([expect.stringMatching(/^the table Quotas cannot be used \(Error\)/)]);
  });
});

describe('a clock that is set back', () => {
  it('keeps nobody waiting for the time it had shown', async () => {
    const time = new VirtualTime();
    let offset = 0;
    const clock = { now: () => time.now() + offset, sleep: (ms: number) => time.sleep(ms) };
    const pacer = pacerOver(
      memoryTable(time, () => 8),
      { clock },
    );
    const begun = time.now();
    const all = Promise.all(Array.from({ length: 20 }, () => pacer.take({ key: KEY, ceiling: 4 })));
    time.at(begun + 1500, () => (offset = -3_600_000));
    await time.run();
    await all;

    expect(time.now() - begun).toBeLessThan(8000);
  });
});
