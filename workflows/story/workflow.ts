/**
 * One story, from the draw to its last part. Without a text there is no story: it fails. Whatever becomes of picture, voice,
 * mail and event, the text stays readable: the story is COMPLETE, and says which of them there are.
 *
 * Its id is the lock: a run that finds its story begun and not ended goes on with it, since the run that began it is over.
 *
 * History: under 160 events, whatever fails: twelve kinds of activities, each once, the text twice at most; their retries add
 * none. test/workflow/story.test.ts measures it.
 *
 * @module
 */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  ApplicationFailure,
  CancellationScope,
  defineQuery,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { StoryActivities } from '../../activities/story/index.ts';
import { rootCause, toFailure } from '../kit/failures.ts';
import { setVersioning } from '../kit/versioning.ts';
import { type Reporter, trackProgress } from '../progress/reporter.ts';
import { describeStory } from './details.ts';
import {
  ACTIVITY_TASK_QUEUE,
  FAMILY_PATTERN,
  NIGHT_PATTERN,
  type Part,
  type PartResult,
  PROGRESS_QUERY,
  type Registered,
  type StoryInput,
  type StoryProgress,
  type StoryResult,
  storyIdOf,
  workflowIdOf,
} from './model.ts';
import { PENDING } from './plan.ts';

const common = { taskQueue: ACTIVITY_TASK_QUEUE, heartbeatTimeout: '10 seconds' } as const;
/** Small writes. They are tried for as long as it takes: without them nobody knows how the story ended. */
const RECORD = { ...common, startToCloseTimeout: '1 minute', retry: { maximumInterval: '30 seconds' } } as const;
/** What a bedtime can wait for. */
const TEXT = {
  ...common,
  startToCloseTimeout: '5 minutes',
  scheduleToCloseTimeout: '30 minutes',
  retry: { maximumInterval: '1 minute' },
} as const;
const PART = { ...TEXT, scheduleToCloseTimeout: '20 minutes' } as const;
const NEWS = { ...TEXT, startToCloseTimeout: '1 minute' } as const;

const record = proxyActivities<StoryActivities>(RECORD);
const text = proxyActivities<StoryActivities>(TEXT);
const part = proxyActivities<StoryActivities>(PART);
const news = proxyActivities<StoryActivities>(NEWS);

const STATUS = defineSearchAttributeKey('LonghaulStatus', SearchAttributeType.KEYWORD);
const CONSUMER = defineSearchAttributeKey('LonghaulConsumer', SearchAttributeType.KEYWORD);
const STEPS = [
  { name: 'Text', weight: 40 },
  { name: 'Picture', weight: 25, after: ['Text'] },
  { name: 'Voice', weight: 25, after: ['Text'] },
  { name: 'Mail', weight: 5, after: ['Text'] },
  { name: 'Event', weight: 5, after: ['Text'] },
] as const;

export const progressQuery = defineQuery<StoryProgress>(PROGRESS_QUERY);

