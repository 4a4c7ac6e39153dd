/**
 * What a sheet will take and cost: the cheapest ways to buy the capacity, side by side.
 *
 * @module
 */
import type { CostEstimate } from '../../../live/api.ts';
import { counted, duration, money } from '../format.ts';
import { EstimateBand } from '../views/estimate-band.tsx';

/** The cheapest ones say enough. */
const OFFERS = 4;

export function Estimate({ estimate }: { estimate: CostEstimate }) {
  const { wallSeconds, launches, incomplete } = estimate.estimate;
  const priced = estimate.offers.flatMap(({ family, market, money: price }) =>
    price ? [{ label: `${family}, ${market}`, estimate: price, currency: price.currency }] : [],
  );
  const [first] = priced;
  return (
    <section aria-label="What it will take and cost">
      <h2>What it will take and cost</h2>
      <EstimateBand
        rows={[{ label: 'time', estimate: wallSeconds }]}
        format={(seconds) => duration(Math.max(1, seconds) * 1000)}
      />
      {first && (
        <EstimateBand
          rows={priced.filter(({ currency }) => currency === first.currency).slice(0, OFFERS)}
          format={(amount) => money(amount, first.currency)}
        />
      )}
      <p class="quiet-text">
        {launches.length === 0
          ? 'No launch of this work is known yet: this is a guess.'
          : `Learnt from ${counted(launches.length, 'launch', 'launches')}.`}
        {incomplete && ' Some steps are not known, and not in it.'}
      </p>
    </section>
  );
}
