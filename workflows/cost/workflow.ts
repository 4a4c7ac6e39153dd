/**
 * What a launch has cost: collected, priced and written down when it has ended, again when its instances have, and
 * compared with the bill when that is there. Usage and prices stay in S3 and DynamoDB; activities carry references.
 *
 * History: at most 14 events for each pricing, of which there are two for each attempt of the launch that ends while this
 * runs, 8 for each of at most {@link ACTUALS_TRIES} looks at the bill, and one for each of at most 300 reports of its stages. After {@link ROUNDS} rounds it continues as new,
 * so it stays under 2,000 events; test/workflow/cost.test.ts measures it.
 *
 * @module
 */

import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  ContinueAsNew,
  condition,
  continueAsNew,
  isCancellation,
  log,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { CostActivities } from '../../activities/cost/index.ts';
import { toFailure } from '../kit/failures.ts';
import { setVersioning } from '../kit/versioning.ts';
import { describeCost } from './details.ts';
import { costProgress, launchEnded } from './messages.ts';
import {
  ACTIVITY_TASK_QUEUE,
  type CostInput,
  type CostProgress,
  type CostResult,
  type CostStage,
  SETTLE_SECONDS,
} from './model.ts';
import { createTelling } from './telling.ts';

/** Thousands of records are read and thousands of lines written: long for wide launches, so they heartbeat. */
const WIDE = {
  taskQueue: ACTIVITY_TASK_QUEUE,
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '10 seconds',
  retry: { maximumInterval: '1 minute' },
} as const;
/** Reckoning a launch of 100,000 items keeps a worker from everything else, heartbeats too, for up to ten seconds. */
const RECKONING = { ...WIDE, heartbeatTimeout: '30 seconds' } as const;
/** A bill that has nothing of the launch yet is looked at again after as long a wait. */
const ACTUALS_TRIES = 4;
const ROUNDS = 50;

const activities = proxyActivities<CostActivities>(WIDE);
const STATUS = defineSearchAttributeKey('LonghaulStatus', SearchAttributeType.KEYWORD);

type Priced = NonNullable<Awaited<ReturnType<CostActivities['priceUsage']>>>;

setVersioning('PINNED', cost);
export async function cost(input: CostInput): Promise<CostResult> {
  const { launchId } = input;
  const progress: CostProgress = { launchId, stage: 'COLLECTING' };
  /** Somebody has asked since the last look at the launch. */
  let asked = false;
  setHandler(costProgress, () => progress, { description: 'what is being done, and what is known of the cost' });
  setHandler(launchEnded, () => void (asked = true), { description: 'the launch has ended, and has no cost' });

  const telling = createTelling(launchId);

  /** @param lasts seconds */
  const enter = (stage: CostStage, lasts?: number) => {
    progress.stage = stage;
    upsertSearchAttributes([{ key: STATUS, value: stage }]);
    setCurrentDetails(describeCost(progress));
    telling.stage(stage, lasts);
  };

  /** @param again also when it has a cost already */
  async function price(
    again: boolean,
    last: boolean,
  ): Promise<(Priced & { live: boolean; attempt: number }) | undefined> {
    enter('COLLECTING');
    const collected = await activities.collectUsage.executeWithOptions(
      { ...WIDE, summary: `collect what ${launchId} has used` },
      [{ launchId, again }],
    );
    if (!collected) return undefined;
    const { live, progress: log, ...usage } = collected;
    if (log) telling.open(log, usage.attempt);
    enter('PRICING');
    const priced = await activities.priceUsage.executeWithOptions({ ...RECKONING, summary: 'price it, line by line' }, [
      { launchId, ...usage, last: last || !live },
    ]);
    if (!priced) return undefined;
    progress.cost = priced.cost;
    progress.unpriced = priced.unpriced;
    telling.cost(priced.cost);
    return { ...priced, live, attempt: usage.attempt };
  }

  /** @returns whether the launch has ended once more meanwhile */
  const waitFor = (seconds: number, summary: string) => condition(() => asked, seconds * 1000, { summary });

  /** @returns whether to begin anew */
  async function compare(attempt: number, afterSeconds: number): Promise<boolean> {
    for (let tried = 1; ; tried += 1) {
      enter('AWAITING_ACTUALS', afterSeconds);
      if (await waitFor(afterSeconds, 'until the bill is there')) return true;
      enter('COMPARING');
      const { found } = await activities.compareActuals.executeWithOptions(
        { ...WIDE, summary: 'compare with the bill' },
        [{ launchId, attempt, last: tried === ACTUALS_TRIES }],
      );
      if (found || tried === ACTUALS_TRIES) return false;
    }
  }

  let outcome: CostResult['outcome'] = 'unchanged';
  try {
    for (let round = 1; ; round += 1) {
      if (round > ROUNDS) {
        await telling.flush();
        return await continueAsNew<typeof cost>(input);
      }
      asked = false;
      let priced = await price(false, false);
      if (priced?.live) {
        outcome = 'priced';
        enter('SETTLING', SETTLE_SECONDS);
        if (await waitFor(SETTLE_SECONDS, 'until its instances have ended')) continue;
        priced = await price(true, true);
      }
      if (priced) outcome = 'priced';
      if (priced?.actualsAfterSeconds !== undefined && (await compare(priced.attempt, priced.actualsAfterSeconds)))
        continue;
      if (!asked) break;
    }
  } catch (error) {
    // Continuing as new is thrown too.
    if (error instanceof ContinueAsNew) throw error;
    await telling.end(isCancellation(error) ? 'CANCELLED' : 'FAILED', error);
    throw isCancellation(error) ? error : toFailure(error);
  }
  enter('DONE');
  await telling.end('DONE');
  log.info('priced', { launchId, outcome });
  return { launchId, outcome, ...(progress.cost && { cost: progress.cost }) };
}
