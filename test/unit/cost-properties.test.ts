/** What must hold of costs whatever was used: additive, monotone, free of order, and nothing lost between launches. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate } from '../../lib/cost/allocate.ts';
import { byDay } from '../../lib/cost/days.ts';
import { decimalsOf, Money, roundParts, sumOf } from '../../lib/cost/money.ts';
import { breakDown, summarise } from '../../lib/cost/summary.ts';
import type { Host, Instance, JobAttempt, Usage, Volume } from '../../workflows/cost/model.ts';
import { attemptOf, costOf, LAUNCH, REGION, usageOf, ZONE } from '../support/cost-usage.ts';

const START = Date.UTC(2026, 1, 26);
const MINUTE = 60_000;
const LONGEST = 5 * 24 * 3_600_000;

const time = fc.integer({ min: 0, max: LONGEST }).map((ms) => START + ms);
const interval = fc.tuple(time, time).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
/** Long enough that both halves are above any minimum. */
const longInterval = interval.map(({ from, to }) => ({ from, to: to + 3 * MINUTE }));
const launchId = fc.constantFrom(LAUNCH, 'other-1', 'other-2');
const job = fc.record({
  launchId,
  interval: longInterval,
  vcpus: fc.integer({ min: 1, max: 12 }),
  memoryMib: fc.integer({ min: 128, max: 40_000 }),
  step: fc.constantFrom('align', 'sort'),
  outcome: fc.constantFrom('done', 'failed', 'host-lost'),
});
type Job = typeof job extends fc.Arbitrary<infer T> ? T : never;

/** An instance that is longer there than its jobs, or not; a volume that is there at another time. */
const world = fc.record({
  jobs: fc.array(job, { minLength: 1, maxLength: 8 }),
  before: fc.option(fc.integer({ min: 0, max: 600_000 }), { nil: undefined }),
  after: fc.option(fc.integer({ min: 0, max: 600_000 }), { nil: undefined }),
  sized: fc.boolean(),
  spot: fc.boolean(),
  volume: interval,
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

const ON: Host = { kind: 'instance', id: 'i-1' };
const holdingOf = ({ interval, vcpus, memoryMib }: Job) => ({ ...interval, vcpus, memoryMib });

/** As one of the launches sees it. */
function usageIn({ jobs, before, after, sized, spot, volume }: World, own: string): Usage {
  const first = Math.min(...jobs.map(({ interval }) => interval.from));
  const last = Math.max(...jobs.map(({ interval }) => interval.to));
  const instance: Instance = {
    id: 'i-1',
    type: 'm5.4xlarge',
    zone: ZONE,
    region: REGION,
    market: spot ? 'spot' : 'on-demand',
    ...(sized && { vcpus: 16, memoryMib: 65_536 }),
    ...(before !== undefined && { launchedAt: first - before }),
    ...(after !== undefined && { endedAt: last + after }),
    others: jobs
      .filter((each) => each.launchId !== own)
      .map((each) => ({ ...holdingOf(each), launchId: each.launchId })),
  };
  const disk: Volume = {
    id: 'vol-1',
    instanceId: 'i-1',
    type: 'gp3',
    gib: 100,
    iops: 5000,
    throughput: 250,
    region: REGION,
    ...volume,
  };
  return usageOf({
    launchId: own,
    attempts: jobs
      .filter((each) => each.launchId === own)
      .map((each) => attemptOf({ ...holdingOf(each), step: each.step, outcome: each.outcome, on: ON })),
    instances: [instance],
    volumes: [disk],
  });
}

/** Everything that is no instance. */
const services = fc.record({
  tasks: fc.array(fc.tuple(longInterval, fc.constantFrom('x86_64', 'arm64'), fc.boolean()), { maxLength: 4 }),
  cluster: fc.array(interval, { maxLength: 4 }),
  used: fc.array(interval, { minLength: 1, maxLength: 4 }),
  others: fc.array(fc.tuple(interval, launchId), { maxLength: 4 }),
  sharing: fc.constantFrom('whole', 'pro-rata'),
  restores: fc.array(fc.tuple(time, fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 0, max: 2 ** 45 }), interval), {
    maxLength: 3,
  }),
  requests: fc.array(fc.tuple(time, fc.nat(), fc.nat()), { maxLength: 3 }),
});
type Services = typeof services extends fc.Arbitrary<infer T> ? T : never;

