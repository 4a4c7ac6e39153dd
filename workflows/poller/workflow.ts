/**
 * Looks at all open jobs of one account and Region every so often and tells their launches what events may have
 * missed. Ends when nothing is open; the next submission starts it again.
 *
 * History: at most 12 events a round (activity 6, timer 5, signal 1); continues as new after {@link ROUNDS}, so it
 * stays under 5,000 events. Wakes are counted only, and cost one event each.
 *
 * @module
 */
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineSignal,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { PollerActivities } from '../../activities/poller/index.ts';
import { setVersioning } from '../kit/versioning.ts';
import { ACTIVITY_TASK_QUEUE, type PollerInput, WAKE_SIGNAL } from './model.ts';

const ROUNDS = 300;
/** A launch that was terminated from outside could not end its jobs: every so many rounds somebody looks. */
const LAUNCHES_EVERY = 10;

const POLL = {
  taskQueue: ACTIVITY_TASK_QUEUE,
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { maximumInterval: '1 minute' },
} as const;
const { pollOpenJobs } = proxyActivities<PollerActivities>(POLL);

export const wake = defineSignal(WAKE_SIGNAL);

setVersioning('AUTO_UPGRADE', batchPoller);
export async function batchPoller(input: PollerInput): Promise<void> {
  let wakes = 0;
  setHandler(wake, () => {
    wakes += 1;
  });
  for (let round = 1; ; round += 1) {
    const before = wakes;
    const seen = await pollOpenJobs.executeWithOptions({ ...POLL, summary: `look at the open jobs, round ${round}` }, [
      { account: input.account, region: input.region, lookForLaunches: round % LAUNCHES_EVERY === 0 },
    ]);
    setCurrentDetails(`${seen.open} open jobs, ${seen.changed} had changed at the last look`);
    // A wake that comes now makes the server refuse the completion, so nothing slips through in between.
    if (seen.open === 0 && wakes === before) return;
    await sleep(input.intervalSeconds * 1000, { summary: 'until the next look' });
    if (round >= ROUNDS || workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof batchPoller>(input);
    }
  }
}
