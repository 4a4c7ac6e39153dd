/**
 * Budgets: what a consumer may spend in a calendar month (UTC), and what launches that have been priced have cost it.
 * What launches that run now will cost is not in it.
 *
 * @module
 */
import type { BudgetSummary } from '../../workflows/launch/model.ts';
import { budgetOf, type Rates } from '../prices/rates.ts';
import type { LedgerStore } from '../store/ledger.ts';
import { Money, sumOf } from './money.ts';

export interface BudgetState {
  summary: BudgetSummary;
  /** Epoch ms. */
  monthEndsAt: number;
}

export interface Budgets {
  has(consumer: string): Promise<boolean>;
  /** @returns undefined for a consumer that has none */
  of(consumer: string, at: number): Promise<BudgetState | undefined>;
}

/** Of the limit: from here on there is a warning. */
const WARNING = '0.8';

export function createBudgets(ledger: Pick<LedgerStore, 'daysOf'>, rates: () => Promise<Rates>): Budgets {
  return {
    has: async (consumer) => budgetOf(await rates(), consumer) !== undefined,

    async of(consumer, at) {
      const budget = budgetOf(await rates(), consumer);
      if (!budget) return undefined;
      const { amount: limit } = budget;
      const month = new Date(at).toISOString().slice(0, 7);
      const { from, to, endsAt } = monthOf(month);
      const days = await ledger.daysOf(consumer, from, to);
      const own = days.filter(({ currency }) => currency === budget.currency);
      const spent = sumOf(own.map(({ total }) => total));
      return {
        summary: {
          month,
          spent: spent.toFixed(2),
          limit,
          currency: budget.currency,
          warning: spent.gte(new Money(limit).times(WARNING)),
          over: spent.gt(limit),
        },
        monthEndsAt: endsAt,
      };
    },
  };
}

/** @param month `2026-11` */
function monthOf(month: string): { from: string; to: string; endsAt: number } {
  const [year = 0, number = 1] = month.split('-').map(Number);
  const endsAt = Date.UTC(year, number, 1);
  return { from: `${month}-01`, to: new Date(endsAt - 1).toISOString().slice(0, 10), endsAt };
}
