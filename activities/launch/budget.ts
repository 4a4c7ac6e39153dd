/**
 * Whether the consumer of a launch may spend any more this month.
 *
 * @module
 */
import { log } from '@temporalio/activity';
import type { BudgetState } from '../../lib/cost/budget.ts';
import type { LaunchDependencies } from './dependencies.ts';

export function createBudgetActivities({ budgets }: Pick<LaunchDependencies, 'budgets'>) {
  return {
    /** @returns undefined for a consumer without a budget: it has lost it since the launch was planned */
    async checkBudget({ consumer, at }: { consumer: string; at: number }): Promise<BudgetState | undefined> {
      const found = await budgets.of(consumer, at);
      if (found?.summary.warning) {
        const { spent, limit, currency, month } = found.summary;
        log.warn('a budget is nearly used up, or is', { consumer, month, spent, limit, currency });
      }
      return found;
    },
  };
}
