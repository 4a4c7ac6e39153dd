/**
 * What consumers, workflow types, compute services, days, weeks and months have cost: sums of what the ledger keeps of
 * each launch and day, read by an index, day by day.
 *
 * @module
 */
import { COMPONENTS, type Component } from '../../workflows/cost/model.ts';
import { mapLimited } from '../concurrency.ts';
import { compare } from '../digest.ts';
import type { DayItem, LedgerStore, ReadCount } from '../store/ledger.ts';
import { daysBetween, isoWeek, monthOfDay } from './calendar.ts';
import { decimalsOf, ledgerText, type Money, roundParts, roundTotal, ZERO } from './money.ts';

export const GROUPINGS = ['consumer', 'type', 'day', 'week', 'month', 'compute'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface ReportQuery {
  by: Grouping;
  /** `2026-11-01`, UTC; both included. */
  from: string;
  to: string;
  /** Only what this one has spent. */
  consumer?: string;
}

/** Decimal numbers. `lost`, `idle` and `packing` are parts of the total, and so are the components. */
export interface Amounts {
  total: string;
  components: Partial<Record<Component, string>>;
  lost: string;
  idle: string;
  packing: string;
}

export interface ReportRow extends Amounts {
  /** A consumer, a type, `2026-W48`, … */
  group: string;
  currency: string;
  /** How many have cost something in the time. */
  launches: number;
  /** Unrounded: sums of the ledger's amounts. */
  exact: Amounts;
}

export interface CostReport extends ReportQuery {
  /** By group, then currency. Each is rounded once, by itself: its components add up to its total. */
  rows: ReportRow[];
  /** Of everything, one for each currency. */
  totals: Omit<ReportRow, 'group'>[];
  read: ReadCount;
}

/** Queries at the same time: of a month's days each is a page or a few. */
const READING = 4;

const GROUP_OF: Readonly<Record<Grouping, (item: DayItem) => string>> = {
  consumer: ({ consumer }) => consumer,
  type: ({ workflow_type: type }) => type,
  compute: ({ compute_service: service }) => service,
  day: ({ day }) => day,
  week: ({ day }) => isoWeek(day),
  month: ({ day }) => monthOfDay(day),
};

/**
 * @param progress is told what has been read so far
 * @throws ReportError for dates that are none
 */
export async function costReport(
  { ledger }: { ledger: Pick<LedgerStore, 'day' | 'daysOf'> },
  query: ReportQuery,
  progress?: (read: ReadCount) => void,
): Promise<CostReport> {
  const read: ReadCount = { pages: 0, items: 0 };
  const groups = new Map<string, { group: string; currency: string; sums: Sums }>();
  const totals = new Map<string, Sums>();
  for await (const items of dayItems(ledger, query, read)) {
    for (const item of items) {
      const group = GROUP_OF[query.by](item);
      const key = JSON.stringify([group, item.currency]);
      const known = groups.get(key) ?? { group, currency: item.currency, sums: new Sums() };
      groups.set(key, known);
      known.sums.add(item);
      const total = totals.get(item.currency) ?? new Sums();
      totals.set(item.currency, total);
      total.add(item);
    }
    progress?.(read);
  }
  return {
    ...query,
    rows: [...groups.values()]
      .toSorted((a, b) => compare(a.group, b.group) || compare(a.currency, b.currency))
      .map(({ sums, ...of }) => ({ ...of, ...sums.row() })),
    totals: [...totals].toSorted(([a], [b]) => compare(a, b)).map(([currency, sums]) => ({ currency, ...sums.row() })),
    read,
  };
}

/** What the ledger keeps of launches and days of the query, in any order. */
export async function* dayItems(
  ledger: Pick<LedgerStore, 'day' | 'daysOf'>,
  { from, to, consumer }: Omit<ReportQuery, 'by'>,
  read: ReadCount,
): AsyncGenerator<DayItem[]> {
  const days = daysBetween(from, to);
  if (consumer !== undefined) {
    yield await ledger.daysOf(consumer, from, to, read);
    return;
  }
  for (let first = 0; first < days.length; first += READING)
    yield* await mapLimited(days.slice(first, first + READING), READING, (day) => ledger.day(day, read));
}

/** Exact: the order of adding makes no difference. */
class Sums {
  readonly #sums: Record<'total' | 'lost' | 'idle' | 'packing', Money> = {
    total: ZERO,
    lost: ZERO,
    idle: ZERO,
    packing: ZERO,
  };
  readonly #components = new Map<Component, Money>();
  readonly #launches = new Set<string>();

  add(item: DayItem): void {
    for (const name of ['total', 'lost', 'idle', 'packing'] as const)
      this.#sums[name] = this.#sums[name].plus(item[name]);
    for (const [component, amount] of Object.entries(item.components) as [Component, string][])
      this.#components.set(component, (this.#components.get(component) ?? ZERO).plus(amount));
    this.#launches.add(item.launch_id);
  }

  row(): Omit<ReportRow, 'group' | 'currency'> {
    const present = COMPONENTS.filter((component) => this.#components.has(component));
    const parts = Object.fromEntries(
      present.map((component) => [component, this.#components.get(component) ?? ZERO]),
    ) as Record<Component, Money>;
    const rounded = roundParts(parts);
    const { total, lost, idle, packing } = this.#sums;
    const decimals = decimalsOf(total);
    return {
      launches: this.#launches.size,
      total: rounded.total,
      components: rounded.parts,
      lost: roundTotal(lost, decimals),
      idle: roundTotal(idle, decimals),
      packing: roundTotal(packing, decimals),
      exact: {
        total: ledgerText(total),
        components: Object.fromEntries(present.map((component) => [component, ledgerText(parts[component])])),
        lost: ledgerText(lost),
        idle: ledgerText(idle),
        packing: ledgerText(packing),
      },
    };
  }
}
