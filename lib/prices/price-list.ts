/**
 * AWS's price lists by their Query API. Products come as JSON in strings: they are checked here, so that a price is
 * either the one that is meant or an error.
 *
 * @module
 */
import { type PricingClient, paginateGetProducts } from '@aws-sdk/client-pricing';

/** All of the attributes, each equal to its value. */
export interface PriceQuery {
  /** `AmazonS3` and the like. */
  serviceCode: string;
  /** With `regionCode` the Region's products only. */
  filters: Readonly<Record<string, string>>;
}

/** A product under one on-demand term. */
export interface Product {
  sku: string;
  /** Names and values as AWS spells them: `usagetype`, `operation`, `regionCode`, …; `productFamily` is one as filters see it. */
  attributes: Readonly<Record<string, string>>;
  /** ISO 8601. */
  effectiveDate: string;
  /** One for each price tier, the lowest first. */
  dimensions: readonly PriceDimension[];
}

export interface PriceDimension {
  /** `GB`, `Requests`, `GB-Mo`, … */
  unit: string;
  beginRange: number;
  /** Infinity: without end. */
  endRange: number;
  /** A decimal number, as AWS writes it: `0.0100000000`. */
  amount: string;
  /** ISO 4217: `USD`; `CNY` in China's Regions. */
  currency: string;
}

export interface PriceList {
  /** @throws PriceListFormatError, or the SDK's error when asking again may help */
  find(query: PriceQuery): Promise<Product[]>;
}

/** The list has not exactly one price for what was asked: none, or several that only AWS could tell apart. */
export class PriceUnknownError extends Error {
  override readonly name = 'PriceUnknownError';
  /** Of those found. */
  readonly skus: readonly string[];

  constructor({ serviceCode, filters }: PriceQuery, skus: readonly string[]) {
    const { regionCode = 'any Region', ...others } = filters;
    const wanted = Object.entries(others).map(([name, value]) => `${name}=${value || '(empty)'}`);
    const found = skus.length === 0 ? 'no product' : `${skus.length} products (SKUs ${skus.join(', ')})`;
    super(`the price list of ${serviceCode} in ${regionCode} has ${found} with ${wanted.join(', ')}; needed is one`);
    this.skus = skus;
  }
}

/** The list is not as AWS documents it; a guess would be a wrong price. */
export class PriceListFormatError extends Error {
  override readonly name = 'PriceListFormatError';
}

/** @param called told of every page that is asked for: each is a call that AWS counts */
export function createPriceList(client: PricingClient, called: () => void = () => {}): PriceList {
  return {
    async find({ serviceCode, filters }) {
      const Filters = Object.entries(filters).map(([Field, Value]) => ({ Type: 'TERM_MATCH' as const, Field, Value }));
      const found: Product[] = [];
      const input = { ServiceCode: serviceCode, Filters, FormatVersion: 'aws_v1' };
      for await (const { PriceList = [] } of paginateGetProducts({ client, pageSize: 100 }, input)) {
        called();
        for (const text of PriceList) found.push(...readProduct(String(text), serviceCode));
      }
      return found;
    },
  };
}

/**
 * The one of `products` that the query means. An attribute a product does not have is an empty one.
 * @throws PriceUnknownError
 */
export function only(products: readonly Product[], query: PriceQuery): Product {
  const wanted = Object.entries(query.filters);
  const found = products.filter(({ attributes }) =>
    wanted.every(([name, value]) => (attributes[name] ?? '') === value),
  );
  const [product, ...others] = found;
  if (!product || others.length > 0) {
    throw new PriceUnknownError(
      query,
      found.map(({ sku }) => sku),
    );
  }
  return product;
}

type Json = Record<string, unknown>;

/** One for each on-demand term: none for what is sold by reservation only. */
function readProduct(text: string, serviceCode: string): Product[] {
  let sku = '(no SKU)';
  const refuse = (what: string, cause?: unknown) =>
    new PriceListFormatError(`${sku} in the price list of ${serviceCode}: ${what}`, { cause });
  const object = (value: unknown, what: string): Json => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse(`${what} is no object`);
    return value as Json;
  };
  const string = (value: unknown, what: string): string => {
    if (typeof value !== 'string') throw refuse(`${what} is no string`);
    return value;
  };
  const range = (value: unknown, what: string): number => {
    const number = value === 'Inf' ? Number.POSITIVE_INFINITY : Number(string(value, what) || Number.NaN);
    if (!(number >= 0)) throw refuse(`${what} is ${String(value)}`);
    return number;
  };
  const readDimension = (value: unknown): PriceDimension => {
    const { unit, beginRange, endRange, pricePerUnit } = object(value, 'a price dimension');
    const prices = Object.entries(object(pricePerUnit, 'pricePerUnit'));
    const [price, ...others] = prices;
    // Which one is charged is told by nothing in the document.
    if (!price || others.length > 0) {
      throw refuse(`pricePerUnit has ${prices.map(([name]) => name).join(', ') || 'no currency'}; needed is one`);
    }
    const [currency] = price;
    const amount = string(price[1], `pricePerUnit.${currency}`);
    if (!/^\d+(\.\d+)?(e-?\d+)?$/i.test(amount)) throw refuse(`pricePerUnit.${currency} is ${amount}`);
    return {
      unit: string(unit, 'unit'),
      beginRange: range(beginRange, 'beginRange'),
      endRange: range(endRange, 'endRange'),
      amount,
      currency,
    };
  };
  const readTerm = (value: unknown): Omit<Product, 'sku' | 'attributes'> => {
    const { effectiveDate, priceDimensions } = object(value, 'a term');
    const dimensions = Object.values(object(priceDimensions, 'priceDimensions')).map(readDimension);
    if (dimensions.length === 0) throw refuse('a term without a price');
    if (Number.isNaN(Date.parse(string(effectiveDate, 'effectiveDate')))) throw refuse('effectiveDate is no date');
    return {
      effectiveDate: String(effectiveDate),
      dimensions: dimensions.sort((a, b) => a.beginRange - b.beginRange),
    };
  };

  const { product: listed, terms } = object(parseJson(text, refuse), 'a product');
  const product = object(listed, 'product');
  sku = string(product.sku, 'sku');
  const attributes = Object.fromEntries(
    Object.entries(object(product.attributes, 'attributes')).map(([name, value]) => [name, string(value, name)]),
  );
  if (product.productFamily !== undefined) attributes.productFamily = string(product.productFamily, 'productFamily');
  const onDemand = Object.values(object(object(terms, 'terms').OnDemand ?? {}, 'terms.OnDemand'));
  return onDemand.map((term) => ({ sku, attributes, ...readTerm(term) }));
}

/**
 * Usage types have a prefix for the Region in all but the oldest one, and for some products there too: `USE2-Requests-Tier3`
 * becomes `Requests-Tier3`.
 */
export const withoutPrefix = (product: Product): Product => ({
  ...product,
  attributes: { ...product.attributes, usagetype: (product.attributes.usagetype ?? '').replace(/^[A-Z]+\d*-/, '') },
});

function parseJson(text: string, refuse: (what: string, cause?: unknown) => Error): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refuse('not valid JSON', error);
  }
}
