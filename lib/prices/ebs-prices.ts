/**
 * Volumes of EBS: storage, provisioned IOPS and throughput.
 *
 * The price list has no product for what storage includes: the first 3,000 IOPS and 125 MiB/s of a gp3 volume are for
 * whoever counts what is used to take off. Tiers of io2 are of one volume's IOPS, each a product of its own.
 *
 * @module
 */
import type { Price } from '../../workflows/cost/model.ts';
import { type ListPrice, listModel, listPrice } from './list-price.ts';
import { type KeyOf, unitOf } from './price-keys.ts';
import { only, type PriceList, PriceUnknownError, type Product, withoutPrefix } from './price-list.ts';
import { type PricingModel, unpriced } from './pricing-model.ts';

type VolumeKey = KeyOf<'volume'>;

const STORAGE: Readonly<Record<string, string>> = {
  gp3: 'EBS:VolumeUsage.gp3',
  gp2: 'EBS:VolumeUsage.gp2',
  io1: 'EBS:VolumeUsage.piops',
  io2: 'EBS:VolumeUsage.io2',
  st1: 'EBS:VolumeUsage.st1',
  sc1: 'EBS:VolumeUsage.sc1',
  standard: 'EBS:VolumeUsage',
};
const IOPS: Readonly<Record<string, string>> = {
  gp3: 'EBS:VolumeP-IOPS.gp3',
  io1: 'EBS:VolumeP-IOPS.piops',
  io2: 'EBS:VolumeP-IOPS.io2',
};
const THROUGHPUT: Readonly<Record<string, string>> = { gp3: 'EBS:VolumeP-Throughput.gp3' };
const USAGE_TYPES = { storage: STORAGE, iops: IOPS, throughput: THROUGHPUT };
const FAMILIES = { storage: 'Storage', iops: 'System Operation', throughput: 'Provisioned Throughput' };

/** From so many IOPS of a volume on: aws.amazon.com/ebs/pricing. */
const IO2_TIERS = [
  { from: '32000', usagetype: 'EBS:VolumeP-IOPS.io2.tier2' },
  { from: '64000', usagetype: 'EBS:VolumeP-IOPS.io2.tier3' },
];

export const ebsPrices = (list: PriceList): PricingModel =>
  listModel('EBS', 'volume', async (key): Promise<ListPrice | Price> => {
    const usagetype = USAGE_TYPES[key.of][key.type];
    if (usagetype === undefined) return notBilled(list, key);
    const products = await productsOf(list, key);
    const priceOf = (one: string) => listPrice(beyondIncluded(find(products, key, one), key), unitOf(key));
    const price = priceOf(usagetype);
    return key.type === 'io2' && key.of === 'iops' ? tiered(price, products, priceOf) : price;
  });

const queryOf = ({ region, type, of }: VolumeKey) => ({
  serviceCode: 'AmazonEC2',
  filters: { regionCode: region, productFamily: FAMILIES[of], volumeApiName: type },
});

const productsOf = async (list: PriceList, key: VolumeKey): Promise<Product[]> =>
  (await list.find(queryOf(key))).map(withoutPrefix);

function find(products: readonly Product[], key: VolumeKey, usagetype: string): Product {
  const { serviceCode, filters } = queryOf(key);
  return only(products, { serviceCode, filters: { ...filters, usagetype } });
}

/** Where the list says from which amount on gp3 is billed, it is that price: what comes before is not asked for. */
const beyondIncluded = (product: Product, { type, of }: VolumeKey): Product =>
  type === 'gp3' && of !== 'storage'
    ? { ...product, dimensions: product.dimensions.slice(-1).map((last) => ({ ...last, beginRange: 0 })) }
    : product;

/** Regions that have no tiers have one price for all. */
function tiered(first: ListPrice, products: readonly Product[], priceOf: (usagetype: string) => ListPrice): ListPrice {
  const listed = IO2_TIERS.filter(({ usagetype }) =>
    products.some(({ attributes }) => attributes.usagetype === usagetype),
  );
  const higher = listed.map(({ from, usagetype }) => ({ from, price: priceOf(usagetype) }));
  if (higher.length === 0) return first;
  return {
    ...first,
    tiers: [
      { from: '0', perUnit: first.perUnit },
      ...higher.map(({ from, price }) => ({ from, perUnit: price.perUnit })),
    ],
    marks: [`SKUs of higher tiers: ${higher.map(({ price }) => price.sku).join(', ')}`],
  };
}

/** EC2 tells IOPS of every volume, but bills them of some types only: of the others they come with the storage. */
async function notBilled(list: PriceList, key: VolumeKey): Promise<ListPrice | Price> {
  const storage = STORAGE[key.type];
  if (storage === undefined) throw new PriceUnknownError(queryOf(key), []);
  if (key.type === 'standard') {
    return unpriced(
      'magnetic volumes are billed by each I/O request, which nobody counts',
      'use gp3, or set an own rate for it in the file of the setting costRates',
    );
  }
  const storageKey: VolumeKey = { ...key, of: 'storage' };
  const { currency, sku, pricesAt } = listPrice(find(await productsOf(list, storageKey), storageKey, storage), 'GB-Mo');
  return { perUnit: '0', unit: unitOf(key), currency, ...(sku && { sku }), pricesAt, marks: ['included in storage'] };
}
