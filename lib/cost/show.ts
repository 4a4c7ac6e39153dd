/**
 * What one launch has cost, taken apart: by step, by resource, by what it was spent for, beside what is known of time
 * and of the bill. Read from the registry and the ledger.
 *
 * @module
 */
import {
  COST_STRINGS,
  type Component,
  type Durations,
  type LedgerLine,
  type Unpriced,
} from '../../workflows/cost/model.ts';
import type { LaunchItem } from '../store/launches.ts';
import type { ActualItem } from '../store/ledger.ts';
import { groupBy } from './group.ts';
import { HOUR_MS, union } from './intervals.ts';
import { ledgerText, Money, sumOf, ZERO } from './money.ts';
import { amountOf, type Breakdown, breakDown, isLost, type ResourceSpending, type StepSpending } from './summary.ts';

/** What is in a line of a resource: its price may have changed, and parts of it may be priced apart. */
export interface ResourceDetails {
  market?: NonNullable<LedgerLine['market']>;
  region: string;
  zone?: string;
  /** When it cost something; absent of what is paid for once. */
  hours?: number;
  skus: readonly string[];
  /** Of the oldest and the newest price. */
  pricesAt: readonly [string, string];
  marks: readonly string[];
}

export interface CostOfCurrency extends Omit<Breakdown, 'steps' | 'resources'> {
  /** `seconds`: something worked for it. */
  steps: readonly (StepSpending & { seconds: number; lostBy: Readonly<Record<string, string>> })[];
  resources: readonly (ResourceSpending & ResourceDetails)[];
}

export interface CostView {
  launchId: string;
  status: LaunchItem['status'];
  costStatus?: NonNullable<LaunchItem['cost_status']>;
  consumer?: string;
  attempts: number;
  /** As the registry has it: rounded, all of one currency. */
  cost: Readonly<Record<string, string>>;
  currency?: string;
  durations: Durations;
  lines: number;
  currencies: readonly CostOfCurrency[];
  /** Where both prices are known: what the same hours on demand would have cost more. */
  spotSavings: readonly SpotSaving[];
  unpriced: readonly Unpriced[];
  /** By the bill, once there is one; `difference` is the bill less the estimate of what the bill has. */
  actual?: { cost: string; difference?: string; byService: readonly { service: string; amount: string }[] };
}

export interface SpotSaving {
  type: string;
  region: string;
  currency: string;
  spot: string;
  onDemand: string;
  saved: string;
}

export function costView(
  item: LaunchItem,
  lines: readonly LedgerLine[],
  actuals: readonly ActualItem[] = [],
  onDemand: ReadonlyMap<string, string> = onDemandPrices(lines),
): CostView {
  return {
    launchId: item.launch_id,
    status: item.status,
    ...(item.cost_status && { costStatus: item.cost_status }),
    ...(item.consumer !== undefined && { consumer: item.consumer }),
    attempts: item.attempt,
    cost: Object.fromEntries(COST_STRINGS.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]]))),
    ...(item.currency !== undefined && { currency: item.currency }),
    durations: item.durations ?? {},
    lines: lines.length,
    currencies: breakDown(lines).map((one) => ofCurrency(one, lines)),
    spotSavings: spotSavings(lines, onDemand),
    unpriced: item.unpriced ?? [],
    ...(item.actual_cost !== undefined && {
      actual: {
        cost: item.actual_cost,
        ...(item.cost_difference !== undefined && { difference: item.cost_difference }),
        byService: [...groupBy(actuals, ({ service }) => service)].map(([service, days]) => ({
          service,
          amount: amountOf(days),
        })),
      },
    }),
  };
}

function ofCurrency({ steps, resources, ...rest }: Breakdown, all: readonly LedgerLine[]): CostOfCurrency {
  const lines = all.filter(({ currency }) => currency === rest.currency);
  const bySteps = groupBy(lines, ({ step }) => step);
  const byResources = groupBy(lines, keyOf);
  return {
    ...rest,
    steps: steps.map((spending) => {
      const own = bySteps.get(spending.step) ?? [];
      return { ...spending, seconds: msOf(own.filter(({ purpose }) => purpose === 'use')) / 1000, lostBy: lostBy(own) };
    }),
    resources: resources.map((spending) => ({ ...spending, ...detailsOf(byResources.get(keyOf(spending)) ?? []) })),
  };
}

const keyOf = (of: { component: Component; resource: string; resourceType: string }): string =>
  JSON.stringify([of.component, of.resource, of.resourceType]);

/** By how attempts ended; exact. */
function lostBy(lines: readonly LedgerLine[]): Record<string, string> {
  const byOutcome = groupBy(lines.filter(isLost), ({ outcome = '' }) => outcome);
  return Object.fromEntries([...byOutcome].map(([outcome, own]) => [outcome, amountOf(own)]));
}

/** In any of the lines. */
function msOf(lines: readonly LedgerLine[]): number {
  const spans = lines.map(({ from, to }) => ({ from: Date.parse(from), to: Date.parse(to) }));
  return union(spans).reduce((sum, { from, to }) => sum + to - from, 0);
}

function detailsOf(lines: readonly LedgerLine[]): ResourceDetails {
  const [first] = lines;
  const dates = lines.map(({ pricesAt }) => pricesAt).toSorted();
  const ms = msOf(lines);
  return {
    ...(first?.market && { market: first.market }),
    region: first?.region ?? '',
    ...(first?.zone !== undefined && { zone: first.zone }),
    ...(ms > 0 && { hours: ms / HOUR_MS }),
    skus: distinct(lines.flatMap(({ sku }) => sku ?? [])),
    pricesAt: [dates[0] ?? '', dates.at(-1) ?? ''],
    marks: distinct(lines.flatMap(({ marks = [] }) => marks)),
  };
}

const distinct = (values: readonly string[]): string[] => [...new Set(values)];

const typeKey = ({ resourceType, region, currency }: Pick<LedgerLine, 'resourceType' | 'region' | 'currency'>) =>
  JSON.stringify([resourceType, region, currency]);

/** The lowest the launch itself has paid on demand, by type, Region and currency: the only prices its ledger has. */
function onDemandPrices(lines: readonly LedgerLine[]): ReadonlyMap<string, string> {
  const prices = new Map<string, string>();
  for (const line of lines) {
    if (line.component !== 'instance' || line.market !== 'on-demand' || line.source === 'rates') continue;
    const known = prices.get(typeKey(line));
    if (known === undefined || new Money(line.unitPrice).lt(known)) prices.set(typeKey(line), line.unitPrice);
  }
  return prices;
}

function spotSavings(lines: readonly LedgerLine[], onDemand: ReadonlyMap<string, string>): SpotSaving[] {
  const spot = lines.filter(
    ({ component, market, unit }) => component === 'instance' && market === 'spot' && unit === 'Hrs',
  );
  return [...groupBy(spot, typeKey)].flatMap(([key, own]) => {
    const price = onDemand.get(key);
    const [first] = own;
    if (price === undefined || !first) return [];
    const paid = sumOf(own.map(({ amount }) => amount));
    const hours = own.reduce((sum, { quantity }) => sum.plus(quantity), ZERO);
    const full = hours.times(new Money(price));
    return [
      {
        type: first.resourceType,
        region: first.region,
        currency: first.currency,
        spot: ledgerText(paid),
        onDemand: ledgerText(full),
        saved: ledgerText(full.minus(paid)),
      },
    ];
  });
}
