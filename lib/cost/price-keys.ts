/**
 * Which prices are needed, and over which time.
 *
 * @module
 */
import type { Interval, PriceKey } from '../../workflows/cost/model.ts';
import { nameOf } from '../prices/price-keys.ts';
import type { Consumption } from './consumption.ts';

/** Each once, over all of the time it is needed for. */
export function priceKeysOf(consumptions: readonly Consumption[]): { key: PriceKey; over: Interval }[] {
  const needed = new Map<string, { key: PriceKey; over: Interval }>();
  for (const { price, from, to: end } of consumptions) {
    // What happens at a moment has a price in the millisecond after it.
    const to = Math.max(end, from + 1);
    const text = nameOf(price);
    const known = needed.get(text)?.over ?? { from, to };
    needed.set(text, { key: price, over: { from: Math.min(known.from, from), to: Math.max(known.to, to) } });
  }
  return [...needed.values()];
}
