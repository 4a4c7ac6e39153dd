/** Estimates from history: what they learn, how wide they are, and what they say where history does not tell. */
import { describe, expect, it } from 'vitest';
import { learn } from '../../lib/cost/estimate/estimate.ts';
import { dayBefore, meanPrice, shareOf } from '../../lib/cost/estimate/money.ts';
import { sum, t90 } from '../../lib/cost/estimate/numbers.ts';
import { familyOf } from '../../lib/cost/estimate/observations.ts';
import { GIB, history, item, play, question, sizes, type Truth } from '../support/cost-history.ts';

const TRUTH: Truth = { seconds: 600, slope: 0.9, within: 0.3, between: 0.1 };
const secondsOf = (samples: readonly [number, number][]) => sum(samples.map(([, seconds]) => seconds));

describe('what is learnt', () => {
  it('estimates the items from their sizes, not from how many there were', () => {
    const past = history(TRUTH, 12, 20);
    const bytes = Array.from({ length: 50 }, () => 4 * GIB);
    const { seconds } = learn([question({ items: 50, inputBytes: bytes })], past).estimate();

    const truth = 50 * 600 * 4 ** 0.9 * Math.exp(0.3 ** 2 / 2);
    expect(Math.abs(seconds.expected / truth - 1)).toBeLessThan(0.15);
    expect(seconds.p10).toBeLessThan(truth);
    expect(seconds.p90).toBeGreaterThan(truth);
  });

  it('has eight of ten new launches in its band, although launches differ more than their items do', () => {
    for (const launches of [4, 12]) {
      let inside = 0;
      const tries = 120;
      for (let nth = 0; nth < tries; nth += 1) {
        const seed = `${launches} ${nth}`;
        const bytes = sizes(`new ${seed}`, 30);
        const { seconds } = learn(
          [question({ items: 30, inputBytes: bytes })],
          history(TRUTH, launches, 20, seed),
        ).estimate();
        const truth = secondsOf(play(TRUTH, `new ${seed}`, bytes));
        if (seconds.p10 <= truth && truth <= seconds.p90) inside += 1;
      }
      expect(inside / tries, `of ${launches} launches`).toBeGreaterThan(0.72);
      expect(inside / tries, `of ${launches} launches`).toBeLessThan(0.9);
    }
  });

  it('has them in the band of a sum too, where a slow launch is slow in every step', () => {
    const names = ['a', 'b', 'c', 'd'];
    const questions = names.map((step) => question({ step, work: step, items: 15 }));
    let inside = 0;
    const tries = 100;
    for (let nth = 0; nth < tries; nth += 1) {
      // All steps of a launch are played by one seed for its luck: the first draw.
      const steps = (seed: string) =>
        names.map((step, index) =>
          play(
            { seconds: 100 * (index + 1), slope: 0, within: 0.3, between: 0.2 },
            seed,
            Array.from({ length: 15 }, () => GIB),
          ),
        );
      const past = Array.from({ length: 12 }, (_, launch) =>
        steps(`${nth} ${launch}`).map((samples, index) =>
          item(launch, samples, { work: names[index] ?? '', line: `work#${names[index]}#m5.xlarge` }),
        ),
      ).flat();
      const { seconds } = learn(questions, past).estimate();
      const truth = sum(steps(`${nth} new`).map(secondsOf));
      if (seconds.p10 <= truth && truth <= seconds.p90) inside += 1;
    }
    expect(inside / tries).toBeGreaterThan(0.7);
    expect(inside / tries).toBeLessThan(0.92);
  });

  it('is wider for launches that differ, whatever the number of items', () => {
    const width = (between: number) => {
      const { seconds } = learn(
        [question({ items: 5_000 })],
        history({ ...TRUTH, between, slope: 0 }, 15, 60),
      ).estimate();
      return seconds.p90 / seconds.p10;
    };
    expect(width(0)).toBeLessThan(1.15);
    expect(width(0.4)).toBeGreaterThan(2);
  });

  it('says that inputs are unlike any before, and does not follow the line to nothing', () => {
    const of = (bytes: number) =>
      learn([question({ items: 1, inputBytes: [bytes] })], history(TRUTH, 8, 20)).estimate();
    const [usual, tiny, huge] = [of(GIB), of(4), of(100 * GIB)];

    expect(usual.steps[0]).not.toHaveProperty('extrapolated');
    expect(tiny.steps[0]?.extrapolated).toBe(true);
    expect(tiny.seconds.expected).toBeGreaterThan(50);
    expect(huge.steps[0]?.extrapolated).toBe(true);
    expect(huge.seconds.expected / usual.seconds.expected).toBeGreaterThan(20);
  });

  it('takes sizes for nothing that history does not have', () => {
    const past = [0, 1, 2].map((nth) => item(nth, [[-1, 100]]));
    const [step] = learn([question({ items: 1, inputBytes: [GIB] })], past).estimate().steps;

    expect(step?.seconds?.expected).toBeCloseTo(100, 6);
    expect(step).not.toHaveProperty('extrapolated');
  });

  it('names the launches it has learnt from, the newest first', () => {
    const { launches, steps } = learn([question()], history(TRUTH, 4, 3)).estimate();

    expect(launches).toEqual(['run-3', 'run-2', 'run-1', 'run-0']);
    expect(steps[0]?.launches).toEqual(launches);
  });

  it('tells a family of instances that is faster, and does not believe one launch as much as many', () => {
    const on = (family: string, nths: number[], seconds: number) =>
      nths.map((nth) =>
        item(
          nth,
          [
            [-1, seconds],
            [-1, seconds],
          ],
          { resource_type: `${family}.xlarge` },
        ),
      );
    const many = learn([question()], [...on('m5', [0, 1, 2, 3, 4], 100), ...on('c6i', [5, 6, 7, 8], 50)]);
    const few = learn([question()], [...on('m5', [0, 1, 2, 3, 4], 100), ...on('c6i', [5], 50)]);

    expect(many.estimate('c6i').seconds.expected / many.estimate('m5').seconds.expected).toBeLessThan(0.65);
    expect(few.estimate('c6i').seconds.expected / few.estimate('m5').seconds.expected).toBeGreaterThan(0.7);
  });

  it('is less sure of a family that nothing has run on', () => {
    const model = learn([question()], history({ ...TRUTH, slope: 0 }, 10, 30));
    const [known, unknown] = [model.estimate('m5').seconds, model.estimate('r7g').seconds];

    expect(unknown.expected).toBe(known.expected);
    expect(unknown.p90 / unknown.p10).toBeGreaterThan(known.p90 / known.p10);
  });

  it('takes items that had more vCPUs for longer with fewer', () => {
    const past = history({ ...TRUTH, slope: 0 }, 6, 10);
    const same = learn([question({ vcpus: 2 })], past).estimate().seconds.expected;
    const fewer = learn([question({ vcpus: 1 })], past).estimate().seconds.expected;

    expect(fewer / same).toBeCloseTo(Math.SQRT2, 5);
  });
});

