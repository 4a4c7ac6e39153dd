/**
 * What the user says of prices: own ones before AWS's, discounts off AWS's list prices, what was bought beforehand.
 *
 * The ledger keeps the currency a price has; only reports and summaries are converted, by the exchange rates here, so that
 * a line stays what was billed.
 *
 * @module
 */
import { Decimal } from 'decimal.js';
import type { Interval, Price, PriceKey, PriceSpan, Sharing } from '../../workflows/cost/model.ts';
import { serviceOf, unitOf } from './price-keys.ts';
import { gapsOf, type PricingModel, unpriced } from './pricing-model.ts';

/** A file of own rates as it is used: amounts are decimal numbers. */
export interface Rates {
  /** Of amounts that have none of their own. */
  currency: string;
  /** As of when the figures are. */
  date?: string;
  /** The first that fits goes. */
  rates: readonly OwnRate[];
  /** The first that fits goes. */
  discounts: readonly { service: string; region?: string; family?: string; percent: string }[];
  onPremises: readonly { cluster: string; perVcpuHour: string; perGbHour: string; currency: string }[];
  commitments: readonly Commitment[];
  exchange: readonly ExchangeRate[];
  sharing: { fileSystems: Sharing; clusters: Sharing };
  /** A month, by consumer; `default` of all others. */
  budgets: Readonly<Record<string, string>>;
}

/** Holds from (included) to (excluded), epoch ms. */
export interface OwnRate extends Interval {
  kind: PriceKey['kind'];
  /** Fields of the key, each equal to its value. */
  where: Readonly<Record<string, string | number | boolean>>;
  perUnit: string;
  currency: string;
}

export interface Commitment {
  kind: 'reserved' | 'savings-plan';
  /** `m5`. */
  families?: readonly string[];
  types?: readonly string[];
  regions?: readonly string[];
}

export interface ExchangeRate {
  from: string;
  to: string;
  /** Units of `to` for one of `from`. */
  rate: string;
  /** From this day on, until the next. */
  date: string;
}

/** The file cannot be used; every wrong place is named. */
export class InvalidRatesError extends Error {
  override readonly name = 'InvalidRatesError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

export const NO_RATES: Rates = {
  currency: 'USD',
  rates: [],
  discounts: [],
  onPremises: [],
  commitments: [],
  exchange: [],
  // Among those who use it: what nobody shares is whole by that, too, and nothing is counted twice.
  sharing: { fileSystems: 'pro-rata', clusters: 'pro-rata' },
  budgets: {},
};

/**
 * Own rates as a pricing model.
 * @param readAt ISO 8601: what such prices are as of, where the file does not say
 */
export function ratesModel(rates: Rates, readAt: string): PricingModel {
  const asOf = (date: string | undefined) => (date === undefined ? readAt : `${date}T00:00:00Z`);
  return {
    name: 'own rates',
    lasting: false,
    covers: (key) => key.kind === 'on-premises' || rates.rates.some((rate) => fits(rate, key)),
    async price(key, over) {
      const own = { unit: unitOf(key), source: 'rates' as const, marks: ['own rate'] };
      if (key.kind === 'on-premises') {
        const cluster = rates.onPremises.find((one) => one.cluster === key.cluster);
        if (!cluster) {
          return unpriced(
            `there are no rates of the cluster ${key.cluster}`,
            'add it to onPremises in the file of the setting costRates',
          );
        }
        const perUnit = key.of === 'vcpu' ? cluster.perVcpuHour : cluster.perGbHour;
        return { spans: [{ ...over, ...own, perUnit, currency: cluster.currency, pricesAt: asOf(rates.date) }] };
      }
      const spans: PriceSpan[] = [];
      for (const rate of rates.rates.filter((one) => fits(one, key))) {
        for (const gap of gapsOf(spans, over)) {
          const span = { from: Math.max(gap.from, rate.from), to: Math.min(gap.to, rate.to) };
          const moment = gap.from === gap.to && rate.from <= gap.from && gap.from < rate.to;
          if (span.from >= span.to && !moment) continue;
          const since = Number.isFinite(rate.from) ? new Date(rate.from).toISOString().slice(0, 10) : rates.date;
          spans.push({ ...span, ...own, perUnit: rate.perUnit, currency: rate.currency, pricesAt: asOf(since) });
        }
        spans.sort((a, b) => a.from - b.from);
      }
      return { spans };
    },
  };
}

const fits = ({ kind, where }: OwnRate, key: PriceKey): boolean =>
  kind === key.kind &&
  Object.entries(where).every(([name, value]) => (key as Readonly<Record<string, unknown>>)[name] === value);

/** `m5` of `m5.xlarge`. */
const familyOf = (key: PriceKey): string | undefined =>
  key.kind === 'instance' || key.kind === 'spot' ? key.type.split('.')[0] : undefined;

/** List prices with discounts taken off, and marks for capacity that was bought beforehand: that stays at list price. */
export function withTerms(rates: Rates, key: PriceKey, price: Price): Price {
  if ('unpriced' in price) return price;
  const region = 'region' in key ? key.region : undefined;
  const family = familyOf(key);
  const discount = rates.discounts.find(
    (one) =>
      (one.service === serviceOf(key) || (one.service === 'AmazonEBS' && key.kind === 'volume')) &&
      (one.region === undefined || one.region === region) &&
      (one.family === undefined || one.family === family),
  );
  const commitment = rates.commitments.find(
    ({ families, types, regions }) =>
      key.kind === 'instance' &&
      (!regions || regions.includes(key.region)) &&
      ((!families && !types) || families?.includes(family ?? '') || types?.includes(key.type)),
  );
  if (!discount && !commitment) return price;
  const added = [...(discount ? [`discount ${discount.percent} %`] : []), ...(commitment ? [commitment.kind] : [])];
  const less = (amount: string): string =>
    discount ? new Decimal(amount).times(new Decimal(100).minus(discount.percent)).div(100).toFixed() : amount;
  return {
    spans: price.spans.map((span) =>
      span.source === 'price-list'
        ? {
            ...span,
            perUnit: less(span.perUnit),
            ...(span.tiers && { tiers: span.tiers.map((tier) => ({ ...tier, perUnit: less(tier.perUnit) })) }),
            marks: [...(span.marks ?? []), ...added],
          }
        : span,
    ),
  };
}

/**
 * The newest rate of that day or before, or the other way round where there is none.
 * @param at epoch ms
 * @returns nothing where the currencies have no rate by then
 */
export function exchangeRate(rates: Rates, from: string, to: string, at: number): ExchangeRate | undefined {
  const newest = (a: string, b: string) =>
    rates.exchange
      .filter((one) => one.from === a && one.to === b && Date.parse(one.date) <= at)
      .reduce<ExchangeRate | undefined>((best, one) => (best && best.date > one.date ? best : one), undefined);
  const direct = newest(from, to);
  const inverse = direct ? undefined : newest(to, from);
  if (!inverse || new Decimal(inverse.rate).isZero()) return direct;
  return { from, to, rate: new Decimal(1).div(inverse.rate).toFixed(), date: inverse.date };
}

/** What a consumer may spend in a month, in the currency of the file; nothing: as much as it likes. */
export function budgetOf(
  { budgets, currency }: Rates,
  consumer: string,
): { amount: string; currency: string } | undefined {
  const amount = Object.hasOwn(budgets, consumer) ? budgets[consumer] : budgets.default;
  return amount === undefined ? undefined : { amount, currency };
}
