/**
 * What a launch will take and cost before it begins: history and prices are asked, and several ways to buy the capacity are
 * held against each other. For the command line and whoever else asks.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { mapLimited } from '../../lib/concurrency.ts';
import { DEFAULT_PARALLEL_VCPUS, learn, type Model } from '../../lib/cost/estimate/estimate.ts';
import type { Band, LaunchEstimate, StepQuestion } from '../../lib/cost/estimate/model.ts';
import { familyOf } from '../../lib/cost/estimate/observations.ts';
import type { InstanceTypeReader } from '../../lib/launch/instance-types.ts';
import { takeInventory } from '../../lib/launch/inventory.ts';
import { reservedOn } from '../../lib/launch/reserved.ts';
import type { PriceBook } from '../../lib/prices/price-book.ts';
import type { HistoryItem, LedgerStore } from '../../lib/store/ledger.ts';
import type { Market } from '../../workflows/cost/model.ts';
import type { Plan } from '../../workflows/launch/plan.ts';
import { type Overhead, overheadOf } from './estimate-overhead.ts';
import { questionsOf } from './estimate-questions.ts';
import { FARGATE, type Rate, type RateContext, rateOf } from './estimate-rates.ts';

export interface EstimateDependencies {
  s3: S3Client;
  ledger: Pick<LedgerStore, 'history' | 'lines'>;
  prices: PriceBook;
  instanceTypes: Pick<InstanceTypeReader, 'describe'>;
  region(): Promise<string>;
  now(): number;
}

export interface EstimateRequest {
  plan: Plan;
  /** Absent: both. */
  market?: 'on-demand' | 'spot';
  /** Absent: what launches ran on, and the usual ones beside it. */
  families?: readonly string[];
  parallelVcpus?: number;
  /** Items whose results are known, by step. */
  cached?: Readonly<Record<string, number>>;
}

/** One way to buy it. */
export interface Offer {
  family: string;
  market: Market;
  /** Launches have run on it. */
  known: boolean;
  seconds: Band;
  wallSeconds: Band;
  /** Absent where a price is missing. */
  money?: Band & { currency: string };
  /** Of steps whose price is known. */
  steps: readonly { step: string; type: string; seconds: Band; money: Band }[];
  unpriced: readonly { step: string; reason: string }[];
}

export interface PlannedCost {
  estimate: LaunchEstimate;
  /** The cheapest first; those without a price last. */
  offers: readonly Offer[];
  overhead: Overhead;
  parallelVcpus: number;
  /** Inputs that are not there: nobody knows their size. */
  missingInputs: number;
}

/** Of one step: enough for the newest launches, each with a few instance types. */
const HISTORY = 60;
const ASKING = 8;
/** Beside what launches ran on, of the same architecture. */
const USUAL = { x86_64: ['m6i', 'c6i', 'r6i'], arm64: ['m6g', 'c6g', 'r6g'] } as const;
/** `c7g`, `m6gd`: Graviton. */
const ARM = /^[a-z]+\d+g/;
const INSTANCE_FAMILY = /^[a-z][a-z0-9-]*\d[a-z0-9-]*$/;

export async function estimateLaunch(deps: EstimateDependencies, request: EstimateRequest): Promise<PlannedCost> {
  const { plan, market, parallelVcpus = DEFAULT_PARALLEL_VCPUS } = request;
  const { inventory, missing } = await takeInventory(deps.s3, plan, () => {});
  const questions = questionsOf(plan, inventory, request.cached);
  const works = [...new Set(questions.map(({ work }) => work))];
  const history = (await mapLimited(works, ASKING, (work) => deps.ledger.history(work, HISTORY))).flat();
  const model = learn(questions, history, { parallelVcpus });
  const ways = waysOf(history, request.families ?? [], market);
  const families = [...new Set(ways.map(({ family }) => family).filter((family) => INSTANCE_FAMILY.test(family)))];
  const context: RateContext = {
    prices: deps.prices,
    region: await deps.region(),
    now: deps.now(),
    hosts: families.length > 0 ? await deps.instanceTypes.describe(families) : [],
    history,
    reserved: reservedBy(plan),
  };
  const drafts: Draft[] = [];
  for (const way of ways) drafts.push(await draftOf(model, context, way));
  const currency = drafts.flatMap(({ currencies }) => currencies)[0] ?? 'USD';
  const estimate = model.estimate();
  const overhead = await overheadOf(deps.ledger, estimate.launches, currency);
  const offers = drafts.map((draft) => offerOf(model, draft, overhead.factor));
  const costOf = ({ money }: Offer) => money?.expected ?? Number.POSITIVE_INFINITY;
  return {
    estimate,
    offers: offers.sort((a, b) => costOf(a) - costOf(b) || (a.family < b.family ? -1 : 1)),
    overhead,
    parallelVcpus,
    missingInputs: missing.length,
  };
}