describe('what history does not tell', () => {
  it('says so of a step, with what is missing, and adds up the others', () => {
    const known = question();
    const unknown = question({ step: 'call', work: 'steps#call#lab/gatk', after: ['align'] });
    const alone = learn([known], history(TRUTH, 5, 5)).estimate();
    const both = learn([known, unknown], history(TRUTH, 5, 5)).estimate();

    expect(both).toMatchObject({
      incomplete: true,
      launches: alone.launches,
      seconds: alone.seconds,
      wallSeconds: alone.wallSeconds,
    });
    expect(both.steps[1]).toEqual({
      step: 'call',
      items: 10,
      cached: 0,
      launches: [],
      missing: 'not enough history: no launch has run it; 3 are needed',
    });
    expect(alone.incomplete).toBe(false);
  });

  it('does not take two launches for many, however many items they had', () => {
    const { steps } = learn([question()], history(TRUTH, 2, 60)).estimate();

    expect(steps[0]?.seconds).toBeUndefined();
    expect(steps[0]?.missing).toBe('not enough history: only 2 launches have run it; 3 are needed');
  });

  it('does not count a launch that is there twice', () => {
    const past = history(TRUTH, 2, 5);

    expect(learn([question()], [...past, ...past]).estimate().incomplete).toBe(true);
  });
});

describe('cached items', () => {
  it('cost nothing: a step all of whose items are known needs no history', () => {
    const estimate = learn([question({ items: 0, cached: 10 })], []).estimate();

    expect(estimate).toMatchObject({ incomplete: false, seconds: { expected: 0, p10: 0, p90: 0 } });
    expect(estimate.wallSeconds.expected).toBe(0);
    expect(estimate.steps[0]).toMatchObject({ items: 0, cached: 10 });
  });

  it('are not counted among those that run', () => {
    const past = history(TRUTH, 5, 5);
    const some = learn([question({ items: 4, cached: 6 })], past).estimate();

    expect(some.seconds).toEqual(learn([question({ items: 4 })], past).estimate().seconds);
  });
});

