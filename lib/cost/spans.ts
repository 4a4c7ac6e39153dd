/**
 * Prices over time, cut at midnights.
 *
 * @module
 */
import type { Interval, PriceSpan } from '../../workflows/cost/model.ts';
import { canonicalJson } from '../digest.ts';
import { dayOf, nextDay, without } from './intervals.ts';

/** In order, none over another: the later one holds. What follows on itself is one, however it was cut. */
export function tidy(spans: readonly PriceSpan[]): PriceSpan[] {
  const tidied: PriceSpan[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    const last = tidied.at(-1);
    if (last && last.to >= span.from && sameTerms(last, span)) {
      last.to = Math.max(last.to, span.to);
      continue;
    }
    if (last) last.to = Math.min(last.to, span.from);
    tidied.push({ ...span });
  }
  return tidied.filter(({ from, to }) => from < to);
}

function sameTerms(a: PriceSpan, b: PriceSpan): boolean {
  const terms = ({ from: _from, to: _to, ...rest }: PriceSpan) => canonicalJson(rest);
  return terms(a) === terms(b);
}

export interface Cut extends Interval {
  span: PriceSpan;
  /** Midnight before. */
  day: number;
}

/**
 * An interval by day and price; a moment as it is, by its day and the price that holds then.
 * @param spans tidy
 */
export function cutBy(interval: Interval, spans: readonly PriceSpan[]): { cuts: Cut[]; gaps: Interval[] } {
  if (interval.from === interval.to) {
    const span = spans[firstEndingAfter(spans, interval.from)];
    if (!span || span.from > interval.from) return { cuts: [], gaps: [{ from: interval.from, to: interval.from + 1 }] };
    return { cuts: [{ ...interval, span, day: dayOf(interval.from) }], gaps: [] };
  }
  const cuts: Cut[] = [];
  const first = firstEndingAfter(spans, interval.from);
  let index = first;
  for (; index < spans.length && spans[index]!.from < interval.to; index += 1) {
    const span = spans[index]!;
    const to = Math.min(interval.to, span.to);
    for (let from = Math.max(interval.from, span.from); from < to; ) {
      const day = dayOf(from);
      const until = Math.min(to, nextDay(day));
      cuts.push({ from, to: until, span, day });
      from = until;
    }
  }
  const covered = cuts.reduce((sum, { from, to }) => sum + to - from, 0) === interval.to - interval.from;
  return { cuts, gaps: covered ? [] : without(interval, spans.slice(first, index)) };
}

function firstEndingAfter(spans: readonly PriceSpan[], time: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle]!.to > time) high = middle;
    else low = middle + 1;
  }
  return low;
}
