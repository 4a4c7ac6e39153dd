/**
 * What a restore costs, as the planner reads it. Depends on nothing.
 *
 * @module
 */
import type { Archive, Tier } from './model.ts';

/** In one Region. USD; a GB of S3's bills is 2^30 bytes. */
export interface RestorePrices {
  region: string;
  retrieval: Readonly<Record<Archive, Partial<Record<Tier, RetrievalPrice>>>>;
  /** S3 Standard, the first price tier, which the copies pay while they live. USD per GB and month. */
  copyPerGbMonth: number;
  /** ISO 8601: the price list's own effective date, the newest of those used. */
  pricesAt: string;
}

/** Tiers an archive does not have are absent. */
export interface RetrievalPrice {
  /** USD for one RestoreObject. */
  perRequest: number;
  /** USD per GB retrieved. */
  perGb: number;
}