function servicesUsage({ tasks, cluster, used, others, sharing, restores, requests }: Services): Partial<Usage> {
  const shared = {
    region: REGION,
    sharing,
    used,
    others: others.map(([interval, launchId]) => ({ ...interval, launchId })),
  };
  return {
    attempts: [
      ...tasks.map(([interval, architecture, spot]) =>
        attemptOf({
          ...interval,
          on: { kind: 'fargate', region: REGION, vcpus: 0.5, memoryMib: 4096, architecture, spot },
        }),
      ),
      ...cluster.map((interval) => attemptOf({ ...interval, on: { kind: 'on-premises', cluster: 'hpc' } })),
    ],
    fileSystems: [{ ...shared, id: 'fs-1', deploymentType: 'PERSISTENT_2', storageType: 'SSD', gib: 1200 }],
    clusters: [{ ...shared, id: 'eks-1', support: 'standard' }],
    restores: restores.map(([at, count, bytes, copies]) => ({
      archive: 'GLACIER',
      tier: 'Bulk',
      requests: count,
      bytes,
      at,
      region: REGION,
      copies: { ...copies, bytes },
    })),
    requests: requests.map(([at, put, get]) => ({ step: 'align', region: REGION, put, get, at })),
  };
}

const whole = fc.tuple(world, services).map(([instances, rest]) => {
  const usage = usageIn(instances, LAUNCH);
  const more = servicesUsage(rest);
  return { ...usage, ...more, attempts: [...usage.attempts, ...(more.attempts ?? [])] };
});

const totalOf = (usage: Usage) => sumOf(costOf(usage).lines.map(({ amount }) => amount));
/** Every line is cut at 30 places, so sums of other lines may differ by some units of the last. */
const expectClose = (a: Money, b: Money) =>
  expect(a.minus(b).abs().lt('1e-26'), `${a.toFixed()} against ${b.toFixed()}`).toBe(true);

describe('sharing', () => {
  it('gives all launches together the whole instance and the whole volume', () => {
    fc.assert(
      fc.property(world, (all) => {
        const launches = [...new Set(all.jobs.map(({ launchId }) => launchId))];
        const parts = launches.flatMap((launch) => allocate(usageIn(all, launch)).consumptions);
        const first = Math.min(...all.jobs.map(({ interval }) => interval.from)) - (all.before ?? 0);
        const last = Math.max(...all.jobs.map(({ interval }) => interval.to)) + (all.after ?? 0);
        const held = { instance: last - first, volume: Math.max(MINUTE, all.volume.to - all.volume.from) };
        for (const component of ['instance', 'volume'] as const) {
          const shares = parts
            .filter(({ what }) => what.component === component && (what.unit === 'Hrs' || what.unit === 'GB-Mo'))
            .map(({ share, from, to }) => new Money(share.n.toString()).times(to - from).div(share.d.toString()));
          expectClose(sumOf(shares), new Money(held[component]));
        }
      }),
    );
  });

  it('gives all launches together a file system while somebody uses it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(launchId, interval), { minLength: 1, maxLength: 9 }), (uses) => {
        const launches = [...new Set(uses.map(([launch]) => launch))];
        const timeOf = (own: string) =>
          allocate({ ...usageOf(servicesUsage(servicesOf(own, uses))), launchId: own })
            .consumptions.filter(({ what }) => what.component === 'filesystem')
            .map(({ share, from, to }) => new Money(share.n.toString()).times(to - from).div(share.d.toString()));
        const all = allocate(
          usageOf(
            servicesUsage(
              servicesOf(
                'all',
                uses.map(([, each]) => ['all', each] as const),
              ),
            ),
          ),
        ).consumptions.filter(({ what }) => what.component === 'filesystem');
        expectClose(sumOf(launches.flatMap(timeOf)), sumOf(all.map(({ from, to }) => new Money(to - from))));
      }),
    );

    function servicesOf(own: string, uses: readonly (readonly [string, { from: number; to: number }])[]): Services {
      return {
        tasks: [],
        cluster: [],
        restores: [],
        requests: [],
        sharing: 'pro-rata',
        used: uses.filter(([launch]) => launch === own).map(([, each]) => each),
        others: uses.filter(([launch]) => launch !== own).map(([launch, each]) => [each, launch as 'other-1']),
      };
    }
  });
});

