/**
 * Exact money. Amounts are decimals of 60 significant digits, cut once a line to 30 decimal places; what people read is
 * rounded once, in the total, and its parts add up to it to the last digit.
 *
 * @module
 */
import { Decimal } from 'decimal.js';
import { compare } from '../digest.ts';

/** A constructor of its own: another user of the library cannot change its precision. Strings are never exponential. */
export const Money = Decimal.clone({
  precision: 60,
  rounding: Decimal.ROUND_HALF_EVEN,
  toExpNeg: -9e15,
  toExpPos: 9e15,
});
export type Money = Decimal;

export const ZERO: Money = new Money(0);

/** Decimal places of amounts and quantities in the ledger. */
const PLACES = 30;

/** To 30 decimal places, half to even, without trailing zeros. */
export const ledgerText = (value: Money): string => value.toDecimalPlaces(PLACES, Money.ROUND_HALF_EVEN).toFixed();

/** Amounts of the ledger have at most 30 places, and sums of them far below 60 digits: exact, in any order. */
export function sumOf(amounts: Iterable<Money | string>): Money {
  let sum = ZERO;
  for (const amount of amounts) sum = sum.plus(amount);
  return sum;
}

const LEAST_BELOW_ONE = 4;
const MOST = 12;

/**
 * How many decimals a total is read with: two from one unit of the currency up, four below. Where four would read as 0,
 * as many as show two digits of it, at most twelve. Nothing at all is `0.00`.
 */
export function decimalsOf(total: Money): number {
  if (total.isZero() || total.abs().gte(1)) return 2;
  if (!total.toDecimalPlaces(LEAST_BELOW_ONE).isZero()) return LEAST_BELOW_ONE;
  // 0.000012 has the exponent -5, and shows two digits with six decimals.
  return Math.min(1 - total.e, MOST);
}

/** Rounded half to even: the only rounding of a total. */
export const roundTotal = (total: Money, decimals: number = decimalsOf(total)): string =>
  total.toFixed(decimals, Money.ROUND_HALF_EVEN);

/**
 * The total and its parts at the total's decimals, by largest remainder: every part is cut down, and what is then missing
 * of the total goes, one last digit each, to the parts that were cut most; of equal ones to the first by name. So the
 * strings add up exactly, and no part is negative or further from the truth than one last digit.
 *
 * @param parts none negative
 */
export function roundParts<Name extends string>(
  parts: Readonly<Record<Name, Money>>,
): { total: string; parts: Record<Name, string> } {
  const entries = Object.entries<Money>(parts) as [Name, Money][];
  const exact = sumOf(entries.map(([, amount]) => amount));
  const decimals = decimalsOf(exact);
  const total = roundTotal(exact, decimals);
  const digit = new Money(10).pow(-decimals);
  const cut = entries.map(([name, amount]) => {
    const down = amount.toDecimalPlaces(decimals, Money.ROUND_DOWN);
    return { name, down, rest: amount.minus(down) };
  });
  const missing = new Money(total)
    .minus(sumOf(cut.map(({ down }) => down)))
    .div(digit)
    .toNumber();
  const given = new Set(
    cut
      .toSorted((a, b) => b.rest.cmp(a.rest) || compare(a.name, b.name))
      .slice(0, missing)
      .map(({ name }) => name),
  );
  const rounded = cut.map(({ name, down }) => [name, (given.has(name) ? down.plus(digit) : down).toFixed(decimals)]);
  return { total, parts: Object.fromEntries(rounded) as Record<Name, string> };
}
