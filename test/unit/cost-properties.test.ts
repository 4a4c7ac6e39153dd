/**
 * What holds for every launch: costs add up, grow with time and size, and do not depend on the order things are told in.
 *
 * @module
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate } from '../../lib/cost/allocate.ts';
import { charge } from '../../lib/cost/charge.ts';
import { type Decimal, exact, roundParts, sumOf } from '../../lib/cost/money.ts';
import { priceKeysOf } from '../../lib/cost/price-keys.ts';
import { byDay, summarise, totalOf } from '../../lib/cost/summary.ts';
import { nameOf } from '../../lib/prices/price-keys.ts';
import type {
  Instance,
  JobAttempt,
  LedgerLine,
  Occupancy,
  Price,
  PriceSpan,
  Usage,
  Volume,
} from '../../workflows/cost/model.ts';

const T = Date.parse('2026-02-27T20:00:00Z');
const HOUR = 3_600_000;
/** Sums of lines that are each cut at 30 places. */
const CUT = exact('1e-24');

const NOTHING: Usage = {
  launchId: 'a',
  attempts: [],
  instances: [],
  volumes: [],
  fileSystems: [],
  clusters: [],
  restores: [],
  requests: [],
  unknown: [],
};

/** Any price, changing every 7 hours: spot and lists alike. */
function priceOf(text: string, over: { from: number; to: number }): Price {
  const base = 1 + ([...text].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 97);
  const spans: PriceSpan[] = [];
  const step = 7 * HOUR;
  for (let from = Math.floor(over.from / step) * step; from < over.to; from += step)
    spans.push({
      from,
      to: from + step,
      perUnit: `0.0${base + ((from / step) % 5)}`,
      unit: 'Hrs',
      currency: 'USD',
      pricesAt: '2026-02-01T00:00:00Z',
      source: 'price-list',
    });
  return { spans };
}

function linesOf(usage: Usage): LedgerLine[] {
  const { consumptions } = allocate(usage);
  const prices = new Map(priceKeysOf(consumptions).map(({ key, over }) => [nameOf(key), priceOf(nameOf(key), over)]));
  const { lines, unpriced } = charge(consumptions, prices);
  expect(unpriced).toEqual([]);
  return lines;
}

const instance = (more: Partial<Instance> = {}): Instance => ({
  id: 'i-1',
  type: 'm5.xlarge',
  zone: 'us-east-1a',
  region: 'us-east-1',
  market: 'spot',
  vcpus: 4,
  memoryMib: 16_384,
  others: [],
  ...more,
});

const attempt = (more: Partial<JobAttempt>): JobAttempt => ({
  attempt: 1,
  step: 'align',
  item: 'x',
  jobId: 'j',
  jobAttempt: 1,
  outcome: 'done',
  endKnownBy: 'service',
  vcpus: 1,
  memoryMib: 1024,
  from: T,
  to: T + HOUR,
  on: { kind: 'instance', id: 'i-1' },
  ...more,
});

const volume = (more: Partial<Volume> = {}): Volume => ({
  id: 'v-1',
  instanceId: 'i-1',
  type: 'gp3',
  gib: 100,
  iops: 4_000,
  throughput: 250,
  region: 'us-east-1',
  from: T,
  to: T + 40 * HOUR,
  ...more,
});

const ms = (most: number) => fc.integer({ min: 0, max: most });
/** Jobs within 40 hours across a midnight and the end of a February. */
const jobs = fc.array(
  fc
    .record({
      start: ms(30 * HOUR),
      length: fc.integer({ min: 1, max: 10 * HOUR }),
      vcpus: fc.integer({ min: 1, max: 4 }),
      memoryMib: fc.integer({ min: 128, max: 16_384 }),
      step: fc.constantFrom('align', 'call'),
      outcome: fc.constantFrom('done' as const, 'failed' as const, 'host-lost' as const),
    })
    .map(({ start, length, ...of }) => attempt({ ...of, from: T + start, to: T + start + length })),
  { minLength: 1, maxLength: 8 },
);

const totalOfUsage = (usage: Usage): Decimal => totalOf(linesOf(usage));
const near = (a: Decimal, b: Decimal) => expect(a.minus(b).abs().lte(CUT), `${a.toFixed()} ${b.toFixed()}`).toBe(true);