describe('lines', () => {
  it('are the same for the same usage in another order', () => {
    fc.assert(
      fc.property(whole, fc.integer(), (usage, seed) => {
        expect(costOf(shuffled(usage, seed))).toEqual(costOf(usage));
      }),
    );
  });

  it('are the same when an attempt or a use is told in two pieces', () => {
    fc.assert(
      fc.property(whole, fc.double({ min: 0.4, max: 0.6, noNaN: true }), (usage, at) => {
        const cut = <T extends { from: number; to: number }>(each: T): T[] => {
          const middle = Math.round(each.from + (each.to - each.from) * at);
          return [
            { ...each, to: middle },
            { ...each, from: middle },
          ];
        };
        const pieces: Usage = {
          ...usage,
          attempts: usage.attempts.flatMap(cut<JobAttempt>),
          instances: usage.instances.map((each) => ({ ...each, others: each.others.flatMap(cut) })),
          fileSystems: usage.fileSystems.map((each) => ({ ...each, used: each.used.flatMap(cut) })),
          clusters: usage.clusters.map((each) => ({ ...each, used: each.used.flatMap(cut) })),
        };
        expect(costOf(pieces).lines).toEqual(costOf(usage).lines);
      }),
    );
  });

  it('sum up to the same when an instance or a volume is told in two pieces', () => {
    fc.assert(
      fc.property(world, fc.double({ min: 0.3, max: 0.7, noNaN: true }), (all, at) => {
        const alone = { ...all, jobs: all.jobs.map((each) => ({ ...each, launchId: LAUNCH as typeof each.launchId })) };
        const usage = usageIn({ ...alone, before: 5 * MINUTE, after: 5 * MINUTE, volume: longer(all.volume) }, LAUNCH);
        const [instance] = usage.instances;
        const [volume] = usage.volumes;
        if (!instance?.launchedAt || !instance.endedAt || !volume) throw new Error('the instance has no times');
        const middle = Math.round(instance.launchedAt + (instance.endedAt - instance.launchedAt) * at);
        const part = (from: number, to: number) => ({ from, to });
        const between = Math.round(volume.from + (volume.to - volume.from) * at);
        const pieces: Usage = {
          ...usage,
          attempts: usage.attempts
            .flatMap((each) => [
              { ...each, to: Math.min(each.to, middle) },
              { ...each, from: Math.max(each.from, middle), on: { kind: 'instance', id: 'i-2' } as const },
            ])
            .filter(({ from, to }) => from < to),
          instances: [
            { ...instance, endedAt: middle },
            { ...instance, id: 'i-2', launchedAt: middle },
          ],
          volumes: [
            { ...volume, ...part(volume.from, between) },
            { ...volume, id: 'vol-2', ...part(between, volume.to) },
          ],
        };
        expectClose(totalOf(pieces), totalOf(usage));
      }),
    );

    function longer({ from, to }: { from: number; to: number }) {
      return { from, to: to + 10 * MINUTE };
    }
  });

  it('are never negative, and none of them is nothing', () => {
    fc.assert(
      fc.property(whole, (usage) => {
        const { lines, unpriced } = costOf(usage);
        expect(unpriced).toEqual([]);
        expect(lines.filter(({ amount, quantity }) => !(Number(amount) > 0 && Number(quantity) > 0))).toEqual([]);
        expect(new Set(lines.map(({ line }) => line)).size).toBe(lines.length);
      }),
    );
  });

  it('lie within a day', () => {
    fc.assert(
      fc.property(whole, (usage) => {
        for (const { from, to } of costOf(usage).lines) {
          const day = Date.parse(from.slice(0, 10));
          expect(Date.parse(to)).toBeLessThanOrEqual(day + 24 * 3_600_000);
        }
      }),
    );
  });

  it('are no more for more jobs of the same step', () => {
    const jobs = (count: number) =>
      Array.from({ length: count }, (_, index) =>
        attemptOf({ from: START + index * 7919, to: START + index * 7919 + 500_000, on: ON }),
      );
    const linesOf = (count: number) => {
      const [instance] = usageIn(
        { jobs: [], before: undefined, after: undefined, sized: true, spot: false, volume: { from: 0, to: 0 } },
        LAUNCH,
      ).instances;
      if (!instance) throw new Error('no instance');
      return costOf(usageOf({ attempts: jobs(count), instances: [instance] }), 24 * 3_600_000).lines.length;
    };

    expect(linesOf(2000)).toBe(linesOf(20));
  });
});

