/**
 * What was used, times what it costs: the lines of the ledger.
 *
 * Their number is bounded by resources, steps, outcomes, days and changes of prices, and not by jobs: what is alike is
 * summed first, as fractions. The division comes last, once a line and denominator, and the amount is cut once.
 *
 * @module
 */
import type { Interval, LedgerLine, Price, PriceSpan, Unpriced } from '../../workflows/cost/model.ts';
import { canonicalJson, compare, digestOf } from '../digest.ts';
import { nameOf } from '../prices/price-keys.ts';
import { type Consumed, type Consumption, UNITS } from './consumption.ts';
import { HOUR_MS, hoursOfMonth, isoOf, union } from './intervals.ts';
import { ledgerText, Money, ZERO } from './money.ts';
import { priceWords } from './price-keys.ts';
import { cutBy, tidy } from './spans.ts';
import { type Tiered, throughTiers } from './tiers.ts';

export interface Charged {
  /** In order of time. */
  lines: LedgerLine[];
  unpriced: Unpriced[];
}

/** @param prices by `nameOf`; as far as they do not reach, there is an `Unpriced` and never a zero */
export function charge(consumptions: readonly Consumption[], prices: ReadonlyMap<string, Price>): Charged {
  const missing = createMissing();
  const texts = createTexts();
  const spansOf = createSpans(prices, missing.add);
  const open = new Map<string, Open>();
  for (const { what, share, from, to } of consumptions) {
    const text = texts(what);
    const spans = spansOf(what, { from, to });
    if (!spans) continue;
    const { cuts, gaps } = cutBy({ from, to }, spans);
    for (const gap of gaps) missing.gap(what, gap);
    for (const cut of cuts) {
      const name = `${text.id} ${cut.day} ${cut.span.from}`;
      const line = open.get(name) ?? { what, text: text.text, ...cut, sums: new Map<bigint, bigint>() };
      const time = UNITS[what.unit] === 'once' ? 1n : BigInt(cut.to - cut.from);
      line.sums.set(share.d, (line.sums.get(share.d) ?? 0n) + share.n * time);
      line.from = Math.min(line.from, cut.from);
      line.to = Math.max(line.to, cut.to);
      open.set(name, line);
    }
  }
  const lines = throughTiers([...open.values()].map(measured)).map(lineOf);
  return {
    lines: lines.toSorted((a, b) => compare(a.from, b.from) || compare(a.line, b.line)),
    unpriced: missing.all(),
  };
}

/** What is summed into one line, before tiers. */
interface Open extends Interval {
  what: Consumed;
  /** Of what the line is about. */
  text: string;
  span: PriceSpan;
  day: number;
  /** Share by time (ms), or share alone of what is paid once: numerators by denominator. */
  sums: Map<bigint, bigint>;
}

/** The quantity is a sum of fractions; by a factor, the division still comes last. */
function measured({ sums, ...open }: Open): Tiered {
  const { size, unit } = open.what;
  const per = UNITS[unit];
  const time = per === 'once' ? 1 : per === 'hour' ? HOUR_MS : HOUR_MS * hoursOfMonth(open.day);
  const terms = [...sums].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...open,
    size: { n: new Money(size.n.toString()), d: new Money(size.d.toString()) },
    times: (factor) =>
      terms.reduce((sum, [d, n]) => {
        const divisor = new Money((d * size.d).toString()).times(time);
        return sum.plus(new Money(n.toString()).times(factor).div(divisor));
      }, ZERO),
  };
}

function lineOf({ tiered, text, ...of }: ReturnType<typeof throughTiers>[number]): LedgerLine {
  const { what, span, day, from, to } = of;
  const { key: _key, size: _size, marks = [], ...about } = what;
  const allMarks = [...marks, ...(span.marks ?? [])];
  const digest = digestOf([text, Math.max(span.from, day), tiered.from]);
  return {
    line: `${isoOf(day).slice(0, 10)}#${what.component}#${digest}`,
    ...about,
    from: isoOf(from),
    to: isoOf(to),
    quantity: ledgerText(tiered.quantity),
    unitPrice: tiered.perUnit.toFixed(),
    currency: span.currency,
    amount: ledgerText(tiered.amount),
    ...(span.sku !== undefined && { sku: span.sku }),
    pricesAt: span.pricesAt,
    source: span.source,
    ...(allMarks.length > 0 && { marks: allMarks }),
  };
}

