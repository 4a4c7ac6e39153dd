/**
 * The rates as they are now: the file is read again now and then, so that a corrected price, discount or budget holds
 * without a restart.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { digestOf } from '../digest.ts';
import type { Rates } from './rates.ts';
import { readRates } from './rates-file.ts';

const KEPT_MS = 60_000;

/** @throws InvalidRatesError while the file has never been right; once it was, that is kept, and the error is warned of */
export function createCurrentRates(
  address: string,
  s3: S3Client,
  { now = Date.now, warn }: { now?: () => number; warn(message: string): void },
): () => Promise<Rates> {
  let last: { rates: Rates; digest: string } | undefined;
  let until = 0;
  return async () => {
    if (last && now() < until) return last.rates;
    until = now() + KEPT_MS;
    try {
      const rates = await readRates(address, s3);
      const digest = digestOf(rates);
      // The same object as long as it says the same: whoever keeps something for it keeps it on.
      if (last?.digest !== digest) last = { rates, digest };
    } catch (error) {
      if (!last) throw error;
      warn(`the rates stay as they were: ${(error as Error).message}`);
    }
    return last.rates;
  };
}
