/**
 * Which tier for which archive: pure. Never a tier an archive does not have, the cheapest that meets the deadline, and
 * of equally cheap ones the fastest.
 *
 * @module
 */
import {
  ARCHIVES,
  type Archive,
  type ArchiveQuote,
  DEFAULT_DAYS,
  movesBack,
  type Quote,
  type RestorePlan,
  TIERS,
  type Tier,
  type TierQuote,
  type Totals,
  type Wishes,
} from './model.ts';
import type { RestorePrices } from './prices.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/**
 * Seconds from the request to the object being readable: at least and at most, as published under "Understanding archive
 * retrieval options": https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html.
 * Where only the most is published (Deep Archive), the least is three quarters of it.
 */
const FLEXIBLE = {
  Expedited: [MINUTE, 5 * MINUTE],
  Standard: [3 * HOUR, 5 * HOUR],
  Bulk: [5 * HOUR, 12 * HOUR],
} as const;
const DEEP = { Standard: [9 * HOUR, 12 * HOUR], Bulk: [36 * HOUR, 48 * HOUR] } as const;
const TIMES: Readonly<Record<Archive, Partial<Record<Tier, readonly [number, number]>>>> = {
  GLACIER: FLEXIBLE,
  DEEP_ARCHIVE: DEEP,
  ARCHIVE_ACCESS: FLEXIBLE,
  DEEP_ARCHIVE_ACCESS: DEEP,
};

/** RestoreObject: 1,000 a second are published, of which 95 % are used (lib/pacing/quotas.ts). */
export const REQUESTS_PER_SECOND = 950;

const GB = 2 ** 30;
/** A month of S3's bills, as AWS reckons it for estimates: 365 days / 12. */
const HOURS_PER_MONTH = 730;

/** Tiers of an archive, fastest first. */
export const tiersOf = (archive: Archive): Tier[] => TIERS.filter((tier) => TIMES[archive][tier] !== undefined);

/** @throws Error for a tier the archive does not have: that is a bug, plans have none such */
export function retrievalSeconds(archive: Archive, tier: Tier): { least: number; most: number } {
  const [least, most] = TIMES[archive][tier] ?? [];
  if (least === undefined || most === undefined) throw new Error(`${archive} has no ${tier}`);
  return { least, most };
}

/** The wished tier, or the nearest slower one the archive has: Expedited becomes Standard on Deep Archive. */
export function nearestTier(archive: Archive, wished: Tier): Tier {
  const has = tiersOf(archive);
  const slower = TIERS.slice(TIERS.indexOf(wished)).find((tier) => has.includes(tier));
  return slower ?? (has.at(-1) as Tier);
}

/**
 * What each archive's tiers cost and take, for what has not been asked for yet.
 * @param prices or why there are none
 */
export function quoteRestore(totals: Totals, prices: RestorePrices | { unknown: string }, wishes: Wishes): Quote {
  const days = wishes.days ?? DEFAULT_DAYS;
  const archives = ARCHIVES.flatMap((archive): ArchiveQuote[] => {
    const { archived } = totals[archive] ?? {};
    if (!archived || archived.objects === 0) return [];
    const tiers = tiersOf(archive).map((tier): TierQuote => {
      const price = 'unknown' in prices ? undefined : prices.retrieval[archive][tier];
      const { most: seconds } = retrievalSeconds(archive, tier);
      if (!price || 'unknown' in prices) return { tier, seconds };
      const gb = archived.bytes / GB;
      const requests = archived.objects * price.perRequest;
      const bytes = gb * price.perGb;
      const copies = movesBack(archive) ? 0 : gb * prices.copyPerGbMonth * monthsOf(days);
      return { tier, seconds, cost: { requests, bytes, copies, total: requests + bytes + copies } };
    });
    return [{ archive, ...archived, tiers: tiers.toSorted(byCost) }];
  });
  return {
    days,
    archives,
    ...('unknown' in prices ? { unpriced: prices.unknown } : { pricesAt: prices.pricesAt }),
  };
}

