/**
 * From what is billed for to lines of the ledger: cut at midnight (UTC) and where prices change, then put together by what
 * a line is about, so that their number goes with resources, steps, days and changes, not with jobs.
 *
 * @module
 */

import type { Interval, LedgerLine, Price, PriceSpan, Unpriced } from '../../workflows/cost/model.ts';
import { digestOf } from '../digest.ts';
import { nameOf, serviceOf } from '../prices/price-keys.ts';
import type { Consumption } from './consumption.ts';
import { type Decimal, exact, written } from './money.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface Charged {
  lines: LedgerLine[];
  unpriced: Unpriced[];
}

/** Consumptions of one line: quantity is the sum of capacity, share and milliseconds over a divisor. */
interface Gathered extends Interval {
  of: Consumption;
  day: string;
  span: PriceSpan;
  perUnit: string;
  marks: readonly string[];
  sum: Decimal;
  divisor: Decimal;
}

/** @param prices by {@link nameOf} */
export function charge(consumptions: readonly Consumption[], prices: ReadonlyMap<string, Price>): Charged {
  const gathered = new Map<string, Gathered>();
  const unpriced = new Map<string, Unpriced>();
  const miss = ({ resource, component, resourceType }: Consumption, reason: string, remedy: string) => {
    const named: Unpriced = { resource: `${resource} (${resourceType})`, component, reason, remedy };
    unpriced.set(JSON.stringify(named), named);
  };
  for (const one of consumptions) {
    const text = nameOf(one.price);
    const price = prices.get(text);
    if (!price || 'unpriced' in price) {
      const { reason = 'no price was looked up', remedy = 'price the launch again' } = price?.unpriced ?? {};
      miss(one, reason, remedy);
      continue;
    }
    const pieces = one.per === 'once' ? momentOf(one, price.spans) : piecesOf(one, price.spans);
    for (const piece of pieces) {
      if (!piece.span) {
        const gap = `no price is known from ${iso(piece.from)} to ${iso(piece.to)}`;
        miss(one, gap, 'name a rate of your own for that time: docs/cost-rates.md');
        continue;
      }
      for (const { perUnit, capacity } of tiersOf(piece.span, one.capacity))
        gather(gathered, one, text, { ...piece, span: piece.span, perUnit, capacity });
    }
  }
  const lines = [...gathered].map(([line, item]) => toLine(line, item));
  return {
    lines: lines.toSorted((a, b) => (a.line < b.line ? -1 : 1)),
    unpriced: [...unpriced.values()].toSorted((a, b) => a.resource.localeCompare(b.resource)),
  };
}

const iso = (time: number): string => new Date(time).toISOString();
const dayOf = (time: number): string => iso(time).slice(0, 10);

interface Piece extends Interval {
  span: PriceSpan | undefined;
}

/** Cut at each midnight and change of price; a time without a price stays, without one. */
function piecesOf({ from, to }: Interval, spans: readonly PriceSpan[]): Piece[] {
  const moments = new Set([from, to]);
  for (let midnight = Math.ceil(from / DAY_MS) * DAY_MS; midnight < to; midnight += DAY_MS) moments.add(midnight);
  for (const span of spans)
    for (const moment of [span.from, span.to]) if (moment > from && moment < to) moments.add(moment);
  const inOrder = [...moments].sort((a, b) => a - b);
  return inOrder.slice(0, -1).map((begin, place) => ({
    from: begin,
    to: inOrder[place + 1] ?? begin,
    span: spans.find((span) => span.from <= begin && span.to > begin),
  }));
}

const momentOf = ({ from }: Interval, spans: readonly PriceSpan[]): Piece[] => [
  { from, to: from, span: spans.find((span) => span.from <= from && span.to > from) },
];

/** The capacity of one resource runs through the price tiers from 0: what others use of the account is not known. */
function tiersOf({ tiers, perUnit }: PriceSpan, capacity: Decimal): { perUnit: string; capacity: Decimal }[] {
  if (!tiers || tiers.length === 0) return [{ perUnit, capacity }];
  return tiers
    .map((tier, place) => {
      const next = tiers[place + 1];
      const top = next && capacity.gt(next.from) ? exact(next.from) : capacity;
      return { perUnit: tier.perUnit, capacity: top.minus(tier.from) };
    })
    .filter((tier) => tier.capacity.gt(0));
}

/** Some units are larger than what capacities are counted in. */
const IN_UNIT: Readonly<Record<string, number>> = { 'GiBps-Mo': 1024 };

function gather(
  gathered: Map<string, Gathered>,
  of: Consumption,
  text: string,
  { from, to, span, perUnit, capacity }: Interval & { span: PriceSpan; perUnit: string; capacity: Decimal },
): void {
  const day = dayOf(from);
  const marks = [...new Set([...of.marks, ...(span.marks ?? [])])].sort();
  const { component, purpose, resource, resourceType, step = '', outcome = '' } = of;
  const about = [resourceType, step, outcome, text, span.from, span.perUnit, perUnit, marks];
  const line = [day, component, purpose, resource, digestOf(about).slice(0, 12)].join('#');
  const time = of.per === 'once' ? exact(1) : exact(to - from);
  const amount = capacity.times(of.share).times(time);
  const known = gathered.get(line);
  if (known) {
    known.sum = known.sum.plus(amount);
    known.from = Math.min(known.from, from);
    known.to = Math.max(known.to, to);
    return;
  }
  const divisor = divisorOf(of.per, day).times(IN_UNIT[span.unit] ?? 1);
  gathered.set(line, { of, day, span, perUnit, marks, sum: amount, divisor, from, to });
}

function divisorOf(per: Consumption['per'], day: string): Decimal {
  if (per === 'once') return exact(1);
  if (per === 'hour') return exact(HOUR_MS);
  const [year = 0, month = 1] = day.split('-').map(Number);
  return exact(Date.UTC(year, month, 1) - Date.UTC(year, month - 1, 1));
}

/** The division comes last, so that nothing is lost before it. */
function toLine(line: string, { of, span, perUnit, marks, sum, divisor, from, to }: Gathered): LedgerLine {
  const { component, purpose, step, outcome, resource, resourceType, market, region, zone, price } = of;
  return {
    line,
    component,
    purpose,
    ...(step !== undefined && { step }),
    ...(outcome !== undefined && { outcome }),
    resource,
    resourceType,
    ...(market !== undefined && { market }),
    region,
    ...(zone !== undefined && { zone }),
    service: serviceOf(price),
    from: iso(from),
    to: iso(to),
    quantity: written(sum.div(divisor)),
    unit: span.unit,
    unitPrice: perUnit,
    currency: span.currency,
    amount: written(sum.times(perUnit).div(divisor)),
    ...(span.sku !== undefined && { sku: span.sku }),
    pricesAt: span.pricesAt,
    source: span.source,
    ...(marks.length > 0 && { marks }),
  };
}
