/**
 * The later truth: what the bill says of a launch, beside what it should have cost.
 *
 * @module
 */
import { log } from '@temporalio/activity';
import { billedDays } from '../../lib/cost/actuals.ts';
import { readUsage, usageAddress } from '../../lib/cost/files.ts';
import { sumOf } from '../../lib/cost/money.ts';
import type { Usage } from '../../workflows/cost/model.ts';
import type { CostDependencies } from './dependencies.ts';
import { tellLaunch } from './tell-launch.ts';

/** What of the estimate can be in a bill by the tag of the launch: what the tag is on. */
const TAGGED = new Set(['instance', 'volume']);

export function createActualsActivities({ s3, launches, ledger, settings, bill, progress }: CostDependencies) {
  return {
    /**
     * Writes what the bill has of the launch, and how far the estimate was off.
     * @param last it is not asked again: what there is counts, and the cost is FINAL
     */
    async compareActuals({
      launchId,
      attempt,
      last,
    }: {
      launchId: string;
      attempt: number;
      last: boolean;
    }): Promise<{ found: boolean }> {
      if (!bill) return { found: true };
      const over = spanOf(await readUsage(s3, usageAddress(settings.bucket, launchId, attempt)));
      const days = over ? await billedDays(bill, launchId, over) : [];
      // AWS still changes what it calls estimated.
      const found = days.length > 0 && days.every(({ estimated }) => !estimated);
      if (!found && !last) return { found };
      const [{ currency } = { currency: undefined }] = days;
      if (currency !== undefined) {
        const items = days.map(({ day, service, amount, currency: unit }) => ({
          launch_id: launchId,
          attempt,
          line: `actual#${day}#${service}`,
          service,
          amount,
          currency: unit,
        }));
        if (!(await ledger.replace(launchId, attempt, items, ['actual#']))) return { found: true };
      }
      const actual = sumOf(days.filter((day) => day.currency === currency).map(({ amount }) => amount));
      const lines = (await ledger.lines(launchId)).filter(
        (line) => TAGGED.has(line.component) && line.currency === currency,
      );
      const expected = sumOf(lines.map(({ amount }) => amount));
      await launches.recordCost(launchId, attempt, {
        cost_status: 'FINAL',
        ...(currency !== undefined && {
          actual_cost: actual.toFixed(4),
          cost_difference: actual.minus(expected).toFixed(4),
        }),
      });
      const item = await launches.get(launchId);
      if (item?.attempt === attempt) await tellLaunch(progress, item, item);
      log.info('compared with the bill', { launchId, found, days: days.length });
      return { found };
    },
  };
}

/** Epoch ms; undefined for a launch that has used nothing. */
function spanOf({ attempts, volumes }: Usage): { from: number; to: number } | undefined {
  const all = [...attempts, ...volumes];
  if (all.length === 0) return undefined;
  return { from: Math.min(...all.map(({ from }) => from)), to: Math.max(...all.map(({ to }) => to)) };
}
