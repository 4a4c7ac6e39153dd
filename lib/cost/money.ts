/**
 * Exact money: decimals, cut once a line, rounded once a launch.
 *
 * @module
 */
import { Decimal as Base } from 'decimal.js';

/** Far more digits than any amount has: what a division loses is below the places that are kept. */
const Decimal = Base.clone({ precision: 60, rounding: Base.ROUND_HALF_EVEN });
export type Decimal = Base;

/** Of a line's amount and quantity. */
const PLACES = 30;
/** Of a total: from one unit up, and below; where even those are nothing, as many as show two digits, within a bound. */
const ROUNDED = { large: 2, small: 4, digits: 2, most: 12 } as const;

export const exact = (value: string | number | Base): Decimal => new Decimal(value);

/** As the ledger has it. */
export const written = (value: Decimal): string => value.toDecimalPlaces(PLACES).toFixed();

export const sumOf = (values: Iterable<string>): Decimal => {
  let sum = exact(0);
  for (const value of values) sum = sum.plus(value);
  return sum;
};

/** How many decimal places a total is shown with. */
export function placesOf(total: Decimal): number {
  if (total.isZero() || total.abs().gte(1)) return ROUNDED.large;
  if (!total.toDecimalPlaces(ROUNDED.small).isZero()) return ROUNDED.small;
  return Math.min(ROUNDED.most, ROUNDED.digits - 1 - total.e);
}

/**
 * Rounds a total once, half to even, and its parts by largest remainder (Hamilton's method), so that they add up to it
 * exactly.
 * @param parts none is negative
 */
export function roundParts(parts: Readonly<Record<string, Decimal>>): { total: string; parts: Record<string, string> } {
  const sum = Object.values(parts).reduce((all, part) => all.plus(part), exact(0));
  const places = placesOf(sum);
  const unit = exact(10).pow(-places);
  const total = sum.toDecimalPlaces(places);
  const floors = Object.entries(parts).map(([name, part]) => {
    const floor = part.toDecimalPlaces(places, Base.ROUND_FLOOR);
    return { name, floor, rest: part.minus(floor) };
  });
  let left = total
    .minus(floors.reduce((all, { floor }) => all.plus(floor), exact(0)))
    .div(unit)
    .toNumber();
  const rounded = new Map(floors.map(({ name, floor }) => [name, floor]));
  const byRest = floors.toSorted((a, b) => b.rest.comparedTo(a.rest) || a.name.localeCompare(b.name));
  for (const { name, floor } of byRest) {
    if (left <= 0) break;
    rounded.set(name, floor.plus(unit));
    left -= 1;
  }
  return {
    total: total.toFixed(places),
    parts: Object.fromEntries(
      Object.keys(parts).map((name) => [name, (rounded.get(name) ?? exact(0)).toFixed(places)]),
    ),
  };
}
