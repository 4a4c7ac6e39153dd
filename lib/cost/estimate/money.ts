/**
 * From prices to what a second of a step's work costs. An estimate: numbers, not the exact decimals of the ledger.
 *
 * @module
 */
import type { Price } from '../../../workflows/cost/model.ts';
import { weightOf } from '../sweep.ts';

/** vCPUs and memory, of a job or of its host. */
export interface Size {
  vcpus: number;
  memoryMib: number;
}

export interface HourPrice {
  perHour: number;
  currency: string;
  pricesAt: string;
  marks: readonly string[];
}

const HOUR_SECONDS = 3_600;

/** Of the host, by the ledger's own weights, as if others filled the rest of it; more than all of it is all of it. */
export const shareOf = (job: Size, host: Size): number => Math.min(weightOf(job) / weightOf(host), 1);

export const perSecond = ({ perHour }: HourPrice, share: number): number => (perHour * share) / HOUR_SECONDS;

/** What a price was over its time; undefined where it is not known, or in several currencies. */
export function meanPrice(price: Price): HourPrice | undefined {
  if ('unpriced' in price) return undefined;
  const [first] = price.spans;
  if (!first || price.spans.some(({ currency }) => currency !== first.currency)) return undefined;
  // A moment has one span without a length.
  const lengths = price.spans.map(({ from, to }) => Math.max(to - from, 1));
  const all = lengths.reduce((total, length) => total + length, 0);
  const perHour = price.spans.reduce(
    (total, { perUnit }, index) => total + (Number(perUnit) * (lengths[index] ?? 0)) / all,
    0,
  );
  const marks = [...new Set(price.spans.flatMap((span) => span.marks ?? []))];
  return { perHour, currency: first.currency, pricesAt: price.spans.at(-1)?.pricesAt ?? first.pricesAt, marks };
}

/**
 * The last day (UTC) that is over: what spot capacity is thought to cost. It is the same all day, so that its history is
 * read once for all estimates.
 */
export function dayBefore(now: number): { from: number; to: number } {
  const DAY_MS = 86_400_000;
  const to = Math.floor(now / DAY_MS) * DAY_MS;
  return { from: to - DAY_MS, to };
}
