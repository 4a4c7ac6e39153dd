/**
 * Launch sheets for tests: built by hand, and at random.
 *
 * @module
 */
import fc from 'fast-check';
import { type Plan } from '../../workflows/launch/plan.ts';
import { planLaunch } from '../../workflows/launch/plan-launch.ts';
import type { Problem } from '../../workflows/launch/sheet/problems.ts';
import type { Sheet, SheetStep, StepsSheet } from '../../workflows/launch/sheet/sheet.ts';

export function sheetOf(steps: StepsSheet['steps'], more: Partial<Sheet> = {}): StepsSheet {
  return {
    apiVersion: 'longhaul/v1',
    launchId: 'run-1',
    workflowType: 'steps',
    consumer: 'lab-a',
    dataPath: 's3://data/cohort/',
    ...more,
    steps,
  };
}

export function tryPlan(sheet: Sheet, discovered: Record<string, string[]> = {}) {
  return planLaunch(sheet, {
    launchId: sheet.launchId ?? 'run-1',
    attempt: 1,
    computeService: 'batch',
    defaultResultsPath: 's3://longhaul/results/lab-a/',
    discovered,
  });
}

export function planOf(sheet: Sheet, discovered: Record<string, string[]> = {}): Plan {
  const planned = tryPlan(sheet, discovered);
  if ('problems' in planned) throw new Error(planned.problems.map(({ at, message }) => `${at}: ${message}`).join('\n'));
  return planned.plan;
}

export function problemsOf(sheet: Sheet): Problem[] {
  const planned = tryPlan(sheet);
  return 'problems' in planned ? planned.problems : [];
}

const DIMENSIONS = ['sample', 'region', 'lane'];

/**
 * A sheet without a cycle whose steps stand in any order: each needs some of those before it in a hidden order, by
 * `after` or by using their output, gathered or not as the dimensions demand.
 */
export const acyclicSheet: fc.Arbitrary<StepsSheet> = fc
  .record({
    sizes: fc.tuple(...DIMENSIONS.map(() => fc.integer({ min: 1, max: 4 }))),
    steps: fc.array(
      fc.record({
        scatter: fc.subarray(DIMENSIONS).chain((some) => fc.shuffledSubarray(some, { minLength: some.length })),
        after: fc.array(fc.nat(), { maxLength: 3 }),
        from: fc.array(fc.nat(), { maxLength: 2 }),
        gather: fc.boolean(),
      }),
      { minLength: 1, maxLength: 12 },
    ),
    seed: fc.infiniteStream(fc.nat()),
  })
  .map(({ sizes, steps, seed }) => {
    const scatter = Object.fromEntries(
      DIMENSIONS.map((name, index) => [name, Array.from({ length: sizes[index] ?? 1 }, (_, nth) => `${name}${nth}`)]),
    );
    const built = steps.map((step, index): [string, SheetStep] => {
      const earlier = (picks: readonly number[]) =>
        index === 0 ? [] : [...new Set(picks.map((pick) => pick % index))].map((nth) => `step${nth}`);
      const inputs = earlier(step.from).map((name) => {
        const upstream = steps[Number(name.slice('step'.length))]?.scatter ?? [];
        const gather = step.gather || upstream.some((dimension) => !step.scatter.includes(dimension));
        return [`of_${name}`, { from: `${name}.out`, gather }];
      });
      const after = earlier(step.after);
      return [
        `step${index}`,
        {
          image: 'tools:1',
          command: 'true > ${{ outputs.out }}',
          outputs: { out: 'out.txt' },
          ...(step.scatter.length > 0 && { scatter: step.scatter }),
          ...(after.length > 0 && { after }),
          ...(inputs.length > 0 && { inputs: Object.fromEntries(inputs) }),
        },
      ];
    });
    const order = built.map((entry) => ({ entry, rank: seed.next().value as number }));
    order.sort((a, b) => a.rank - b.rank);
    return sheetOf(Object.fromEntries(order.map(({ entry }) => entry)), { scatter });
  });

/** What a step needs, read off the sheet itself. */
export const needsOf = (step: SheetStep): string[] => [
  ...(step.after ?? []),
  ...Object.values(step.inputs ?? {}).flatMap((input) =>
    typeof input === 'string' ? [] : [input.from.split('.')[0] ?? ''],
  ),
];
