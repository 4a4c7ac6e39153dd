/**
 * Pricing what was collected, and writing it down: the ledger first, the launch's item last, so that whoever sees a cost
 * finds the lines behind it.
 *
 * @module
 */
import { heartbeat, log } from '@temporalio/activity';
import { mapLimited } from '../../lib/concurrency.ts';
import { allocate } from '../../lib/cost/allocate.ts';
import { charge } from '../../lib/cost/charge.ts';
import type { Consumption } from '../../lib/cost/consumption.ts';
import { byDay } from '../../lib/cost/days.ts';
import { durationsOf } from '../../lib/cost/durations.ts';
import { readUsage } from '../../lib/cost/files.ts';
import { historyOf } from '../../lib/cost/history.ts';
import { holdingsOf } from '../../lib/cost/holdings.ts';
import { priceKeysOf } from '../../lib/cost/price-keys.ts';
import { summarise } from '../../lib/cost/summary.ts';
import { nameOf } from '../../lib/prices/price-keys.ts';
import type { LaunchItem } from '../../lib/store/launches.ts';
import type { LedgerItem } from '../../lib/store/ledger.ts';
import { rowsOfAttempts } from '../../lib/store/steps.ts';
import type { CostSummary, LedgerLine, Price, Usage } from '../../workflows/cost/model.ts';
import type { Collected } from './collect.ts';
import type { CostDependencies } from './dependencies.ts';
import { tellLaunch } from './tell-launch.ts';

export interface Priced {
  cost: CostSummary;
  lines: number;
  unpriced: number;
  /** Absent when no bill is awaited. */
  actualsAfterSeconds?: number;
}

/** Price lists answer ten calls a second or so; most answers are kept. */
const ASKING = 4;
/** Of what could not be priced, in the launch's item; the ledger's file has all. */
const UNPRICED_SHOWN = 20;
const HOUR_SECONDS = 3_600;
/** Those parts of a cost that a launch need not have. */
const OPTIONAL = ['control_plane_cost', 'restore_cost', 'request_cost', 'unpriced', 'other_costs'] as const;

export function createPriceActivities({
  s3,
  launches,
  steps,
  ledger,
  prices,
  bill,
  settings,
  progress,
}: CostDependencies) {
  return {
    /** @returns undefined when the launch runs again, or a later attempt has been priced: nothing is written then */
    async priceUsage({
      launchId,
      attempt,
      usageAddress,
      last,
    }: Omit<Collected, 'live'> & { launchId: string; last: boolean }): Promise<Priced | undefined> {
      const item = await launches.get(launchId);
      if (item?.attempt !== attempt) return undefined;
      const usage = await readUsage(s3, usageAddress);
      const allocated = allocate(usage);
      const charged = charge(allocated.consumptions, await pricesFor(allocated.consumptions));
      const unpriced = [...allocated.unpriced, ...charged.unpriced];
      const rows = await rowsOfAttempts(steps, launchId, attempt);
      const items = [...itemsOf(item, usage, charged.lines), ...historyOf(item, rows, usage)];
      heartbeat();
      if (!(await ledger.replace(launchId, attempt, items, ['line#', 'day#', 'held#', 'work#']))) return undefined;
      const [cost, ...others] = summarise(charged.lines);
      const facts: Partial<LaunchItem> = {
        ...cost,
        cost_status: last && !bill ? 'FINAL' : 'PENDING',
        durations: durationsOf(item),
        ...(unpriced.length > 0 && { unpriced: unpriced.slice(0, UNPRICED_SHOWN) }),
        ...(others.length > 0 && { other_costs: others }),
      };
      const removes = OPTIONAL.filter((name) => facts[name] === undefined);
      if (!(await launches.recordCost(launchId, attempt, facts, removes))) return undefined;
      log.info('priced', { launchId, lines: charged.lines.length, unpriced: unpriced.length, total: cost.total_cost });
      await tellLaunch(progress, item, { ...cost, cost_status: last && !bill ? 'FINAL' : 'PENDING' });
      return {
        cost,
        lines: charged.lines.length,
        unpriced: unpriced.length,
        ...(bill && { actualsAfterSeconds: settings.costActualsHours * HOUR_SECONDS }),
      };
    },
  };

  async function pricesFor(consumptions: readonly Consumption[]): Promise<ReadonlyMap<string, Price>> {
    const found = await mapLimited(priceKeysOf(consumptions), ASKING, async ({ key, over }) => {
      heartbeat();
      return [nameOf(key), await prices.price(key, over)] as const;
    });
    return new Map(found);
  }
}

function itemsOf(item: LaunchItem, usage: Usage, lines: readonly LedgerLine[]): LedgerItem[] {
  const { launch_id, attempt } = item;
  const of = {
    consumer: item.consumer ?? 'unknown',
    workflow_type: item.workflow_type ?? 'unknown',
    compute_service: item.compute_service ?? 'unknown',
  };
  return [
    ...lines.map((line) => ({ launch_id, attempt, ...line, line: `line#${line.line}` })),
    ...byDay(lines).map((day) => ({ launch_id, attempt, line: `day#${day.day}#${day.currency}`, ...of, ...day })),
    ...holdingsOf(usage, attempt),
  ];
}
