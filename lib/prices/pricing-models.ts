/**
 * The pricing models there are, in the order they are asked: what the user says comes before what AWS lists.
 *
 * @module
 */
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { PricingClient } from '@aws-sdk/client-pricing';
import { ebsPrices } from './ebs-prices.ts';
import { ec2Prices } from './ec2-prices.ts';
import { eksPrices } from './eks-prices.ts';
import { fargatePrices } from './fargate-prices.ts';
import { lustrePrices } from './lustre-prices.ts';
import { openAiPrices } from './openai-prices.ts';
import { pollyPrices } from './polly-prices.ts';
import { createPriceBook, type PriceBook, type PriceCache } from './price-book.ts';
import { createPriceList, type PriceList } from './price-list.ts';
import type { PricingModel } from './pricing-model.ts';
import { type Rates, ratesModel, withTerms } from './rates.ts';
import { copyPrices, retrievalPrices, s3RequestPrices } from './s3-prices.ts';
import { createSpotHistory, type SpotHistory } from './spot-history.ts';
import { spotPrices } from './spot-prices.ts';

export interface PriceSources {
  list: PriceList;
  spot: SpotHistory;
  rates: Rates;
  now(): number;
}

export const pricingModels = ({ list, spot, rates, now }: PriceSources): PricingModel[] => [
  ratesModel(rates, new Date(now()).toISOString()),
  ec2Prices(list),
  spotPrices(spot, now),
  ebsPrices(list),
  fargatePrices(list),
  lustrePrices(list),
  eksPrices(list),
  s3RequestPrices(list),
  retrievalPrices(list),
  copyPrices(list),
  openAiPrices(),
  pollyPrices(list),
];

export interface PriceBookClients {
  /** At an endpoint of the price list: `priceListRegion`. */
  pricing: PricingClient;
  /** Of that Region. */
  ec2(region: string): EC2Client;
  rates: Rates;
  cache?: PriceCache;
  now?(): number;
  warn?(message: string): void;
}

/** Of one worker; `calls` counts what was asked of AWS so far, each page one. */
export function openPriceBook({
  pricing,
  ec2,
  rates,
  now = Date.now,
  ...options
}: PriceBookClients): PriceBook & { calls(): number } {
  let calls = 0;
  const called = () => {
    calls += 1;
  };
  const list = createPriceList(pricing, called);
  const spot = createSpotHistory({ ec2, now, called });
  const book = createPriceBook({
    models: pricingModels({ list, spot, rates, now }),
    now,
    withTerms: (key, price) => withTerms(rates, key, price),
    ...options,
  });
  return { ...book, calls: () => calls };
}
