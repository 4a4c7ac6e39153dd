/**
 * What the files in `offers/` hold: AWS's price lists in short.
 *
 * @module
 */

export interface OfferFile {
  serviceCode: string;
  serviceName: string;
  version: string;
  publicationDate: string;
  effectiveDate: string;
  /** Where the prices were read, where that is not the one list of the version. */
  sources?: readonly string[];
  regions: Readonly<Record<string, OfferRegion>>;
  products: readonly OfferProduct[];
}

interface OfferRegion {
  location: string;
  /** What stands before usage types. Newer ones have one in us-east-1 too. */
  prefix: string;
  longPrefix: string;
  /** Of a list that is older than the file's. */
  version?: string;
  publicationDate?: string;
  effectiveDate?: string;
}

export interface OfferProduct {
  /** Most products of S3 have none. */
  productFamily?: string;
  /** What is the same in every Region; `usagetype` without prefix. */
  attributes: Readonly<Record<string, string>>;
  longPrefix?: boolean;
  unit: string;
  /** Where each price tier begins, and its code. Default: prices without tiers. */
  tiers?: readonly (readonly [begin: string, code: string])[];
  /** By Region. */
  offers: Readonly<Record<string, RegionOffer>>;
}

/** A price for each tier, in one currency. */
export interface RegionOffer {
  /** Absent where the price was found without one. */
  sku?: string;
  usd?: readonly string[];
  cny?: readonly string[];
}
