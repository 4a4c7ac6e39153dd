/**
 * A pricing model says what one unit of something costs over an interval. Models are plug-ins: the price book asks them in
 * order, and what the first leaves out of the interval it asks the next.
 *
 * To add one:
 * 1. What it prices: a `kind` of `PriceKey` in `workflows/cost/model.ts`, its unit and service in `price-keys.ts`.
 * 2. A file here with a function that returns a `PricingModel`; of a price list `listModel` of `list-price.ts`.
 * 3. Its place in `pricing-models.ts`: before those whose prices it goes before.
 * 4. Tests with documents as AWS gives them, decoys among them.
 *
 * @module
 */
import type { Interval, Price, PriceKey } from '../../workflows/cost/model.ts';

export interface PricingModel {
  readonly name: string;
  /** It has one price that holds whatever the interval: the book keeps it for a day, and shares it among processes. */
  readonly lasting: boolean;
  covers(key: PriceKey): boolean;
  /**
   * In order and within `over`; what they leave out of it is asked of the next model that covers the key. A moment (`from`
   * is `to`) has a span of its own.
   * @throws PriceUnknownError, PriceListFormatError, or the service's error when asking again may help
   */
  price(key: PriceKey, over: Interval): Promise<Price>;
}

export const unpriced = (reason: string, remedy: string): Price => ({ unpriced: { reason, remedy } });

/** What is left of `over` between spans that are in order. A moment is left until it has a span. */
export function gapsOf(spans: readonly Interval[], over: Interval): Interval[] {
  if (over.from === over.to) return spans.length === 0 ? [over] : [];
  const gaps: Interval[] = [];
  let from = over.from;
  for (const span of spans) {
    if (span.from > from) gaps.push({ from, to: span.from });
    from = Math.max(from, span.to);
  }
  if (from < over.to) gaps.push({ from, to: over.to });
  return gaps;
}
