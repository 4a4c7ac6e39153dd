/**
 * What restoring costs in a Region, from the price lists of S3.
 *
 * A restore has two prices, for a request and for a GB. Which products these are is told by usage type and operation
 * together: lifecycle transitions have the usage type of Glacier's standard requests, and the archive tiers of
 * Intelligent-Tiering that of Glacier's bytes. Of the Deep Archive the requests are in a list of their own.
 *
 * @module
 */
import type { Archive, Tier } from '../../workflows/restore/model.ts';
import type { RestorePrices, RetrievalPrice } from '../../workflows/restore/prices.ts';
import {
  only,
  type PriceList,
  PriceListFormatError,
  type PriceQuery,
  type Product,
  withoutPrefix,
} from './price-list.ts';

const S3 = 'AmazonS3';
const DEEP_ARCHIVE = 'AmazonS3GlacierDeepArchive';
const KEPT_MS = 24 * 60 * 60 * 1000;

/** Usage types without the Region's prefix. */
const s3 = (usagetype: string, operation = ''): PriceQuery => ({ serviceCode: S3, filters: { usagetype, operation } });
const deep = (usagetype: string): PriceQuery => ({ serviceCode: DEEP_ARCHIVE, filters: { usagetype, operation: '' } });

/** In some Regions the overhead of Intelligent-Tiering's objects has the same usage type. */
const COPY: PriceQuery = {
  serviceCode: S3,
  filters: { usagetype: 'TimedStorage-ByteHrs', operation: '', volumeType: 'Standard' },
};

type TierQueries = Partial<Record<Tier, { perGb: PriceQuery; perRequest: PriceQuery }>>;

const RETRIEVAL: Readonly<Record<Archive, TierQueries>> = {
  GLACIER: {
    Expedited: { perGb: s3('Expedited-Retrieval-Bytes'), perRequest: s3('Requests-Tier6') },
    Standard: {
      perGb: s3('Standard-Retrieval-Bytes', 'RestoreObject'),
      perRequest: s3('Requests-Tier3', 'RestoreObject'),
    },
    Bulk: { perGb: s3('Bulk-Retrieval-Bytes', 'RestoreObject'), perRequest: s3('Requests-Tier5') },
  },
  DEEP_ARCHIVE: {
    Standard: {
      perGb: s3('Standard-Retrieval-Bytes', 'DeepArchiveRestoreObject'),
      perRequest: deep('Requests-GDA-Tier3'),
    },
    Bulk: { perGb: s3('Bulk-Retrieval-Bytes', 'DeepArchiveRestoreObject'), perRequest: deep('Requests-GDA-Tier5') },
  },
  ARCHIVE_ACCESS: {
    Expedited: {
      perGb: s3('Expedited-Retrieval-Bytes', 'IntAARestoreObject'),
      perRequest: s3('Requests-INT-Tier6', 'RestoreObjectExpedited'),
    },
    Standard: {
      perGb: s3('Standard-Retrieval-Bytes', 'IntAARestoreObject'),
      perRequest: s3('Requests-INT-AA-Tier3', 'RestoreObject'),
    },
    Bulk: {
      perGb: s3('Bulk-Retrieval-Bytes', 'IntAARestoreObject'),
      perRequest: s3('Requests-INT-AA-Tier5', 'RestoreObjectBulk'),
    },
  },
  DEEP_ARCHIVE_ACCESS: {
    Standard: {
      perGb: s3('Standard-Retrieval-Bytes', 'IntDAARestoreObject'),
      perRequest: s3('Requests-INT-DAA-Tier3', 'RestoreObject'),
    },
    Bulk: {
      perGb: s3('Bulk-Retrieval-Bytes', 'IntDAARestoreObject'),
      perRequest: s3('Requests-INT-DAA-Tier5', 'RestoreObjectBulk'),
    },
  },
};

/** The products of both lists, usage types without prefix, by service code. */
type S3Products = ReadonlyMap<string, readonly Product[]>;
type Kept = Map<string, { until: number; products: Promise<S3Products> }>;
/** By list and Region. */
const kept = new WeakMap<PriceList, Kept>();

