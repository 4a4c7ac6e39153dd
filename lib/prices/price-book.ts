/**
 * The one place that is asked what something costs. List prices are kept a day, in memory and in a table that all workers
 * share, so that a thousand launches on the same types cost a few calls; what could not be found is kept minutes only.
 *
 * @module
 */
import type { Interval, Price, PriceKey, PriceSpan } from '../../workflows/cost/model.ts';
import { accessDenied } from '../aws-errors.ts';
import { nameOf } from './price-keys.ts';
import { PriceListFormatError, PriceUnknownError } from './price-list.ts';
import { gapsOf, type PricingModel, unpriced } from './pricing-model.ts';

export interface PriceBook {
  /**
   * Spans without gaps that cover exactly `over`, or why there are none.
   * @param over epoch ms; a moment (`from` is `to`) has one span
   * @throws what asking again may mend, as the SDK has it: throttling, an outage
   */
  price(key: PriceKey, over: Interval): Promise<Price>;
}

/** A price whatever the interval, and until when it is good, epoch ms. */
export interface KeptPrice {
  price: Omit<PriceSpan, 'from' | 'to'>;
  until: number;
}

/** What workers share. Both may fail: the book goes on without. */
export interface PriceCache {
  get(name: string): Promise<KeptPrice | undefined>;
  put(name: string, kept: KeptPrice): Promise<void>;
}

export interface PriceBookOptions {
  /** In the order they are asked. */
  models: readonly PricingModel[];
  cache?: PriceCache;
  now(): number;
  /** Discounts and marks, put on what the models say; not kept, so that new ones hold at once. */
  withTerms?(key: PriceKey, price: Price): Price;
  /** Told once for each outage of the cache. */
  warn?(message: string): void;
}

const KEPT_MS = 24 * 60 * 60 * 1000;
const UNKNOWN_KEPT_MS = 5 * 60 * 1000;
/** The cache is left alone for so long after it failed: each try may take seconds. */
const OUTAGE_MS = 60 * 1000;
/** Prices in memory. */
const MOST = 10_000;
const OWN_RATE = 'set an own rate for it in the file of the setting costRates: docs/cost-rates.md';

interface Entry {
  until: number;
  price: Promise<Price>;
}

export function createPriceBook({ models, cache, now, withTerms, warn = () => {} }: PriceBookOptions): PriceBook {
  const memory = new Map<string, Entry>();
  let cacheDownUntil = 0;

  return {
    async price(key, over) {
      let spans: PriceSpan[] = [];
      let failure: Price | undefined;
      for (const model of models.filter((one) => one.covers(key))) {
        for (const gap of gapsOf(spans, over)) {
          const price = await (model.lasting ? lasting(model, key, gap) : ask(model, key, gap));
          if ('unpriced' in price) failure ??= price;
          else spans = [...spans, ...price.spans].sort((a, b) => a.from - b.from);
        }
      }
      if (gapsOf(spans, over).length > 0) return failure ?? unpriced(`nothing prices ${nameOf(key)}`, OWN_RATE);
      return withTerms ? withTerms(key, { spans }) : { spans };
    },
  };

  async function lasting(model: PricingModel, key: PriceKey, { from, to }: Interval): Promise<Price> {
    const price = await remembered(model, key);
    return 'unpriced' in price ? price : { spans: price.spans.map((span) => ({ ...span, from, to })) };
  }

  /** Callers at the same time share one look-up. */
  function remembered(model: PricingModel, key: PriceKey): Promise<Price> {
    const name = nameOf(key);
    const known = memory.get(name);
    if (known && now() < known.until) return known.price;
    // Until it has been answered.
    const entry: Entry = { until: Number.POSITIVE_INFINITY, price: Promise.resolve({ spans: [] }) };
    entry.price = lookUp(model, key, name, (until) => {
      entry.until = until;
    });
    entry.price.catch(() => {
      if (memory.get(name) === entry) memory.delete(name);
    });
    memory.set(name, entry);
    const [oldest] = memory.keys();
    if (memory.size > MOST && oldest !== undefined) memory.delete(oldest);
    return entry.price;
  }

  async function lookUp(
    model: PricingModel,
    key: PriceKey,
    name: string,
    keep: (until: number) => void,
  ): Promise<Price> {
    const shared = await whileUp((up) => up.get(name));
    if (shared && now() < shared.until) {
      keep(shared.until);
      return { spans: [{ ...shared.price, from: 0, to: 0 }] };
    }
    const found = await ask(model, key, { from: 0, to: 0 });
    const [span] = 'spans' in found ? found.spans : [];
    if (!span) {
      keep(now() + UNKNOWN_KEPT_MS);
      return found;
    }
    const until = now() + KEPT_MS;
    keep(until);
    const { from: _, to: __, ...price } = span;
    await whileUp((up) => up.put(name, { price, until }));
    return found;
  }

  async function whileUp<T>(use: (cache: PriceCache) => Promise<T>): Promise<T | undefined> {
    if (!cache || now() < cacheDownUntil) return undefined;
    try {
      return await use(cache);
    } catch (error) {
      cacheDownUntil = now() + OUTAGE_MS;
      warn(`prices are looked up without the shared table for a minute: ${String(error)}`);
      return undefined;
    }
  }
}

/** What a retry cannot mend becomes the reason. */
async function ask(model: PricingModel, key: PriceKey, over: Interval): Promise<Price> {
  try {
    return await model.price(key, over);
  } catch (error) {
    if (error instanceof PriceUnknownError) {
      const remedy = error.skus.length > 1 ? OWN_RATE : `check Region and type, or ${OWN_RATE}`;
      return unpriced(error.message, remedy);
    }
    if (error instanceof PriceListFormatError) return unpriced(error.message, OWN_RATE);
    if (accessDenied(error)) {
      const permissions = 'pricing:GetProducts and ec2:DescribeSpotPriceHistory';
      return unpriced(
        `${model.name}: AWS refused: ${(error as Error).message}`,
        `allow the role of the workers ${permissions}`,
      );
    }
    throw error;
  }
}