const reservedBy = (plan: Plan) => {
  const heads = new Set(plan.steps.filter(({ head }) => head?.state.keep.length).map(({ name }) => name));
  return ({ step, vcpus, memoryMib }: StepQuestion) =>
    reservedOn(plan.computeService, { vcpus, memoryMiB: memoryMib, keeps: heads.has(step) });
};

interface Way {
  family: string;
  market: Market;
  known: boolean;
}

/** On premises there is one market, and nothing to choose. */
function waysOf(history: readonly HistoryItem[], asked: readonly string[], market?: 'on-demand' | 'spot'): Way[] {
  const premises = new Set(history.filter((item) => item.market === 'on-premises').map((item) => item.resource_type));
  const used = [...new Set(history.map((item) => familyOf(item.resource_type)))].filter(
    (family) => family !== 'unknown',
  );
  const instances = used.filter((family) => !premises.has(family) && family !== FARGATE);
  const arm = instances.length > 0 && instances.every((family) => ARM.test(family));
  const families = asked.length > 0 ? asked : [...used, ...USUAL[arm ? 'arm64' : 'x86_64']];
  const markets = market ? [market] : (['on-demand', 'spot'] as const);
  return [...new Set(families)].flatMap((family) =>
    (premises.has(family) ? (['on-premises'] as const) : markets).map((how) => ({
      family,
      market: how,
      known: used.includes(family),
    })),
  );
}

interface Draft extends Way {
  rates: ReadonlyMap<string, Exclude<Rate, { unpriced: string }>>;
  unpriced: { step: string; reason: string }[];
  currencies: string[];
}

async function draftOf(model: Model, context: RateContext, way: Way): Promise<Draft> {
  const asked = model.steps.filter(({ known, question }) => known && question.items > 0);
  const found = await mapLimited(asked, ASKING, async ({ question }) => ({
    step: question.step,
    rate: await rateOf(context, question, way.family, way.market),
  }));
  const rates = new Map(found.flatMap(({ step, rate }) => ('unpriced' in rate ? [] : [[step, rate] as const])));
  const unpriced = found.flatMap(({ step, rate }) => ('unpriced' in rate ? [{ step, reason: rate.unpriced }] : []));
  return { ...way, rates, unpriced, currencies: [...new Set([...rates.values()].map(({ currency }) => currency))] };
}

function offerOf(model: Model, draft: Draft, overhead: number): Offer {
  const { family, market, known, rates, unpriced, currencies } = draft;
  const { seconds, wallSeconds, steps } = model.estimate(family);
  const prices = new Map([...rates].map(([step, rate]) => [step, rate.perSecond * overhead]));
  const [currency = 'USD', ...others] = currencies;
  const whole = unpriced.length === 0 && others.length === 0;
  return {
    family,
    market,
    known,
    seconds,
    wallSeconds,
    ...(whole && { money: { ...model.weigh(prices, family), currency } }),
    steps: steps.flatMap(({ step, seconds: band }) => {
      const [price, type] = [prices.get(step), rates.get(step)?.type];
      if (!band || price === undefined || type === undefined) return [];
      const money = { expected: band.expected * price, p10: band.p10 * price, p90: band.p90 * price };
      return [{ step, type, seconds: band, money }];
    }),
    unpriced: [
      ...unpriced,
      ...(others.length > 0 ? [{ step: '', reason: `prices are in ${currencies.join(', ')}` }] : []),
    ],
  };
}