/** @throws PriceUnknownError, PriceListFormatError, or the SDK's error when asking again may help */
export async function restorePrices(list: PriceList, region: string): Promise<RestorePrices> {
  const products = await productsOf(list, region);
  const used: Product[] = [];
  const price = (query: PriceQuery, unit: string): number => {
    const product = find(products, query, region);
    used.push(product);
    return firstTier(product, unit);
  };
  const priceTiers = (tiers: TierQueries): Partial<Record<Tier, RetrievalPrice>> =>
    Object.fromEntries(
      Object.entries(tiers).map(([tier, { perRequest, perGb }]) => [
        tier,
        { perRequest: price(perRequest, 'Requests'), perGb: price(perGb, 'GB') },
      ]),
    );
  return {
    region,
    retrieval: {
      GLACIER: priceTiers(RETRIEVAL.GLACIER),
      DEEP_ARCHIVE: priceTiers(RETRIEVAL.DEEP_ARCHIVE),
      ARCHIVE_ACCESS: priceTiers(RETRIEVAL.ARCHIVE_ACCESS),
      DEEP_ARCHIVE_ACCESS: priceTiers(RETRIEVAL.DEEP_ARCHIVE_ACCESS),
    },
    copyPerGbMonth: price(COPY, 'GB-Mo'),
    pricesAt: newest(used.map(({ effectiveDate }) => effectiveDate)),
  };
}

/**
 * What a request, or a GB, of such a restore is billed as.
 * @returns nothing for a tier the archive does not have
 * @throws as {@link restorePrices}
 */
export async function retrievalProduct(
  list: PriceList,
  { region, archive, tier, of }: { region: string; archive: string; tier: string; of: 'request' | 'gb' },
): Promise<Product | undefined> {
  const tiers = Object.hasOwn(RETRIEVAL, archive) ? RETRIEVAL[archive as Archive] : {};
  const queries = Object.hasOwn(tiers, tier) ? tiers[tier as Tier] : undefined;
  if (!queries) return undefined;
  return find(await productsOf(list, region), of === 'gb' ? queries.perGb : queries.perRequest, region);
}

/**
 * What the copies of a restore are billed as, with all price tiers.
 * @throws as {@link restorePrices}
 */
export const copyProduct = async (list: PriceList, region: string): Promise<Product> =>
  find(await productsOf(list, region), COPY, region);

/** Kept for a day, since prices change by the month; what failed is asked for again. */
function productsOf(list: PriceList, region: string): Promise<S3Products> {
  const regions: Kept = kept.get(list) ?? new Map();
  kept.set(list, regions);
  const known = regions.get(region);
  if (known && Date.now() < known.until) return known.products;
  const entry = { until: Date.now() + KEPT_MS, products: readLists(list, region) };
  regions.set(region, entry);
  entry.products.catch(() => regions.delete(region));
  return entry.products;
}

/**
 * Reads both lists of the Region whole: they are five pages, and usage types cannot be asked for one by one without
 * knowing their prefix, which differs even within us-east-1.
 */
async function readLists(list: PriceList, regionCode: string): Promise<S3Products> {
  const lists = await Promise.all(
    [S3, DEEP_ARCHIVE].map(async (serviceCode) => {
      const products = await list.find({ serviceCode, filters: { regionCode } });
      return [serviceCode, products.map(withoutPrefix)] as const;
    }),
  );
  return new Map(lists);
}

const find = (products: S3Products, { serviceCode, filters }: PriceQuery, regionCode: string): Product =>
  only(products.get(serviceCode) ?? [], { serviceCode, filters: { regionCode, ...filters } });

const newest = (dates: readonly string[]): string =>
  dates.reduce((latest, date) => (Date.parse(date) > Date.parse(latest) ? date : latest));

/** @throws PriceListFormatError for another unit or currency: the price would be wrong by orders of magnitude */
function firstTier({ sku, dimensions }: Product, unit: string): number {
  const [first] = dimensions;
  // Some requests are called `API Requests`.
  if (first?.beginRange !== 0 || first.unit.replace(/^API /, '') !== unit) {
    throw new PriceListFormatError(`${sku} has no price per ${unit} from the first on, but per ${first?.unit}`);
  }
  if (first.currency !== 'USD') {
    throw new PriceListFormatError(`${sku} is priced in ${first.currency}: limits of restores are in USD only`);
  }
  return Number(first.amount);
}
