/**
 * Spot instances: what each cost in its zone, change by change, over the very interval it ran.
 *
 * @module
 */
import type { Interval, PriceSpan } from '../../workflows/cost/model.ts';
import type { KeyOf } from './price-keys.ts';
import { type PricingModel, unpriced } from './pricing-model.ts';
import { HISTORY_MS, type SpotChange, type SpotHistory } from './spot-history.ts';

const OWN_RATE = 'set an own rate of kind spot for it in the file of the setting costRates';
/** As EC2 answers for a type or zone it does not have. */
const UNKNOWN = new Set(['InvalidParameterValue', 'InvalidInstanceType', 'InvalidAvailabilityZone']);

export function spotPrices(history: SpotHistory, now: () => number): PricingModel {
  return {
    name: 'EC2 spot',
    lasting: false,
    covers: (key) => key.kind === 'spot',
    async price(key, over) {
      const { kind: _, ...place } = key as KeyOf<'spot'>;
      const what = `${place.type} in ${place.zone}`;
      if (over.from < now() - HISTORY_MS) {
        return unpriced(
          `the spot price of ${what} on ${day(over.from)} is not to be had: EC2 keeps 90 days`,
          `${OWN_RATE}; price launches within 90 days of their start`,
        );
      }
      let changes: readonly SpotChange[];
      try {
        changes = await history.changes(place, over);
      } catch (error) {
        if (!(error instanceof Error) || !UNKNOWN.has(error.name)) throw error;
        return unpriced(`EC2 does not know spot prices of ${what}: ${error.message}`, OWN_RATE);
      }
      const [first] = changes;
      if (!first) return unpriced(`EC2 has no history of spot prices of ${what}`, OWN_RATE);
      if (first.at > over.from) {
        const began = new Date(first.at).toISOString();
        return unpriced(`EC2's history of spot prices of ${what} begins at ${began}, after it was used`, OWN_RATE);
      }
      return { spans: spansOf(changes, over, place.region.startsWith('cn-') ? 'CNY' : 'USD') };
    },
  };
}

const day = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** Without gaps, clipped to the interval; a price that was told again is the same span. */
function spansOf(changes: readonly SpotChange[], over: Interval, currency: string): PriceSpan[] {
  const differing = changes.filter(({ price }, index) => price !== changes[index - 1]?.price);
  return differing.map(({ at, price }, index) => ({
    from: Math.max(at, over.from),
    to: differing[index + 1]?.at ?? over.to,
    perUnit: price,
    unit: 'Hrs',
    currency,
    pricesAt: new Date(at).toISOString(),
    source: 'spot-history' as const,
  }));
}
