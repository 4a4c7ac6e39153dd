/**
 * Prices that change with the quantity.
 *
 * - IOPS of a volume: its tiers are for what one volume has provisioned (io2: up to 32,000, up to 64,000, above), so a
 *   volume of 40,000 IOPS pays the second price for 8,000 of them, however short it lives and whoever shares it.
 * - Everything else: for what is used in a calendar month (UTC). What the rest of the account has used is unknown here, so
 *   the quantity of this usage alone runs through the tiers, from 0: never less than what AWS bills where prices fall.
 *
 * @module
 */
import type { Interval, PriceSpan } from '../../workflows/cost/model.ts';
import { compare } from '../digest.ts';
import { nameOf } from '../prices/price-keys.ts';
import type { Consumed } from './consumption.ts';
import { groupBy } from './group.ts';
import { monthOf } from './intervals.ts';
import { Money, ZERO } from './money.ts';

/** A line before its price. */
export interface Tiered extends Interval {
  what: Consumed;
  text: string;
  span: PriceSpan;
  day: number;
  size: { n: Money; d: Money };
  /** Quantity of one unit of size, times a factor: the factor is multiplied first, so that the division comes last. */
  times: (factor: Money) => Money;
}

interface Tier {
  from: Money;
  to: Money;
  perUnit: Money;
}

interface Piece {
  /** Where its tier begins; a decimal number. */
  from: string;
  perUnit: Money;
  quantity: Money;
  amount: Money;
}

/** One piece of each line, or one for each tier it reaches. */
export function throughTiers(lines: readonly Tiered[]): (Tiered & { tiered: Piece })[] {
  const monthly = (line: Tiered) => !ofSize(line) && tiersOf(line.span).length > 1;
  const alone = lines.filter((line) => !monthly(line)).flatMap(bySize);
  const months = groupBy(lines.filter(monthly), ({ what, day }) => `${monthOf(day)} ${nameOf(what.key)}`);
  return [...alone, ...[...months.values()].flatMap(byMonth)];
}

const ofSize = ({ what }: Tiered): boolean => what.key.kind === 'volume' && what.key.of === 'iops';

function tiersOf({ perUnit, tiers }: PriceSpan): Tier[] {
  const sorted = (tiers ?? [])
    .map((tier) => ({ from: new Money(tier.from), perUnit: new Money(tier.perUnit) }))
    .toSorted((a, b) => a.from.cmp(b.from));
  if (sorted.length === 0)
    return [{ from: ZERO, to: new Money(Number.POSITIVE_INFINITY), perUnit: new Money(perUnit) }];
  return sorted.map((tier, index) => ({
    ...tier,
    from: index === 0 ? ZERO : tier.from,
    to: sorted[index + 1]?.from ?? new Money(Number.POSITIVE_INFINITY),
  }));
}

function bySize(line: Tiered): (Tiered & { tiered: Piece })[] {
  const { n, d } = line.size;
  return tiersOf(line.span).flatMap(({ from, to, perUnit }) => {
    const within = Money.min(n, to.times(d)).minus(from.times(d));
    if (within.lte(0)) return [];
    const quantity = line.times(within);
    return [
      { ...line, tiered: { from: from.toFixed(), perUnit, quantity, amount: line.times(within.times(perUnit)) } },
    ];
  });
}

/** In order of time; on the same day by what the lines are about. */
function byMonth(lines: readonly Tiered[]): (Tiered & { tiered: Piece })[] {
  let used = ZERO;
  return lines
    .toSorted((a, b) => a.day - b.day || a.span.from - b.span.from || compare(a.text, b.text))
    .flatMap((line) => {
      const begin = used;
      const all = line.times(line.size.n);
      used = used.plus(all);
      return tiersOf(line.span).flatMap(({ from, to, perUnit }) => {
        const quantity = Money.min(used, to).minus(Money.max(begin, from));
        if (quantity.lte(0)) return [];
        const whole = begin.gte(from) && used.lte(to);
        const amount = whole ? line.times(line.size.n.times(perUnit)) : quantity.times(perUnit);
        return [{ ...line, tiered: { from: from.toFixed(), perUnit, quantity: whole ? all : quantity, amount } }];
      });
    });
}