setVersioning('PINNED', story);
export async function story(input: StoryInput): Promise<StoryResult> {
  const storyId = checkInput(input);
  const { family } = input;
  const seen: StoryProgress & { parts: Record<Part, StoryProgress['parts'][Part]> } = {
    storyId,
    status: 'WRITING',
    parts: { ...PENDING },
  };
  setHandler(progressQuery, () => ({ ...seen, parts: { ...seen.parts } }));

  function show(change: Partial<StoryProgress> = {}): void {
    // Each upsert is an event of the history.
    if (change.status) upsertSearchAttributes([{ key: STATUS, value: change.status }]);
    Object.assign(seen, change);
    setCurrentDetails(describeStory(seen));
  }

  upsertSearchAttributes([{ key: CONSUMER, value: family }]);
  show({ status: 'WRITING' });
  const registered = await register(input, storyId).catch((error: unknown) => {
    show({ status: isCancellation(error) ? 'CANCELLED' : 'FAILED' });
    throw error;
  });
  if (registered.outcome === 'existing') {
    show({ status: registered.status });
    return { storyId, outcome: 'existing' };
  }
  const { attempt, waitForAll } = registered;
  const facts = { domain: 'story', consumer: family };
  try {
    await trackProgress({ facts, attempt, steps: STEPS, status: 'WRITING' }, async (progress) => {
      try {
        const { words } = await progress.step('Text', () => write(storyId));
        show({ status: 'READY', words });
        const told = progress.status('READY');
        await branches(progress, waitForAll);
        await told;
        await finish('COMPLETE');
      } catch (error) {
        if (isCancellation(error)) await finish('CANCELLED');
        else await finish('FAILED', rootCause(error));
        throw error;
      }
    });
  } catch (error) {
    throw isCancellation(error) ? error : toFailure(error);
  }
  return { storyId, outcome: 'made', ...(seen.words !== undefined && { words: seen.words }), parts: { ...seen.parts } };

  /** Before watchers are told of it: who looks then sees it. */
  async function finish(status: 'COMPLETE' | 'FAILED' | 'CANCELLED', error?: ReturnType<typeof rootCause>) {
    await CancellationScope.nonCancellable(() =>
      record.finishStory.executeWithOptions({ ...RECORD, summary: `record ${status} and what it cost` }, [
        { storyId, attempt, status, ...(error && { error }) },
      ]),
    );
    show({ status });
  }

  /** All begin at once; with `waitForAll` the mail waits for picture and voice, whichever way they end. */
  async function branches(progress: Reporter, waitForAll: boolean): Promise<void> {
    const image = branch('image', () =>
      progress.step('Picture', () =>
        part.drawPicture.executeWithOptions({ ...PART, summary: 'draw the picture' }, [{ storyId }]),
      ),
    );
    const audio = branch('audio', () =>
      progress.step('Voice', () =>
        part.speakStory.executeWithOptions({ ...PART, summary: 'speak the story' }, [{ storyId }]),
      ),
    );
    const event = branch('event', () =>
      progress.step('Event', () =>
        news.announceStory.executeWithOptions({ ...NEWS, summary: 'StoryCreated on the bus' }, [{ storyId }]),
      ),
    );
    const mail = branch('mail', async () => {
      if (waitForAll) await Promise.all([image, audio]);
      return progress.step('Mail', () =>
        news.notifyFamily.executeWithOptions({ ...NEWS, summary: 'send the mail' }, [{ storyId }]),
      );
    });
    await settled([image, audio, event, mail]);
  }

  async function branch(name: Part, run: () => Promise<PartResult>): Promise<void> {
    try {
      seen.parts[name] = (await run()).state;
    } catch (error) {
      if (isCancellation(error)) throw error;
      seen.parts[name] = 'FAILED';
      const { type, message } = rootCause(error);
      await record.recordPart.executeWithOptions({ ...RECORD, summary: `${name} is given up` }, [
        { storyId, part: name, state: 'FAILED', reason: `${type}: ${message}` },
      ]);
    }
    show();
  }
}

/** @throws ApplicationFailure InvalidStoryInputError */
function checkInput({ family, night }: StoryInput): string {
  const storyId = storyIdOf(family, night);
  const { workflowId } = workflowInfo();
  const refuse = (message: string) => ApplicationFailure.nonRetryable(message, 'InvalidStoryInputError');
  if (!FAMILY_PATTERN.test(family)) throw refuse('family: up to 40 lower-case letters, digits and dashes');
  if (!NIGHT_PATTERN.test(night)) throw refuse('night: a date such as 2026-11-26, or a UUID in lower case');
  if (workflowId !== workflowIdOf(storyId))
    throw refuse(`start it as ${workflowIdOf(storyId)}: by its workflow id a story is made once`);
  return storyId;
}

async function register({ family, night }: StoryInput, storyId: string): Promise<Registered> {
  try {
    return await record.registerStory.executeWithOptions({ ...RECORD, summary: 'draw and register' }, [
      { storyId, family, night, runId: workflowInfo().runId },
    ]);
  } catch (error) {
    throw isCancellation(error) ? error : toFailure(error);
  }
}

/** @throws ApplicationFailure StoryTextError when the repair is no better; whatever ends an activity */
async function write(storyId: string): Promise<{ words: number }> {
  await text.checkPrompt.executeWithOptions({ ...TEXT, summary: 'look at the prompt' }, [{ storyId }]);
  const first = await text.writeText.executeWithOptions({ ...TEXT, summary: 'write the text' }, [
    { storyId, draft: 1 },
  ]);
  if (first.outcome === 'kept') return first;
  const { problem } = first;
  const second = await text.writeText.executeWithOptions({ ...TEXT, summary: `write it again: ${problem}` }, [
    { storyId, draft: 2, problem },
  ]);
  if (second.outcome === 'kept') return second;
  throw ApplicationFailure.nonRetryable(
    `neither draft could be kept: the first was ${problem}, the second ${second.problem}. Ask for another story, or choose ` +
      'another text model',
    'StoryTextError',
  );
}

/** Waits for all, then throws what the first of them threw: none goes on behind the story's end. */
async function settled(branches: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(branches);
  await Promise.all(branches);
}
