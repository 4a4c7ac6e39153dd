/**
 * The catalogue: excerpts of AWS's price lists as of the dates in the files, a row for each product with its SKU and its
 * price in each Region, made into the documents that AWS publishes. Prices change; these do not.
 *
 * To add a service: a file in `offers/`, entered below. To add a Region: its row in `regions`, and its offers.
 *
 * @module
 */
import amazonS3 from './offers/amazon-s3.json' with { type: 'json' };
import amazonS3GlacierDeepArchive from './offers/amazon-s3-glacier-deep-archive.json' with { type: 'json' };

/** A price list in short. */
interface OfferFile {
  serviceCode: string;
  serviceName: string;
  version: string;
  publicationDate: string;
  effectiveDate: string;
  regions: Readonly<Record<string, OfferRegion>>;
  products: readonly OfferProduct[];
}

interface OfferRegion {
  location: string;
  /** What stands before usage types. Newer ones have one in us-east-1 too. */
  prefix: string;
  longPrefix: string;
}

interface OfferProduct {
  /** Most products of S3 have none. */
  productFamily?: string;
  /** What is the same in every Region; `usagetype` without prefix. */
  attributes: Readonly<Record<string, string>>;
  longPrefix?: boolean;
  unit: string;
  /** Where each price tier begins, and its code. Default: {@link ONE_TIER}. */
  tiers?: readonly (readonly [begin: string, code: string])[];
  /** By Region; a price for each tier. */
  offers: Readonly<Record<string, { sku: string; usd: readonly string[] }>>;
}

/** What filters and GetAttributeValues see of a product, and the document GetProducts gives. */
export interface ListedProduct {
  fields: Readonly<Record<string, string>>;
  document: string;
}

export interface Offer {
  serviceCode: string;
  attributeNames: readonly string[];
  products: readonly ListedProduct[];
}

/** As AWS codes them: on-demand terms, and prices without tiers. */
const ON_DEMAND = 'JRTCKXETXF';
const ONE_TIER = [['0', '6YS6EN2CT7']] as const;

const FILES = [amazonS3, amazonS3GlacierDeepArchive] as readonly OfferFile[];

/** By service code. */
export const OFFERS: ReadonlyMap<string, Offer> = new Map(FILES.map((file) => [file.serviceCode, readOffer(file)]));

function readOffer(file: OfferFile): Offer {
  const products = file.products
    .flatMap((product) => Object.keys(product.offers).map((region) => list(file, product, region)))
    .sort((a, b) => (a.fields.sku ?? '').localeCompare(b.fields.sku ?? ''));
  const names = new Set(products.flatMap(({ fields }) => Object.keys(fields)));
  names.delete('sku');
  return { serviceCode: file.serviceCode, attributeNames: [...names].toSorted(), products };
}

function list(file: OfferFile, product: OfferProduct, regionCode: string): ListedProduct {
  const region = file.regions[regionCode];
  const offer = product.offers[regionCode];
  const tiers = product.tiers ?? ONE_TIER;
  if (!region || offer?.usd.length !== tiers.length) {
    throw new Error(
      `${file.serviceCode}: ${product.attributes.usagetype} of ${regionCode} lacks its Region or a price`,
    );
  }
  const { sku, usd } = offer;
  const { productFamily } = product;
  const attributes = {
    ...product.attributes,
    usagetype: `${product.longPrefix ? region.longPrefix : region.prefix}${product.attributes.usagetype}`,
    regionCode,
    location: region.location,
    locationType: 'AWS Region',
    servicecode: file.serviceCode,
    servicename: file.serviceName,
  };
  const term = `${sku}.${ON_DEMAND}`;
  const dimensions = tiers.map(([beginRange, code], index) => ({
    unit: product.unit,
    beginRange,
    endRange: tiers[index + 1]?.[0] ?? 'Inf',
    description: `$${usd[index]} per ${product.unit} for ${attributes.usagetype} in ${region.location}`,
    appliesTo: [],
    rateCode: `${term}.${code}`,
    pricePerUnit: { USD: usd[index] },
  }));
  return {
    fields: { ...attributes, sku, ...(productFamily !== undefined && { productFamily }) },
    document: JSON.stringify({
      product: { ...(productFamily !== undefined && { productFamily }), attributes, sku },
      serviceCode: file.serviceCode,
      terms: {
        OnDemand: {
          [term]: {
            priceDimensions: Object.fromEntries(dimensions.map((dimension) => [dimension.rateCode, dimension])),
            sku,
            effectiveDate: file.effectiveDate,
            offerTermCode: ON_DEMAND,
            termAttributes: {},
          },
        },
      },
      version: file.version,
      publicationDate: file.publicationDate,
    }),
  };
}
