/**
 * From a product of the price list to a price: in the unit that is meant, with its tiers, or an error.
 *
 * @module
 */
import { Decimal } from 'decimal.js';
import type { Interval, Price, PriceKey, PriceSpan } from '../../workflows/cost/model.ts';
import { type KeyOf, unitOf } from './price-keys.ts';
import { only, type PriceDimension, PriceListFormatError, type PriceQuery, type Product } from './price-list.ts';
import { type PricingModel, unpriced } from './pricing-model.ts';

/** A price whatever the interval. */
export type ListPrice = Omit<PriceSpan, 'from' | 'to' | 'source'>;

/** AWS spells units in several ways; of throughput it lists a GiB/s, which is 1024 of ours, of speech single characters. */
const SPELLINGS: Readonly<Record<string, { unit: string; per?: string }>> = {
  hrs: { unit: 'Hrs' },
  hours: { unit: 'Hrs' },
  hour: { unit: 'Hrs' },
  'vcpu-hours': { unit: 'vCPU-Hours' },
  'gb-hours': { unit: 'GB-Hours' },
  'gb-mo': { unit: 'GB-Mo' },
  'gb-month': { unit: 'GB-Mo' },
  gb: { unit: 'GB' },
  'iops-mo': { unit: 'IOPS-Mo' },
  'iops-month': { unit: 'IOPS-Mo' },
  'mibps-mo': { unit: 'MiBps-Mo' },
  'gibps-mo': { unit: 'MiBps-Mo', per: '1024' },
  requests: { unit: 'Requests' },
  'api requests': { unit: 'Requests' },
  characters: { unit: '1M Characters', per: '0.000001' },
  character: { unit: '1M Characters', per: '0.000001' },
};
/** Of Fargate the list says `hours` of both; the product tells of what. */
const HOURS_OF = ['vCPU-Hours', 'GB-Hours'];

/** @throws PriceListFormatError for another unit, or a price that does not begin at the first one */
export function listPrice({ sku, dimensions, effectiveDate }: Product, unit: string): ListPrice {
  const tiers = dimensions.map((dimension) => inUnit(dimension, unit, sku));
  const [first] = tiers;
  if (!first || first.from !== '0') throw new PriceListFormatError(`${sku} has no price for the first ${unit}`);
  const currencies = [...new Set(dimensions.map(({ currency }) => currency))];
  const [currency] = currencies;
  if (!currency || currencies.length > 1) {
    throw new PriceListFormatError(`${sku} has tiers in ${currencies.join(', ')}; needed is one currency`);
  }
  const { perUnit } = first;
  return { perUnit, unit, currency, ...(tiers.length > 1 && { tiers }), sku, pricesAt: effectiveDate };
}

function inUnit(
  { unit: listed, amount, beginRange }: PriceDimension,
  unit: string,
  sku: string,
): { from: string; perUnit: string } {
  const spelling = SPELLINGS[listed.toLowerCase()];
  const same = spelling?.unit === unit || (spelling?.unit === 'Hrs' && HOURS_OF.includes(unit));
  if (!spelling || !same) {
    throw new PriceListFormatError(`${sku} has no price per ${unit}, but per ${listed || '(no unit)'}`);
  }
  const { per } = spelling;
  if (per === undefined) return { from: String(beginRange), perUnit: amount };
  return { from: new Decimal(beginRange).times(per).toFixed(), perUnit: new Decimal(amount).div(per).toFixed() };
}

/** A price that holds for all of the interval. */
export const throughout = (price: ListPrice, { from, to }: Interval): Price => ({
  spans: [{ from, to, ...price, source: 'price-list' }],
});

/** A model of one kind, by price lists. */
export function listModel<Kind extends PriceKey['kind']>(
  name: string,
  kind: Kind,
  lookUp: (key: KeyOf<Kind>) => Promise<ListPrice | Price>,
): PricingModel {
  return {
    name,
    lasting: true,
    covers: (key) => key.kind === kind,
    async price(key, over) {
      const found = await lookUp(key as KeyOf<Kind>);
      return 'perUnit' in found ? throughout(found, over) : found;
    },
  };
}

/**
 * The one product of the query, at its price per unit of the key.
 * @throws PriceUnknownError, PriceListFormatError
 */
export const onlyPrice = (products: readonly Product[], query: PriceQuery, key: PriceKey): ListPrice =>
  listPrice(only(products, query), unitOf(key));

/** Where AWS publishes no price. */
export const notListed = (what: string): Price =>
  unpriced(`AWS lists no price of ${what}`, 'set an own rate for it in the file of the setting costRates');
