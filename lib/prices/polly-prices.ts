/**
 * Characters that Polly speaks, by engine; speech marks are billed like speech. What is free for new accounts is not taken
 * off.
 *
 * @module
 */
import { listModel, notListed, onlyPrice } from './list-price.ts';
import { type PriceList, withoutPrefix } from './price-list.ts';
import type { PricingModel } from './pricing-model.ts';

const USAGE_TYPES: Readonly<Record<string, string>> = {
  standard: 'SynthesizeSpeech-Characters',
  neural: 'SynthesizeSpeechNeural-Characters',
  'long-form': 'SynthesizeSpeechLongForm-Characters',
};

export const pollyPrices = (list: PriceList): PricingModel =>
  listModel('Polly', 'speech', async (key) => {
    const usagetype = Object.hasOwn(USAGE_TYPES, key.engine) ? USAGE_TYPES[key.engine] : undefined;
    if (usagetype === undefined) return notListed(`Polly's engine ${key.engine}`);
    const query = { serviceCode: 'AmazonPolly', filters: { regionCode: key.region } };
    const products = (await list.find(query)).map(withoutPrefix);
    return onlyPrice(products, { ...query, filters: { ...query.filters, usagetype } }, key);
  });
