/**
 * Workflows in a row: each is estimated from those just before it, and then it is seen.
 *
 * @module
 */
import { learn } from '../../../lib/cost/estimate/estimate.ts';
import type { Band } from '../../../lib/cost/estimate/model.ts';
import { historyItemsOf, programsOf, questionsOf } from './launches.ts';
import type { Recipe, Workflow } from './wfcommons.ts';

export interface Trial {
  recipe: Recipe;
  /** How many launches it was estimated from. */
  training: number;
  /** Absent: of the whole launch. */
  step?: string;
  truth: number;
  band: Band;
  /** The plain average of the same launches. */
  average: number;
}

/** @param first the first one that is estimated, the same for all numbers of launches */
export function backtest(workflows: readonly Workflow[], trainings: readonly number[], first: number): Trial[] {
  const histories = workflows.map(historyItemsOf);
  const totals = workflows.map(totalsOf);
  return workflows.slice(first).flatMap((workflow, place) =>
    trainings.flatMap((training) => {
      const at = first + place;
      const estimate = learn(questionsOf(workflow), histories.slice(at - training, at).flat()).estimate();
      const before = totals.slice(at - training, at);
      const trial = (truth: number, band: Band, of: (total: Totals) => number | undefined): Trial => {
        const known = before.flatMap((total) => of(total) ?? []);
        const average = known.reduce((sum, value) => sum + value, 0) / known.length;
        return { recipe: workflow.recipe, training, truth, band, average };
      };
      const truth = totals[at] as Totals;
      return [
        trial(truth.all, estimate.seconds, ({ all }) => all),
        ...estimate.steps.flatMap(({ step, seconds }) =>
          seconds ? [{ ...trial(truth.steps.get(step) ?? 0, seconds, ({ steps }) => steps.get(step)), step }] : [],
        ),
      ];
    }),
  );
}

interface Totals {
  all: number;
  steps: ReadonlyMap<string, number>;
}

/** Seconds. */
function totalsOf(workflow: Workflow): Totals {
  const steps = new Map(
    [...programsOf(workflow)].map(([step, tasks]) => [step, tasks.reduce((sum, [, , seconds]) => sum + seconds, 0)]),
  );
  return { steps, all: [...steps.values()].reduce((sum, value) => sum + value, 0) };
}

/** How good trials were. Shares are 0 to 1. */
export interface Score {
  trials: number;
  coverage: number;
  /** Truths below, and above. */
  below: number;
  above: number;
  medianError: number;
  baselineMedianError: number;
}

export function scoreOf(trials: readonly Trial[]): Score {
  const share = (holds: (trial: Trial) => boolean) => round(trials.filter(holds).length / trials.length);
  return {
    trials: trials.length,
    coverage: share(({ truth, band }) => band.p10 <= truth && truth <= band.p90),
    below: share(({ truth, band }) => truth < band.p10),
    above: share(({ truth, band }) => truth > band.p90),
    medianError: middle(trials.map(({ truth, band }) => Math.abs(band.expected - truth) / truth)),
    baselineMedianError: middle(trials.map(({ truth, average }) => Math.abs(average - truth) / truth)),
  };
}

const middle = (values: readonly number[]): number =>
  round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN);

const round = (value: number): number => Math.round(value * 10_000) / 10_000;
