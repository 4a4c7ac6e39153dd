/**
 * From a sheet to a plan, whatever its workflow type: durable steps as they are, everything else as one head job.
 *
 * @module
 */
import { type Plan, type PlanContext, planFrame, planSteps } from './plan.ts';
import type { Problem } from './sheet/problems.ts';
import type { Sheet, StepsSheet } from './sheet/sheet.ts';
import { checkHead, type PlannedHead, planHead } from './types/head.ts';
import type { HeadSheet } from './types/plugin.ts';

export interface Planned {
  plan: Plan;
  /** What a head job's workflow type makes of the sheet; absent for durable steps. */
  artifacts?: PlannedHead['artifacts'];
}

/** @returns the plan, or every problem found */
export function planLaunch(sheet: Sheet, context: PlanContext): Planned | { problems: Problem[] } {
  const problems = checkHead(sheet);
  const steps = sheet.steps && planSteps(sheet as StepsSheet, context);
  if (steps && 'problems' in steps) problems.push(...steps.problems);
  if (problems.length > 0 || (steps && 'problems' in steps)) return { problems };
  if (sheet.workflowType === 'steps') return { plan: (steps as { plan: Plan }).plan };
  const { step, artifacts } = planHead(sheet as HeadSheet, context.launchId, steps?.plan);
  return { plan: { ...planFrame(sheet, context), dimensions: {}, steps: [step] }, artifacts };
}