describe('the cost of a launch', () => {
  it('does not fall when a job takes longer or reserves more', () => {
    fc.assert(
      fc.property(world, fc.nat({ max: 1e8 }), fc.nat({ max: 64 }), (all, ms, vcpus) => {
        const usage = usageIn(all, LAUNCH);
        const more = {
          ...usage,
          attempts: usage.attempts.map((each, index) =>
            index === 0 ? { ...each, to: each.to + ms, vcpus: each.vcpus + vcpus } : each,
          ),
        };
        expect(totalOf(more).plus('1e-26').gte(totalOf(usage))).toBe(true);
      }),
    );
  });

  it('does not fall when an instance or a volume is there for longer, or is larger', () => {
    fc.assert(
      fc.property(world, fc.nat({ max: 1e8 }), fc.nat({ max: 10_000 }), (all, ms, size) => {
        const usage = usageIn(all, LAUNCH);
        const more = {
          ...usage,
          instances: usage.instances.map((each) => ({ ...each, ...(each.endedAt && { endedAt: each.endedAt + ms }) })),
          volumes: usage.volumes.map((each) => ({
            ...each,
            to: each.to + ms,
            gib: each.gib + size,
            iops: (each.iops ?? 0) + size,
            throughput: (each.throughput ?? 0) + size,
          })),
        };
        expect(totalOf(more).plus('1e-26').gte(totalOf(usage))).toBe(true);
      }),
    );
  });

  it('is the sum of its lines, and its strings add up to the last digit', () => {
    fc.assert(
      fc.property(whole, (usage) => {
        const { lines } = costOf(usage);
        const exact = sumOf(lines.map(({ amount }) => amount));
        const { total_cost: total, currency: _currency, ...parts } = summarise(lines)[0] ?? fail();
        expect(total).toBe(exact.toFixed(decimalsOf(exact)));
        expect(sumOf(Object.values(parts).map(String)).toFixed(decimalsOf(exact))).toBe(total);
        expect(sumOf(byDay(lines).map(({ total }) => total)).eq(exact)).toBe(true);
        const { ways, steps, resources } = breakDown(lines)[0] ?? fail();
        for (const costs of [Object.values(ways), steps.map(({ cost }) => cost), resources.map(({ cost }) => cost)]) {
          expect(sumOf(costs).toFixed(decimalsOf(exact))).toBe(total);
        }
      }),
    );

    function fail(): never {
      throw new Error('nothing was charged');
    }
  });
});

describe('rounding', () => {
  const amount = fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** 34n }), fc.integer({ min: 0, max: 40 }))
    .map(([digits, shift]) => new Money(digits.toString()).div(new Money(10).pow(shift)));

  it('makes parts that add up exactly, none of them negative or further off than one digit', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1, maxLength: 3 }), amount, { minKeys: 1 }), (parts) => {
        const exact = sumOf(Object.values(parts));
        const decimals = decimalsOf(exact);
        const rounded = roundParts(parts);
        expect(rounded.total).toBe(exact.toFixed(decimals));
        expect(sumOf(Object.values(rounded.parts)).toFixed(decimals)).toBe(rounded.total);
        for (const [name, text] of Object.entries(rounded.parts)) {
          const off = new Money(text).minus(parts[name] ?? 0).abs();
          expect(Number(text)).toBeGreaterThanOrEqual(0);
          expect(off.times(new Money(10).pow(decimals)).lt(1)).toBe(true);
        }
      }),
    );
  });

  it.each([
    ['0', '0.00'],
    ['1234.565', '1234.56'],
    ['1.005', '1.00'],
    ['0.99999', '1.0000'],
    ['0.12345', '0.1234'],
    ['0.00006', '0.0001'],
    ['0.00005', '0.000050'],
    ['0.00001234', '0.000012'],
    ['0.0000000129', '0.000000013'],
    ['0.00000000000049', '0.000000000000'],
  ])('reads %s as %s', (exact, text) => {
    expect(roundParts({ all: new Money(exact) })).toEqual({ total: text, parts: { all: text } });
  });

  it('gives the last digit to what was cut most, and of equals to the first by name', () => {
    expect(roundParts({ b: new Money('1.005'), a: new Money('1.005'), c: new Money('1.001') })).toEqual({
      total: '3.01',
      parts: { b: '1.00', a: '1.01', c: '1.00' },
    });
  });
});

function shuffled(usage: Usage, seed: number): Usage {
  const mix = <T>(values: readonly T[]): T[] =>
    values
      .map((value, index) => ({ value, rank: Math.imul(index + 1, seed | 1) ^ (seed >>> 3) }))
      .toSorted((a, b) => a.rank - b.rank)
      .map(({ value }) => value)
      .reverse();
  return {
    ...usage,
    attempts: mix(usage.attempts),
    instances: mix(usage.instances).map((each) => ({ ...each, others: mix(each.others) })),
    volumes: mix(usage.volumes),
    fileSystems: mix(usage.fileSystems).map((each) => ({ ...each, used: mix(each.used), others: mix(each.others) })),
    clusters: mix(usage.clusters).map((each) => ({ ...each, used: mix(each.used), others: mix(each.others) })),
    restores: mix(usage.restores),
    requests: mix(usage.requests),
  };
}
