/**
 * Reading what a launch has cost, and why there is nothing to read.
 *
 * @module
 */
import { type CostView, costView } from '../../lib/cost/show.ts';
import type { LaunchItem, LaunchStore } from '../../lib/store/launches.ts';
import type { LedgerStore } from '../../lib/store/ledger.ts';
import { workflowIdOf } from '../../workflows/cost/model.ts';
import { isEnded } from '../../workflows/launch/model.ts';

/** `unknown`: there is no such launch. `open`: it has not ended. `pricing`: it has, and has no cost yet. */
export type NoCostReason = 'unknown' | 'open' | 'pricing';

export class NoCostError extends Error {
  override readonly name = 'NoCostError';
  readonly reason: NoCostReason;
  readonly launchId: string;

  constructor(launchId: string, reason: NoCostReason, message: string) {
    super(message);
    this.launchId = launchId;
    this.reason = reason;
  }
}

/** @throws NoCostError */
export async function pricedLaunch(launches: Pick<LaunchStore, 'get'>, launchId: string): Promise<LaunchItem> {
  const item = await launches.get(launchId);
  if (!item)
    throw new NoCostError(
      launchId,
      'unknown',
      `there is no launch ${launchId}: "longhaul launch list" shows those there are`,
    );
  if (item.total_cost !== undefined) return item;
  if (!isEnded(item.status))
    throw new NoCostError(
      launchId,
      'open',
      `launch ${launchId} is ${item.status}: it is priced once it has ended ("longhaul launch watch ${launchId}" shows how far it is)`,
    );
  throw new NoCostError(
    launchId,
    'pricing',
    `launch ${launchId} has ended and is being priced: the workflow ${workflowIdOf(launchId)} shows how far that is`,
  );
}

/** @throws NoCostError */
export async function readCost(
  { launches, ledger }: { launches: Pick<LaunchStore, 'get'>; ledger: Pick<LedgerStore, 'lines' | 'actuals'> },
  launchId: string,
): Promise<CostView> {
  const item = await pricedLaunch(launches, launchId);
  const [lines, actuals] = await Promise.all([ledger.lines(launchId), ledger.actuals(launchId)]);
  return costView(item, lines, actuals);
}
