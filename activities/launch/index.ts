/**
 * The activities of the launch domain.
 *
 * @module
 */
import { createArchivedActivities } from './archived.ts';
import { createBudgetActivities } from './budget.ts';
import type { LaunchDependencies } from './dependencies.ts';
import { createFollowActivities } from './follow.ts';
import { createPlanningActivities } from './planning.ts';
import { createPreflightActivities } from './preflight/index.ts';
import { createRegisterActivities } from './register.ts';
import { createReviewActivities } from './review.ts';
import { createSubmitActivities } from './submit.ts';

export function createLaunchActivities(dependencies: LaunchDependencies) {
  return {
    ...createRegisterActivities(dependencies),
    ...createPlanningActivities(dependencies),
    ...createPreflightActivities(dependencies.preflight),
    ...createBudgetActivities(dependencies),
    ...createArchivedActivities(dependencies),
    ...createSubmitActivities(dependencies),
    ...createReviewActivities(dependencies),
    ...createFollowActivities(dependencies),
  };
}

export type LaunchActivities = ReturnType<typeof createLaunchActivities>;