/** Texts of what lines are about, and short names of them; an object is put into words once. */
function createTexts() {
  const byObject = new Map<Consumed, { text: string; id: number }>();
  const byText = new Map<string, { text: string; id: number }>();
  return (what: Consumed) => {
    const known = byObject.get(what);
    if (known) return known;
    const { size, ...words } = what;
    const text = canonicalJson({ ...words, size: `${size.n}/${size.d}` });
    const found = byText.get(text) ?? { text, id: byText.size };
    byText.set(text, found);
    byObject.set(what, found);
    return found;
  };
}

const DECIMAL = /^\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** What is wrong with a price is found once for each key. */
function createSpans(prices: ReadonlyMap<string, Price>, miss: (what: Consumed, why: Reason) => void) {
  const byWhat = new Map<Consumed, PriceSpan[] | Reason>();
  const byKey = new Map<string, PriceSpan[] | Reason>();
  return (what: Consumed, { from }: Interval): PriceSpan[] | undefined => {
    const text = `${what.unit} ${nameOf(what.key)}`;
    const found = byWhat.get(what) ?? byKey.get(text) ?? read(prices.get(nameOf(what.key)), what, from);
    byWhat.set(what, found);
    byKey.set(text, found);
    if (Array.isArray(found)) return found;
    miss(what, found);
    return undefined;
  };
}

function read(price: Price | undefined, { key, unit }: Consumed, from: number): PriceSpan[] | Reason {
  const words = priceWords(key);
  if (!price) return { reason: `nobody was asked for the price of ${words} at ${isoOf(from)}`, remedy: 'report this' };
  if ('unpriced' in price) return price.unpriced;
  const remedy = 'correct the rates, or report this where the price is from AWS';
  for (const span of price.spans) {
    if (span.unit !== unit) return { reason: `the price of ${words} is for ${span.unit}, not for ${unit}`, remedy };
    const texts = [span.perUnit, ...(span.tiers ?? []).flatMap((tier) => [tier.from, tier.perUnit])];
    const wrong = texts.find((text) => !DECIMAL.test(text));
    if (wrong !== undefined) return { reason: `the price of ${words} is "${wrong}"`, remedy };
  }
  return tidy(price.spans);
}

type Reason = Pick<Unpriced, 'reason' | 'remedy'>;

/** What has no price, once for each resource and reason, and what lacks one for a time. */
function createMissing() {
  const reasons = new Map<string, Unpriced>();
  const gaps = new Map<string, { what: Consumed; intervals: Interval[] }>();
  return {
    add({ resource, component }: Consumed, { reason, remedy }: Reason): void {
      reasons.set(JSON.stringify([resource, component, reason]), { resource, component, reason, remedy });
    },
    gap(what: Consumed, interval: Interval): void {
      const name = `${what.component} ${what.resource} ${nameOf(what.key)}`;
      const known = gaps.get(name) ?? { what, intervals: [] };
      known.intervals.push(interval);
      gaps.set(name, known);
    },
    all(): Unpriced[] {
      const untimed = [...gaps.values()].flatMap(({ what: { resource, component, key }, intervals }) =>
        union(intervals).map(({ from, to }) => ({
          resource,
          component,
          reason: `no price of ${priceWords(key)} is known from ${isoOf(from)} to ${isoOf(to)}`,
          remedy: 'give a rate of your own for it, for that time',
        })),
      );
      return [...reasons.values(), ...untimed].toSorted(
        (a, b) => compare(a.resource, b.resource) || compare(a.reason, b.reason),
      );
    },
  };
}
