/**
 * Sums of the ledger's lines: what the item says, what `longhaul cost show` prints, what is kept of a day. Everything is
 * summed exactly and rounded once.
 *
 * @module
 */
import {
  type Component,
  type CostSummary,
  LAUNCH_COMPONENTS,
  type LaunchComponent,
  type LedgerLine,
  OUTCOMES,
} from '../../workflows/cost/model.ts';
import { compare } from '../digest.ts';
import { groupBy } from './group.ts';
import { ledgerText, roundParts, sumOf, ZERO } from './money.ts';

const STRINGS = {
  instance: 'instance_cost',
  volume: 'volume_cost',
  filesystem: 'filesystem_cost',
  control_plane: 'control_plane_cost',
  restore: 'restore_cost',
  request: 'request_cost',
} as const satisfies Record<LaunchComponent, keyof CostSummary>;
/** In every item, whether there is any of it or not. */
const ALWAYS: readonly LaunchComponent[] = ['instance', 'volume', 'filesystem'];

type Sum = Pick<LedgerLine, 'component' | 'currency' | 'amount'>;

/**
 * One for each currency, that of the most lines first.
 * @param currency of a launch that cost nothing: `0.00` of it
 */
export function summarise(lines: readonly Sum[], currency = 'USD'): [CostSummary, ...CostSummary[]] {
  const [first, ...others] = byCurrency(lines).toSorted(([, a], [, b]) => b.length - a.length);
  return [
    summaryOf(first?.[1] ?? [], first?.[0] ?? currency),
    ...others.map(([name, group]) => summaryOf(group, name)),
  ];
}

function summaryOf(lines: readonly Sum[], currency: string): CostSummary {
  const groups = groupBy(lines, ({ component }) => component);
  const present = LAUNCH_COMPONENTS.filter((component) => ALWAYS.includes(component) || groups.has(component));
  const { total, parts } = roundParts(
    Object.fromEntries(present.map((component) => [STRINGS[component], totalOf(groups.get(component))])) as Record<
      'instance_cost' | 'volume_cost' | 'filesystem_cost',
      typeof ZERO
    >,
  );
  return { total_cost: total, ...parts, currency };
}

/** What was spent for what. */
export interface Spending {
  /** Exact. */
  amount: string;
  /** Rounded like the total: those of a table add up to it. */
  cost: string;
  /** Exact, parts of `amount`: jobs that did what they were for and what served them all, jobs that did not, … */
  effective: string;
  lost: string;
  packing: string;
  idle: string;
}

export interface StepSpending extends Spending {
  /** Absent: of no step alone. */
  step?: string;
}

export interface ResourceSpending extends Spending {
  component: Component;
  resource: string;
  resourceType: string;
}

/** Ways in which money did not serve, and the one in which it did. */
const WAYS = ['effective', ...OUTCOMES.filter((outcome) => outcome !== 'done'), 'packing', 'idle'] as const;
type Way = 'effective' | 'failed' | 'host-lost' | 'superseded' | 'cancelled' | 'packing' | 'idle';

export interface Breakdown {
  currency: string;
  total: string;
  /** Rounded: they add up to the total. */
  ways: Readonly<Record<Way, string>>;
  steps: readonly StepSpending[];
  /** The dearest first. */
  resources: readonly ResourceSpending[];
}

/** One for each currency, in order of their names; none of no lines. */
export function breakDown(lines: readonly LedgerLine[]): Breakdown[] {
  return byCurrency(lines).map(([currency, group]) => {
    const ways = groupBy(group, wayOf);
    const { total, parts } = roundParts(
      Object.fromEntries(WAYS.map((way) => [way, totalOf(ways.get(way))])) as Record<Way, typeof ZERO>,
    );
    const steps = tableOf(group, ({ step }) => step ?? '');
    const resources = tableOf(group, ({ component, resource, resourceType }) =>
      JSON.stringify([component, resource, resourceType]),
    );
    return {
      currency,
      total,
      ways: parts,
      steps: steps
        .toSorted(([a], [b]) => compare(a.step ?? '\u{10ffff}', b.step ?? '\u{10ffff}'))
        .map(([{ step }, spending]) => ({ ...(step !== undefined && { step }), ...spending })),
      resources: resources
        .toSorted(([, a], [, b]) => sumOf([b.amount]).cmp(a.amount))
        .map(([{ component, resource, resourceType }, spending]) => ({
          component,
          resource,
          resourceType,
          ...spending,
        })),
    };
  });
}

function wayOf({ purpose, outcome }: LedgerLine): Way {
  if (purpose !== 'use') return purpose;
  return outcome === undefined || outcome === 'done' ? 'effective' : outcome;
}

/** A row for each name, in their order: a line of it, and what was spent. */
function tableOf(lines: readonly LedgerLine[], nameOf: (line: LedgerLine) => string): [LedgerLine, Spending][] {
  const groups = [...groupBy(lines, nameOf)].toSorted(([a], [b]) => compare(a, b));
  const exact = new Map(groups.map(([name, group]) => [name, totalOf(group)]));
  const { parts } = roundParts(Object.fromEntries(exact));
  return groups.map(([name, group]) => {
    const sum = (...ways: Way[]) => amountOf(group.filter((line) => ways.includes(wayOf(line))));
    const spending = {
      amount: ledgerText(exact.get(name) ?? ZERO),
      cost: parts[name] ?? '',
      effective: sum('effective'),
      lost: sum('failed', 'host-lost', 'superseded', 'cancelled'),
      packing: sum('packing'),
      idle: sum('idle'),
    };
    return [group[0] as LedgerLine, spending];
  });
}

/** Exact. */
const totalOf = (lines: readonly Pick<LedgerLine, 'amount'>[] = []) => sumOf(lines.map(({ amount }) => amount));

/** The same as a decimal number. */
export const amountOf = (lines?: readonly Pick<LedgerLine, 'amount'>[]): string => ledgerText(totalOf(lines));

/** Money that bought no result. */
export const isLost = ({ purpose, outcome }: Pick<LedgerLine, 'purpose' | 'outcome'>): boolean =>
  purpose === 'use' && outcome !== undefined && outcome !== 'done';

const byCurrency = <Line extends Pick<LedgerLine, 'currency'>>(lines: readonly Line[]): [string, Line[]][] =>
  [...groupBy(lines, ({ currency }) => currency)].toSorted(([a], [b]) => compare(a, b));
