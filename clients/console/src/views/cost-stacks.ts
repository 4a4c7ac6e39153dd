/**
 * A cost report as stacked bars: a bar a group (a day, a consumer, …), a part of it a component. One picture a currency.
 *
 * @module
 */
import type { CostReport } from '../../../live/costs.ts';

export interface Stacks {
  currency: string;
  /** In the order of the report. */
  groups: readonly string[];
  /** The most expensive one first. */
  components: readonly string[];
  /** By component, then by group. Numbers: for drawing only. */
  amounts: readonly (readonly number[])[];
  /** As they are written, by component, then by group. */
  texts: readonly (readonly string[])[];
  totals: readonly string[];
}

export function stacksOf({ rows }: Pick<CostReport, 'rows'>): Stacks[] {
  const currencies = [...new Set(rows.map((row) => row.currency))];
  return currencies.map((currency) => {
    const of = rows.filter((row) => row.currency === currency);
    const sums = new Map<string, number>();
    for (const row of of) {
      for (const [component, amount] of Object.entries(row.exact.components)) {
        sums.set(component, (sums.get(component) ?? 0) + numberOf(amount));
      }
    }
    const components = [...sums].sort((a, b) => b[1] - a[1]).map(([component]) => component);
    return {
      currency,
      groups: of.map((row) => row.group),
      components,
      amounts: components.map((component) => of.map((row) => numberOf(row.exact.components[component]))),
      texts: components.map((component) => of.map((row) => row.components[component] ?? '')),
      totals: of.map((row) => row.total),
    };
  });
}

const numberOf = (amount: string | undefined): number => {
  const value = Number(amount ?? 0);
  return Number.isFinite(value) ? value : 0;
};

/** What is drawn, from the highest bar to the lowest: each the sum of its component and those below it. */
export function pileUp(amounts: readonly (readonly number[])[]): number[][] {
  const piled: number[][] = [];
  for (const [place, row] of amounts.entries()) {
    const below = piled[place - 1];
    piled.push(row.map((amount, group) => amount + (below?.[group] ?? 0)));
  }
  return piled.reverse();
}
