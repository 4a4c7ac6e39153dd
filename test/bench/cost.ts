/**
 * How good estimates are, on workflows our model did not make: WfCommons generates them from recipes that were fitted to
 * traces. Each is estimated from those before it. And how often prices are looked up. See docs/cost-estimates.md.
 *
 *   npm run bench -- cost [--seed 11] [--launches 60] [--most-tasks 600] [--recipes Genome,Bwa] [--json]
 *
 * @module
 */
import { dayBefore, meanPrice, perSecond, shareOf } from '../../lib/cost/estimate/money.ts';
import { backtest, scoreOf, type Trial } from './cost/backtest.ts';
import { SIZE } from './cost/launches.ts';
import { countingBook, HOST, ON_DEMAND, spotIn } from './cost/prices.ts';
import { generate, RECIPES, type Recipe } from './cost/wfcommons.ts';
import { option, report } from './report.ts';

/** Launches an estimate learns from. */
const TRAININGS = [3, 5, 10, 20];
const PRICED = 1_000;
const ZONES = ['us-east-1a', 'us-east-1b', 'us-east-1c'];
const HOUR_MS = 3_600_000;

const seed = Number(option('seed') ?? 11);
const launches = Number(option('launches') ?? 60);
const mostTasks = Number(option('most-tasks') ?? 600);
const recipes = (option('recipes')?.split(',') ?? RECIPES) as readonly Recipe[];
const trainings = TRAININGS.filter((training) => training < launches);
const first = Math.max(...trainings);

const { perSecond: price, calls } = await priceLaunches();
const spotCalls = await chargeSpot();
const workflows = await generate({ recipes, count: launches, seed, mostTasks });
const trials = recipes.flatMap((recipe) =>
  backtest(
    workflows.filter((one) => one.recipe === recipe),
    trainings,
    first,
  ),
);
const whole = trials.filter(({ step }) => step === undefined);
const { coverage, medianError, baselineMedianError } = scoreOf(whole);
const by = <Key extends string | number>(keys: readonly Key[], keyOf: (trial: Trial) => Key, of = whole) =>
  Object.fromEntries(keys.map((key) => [key, scoreOf(of.filter((trial) => keyOf(trial) === key))]));
report({
  coverage,
  medianError,
  baselineMedianError,
  callsPerLaunch: calls / PRICED,
  callsPerSpotCharge: spotCalls / PRICED,
  seed,
  launches: scoreOf(whole),
  money: scoreOf(whole.map((trial) => inMoney(trial, price))),
  steps: scoreOf(trials.filter(({ step }) => step !== undefined)),
  byRecipe: by(recipes, ({ recipe }) => recipe),
  byTraining: by(trainings, ({ training }) => training),
});
process.exit(0);

/** What launches are estimated and charged by, one each half hour: on demand, and on spot capacity of three zones. */
async function priceLaunches() {
  const clock = { now: Date.UTC(2026, 9, 1) };
  const { book, asked } = countingBook(clock);
  let cost: number | undefined;
  for (let nth = 0; nth < PRICED; nth += 1) {
    clock.now += HOUR_MS / 2;
    const found = meanPrice(await book.price(ON_DEMAND, { from: clock.now, to: clock.now }));
    await book.price(ON_DEMAND, { from: clock.now - HOUR_MS, to: clock.now });
    if (!found) throw new Error('the price list answers, but there is no price');
    cost = perSecond(found, shareOf(SIZE, HOST));
    for (const zone of ZONES)
      if (!meanPrice(await book.price(spotIn(zone), dayBefore(clock.now))))
        throw new Error(`there is no spot price of ${zone}`);
  }
  if (cost === undefined) throw new Error('nothing was priced');
  return { perSecond: cost, calls: asked.pricing + asked.spot };
}

/** The price of spot capacity up to the end of a launch is not known before: of launches one after another each asks. */
async function chargeSpot(): Promise<number> {
  const clock = { now: Date.UTC(2026, 9, 1) };
  const { book, asked } = countingBook(clock);
  for (let nth = 0; nth < PRICED; nth += 1) {
    clock.now += HOUR_MS / 2;
    await book.price(spotIn(ZONES[0] ?? ''), { from: clock.now - HOUR_MS, to: clock.now });
  }
  return asked.spot;
}

function inMoney({ truth, band, average, ...trial }: Trial, price: number): Trial {
  const { expected, p10, p90 } = band;
  return {
    ...trial,
    truth: truth * price,
    average: average * price,
    band: { expected: expected * price, p10: p10 * price, p90: p90 * price },
  };
}
