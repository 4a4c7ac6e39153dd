/**
 * The sample `teleprinter`: types while somebody reads, stops when nobody does, and goes on where it was. What was typed
 * stands in the progress log, which also says where to go on; so nothing of it is in the history.
 *
 * History: under 40 events for each update and signal; continues as new after {@link MOST_CALLS} of them, also while it
 * types: under 4,000. test/workflow/teleprinter.test.ts measures it.
 *
 * @module
 */
import {
  ActivityCancellationType,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  defineUpdate,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { TeleprinterActivities } from '../../activities/teleprinter/index.ts';
import { rootCause, toFailure } from '../kit/failures.ts';
import { setVersioning } from '../kit/versioning.ts';
import { createReporter } from '../progress/reporter.ts';
import {
  ACTIVITY_TASK_QUEUE,
  CHARACTER_MS,
  PAUSE_SIGNAL,
  type PauseInput,
  READ_UPDATE,
  type ReadInput,
  type Reading,
  type TeleprinterInput,
  type TeleprinterResult,
} from './model.ts';

const LOOK = {
  taskQueue: ACTIVITY_TASK_QUEUE,
  startToCloseTimeout: '10 seconds',
  summary: 'find where the reader was',
} as const;
const TYPE = {
  taskQueue: ACTIVITY_TASK_QUEUE,
  startToCloseTimeout: '24 hours',
  heartbeatTimeout: '10 seconds',
  // What was typed before it heard of its end counts.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { maximumInterval: '10 seconds' },
} as const;
/** Updates and signals of one run: whoever asks without rest does not fill its history. */
const MOST_CALLS = 100;
/** Without a reader for so long it ends; the next one starts it again. */
const IDLE = '5 minutes';

const { findReading } = proxyActivities<TeleprinterActivities>(LOOK);
const { typeArticle } = proxyActivities<TeleprinterActivities>(TYPE);

const read = defineUpdate<Reading, [ReadInput]>(READ_UPDATE);
const pause = defineSignal<[PauseInput?]>(PAUSE_SIGNAL);

setVersioning('PINNED', teleprinter);
export async function teleprinter(input: TeleprinterInput): Promise<TeleprinterResult> {
  const { userId, characterMs = CHARACTER_MS, carried } = input;
  const run = workflowInfo().workflowId;
  const facts = { domain: 'teleprinter', owner: userId };
  /** What is being read, or was last. */
  let reading = carried?.reading;
  let reads = carried?.reads ?? false;
  let lastAskedAt = carried?.askedAt ?? 0;
  let looking = false;
  let calls = 0;
  let typing: CancellationScope | undefined;

  const full = () => calls >= MOST_CALLS;

  function called(): void {
    calls += 1;
    // It is gone on with in the next run.
    if (full()) typing?.cancel();
  }

  setHandler(
    read,
    async ({ cursor, askedAt = 0 }) => {
      called();
      lastAskedAt = Math.max(lastAskedAt, askedAt);
      // Two that come together get the same answer.
      await condition(() => !looking);
      // It types already: this reader may have seen some of it.
      if (reads && reading) return cursor ? { ...reading, after: cursor } : reading;
      looking = true;
      try {
        reading = await findReading({ run, ...(cursor && { cursor }) });
        reads = true;
        return reading;
      } finally {
        looking = false;
      }
    },
    { description: 'type from where this reader was; answers where that is' },
  );
  setHandler(
    pause,
    ({ since = Number.POSITIVE_INFINITY } = {}) => {
      called();
      if (since < lastAskedAt) return;
      reads = false;
      typing?.cancel();
    },
    { description: 'nobody reads: stop' },
  );

  const progress = createReporter({ facts, status: 'WAITING' });

  /** Types until the end of the article, or a pause. */
  async function type(from: Reading): Promise<Reading> {
    await progress.status('TYPING', { message: `reading ${from.reading} from character ${from.at} on` });
    setCurrentDetails(`types reading ${from.reading} to ${userId}, from character ${from.at} of ${from.total} on`);
    typing = new CancellationScope();
    // What came while the status was told.
    if (!reads || full()) return from;
    try {
      const { at } = await typing.run(() =>
        typeArticle.executeWithOptions({ ...TYPE, summary: `type from character ${from.at} on` }, [
          { run, facts, characterMs, reading: from.reading, at: from.at },
        ]),
      );
      return { ...from, at };
    } catch (error) {
      // Ended before it had begun. Of a cancelled workflow the next wait says it again.
      if (isCancellation(error)) return from;
      throw error;
    } finally {
      typing = undefined;
    }
  }

  try {
    while (!full()) {
      await condition(() => reads || full(), IDLE);
      if (!reads && !full()) {
        if (reading && reading.at < reading.total) await progress.end('PAUSED', { message: 'nobody reads any more' });
        await condition(allHandlersFinished);
        if (!reads) return { reading: reading?.reading ?? 0, at: reading?.at ?? 0 };
      }
      if (!reads || !reading) continue;
      reading = await type(reading);
      const { at, total } = reading;
      if (at >= total) {
        reads = false;
        await progress.end('COMPLETE', { message: `reading ${reading.reading} is done` });
      } else if (!reads) await progress.status('PAUSED', { message: `paused before character ${at}` });
      if (!reads) setCurrentDetails(`nobody reads: reading ${reading.reading} is before character ${at} of ${total}`);
    }
    await progress.flush();
    await condition(allHandlersFinished);
  } catch (error) {
    await CancellationScope.nonCancellable(() =>
      isCancellation(error) ? progress.end('CANCELLED') : progress.end('FAILED', { error: rootCause(error) }),
    );
    throw isCancellation(error) ? error : toFailure(error);
  }
  return continueAsNew<typeof teleprinter>({
    ...input,
    carried: { ...(reading && { reading }), reads, askedAt: lastAskedAt },
  });
}
