/**
 * Which prices are needed, and over which time.
 *
 * @module
 */
import type { Interval, PriceKey } from '../../workflows/cost/model.ts';
import type { Consumption } from './consumption.ts';

/** The same for the same price, whatever the order of its fields. */
export const keyText = (key: PriceKey): string =>
  Object.entries(key)
    .filter(([, value]) => value !== undefined)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, value]) => `${name}=${String(value)}`)
    .join('&');

/** Each once, over all of the time it is needed for. */
export function priceKeysOf(consumptions: readonly Consumption[]): { key: PriceKey; over: Interval }[] {
  const needed = new Map<string, { key: PriceKey; over: Interval }>();
  for (const { price, from, to: end } of consumptions) {
    // What happens at a moment has a price in the millisecond after it.
    const to = Math.max(end, from + 1);
    const text = keyText(price);
    const known = needed.get(text)?.over ?? { from, to };
    needed.set(text, { key: price, over: { from: Math.min(known.from, from), to: Math.max(known.to, to) } });
  }
  return [...needed.values()];
}
