/**
 * Waiting for money: a launch of a consumer whose month's budget is used up waits until the month is over, the budget has
 * been raised, or somebody approves.
 *
 * @module
 */
import { ApplicationFailure, condition, log, proxyActivities } from '@temporalio/workflow';
import type { LaunchActivities } from '../../activities/launch/index.ts';
import { isoTime, now } from '../kit/time.ts';
import type { Approval } from '../restore/model.ts';
import { ACTIVITY_TASK_QUEUE } from './model.ts';
import type { LaunchState } from './state.ts';

/** What a person has decided of a launch that waits for its budget. */
export interface BudgetGate {
  decision?: Approval;
}

/** A month has at most 124 of these looks: under 1,200 events of the launch's history. */
const LOOK_EVERY_MS = 6 * 60 * 60_000;

const OPTIONS = {
  taskQueue: ACTIVITY_TASK_QUEUE,
  startToCloseTimeout: '2 minutes',
  retry: { maximumInterval: '1 minute' },
} as const;
const activities = proxyActivities<LaunchActivities>(OPTIONS);

/**
 * @param wait writes down that the launch waits
 * @throws ApplicationFailure BudgetRefusedError when somebody has refused
 */
export async function withinBudget(
  state: LaunchState,
  gate: BudgetGate,
  consumer: string,
  { wait, show }: { wait(): Promise<void>; show(): void },
): Promise<void> {
  for (;;) {
    const found = await activities.checkBudget.executeWithOptions(
      { ...OPTIONS, summary: `what ${consumer} has spent this month` },
      [{ consumer, at: now() }],
    );
    state.budget = found?.summary;
    show();
    if (!found?.summary.over) return;
    if (state.waitingFor !== 'budget') await wait();
    const left = Math.max(1, Math.min(LOOK_EVERY_MS, found.monthEndsAt - now()));
    const summary = `until ${consumer} has a budget again, at the latest ${isoTime(found.monthEndsAt)}`;
    if (!(await condition(() => gate.decision !== undefined, left, { summary }))) continue;
    if (gate.decision?.refuse) {
      const { spent, limit, currency, month } = found.summary;
      const why = `somebody has refused it: ${consumer} has spent ${spent} of ${limit} ${currency} in ${month}`;
      throw ApplicationFailure.nonRetryable(why, 'BudgetRefusedError');
    }
    log.info('the launch goes on above the budget', { consumer, by: gate.decision?.by });
    return;
  }
}
