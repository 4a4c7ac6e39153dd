/**
 * Tokens of OpenAI, by the list prices in `openai-prices.json`: they are in no API. A model that is not in it has no price
 * until the user gives one.
 *
 * @module
 */
import { throughout } from './list-price.ts';
import list from './openai-prices.json' with { type: 'json' };
import { type KeyOf, unitOf } from './price-keys.ts';
import { type PricingModel, unpriced } from './pricing-model.ts';

type Prices = Readonly<Partial<Record<KeyOf<'tokens'>['of'], string>>>;

const MODELS = new Map<string, Prices>(Object.entries(list.models).map(([model, { prices }]) => [model, prices]));
/** `gpt-image-2-2026-04-21` is billed as the model it is a snapshot of. */
const SNAPSHOT = /-\d{4}-\d{2}-\d{2}$/;

export const openAiPrices = (): PricingModel => ({
  name: 'OpenAI',
  // Looked up at once: nothing to keep, and a corrected file holds at once.
  lasting: false,
  covers: ({ kind }) => kind === 'tokens',
  price(key, over) {
    const { model, of } = key as KeyOf<'tokens'>;
    const perUnit = (MODELS.get(model) ?? MODELS.get(model.replace(SNAPSHOT, '')))?.[of];
    const price =
      perUnit === undefined
        ? unpriced(
            `there is no list price of ${of.replace('-', ' ')} tokens of ${model} here, and OpenAI tells prices by no API`,
            `set an own rate in the file of the setting costRates: { kind: tokens, model: ${model}, of: ${of}, perUnit: <USD for 1M tokens> }`,
          )
        : throughout({ perUnit, unit: unitOf(key), currency: 'USD', pricesAt: `${list.asOf}T00:00:00Z` }, over);
    return Promise.resolve(price);
  },
});
