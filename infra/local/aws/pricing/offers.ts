/**
 * The catalogue: excerpts of AWS's price lists as of the dates in the files, a row for each product with its SKU and its
 * price in each Region, made into the documents that AWS publishes. Prices change; these do not.
 *
 * A SKU that begins with `STANDIN` is not AWS's: that price was found without one.
 *
 * To add a service: a file in `offers/`, entered below. To add a Region: its row in `regions`, and its offers.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { instanceProducts } from './instance-offers.ts';
import type { OfferFile, OfferProduct } from './offer-file.ts';
import amazonEc2 from './offers/amazon-ec2.json' with { type: 'json' };
import amazonEc2Instances from './offers/amazon-ec2-instances.json' with { type: 'json' };
import amazonEcs from './offers/amazon-ecs.json' with { type: 'json' };
import amazonEks from './offers/amazon-eks.json' with { type: 'json' };
import amazonFsx from './offers/amazon-fsx.json' with { type: 'json' };
import amazonPolly from './offers/amazon-polly.json' with { type: 'json' };
import amazonS3 from './offers/amazon-s3.json' with { type: 'json' };
import amazonS3GlacierDeepArchive from './offers/amazon-s3-glacier-deep-archive.json' with { type: 'json' };

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

/** As AWS codes them: on-demand terms, and prices without tiers. China has codes of its own. */
const CODES = {
  USD: { term: 'JRTCKXETXF', tiers: [['0', '6YS6EN2CT7']] },
  CNY: { term: '5Y9WH78GDR', tiers: [['0', 'Q7UJUT2CE6']] },
} as const;

const EC2 = amazonEc2 as OfferFile;
const FILES = [
  {
    ...EC2,
    products: [...EC2.products, ...instanceProducts(amazonEc2Instances as Parameters<typeof instanceProducts>[0])],
  },
  amazonEcs,
  amazonEks,
  amazonFsx,
  amazonPolly,
  amazonS3,
  amazonS3GlacierDeepArchive,
] as readonly OfferFile[];

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
  const currency = offer?.cny ? 'CNY' : 'USD';
  const prices = offer?.cny ?? offer?.usd;
  const tiers = product.tiers ?? CODES[currency].tiers;
  if (!region || prices?.length !== tiers.length) {
    throw new Error(
      `${file.serviceCode}: ${product.attributes.usagetype} of ${regionCode} lacks its Region or a price`,
    );
  }
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
  const sku =
    offer?.sku ?? ownSku([file.serviceCode, regionCode, attributes.usagetype, product.attributes.operation ?? '']);
  const term = `${sku}.${CODES[currency].term}`;
  const dimensions = tiers.map(([beginRange, code], index) => ({
    unit: product.unit,
    beginRange,
    endRange: tiers[index + 1]?.[0] ?? 'Inf',
    description: `${currency === 'USD' ? `$${prices[index]}` : `${prices[index]} ${currency}`} per ${product.unit} for ${attributes.usagetype} in ${region.location}`,
    appliesTo: [],
    rateCode: `${term}.${code}`,
    pricePerUnit: { [currency]: prices[index] },
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
            effectiveDate: region.effectiveDate ?? file.effectiveDate,
            offerTermCode: CODES[currency].term,
            termAttributes: {},
          },
        },
      },
      version: region.version ?? file.version,
      publicationDate: region.publicationDate ?? file.publicationDate,
    }),
  };
}

function ownSku(of: readonly string[]): string {
  const digest = createHash('sha256').update(of.join('\n')).digest('hex');
  return `STANDIN${digest.slice(0, 9).toUpperCase()}`;
}