/** Without prices the slowest comes first: in every Region the slower tier costs less, or the same. */
function byCost(a: TierQuote, b: TierQuote): number {
  if (!a.cost || !b.cost) return a.cost ? -1 : b.cost ? 1 : b.seconds - a.seconds;
  return a.cost.total - b.cost.total || a.seconds - b.seconds;
}

/** Copies live until the midnight (UTC) after so many days: at most a day longer. */
const monthsOf = (days: number): number => ((days + 1) * 24) / HOURS_PER_MONTH;

export type Planned = { plan: RestorePlan; needsApproval: boolean } | { problem: string };

/** @returns the plan, whether it is above the limit; or why no plan meets the wishes */
export function planRestore(quote: Quote, wishes: Wishes): Planned {
  const objects = quote.archives.reduce((sum, archive) => sum + archive.objects, 0);
  const requesting = Math.ceil(objects / REQUESTS_PER_SECOND);
  const plan: RestorePlan = {
    days: quote.days,
    tiers: {},
    objects,
    bytes: quote.archives.reduce((sum, archive) => sum + archive.bytes, 0),
    seconds: 0,
    soonestSeconds: 0,
  };
  const soonest: number[] = [];
  const costs: (number | undefined)[] = [];
  for (const { archive, tiers } of quote.archives) {
    const chosen = chooseTier(archive, tiers, requesting, wishes);
    if ('problem' in chosen) return chosen;
    plan.tiers[archive] = chosen.tier;
    costs.push(chosen.cost?.total);
    plan.seconds = Math.max(plan.seconds, requesting + chosen.seconds);
    soonest.push(retrievalSeconds(archive, chosen.tier).least);
  }
  if (soonest.length > 0) plan.soonestSeconds = Math.min(...soonest);
  const known = costs.filter((cost) => cost !== undefined);
  if (known.length === costs.length) plan.usd = known.reduce((sum, cost) => sum + cost, 0);
  const { limitUsd } = wishes;
  // What nobody can price is above any limit, unless it is nothing.
  return { plan, needsApproval: limitUsd !== undefined && (plan.usd === undefined || plan.usd > limitUsd) };
}

function chooseTier(
  archive: Archive,
  cheapestFirst: readonly TierQuote[],
  requesting: number,
  { tier, deadlineSeconds }: Wishes,
): TierQuote | { problem: string } {
  const wished = tier === undefined ? undefined : nearestTier(archive, tier);
  const open = cheapestFirst.filter((quote) => wished === undefined || quote.tier === wished);
  const inTime = (quote: TierQuote) => deadlineSeconds === undefined || requesting + quote.seconds <= deadlineSeconds;
  const chosen = open.find(inTime);
  if (chosen) return chosen;
  const fastest = open.toSorted((a, b) => a.seconds - b.seconds)[0];
  if (!fastest) return { problem: `${archive} has no tier ${wished ?? ''}` };
  const needed = formatDuration(requesting + fastest.seconds);
  const why = wished === undefined ? `the fastest of ${archive}, ${fastest.tier},` : `${wished} on ${archive}`;
  return { problem: `${why} takes up to ${needed}, and the deadline is ${formatDuration(deadlineSeconds ?? 0)}` };
}

/** `48 h`, `1 h 30 min`, `5 min`, `40 s`. */
export function formatDuration(seconds: number): string {
  if (seconds < MINUTE) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / MINUTE);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  if (hours === 0) return `${rest} min`;
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}

/** `90s`, `30m`, `12h`, `2d`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,6}(?:\.\d{1,3})?)\s?(s|m|min|h|d)$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  const factors: Record<string, number> = { s: 1, m: MINUTE, min: MINUTE, h: HOUR, d: 24 * HOUR };
  const seconds = Number(number) * (factors[unit] ?? 1);
  return seconds > 0 ? seconds : undefined;
}
