/**
 * Reads the file of own rates (YAML or JSON). Every wrong place is named at once, with its line and what to do. Amounts become
 * decimal numbers in texts, days become moments.
 *
 * @module
 */
import { readFile, stat } from 'node:fs/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { Decimal } from 'decimal.js';
import { readObject, UnreadableObjectError } from '../s3-objects.ts';
import { InvalidRatesError, NO_RATES, type OwnRate, type Rates } from './rates.ts';
import { checkRates, type RatesFile } from './rates-checks.ts';

const LIMIT_BYTES = 1024 * 1024;

/**
 * @param address a path or `s3://` address, as the setting `costRates` has it; none: no rates
 * @throws InvalidRatesError; the SDK's error when asking again may help
 */
export async function readRates(address: string, s3?: S3Client): Promise<Rates> {
  if (address === '') return NO_RATES;
  return parseRates(await readText(address, s3), address);
}

async function readText(address: string, s3?: S3Client): Promise<string> {
  const wrong = (why: string) =>
    new InvalidRatesError([`${address}: ${why}; put the file there, or correct the setting costRates`]);
  if (address.startsWith('s3://')) {
    if (!s3) throw wrong('there is no client of S3 to read it');
    try {
      return (await readObject(s3, address, { limit: LIMIT_BYTES })).bytes.toString('utf8');
    } catch (error) {
      if (error instanceof UnreadableObjectError) throw wrong(error.reason);
      if (error instanceof TypeError) throw wrong('not an address of the form s3://bucket/key');
      throw error;
    }
  }
  try {
    const { size } = await stat(address);
    if (size > LIMIT_BYTES) throw wrong(`is larger than ${LIMIT_BYTES} bytes`);
    return await readFile(address, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw wrong(code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code})`);
  }
}

/**
 * @param file what the user knows the text by; in messages only
 * @throws InvalidRatesError with every problem found
 */
export function parseRates(text: string, file: string): Rates {
  const written = checkRates(text, file);
  const { currency = 'USD', sharing = {} } = written;
  return {
    currency,
    ...(written.date !== undefined && { date: written.date }),
    rates: (written.rates ?? []).map((rate) => ownRate(rate, currency)),
    discounts: (written.discounts ?? []).map(({ percent, ...which }) => ({ ...which, percent: decimal(percent) })),
    onPremises: (written.onPremises ?? []).map((one) => ({
      cluster: one.cluster,
      perVcpuHour: decimal(one.perVcpuHour),
      perGbHour: decimal(one.perGbHour),
      currency: one.currency ?? currency,
    })),
    commitments: written.commitments ?? [],
    exchange: (written.exchange ?? []).map(({ rate, ...of }) => ({ ...of, rate: decimal(rate) })),
    sharing: { ...NO_RATES.sharing, ...sharing },
    budgets: Object.fromEntries(
      Object.entries(written.budgets ?? {}).map(([consumer, amount]) => [consumer, decimal(amount)]),
    ),
  };
}

/** A number of YAML is written back with as many digits as it was given, up to 15. */
const decimal = (value: string | number): string => new Decimal(value).toFixed();

function ownRate(rate: NonNullable<RatesFile['rates']>[number], currency: string): OwnRate {
  const { kind, perUnit, from, to, currency: own = currency, ...where } = rate;
  return {
    kind,
    where,
    perUnit: decimal(perUnit),
    currency: own,
    from: from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(from),
    to: to === undefined ? Number.POSITIVE_INFINITY : Date.parse(to),
  };
}
