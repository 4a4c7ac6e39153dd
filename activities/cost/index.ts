/**
 * The activities of the cost domain.
 *
 * @module
 */
import { createActualsActivities } from './actuals.ts';
import { createCollectActivities } from './collect.ts';
import type { CostDependencies } from './dependencies.ts';
import { createPriceActivities } from './price.ts';

export function createCostActivities(dependencies: CostDependencies) {
  return {
    ...createCollectActivities(dependencies),
    ...createPriceActivities(dependencies),
    ...createActualsActivities(dependencies),
  };
}

export type CostActivities = ReturnType<typeof createCostActivities>;
