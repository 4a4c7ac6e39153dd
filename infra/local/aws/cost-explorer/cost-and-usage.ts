/**
 * GetCostAndUsage: what was billed, by day or month, of what a filter leaves, in groups by dimensions and tags.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../../kit/clock.ts';
import { AwsError } from '../../kit/service.ts';
import { DAY_MS, isDate, isEstimated, nextMonth, type Period, periodsOf } from './dates.ts';
import { DIMENSIONS, invalid, readExpression } from './filter.ts';
import { type BillingRow, type BillingRows, sumOf } from './rows.ts';

type Json = Record<string, unknown>;

const COSTS = ['AmortizedCost', 'BlendedCost', 'NetAmortizedCost', 'NetUnblendedCost', 'UnblendedCost'];
const USAGE = 'UsageQuantity';
const MOST_GROUPS = 2;
/** So far back Cost Explorer goes by default. */
const KEPT_MS = 14 * 31 * DAY_MS;
/** How many periods a page has is Cost Explorer's secret: this is ours. */
const PAGE = 31;

export function getCostAndUsage(rows: BillingRows, clock: Clock, input: Json): Json {
  const { NextPageToken, ...question } = input;
  const time = readTime(question.TimePeriod, clock.now());
  const granularity = question.Granularity;
  if (granularity !== 'DAILY' && granularity !== 'MONTHLY') {
    throw invalid(`Granularity ${String(granularity)} is not known here: DAILY, MONTHLY`);
  }
  const metrics = readMetrics(question.Metrics);
  const groups = readGroups(question.GroupBy);
  const passes = question.Filter === undefined ? () => true : readExpression(question.Filter);
  const known = rows.known();
  if (known.length === 0) {
    throw new AwsError(
      'DataUnavailableException',
      'Data is not available. Please try to adjust the time period. If just enabled Cost Explorer, data might not be ingested yet',
    );
  }
  const found = known.filter(passes);
  const asked = createHash('sha256').update(JSON.stringify(question)).digest('hex');
  const from = NextPageToken === undefined ? 0 : readToken(String(NextPageToken), asked);
  const periods = periodsOf(time, granularity);
  const end = from + PAGE;
  return {
    ...(groups.length > 0 && { GroupDefinitions: question.GroupBy }),
    ResultsByTime: periods.slice(from, end).map((period) => {
      const within = found.filter(({ date }) => date >= period.Start && date < period.End);
      return {
        TimePeriod: period,
        // Either the whole or its groups.
        Total: groups.length === 0 ? measure(within, metrics) : {},
        Groups: groups.length === 0 ? [] : grouped(within, groups, metrics),
        Estimated: isEstimated(period, clock.now()),
      };
    }),
    DimensionValueAttributes: [],
    ...(end < periods.length && { NextPageToken: Buffer.from(`${asked}:${end}`).toString('base64') }),
  };
}

function readTime(period: unknown, now: number): Period {
  const { Start, End } = (period ?? {}) as Partial<Record<keyof Period, unknown>>;
  if (typeof Start !== 'string' || typeof End !== 'string') throw invalid('TimePeriod must have a Start and an End');
  if (!isDate(Start) || !isDate(End)) throw invalid('Start date and end date must be of the form yyyy-MM-dd');
  if (Start >= End) throw invalid('Start date (and hour) should be before end date (and hour)');
  if (End > nextMonth(new Date(now).toISOString().slice(0, 10))) {
    throw invalid('end date past the beginning of next month');
  }
  if (Date.parse(Start) < now - KEPT_MS) {
    throw invalid('Your request is beyond the 14 months for which there is data');
  }
  return { Start, End };
}

function readMetrics(metrics: unknown): string[] {
  if (!Array.isArray(metrics) || metrics.length === 0) throw invalid('Metrics can not be empty.');
  const unknown = metrics.find((metric) => metric !== USAGE && !COSTS.includes(String(metric)));
  if (unknown !== undefined) throw invalid(`Metric ${String(unknown)} is not known here`);
  return metrics.map(String);
}

type Group = (row: BillingRow) => string;

function readGroups(groups: unknown): Group[] {
  if (groups === undefined) return [];
  if (!Array.isArray(groups) || groups.length > MOST_GROUPS) throw invalid(`GroupBy can have ${MOST_GROUPS} members`);
  return (groups as { Type?: unknown; Key?: unknown }[]).map(({ Type, Key }) => {
    const key = String(Key ?? '');
    // A tag's group is told with its key; without the tag nothing stands after it.
    if (Type === 'TAG' && key !== '') return ({ tags }) => `${key}$${tags[key] ?? ''}`;
    const read = Type === 'DIMENSION' && Object.hasOwn(DIMENSIONS, key) ? DIMENSIONS[key] : undefined;
    if (!read) throw invalid(`There are no groups by ${String(Type)} ${key} here`);
    return read;
  });
}

function grouped(rows: readonly BillingRow[], groups: readonly Group[], metrics: readonly string[]): Json[] {
  const byKeys = new Map<string, BillingRow[]>();
  for (const row of rows) {
    const keys = JSON.stringify(groups.map((group) => group(row)));
    byKeys.set(keys, [...(byKeys.get(keys) ?? []), row]);
  }
  return [...byKeys]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([keys, ofGroup]) => ({ Keys: JSON.parse(keys) as string[], Metrics: measure(ofGroup, metrics) }));
}

function measure(rows: readonly BillingRow[], metrics: readonly string[]): Json {
  const Unit = rows[0]?.currency ?? 'USD';
  const amounts = sumOf(rows.map(({ amount }) => amount));
  const quantities = sumOf(rows.map(({ quantity }) => quantity));
  return Object.fromEntries(
    metrics.map((metric) => [
      metric,
      metric === USAGE ? { Amount: quantities, Unit: 'N/A' } : { Amount: amounts, Unit },
    ]),
  );
}

function readToken(token: string, asked: string): number {
  const [question, from] = Buffer.from(token, 'base64').toString('utf8').split(':');
  if (question !== asked) throw new AwsError('InvalidNextTokenException', 'The pagination token is invalid');
  return Number(from);
}
