/**
 * The plan: order of the steps, items of a scatter, which item needs which, cycles.
 *
 * @module
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { itemsOf, type Plan, type PlannedStep, type StepItem, upstreamItems } from '../../workflows/launch/plan.ts';
import type { SheetStep } from '../../workflows/launch/sheet/sheet.ts';
import { acyclicSheet, needsOf, planOf, problemsOf, sheetOf, tryPlan } from '../support/sheets.ts';

const stepNamed = (plan: Plan, name: string): PlannedStep => {
  const step = plan.steps.find((candidate) => candidate.name === name);
  if (!step) throw new Error(`no step ${name}`);
  return step;
};

describe('the order of steps', () => {
  it('has every step once, after all it needs', () => {
    fc.assert(
      fc.property(acyclicSheet, (sheet) => {
        const names = planOf(sheet).steps.map((step) => step.name);
        expect([...names].sort()).toEqual(Object.keys(sheet.steps).sort());
        for (const [name, step] of Object.entries(sheet.steps)) {
          for (const need of needsOf(step)) expect(names.indexOf(need)).toBeLessThan(names.indexOf(name));
        }
      }),
    );
  });

  it('names what a step waits for once each, whether by after or by its inputs', () => {
    fc.assert(
      fc.property(acyclicSheet, (sheet) => {
        for (const step of planOf(sheet).steps) {
          const needs = new Set(needsOf(sheet.steps[step.name] as SheetStep));
          expect([...step.after].sort()).toEqual([...needs].sort());
        }
      }),
    );
  });

  it("keeps the sheet's order among steps that need nothing", () => {
    const step = { image: 'i', command: 'c' };
    const plan = planOf(sheetOf({ zeta: step, alpha: step, mid: step }));
    expect(plan.steps.map(({ name }) => name)).toEqual(['zeta', 'alpha', 'mid']);
  });
});

describe('cycles', () => {
  /** A sheet where each step comes after the next, the last after the first, hung into an innocent graph. */
  const cyclicSheet = fc.tuple(acyclicSheet, fc.integer({ min: 2, max: 6 }), fc.boolean()).map(([sheet, size, use]) => {
    const ring = Array.from({ length: size }, (_, index): [string, SheetStep] => {
      const next = `ring${(index + 1) % size}`;
      const needs = use ? { inputs: { other: { from: `${next}.out` } } } : { after: [next] };
      return [`ring${index}`, { image: 'i', command: 'c', outputs: { out: 'o' }, ...needs }];
    });
    const [first] = Object.keys(sheet.steps);
    // Something that waits for the ring without being part of it.
    const tail: SheetStep = { image: 'i', command: 'c', after: ['ring0', first ?? ''] };
    return { ...sheet, steps: { tail, ...sheet.steps, ...Object.fromEntries(ring) } };
  });

  it('are always found, and what is named is a cycle', () => {
    fc.assert(
      fc.property(cyclicSheet, (sheet) => {
        const steps: Record<string, SheetStep> = sheet.steps;
        const problems = problemsOf(sheet);
        expect(problems).toHaveLength(1);
        const named = /the steps wait for each other: (.*)$/.exec(problems[0]?.message ?? '')?.[1]?.split(' -> ') ?? [];
        expect(named.length).toBeGreaterThan(2);
        expect(named.at(-1)).toBe(named[0]);
        expect(new Set(named.slice(1)).size).toBe(named.length - 1);
        for (const [index, name] of named.slice(0, -1).entries()) {
          expect(needsOf(steps[name] as SheetStep)).toContain(named[index + 1]);
        }
        expect(problems[0]?.at).toBe(`steps.${named[0]}`);
      }),
    );
  });
});