describe('wall-clock time', () => {
  const past = (step: string, seconds: number) =>
    Array.from({ length: 5 }, (_, nth) =>
      item(
        nth,
        Array.from({ length: 8 }, () => [-1, seconds] as [number, number]),
        { work: step, line: `work#${step}#m5` },
      ),
    );
  const step = (name: string, items: number, after: string[] = []) =>
    question({ step: name, work: name, items, after });
  const history3 = [...past('a', 100), ...past('b', 50), ...past('c', 10)];

  it('follows the longest way through the steps', () => {
    const { wallSeconds } = learn([step('a', 1), step('b', 1), step('c', 1, ['a', 'b'])], history3).estimate();

    expect(wallSeconds.expected).toBeGreaterThan(105);
    expect(wallSeconds.expected).toBeLessThan(125);
  });

  it('takes as long as the vCPUs that jobs may have allow', () => {
    const wide = learn([step('a', 100)], history3, { parallelVcpus: 1_000 }).estimate();
    const narrow = learn([step('a', 100)], history3, { parallelVcpus: 20 }).estimate();

    expect(wide.wallSeconds.expected).toBeLessThan(120);
    expect(narrow.wallSeconds.expected).toBeGreaterThan(900);
    expect(narrow.seconds).toEqual(wide.seconds);
  });

  it('waits for the longest of many items', () => {
    const uneven = history({ ...TRUTH, slope: 0, within: 0.6, between: 0.02 }, 10, 40);
    const wall = (items: number) =>
      learn([question({ items })], uneven, { parallelVcpus: 1e6 }).estimate().wallSeconds.expected;

    expect(wall(1)).toBeLessThan(wall(10));
    expect(wall(10) * 1.5).toBeLessThan(wall(1_000));
  });
});

describe('money', () => {
  it('is each step at its own price; steps without one are left out', () => {
    const [a, b] = [question({ step: 'a' }), question({ step: 'b' })];
    const model = learn([a, b], history(TRUTH, 6, 10));
    const one = model.estimate().steps[0]?.seconds?.expected ?? 0;

    expect(
      model.weigh(
        new Map([
          ['a', 2],
          ['b', 3],
        ]),
      ).expected,
    ).toBeCloseTo(5 * one, 3);
    expect(model.weigh(new Map([['a', 2]])).expected).toBeCloseTo(2 * one, 3);
    expect(model.weigh(new Map()).expected).toBe(0);
  });

  it('has the share of the host that a job reserves, nine to one', () => {
    expect(shareOf({ vcpus: 2, memoryMib: 8_192 }, { vcpus: 4, memoryMib: 16_384 })).toBe(0.5);
    expect(shareOf({ vcpus: 1, memoryMib: 1_024 }, { vcpus: 4, memoryMib: 16_384 })).toBeCloseTo(10 / 52, 12);
    expect(shareOf({ vcpus: 64, memoryMib: 1_024 }, { vcpus: 4, memoryMib: 16_384 })).toBe(1);
  });

  it('takes the mean of a price that changed, by time', () => {
    const span = { unit: 'Hrs', currency: 'USD', pricesAt: '2026-11-01T00:00:00Z', source: 'spot-history' as const };
    const spans = [
      { ...span, from: 0, to: 1_000, perUnit: '0.10' },
      { ...span, from: 1_000, to: 4_000, perUnit: '0.20' },
    ];

    expect(meanPrice({ spans })?.perHour).toBeCloseTo(0.175, 12);
    expect(meanPrice({ unpriced: { reason: 'no', remedy: 'no' } })).toBeUndefined();
    expect(dayBefore(Date.UTC(2026, 10, 26, 13))).toEqual({ from: Date.UTC(2026, 10, 25), to: Date.UTC(2026, 10, 26) });
  });
});

it('knows the family of an instance type', () => {
  expect(['c6i.4xlarge', 'm5.metal', 'u-6tb1.112xlarge', 'fargate', 'hpc.lab-a'].map(familyOf)).toEqual([
    'c6i',
    'm5',
    'u-6tb1',
    'fargate',
    'hpc',
  ]);
});

it("knows Student's t", () => {
  // Tables of the distribution: the 90th percentiles of 2, 5, 10 and 30 degrees of freedom.
  const table = { 2: 1.8856, 5: 1.4759, 10: 1.3722, 30: 1.3104 };
  for (const [freedom, value] of Object.entries(table)) expect(t90(Number(freedom)) / value).toBeCloseTo(1, 2);
});
