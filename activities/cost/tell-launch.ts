/**
 * Telling those who watch a launch what it has cost.
 *
 * @module
 */
import { activityInfo } from '@temporalio/activity';
import type { LaunchItem } from '../../lib/store/launches.ts';
import type { Report, RunFacts } from '../../workflows/progress/model.ts';
import { inPassing } from '../progress/in-passing.ts';
import type { CostDependencies } from './dependencies.ts';

/** To be called when the item has it. A launch whose log is gone, or that never had one, is not given a new one. */
export async function tellLaunch(
  progress: CostDependencies['progress'],
  { workflow_id: run, attempt, consumer }: LaunchItem,
  { total_cost: total, currency, cost_status: status }: Pick<LaunchItem, 'total_cost' | 'currency' | 'cost_status'>,
): Promise<void> {
  if (!progress || total === undefined || currency === undefined) return;
  // The same at each try of this activity, and later than that of one before: what is repeated vanishes.
  const at = activityInfo().scheduledTimestampMs;
  const facts: RunFacts = { domain: 'launch', ...(consumer !== undefined && { consumer }) };
  const report: Report = {
    kind: 'cost',
    source: { name: 'cost', attempt },
    localSeq: at,
    at,
    cost: { total, currency, ...(status && { status }) },
  };
  await inPassing(run, async () => {
    if (await progress.head(run)) await progress.append(run, facts, [report]);
  });
}
