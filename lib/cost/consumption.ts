/**
 * Who used how much of what, when: between what is known of a launch's resources and what they cost. Fractions stay
 * fractions of whole numbers until a line is charged, so that their sum does not depend on how time was cut.
 *
 * @module
 */
import type {
  Component,
  Interval,
  LedgerLine,
  Outcome,
  PriceKey,
  Purpose,
  Unpriced,
} from '../../workflows/cost/model.ts';

/** `n / d`, not reduced. */
export interface Ratio {
  n: bigint;
  d: bigint;
}

export const WHOLE: Ratio = { n: 1n, d: 1n };

/** Units of the ledger, and of what time they are: a price for an hour, for a month, or for the thing once. */
export const UNITS = {
  Hrs: 'hour',
  'vCPU-Hours': 'hour',
  'GB-Hours': 'hour',
  'GB-Mo': 'month',
  'IOPS-Mo': 'month',
  'MiBps-Mo': 'month',
  Requests: 'once',
  GB: 'once',
  '1M Tokens': 'once',
  '1M Characters': 'once',
} as const satisfies Record<string, 'hour' | 'month' | 'once'>;
export type Unit = keyof typeof UNITS;

/** What a line of the ledger is about, but for time and price. */
export interface Consumed
  extends Pick<LedgerLine, 'resource' | 'resourceType' | 'region' | 'service' | 'market' | 'zone' | 'step' | 'marks'> {
  component: Component;
  purpose: Purpose;
  outcome?: Outcome;
  key: PriceKey;
  unit: Unit;
  /** All of the resource, in what the unit counts: GiB or IOPS. 1 of what is counted by the share. */
  size: Ratio;
}

/**
 * A share of it, constant over the interval, or how many vCPUs or GB of it. Of what is paid for once, how much; the
 * interval is its moment then, and has no length.
 */
export interface Consumption extends Interval {
  what: Consumed;
  share: Ratio;
}

export interface Allocation {
  consumptions: Consumption[];
  unpriced: Unpriced[];
}

const MIB_OF_GIB = 1024n;
const MILLION = 1_000_000n;
/** A GB of AWS's bills for storage and memory is 2^30 bytes. */
const BYTES_OF_GIB = 1n << 30n;

/** Whole numbers, and quarters of a vCPU; nothing is sold by less than a millionth. */
export const countOf = (count: number): Ratio =>
  Number.isInteger(count) ? { n: BigInt(count), d: 1n } : { n: BigInt(Math.round(count * 1e6)), d: MILLION };
/** Of what is sold by the million. */
export const millionthsOf = (count: number): Ratio => ({ n: BigInt(count), d: MILLION });
export const gibOfMib = (mib: number): Ratio => ({ n: BigInt(Math.ceil(mib)), d: MIB_OF_GIB });
export const gibOfBytes = (bytes: number): Ratio => ({ n: BigInt(bytes), d: BYTES_OF_GIB });
