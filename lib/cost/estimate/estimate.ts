/**
 * What a launch will take before it begins, by what launches before it took. Pure: the same question and history, in
 * whatever order, give the same answer. The method and its sources are in docs/cost-estimates.md.
 *
 * @module
 */
import type { HistoryItem } from '../../store/ledger.ts';
import { type LeftOut, leaveOut, widthOf } from './calibrate.ts';
import { type Fit, fitStep, NO_PRIOR, type Prior } from './fit.ts';
import {
  type Band,
  type LaunchEstimate,
  LEAST_LAUNCHES,
  NOTHING,
  type StepEstimate,
  type StepQuestion,
} from './model.ts';
import { median, sum } from './numbers.ts';
import { launchesOf, type Observation, observe, sizeOf } from './observations.ts';
import { addMoments, atPrice, bandOf, type Load, momentsOf } from './predict.ts';
import { FLAT, NO_SLOPE, slopeOf } from './slope.ts';
import { togetherOf } from './together.ts';
import { wallOf } from './wall.ts';

export interface EstimateOptions {
  /** vCPUs that jobs of the launch may have at a time. */
  parallelVcpus: number;
}

/** What AWS Batch's console proposes for a compute environment. */
export const DEFAULT_PARALLEL_VCPUS = 256;

/** What has been learnt, to be asked for several families of instances. */
export interface Model {
  steps: readonly ModelStep[];
  /** In time, on the families that launches ran on, or on one. */
  estimate(family?: string): LaunchEstimate;
  /** What steps cost together, each at a price for a second; steps without a price are left out. */
  weigh(prices: ReadonlyMap<string, number>, family?: string): Band;
}

interface ModelStep {
  question: StepQuestion;
  launches: readonly string[];
  missing?: string;
  known?: { fit: Fit; load: Load; leftOut: ReadonlyMap<string, LeftOut>; width: number };
}

/** @param questions in an order in which each comes after those it needs @param history of whatever work */
export function learn(
  questions: readonly StepQuestion[],
  history: readonly HistoryItem[],
  { parallelVcpus }: EstimateOptions = { parallelVcpus: DEFAULT_PARALLEL_VCPUS },
): Model {
  const observed = questions.map((question) =>
    observe(
      history.filter(({ work }) => work === question.work),
      question.vcpus,
    ),
  );
  const prior = priorOf(observed);
  const steps = questions.map((question, index) => modelStep(question, observed[index] ?? [], prior));
  const running = steps.flatMap(({ known }) => (known && known.load.items > 0 ? [known] : []));
  const together = togetherOf(running.map(({ fit, load }) => ({ fit, mean: momentsOf(fit, load).mean })));
  const width = widthOf(
    running.map(({ leftOut }) => leftOut),
    together,
  );
  const on = (load: Load, family?: string): Load => (family === undefined ? load : { ...load, family });
  const missing = steps.filter(({ known, question }) => !known && question.items > 0);
  return {
    steps,
    estimate: (family) => ({
      steps: steps.map((step) => stepEstimate(step, family)),
      seconds: bandOf(
        addMoments(
          running.map(({ fit, load }) => momentsOf(fit, on(load, family))),
          together,
        ),
        width,
      ),
      wallSeconds: wallOf(
        steps.map(({ question, known }) => ({
          ...question,
          ...(known && { known: { fit: known.fit, load: on(known.load, family) } }),
        })),
        { parallelVcpus, width, together },
      ),
      incomplete: missing.length > 0,
      launches: launchesOf(observed.filter((_, index) => (steps[index]?.known?.load.items ?? 0) > 0).flat()),
    }),
    weigh: (prices, family) =>
      bandOf(
        addMoments(
          steps.flatMap(({ question, known }) => {
            const price = prices.get(question.step);
            return known && price !== undefined ? [atPrice(momentsOf(known.fit, on(known.load, family)), price)] : [];
          }),
          together,
        ),
        width,
      ),
  };
}

function modelStep(question: StepQuestion, observations: readonly Observation[], prior: Prior): ModelStep {
  const launches = launchesOf(observations);
  if (launches.length < LEAST_LAUNCHES) {
    const count = launches.length;
    const ran =
      count === 0 ? 'no launch has run it' : `only ${count} ${count === 1 ? 'launch has' : 'launches have'} run it`;
    return { question, launches, missing: `not enough history: ${ran}; ${LEAST_LAUNCHES} are needed` };
  }
  const sizes = question.inputBytes.slice(0, question.items).flatMap((bytes) => sizeOf(bytes) ?? []);
  // Where most are not known, those that are would be held against an average of others.
  const sized = sizes.length * 2 > question.items;
  const fit = fitStep(observations, prior, sized);
  const load = { items: question.items, sizes: sized ? sizes : [] };
  const leftOut = leaveOut({ observations, prior, sized, fit });
  return { question, launches, known: { fit, load, leftOut, width: widthOf([leftOut], 1) } };
}

function stepEstimate({ question, launches, missing, known }: ModelStep, family?: string): StepEstimate {
  const { step, items, cached } = question;
  const of = { step, items, cached, launches };
  if (items === 0) return { ...of, seconds: NOTHING };
  if (!known) return { ...of, ...(missing !== undefined && { missing }) };
  const { fit, load, width } = known;
  const moments = momentsOf(fit, family === undefined ? load : { ...load, family });
  const { least, most } = fit.slope;
  const seen = fit.slope !== NO_SLOPE;
  const extrapolated = seen && load.sizes.some((x) => x < least - OUTSIDE || x > most + OUTSIDE);
  return { ...of, seconds: bandOf(moments, width), ...(extrapolated && { extrapolated }) };
}

/** Of the logarithm of a size: twice as large is no other kind of input. */
const OUTSIDE = Math.log(2);

/**
 * From all steps: a workflow type whose launches differ much, or whose times grow with inputs, does so in new steps too. Of
 * steps with few items a launch nobody can tell whether launches differ or items do.
 */
function priorOf(observed: readonly (readonly Observation[])[]): Prior {
  const steps = observed.filter((one) => launchesOf(one).length >= LEAST_LAUNCHES);
  if (steps.length < 2) return NO_PRIOR;
  const slopes = steps.map((one) => slopeOf(one, FLAT));
  const worth = slopes.map(({ variance }) => 1 / (variance + FLAT.deviation ** 2));
  const many = steps.filter(
    (one) => sum(one.map(({ samples }) => samples.length)) >= MANY_ITEMS * launchesOf(one).length,
  );
  return {
    slope: {
      value:
        sum(slopes.map(({ value }, index) => value * (worth[index] ?? 0))) / (sum(worth) + 1 / FLAT.deviation ** 2),
      deviation: FLAT.deviation,
    },
    between: median([NO_PRIOR.between, ...many.map((one) => fitStep(one, NO_PRIOR, true).betweenAlone)]),
  };
}

/** A launch. */
const MANY_ITEMS = 5;