describe('the items of a step', () => {
  it('are the cross product with the last dimension fastest, keys unique', () => {
    fc.assert(
      fc.property(acyclicSheet, (sheet) => {
        const plan = planOf(sheet);
        for (const step of plan.steps) {
          const items = itemsOf(plan, step);
          expect(items).toHaveLength(step.items);
          const sizes = step.dimensions.map((dimension) => plan.dimensions[dimension]?.length ?? 0);
          for (const [index, item] of items.entries())
            expect(namesOf(step, item)).toEqual(oracle(plan, step, sizes, index));
          expect(new Set(items.map(({ key }) => key)).size).toBe(items.length);
        }
      }),
    );
  });

  it('has one item named all without a scatter', () => {
    const plan = planOf(sheetOf({ one: { image: 'i', command: 'c' } }));
    expect(itemsOf(plan, stepNamed(plan, 'one'))).toEqual([{ key: 'all', values: {} }]);
  });

  it('keeps the fields of an item', () => {
    const sample = [{ name: 'a', lane: 3 }, 'b'];
    const plan = planOf(sheetOf({ one: { image: 'i', command: 'c', scatter: ['sample'] } }, { scatter: { sample } }));
    const [first, second] = itemsOf(plan, stepNamed(plan, 'one'));
    expect(first?.values.sample).toEqual({ name: 'a', fields: { name: 'a', lane: 3 } });
    expect(second?.values.sample).toEqual({ name: 'b', fields: {} });
  });

  it('counts 100,000 and no more', () => {
    const scatter = (count: number) => ({ sample: Array.from({ length: count }, (_, index) => `s${index}`) });
    const steps = { one: { image: 'i', command: 'c', scatter: ['sample'] } };
    expect(tryPlan(sheetOf(steps, { scatter: scatter(100_000) }))).toHaveProperty('plan');
    expect(problemsOf(sheetOf(steps, { scatter: scatter(100_001) }))[0]?.message).toContain(
      '100001 items; at most 100000',
    );
  });

  /** Index to names by division, as an odometer counts. */
  function oracle(plan: Plan, step: PlannedStep, sizes: readonly number[], index: number): string[] {
    let rest = index;
    const digits: number[] = [];
    for (const size of [...sizes].reverse()) {
      digits.unshift(rest % size);
      rest = Math.floor(rest / size);
    }
    return step.dimensions.map((dimension, place) => plan.dimensions[dimension]?.[digits[place] ?? 0]?.name ?? '');
  }

  const namesOf = (step: PlannedStep, item: StepItem): string[] =>
    step.dimensions.map((dimension) => item.values[dimension]?.name ?? '');
});

describe('what an item needs of another step', () => {
  it('are those items that agree in every dimension both have', () => {
    fc.assert(
      fc.property(acyclicSheet, (sheet) => {
        const plan = planOf(sheet);
        for (const step of plan.steps) {
          for (const item of itemsOf(plan, step).slice(0, 5)) {
            for (const upstream of plan.steps) {
              const shared = upstream.dimensions.filter((dimension) => step.dimensions.includes(dimension));
              const wanted = itemsOf(plan, upstream).filter((candidate) =>
                shared.every((dimension) => candidate.values[dimension]?.name === item.values[dimension]?.name),
              );
              expect(upstreamItems(plan, item, upstream)).toEqual(wanted);
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is exactly one without gather, so an input is one file', () => {
    fc.assert(
      fc.property(acyclicSheet, (sheet) => {
        const plan = planOf(sheet);
        for (const step of plan.steps) {
          for (const input of step.inputs) {
            if (input.kind !== 'from' || input.gather) continue;
            for (const item of itemsOf(plan, step)) {
              expect(upstreamItems(plan, item, stepNamed(plan, input.step))).toHaveLength(1);
            }
          }
        }
      }),
    );
  });
});

describe('defaults and discovery', () => {
  it('fills in the least a Batch host takes well', () => {
    const [step] = planOf(sheetOf({ one: { image: 'i', argv: ['run'] } })).steps;
    expect(step).toMatchObject({
      vcpus: 1,
      memoryMiB: 1024,
      maxMemoryMiB: 4096,
      main: { kind: 'argv', argv: ['run'] },
    });
    expect(step?.retries).toEqual({ exit: 0, hostLoss: 2, outOfMemory: 2, timeout: 0 });
    expect(step).not.toHaveProperty('timeoutSeconds');
    expect(step).not.toHaveProperty('failWhenStuckSeconds');
  });

  it('puts results under the launch id, whether the path ends in a slash or not', () => {
    const steps = { one: { image: 'i', command: 'c' } };
    const at = (resultsPath: string) => planOf(sheetOf(steps, { resultsPath })).resultsPath;
    expect(at('s3://out/x')).toBe('s3://out/x/run-1/');
    expect(at('s3://out/x/')).toBe('s3://out/x/run-1/');
    expect(planOf(sheetOf(steps)).resultsPath).toBe('s3://longhaul/results/lab-a/run-1/');
  });

  it('takes discovered names as items and refuses names unfit for keys', () => {
    const sheet = sheetOf(
      { one: { image: 'i', command: 'c', scatter: ['sample'] } },
      { scatter: { sample: { discover: 'reads/*.fq' } } },
    );
    const plan = planOf(sheet, { sample: ['b', 'a'] });
    expect(itemsOf(plan, stepNamed(plan, 'one')).map(({ key }) => key)).toEqual(['b', 'a']);
    const refused = tryPlan(sheet, { sample: ['ok', 'a b'] });
    expect('problems' in refused && refused.problems[0]?.message).toContain('found "a b"');
  });
});