describe('the lines of a launch', () => {
  it('add up to the same however a job is cut in two', () => {
    fc.assert(
      fc.property(jobs, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (attempts, at) => {
        const [first, ...rest] = attempts as [JobAttempt, ...JobAttempt[]];
        const middle = Math.min(
          first.to - 1,
          Math.max(first.from, Math.round(first.from + (first.to - first.from) * at)),
        );
        const cut = [{ ...first, to: middle }, { ...first, from: middle }, ...rest];
        const of = (some: JobAttempt[]): Usage => ({
          ...NOTHING,
          attempts: some,
          instances: [instance()],
          volumes: [volume()],
        });
        near(totalOfUsage(of(attempts)), totalOfUsage(of(cut)));
      }),
    );
  });

  it('are the same in whatever order things are told', () => {
    fc.assert(
      fc.property(jobs, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (attempts, random) => {
        const shuffled = attempts
          .map((one) => ({ one, by: random.next().value as number }))
          .sort((a, b) => a.by - b.by)
          .map(({ one }) => one);
        const two = [instance(), instance({ id: 'i-2' })];
        const volumes = [volume(), volume({ id: 'v-2', instanceId: 'i-2' })];
        const usage = { ...NOTHING, attempts, instances: two, volumes };
        const other = { ...NOTHING, attempts: shuffled, instances: two.toReversed(), volumes: volumes.toReversed() };
        expect(linesOf(other)).toEqual(linesOf(usage));
      }),
    );
  });

  it('cost more the longer a job of its own runs, and the more it reserves', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 * HOUR }),
        fc.integer({ min: 1, max: 20 * HOUR }),
        fc.integer({ min: 1, max: 3 }),
        (length, longer, vcpus) => {
          const alone = (to: number, of: Partial<JobAttempt> = {}): Usage => ({
            ...NOTHING,
            attempts: [attempt({ to: T + to, ...of })],
            instances: [instance()],
          });
          const use = (usage: Usage) => totalOf(linesOf(usage).filter(({ purpose }) => purpose === 'use'));
          expect(totalOfUsage(alone(length + longer)).gt(totalOfUsage(alone(length)))).toBe(true);
          expect(use(alone(length, { vcpus: vcpus + 1 })).gt(use(alone(length, { vcpus })))).toBe(true);
        },
      ),
    );
  });

  it('are none of them negative, and have one interval within a day each', () => {
    fc.assert(
      fc.property(jobs, (attempts) => {
        for (const { amount, quantity, from, to } of linesOf({
          ...NOTHING,
          attempts,
          instances: [instance({ launchedAt: T - HOUR, endedAt: T + 41 * HOUR })],
          volumes: [volume({ to: T + 50 * HOUR })],
        })) {
          expect(exact(amount).gte(0) && exact(quantity).gt(0)).toBe(true);
          expect(from <= to).toBe(true);
          const last = new Date(Date.parse(to) - 1).toISOString();
          expect(last.slice(0, 10)).toBe(from.slice(0, 10));
        }
      }),
    );
  });

  it('are as many as resources, steps, days and prices make, whatever the number of jobs', () => {
    const many = Array.from({ length: 2_000 }, (_, n) =>
      attempt({ item: `${n}`, from: T + n * 1_000, to: T + n * 1_000 + 900 }),
    );
    const usage = { ...NOTHING, attempts: many, instances: [instance()] };
    expect(linesOf(usage).length).toBeLessThanOrEqual(3);
  });

  it('make the days, which add up to them', () => {
    fc.assert(
      fc.property(jobs, (attempts) => {
        const lines = linesOf({ ...NOTHING, attempts, instances: [instance()], volumes: [volume()] });
        const days = byDay(lines);
        near(sumOf(days.map(({ total }) => total)), totalOf(lines));
        for (const { total, components, day } of days) {
          near(sumOf(Object.values(components)), exact(total));
          expect(lines.some(({ from }) => from.startsWith(day))).toBe(true);
        }
      }),
    );
  });
});

describe('an instance that launches share', () => {
  it('costs all of them together exactly what it costs', () => {
    fc.assert(
      fc.property(jobs, jobs, jobs, (...launches) => {
        const all = launches.flat();
        const from = Math.min(...all.map((one) => one.from)) - HOUR;
        const to = Math.max(...all.map((one) => one.to)) + HOUR;
        const othersOf = (own: number): Occupancy[] =>
          launches.flatMap((attempts, place) =>
            place === own
              ? []
              : attempts.map((one) => ({
                  launchId: `launch-${place}`,
                  from: one.from,
                  to: one.to,
                  vcpus: one.vcpus,
                  memoryMib: one.memoryMib,
                })),
          );
        const shares = launches.map((attempts, own) =>
          totalOfUsage({
            ...NOTHING,
            attempts,
            instances: [instance({ launchedAt: from, endedAt: to, others: othersOf(own) })],
          }),
        );
        const whole = totalOfUsage({
          ...NOTHING,
          attempts: [attempt({ from, to, vcpus: 4, memoryMib: 16_384 })],
          instances: [instance({ launchedAt: from, endedAt: to })],
        });
        near(
          shares.reduce((sum, share) => sum.plus(share), exact(0)),
          whole,
        );
      }),
    );
  });
});

describe('the strings of an item', () => {
  const amounts = fc.array(
    fc
      .tuple(fc.integer({ min: 0, max: 10 ** 9 }), fc.integer({ min: 0, max: 14 }))
      .map(([n, places]) => exact(n).div(exact(10).pow(places))),
    { minLength: 1, maxLength: 6 },
  );

  it('add up exactly, each off by less than one of the last place', () => {
    fc.assert(
      fc.property(amounts, (values) => {
        const parts = Object.fromEntries(values.map((value, n) => [`p${n}`, value]));
        const { total, parts: rounded } = roundParts(parts);
        expect(sumOf(Object.values(rounded)).eq(total)).toBe(true);
        const places = total.split('.')[1]?.length ?? 0;
        for (const [name, value] of Object.entries(rounded)) {
          expect(value.split('.')[1]?.length).toBe(places);
          expect(
            exact(value)
              .minus(parts[name] ?? 0)
              .abs()
              .lt(exact(10).pow(-places)),
          ).toBe(true);
        }
        const sum = values.reduce((all, value) => all.plus(value), exact(0));
        expect(exact(total).minus(sum).abs().lte(exact(10).pow(-places).div(2))).toBe(true);
      }),
    );
  });

  it.each([
    ['0', '0.00'],
    ['12.345', '12.34'],
    ['12.355', '12.36'],
    ['0.99999', '1.0000'],
    ['0.00016', '0.0002'],
    ['0.0000112', '0.000011'],
    ['0.00000000000004', '0.000000000000'],
  ])('%s reads %s', (value, read) => {
    expect(roundParts({ one: exact(value) }).total).toBe(read);
  });

  it('are there for a launch that has cost nothing', () => {
    expect(summarise([])).toEqual([
      { total_cost: '0.00', instance_cost: '0.00', volume_cost: '0.00', filesystem_cost: '0.00', currency: 'USD' },
    ]);
  });
});
