/**
 * A story's stages as a test wants them to go: the workflow's activities with their outside played, and all that was recorded.
 *
 * @module
 */
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { StoryActivities } from '../../activities/story/index.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import { ACTIVITY_TASK_QUEUE as PROGRESS_QUEUE } from '../../workflows/progress/model.ts';
import type { Batch } from '../../workflows/progress/outbox.ts';
import {
  ACTIVITY_TASK_QUEUE,
  type FinishInput,
  type PartState,
  type RecordPartInput,
  type Registered,
} from '../../workflows/story/model.ts';
import { PENDING } from '../../workflows/story/plan.ts';
import { createStoredLog } from './stored-log.ts';

/** `refused`: no retry mends it. `down`: it fails for as long as it is tried. `flaky`: the third try succeeds. `slow`: it takes a moment. */
export const TROUBLES = ['refused', 'down', 'flaky', 'slow'] as const;
export type Trouble = (typeof TROUBLES)[number];
export const TEXTS = ['kept', 'repaired', 'rejected', 'unsafe', ...TROUBLES] as const;

export interface Stages {
  text: (typeof TEXTS)[number];
  image: 'READY' | 'STOCK' | Trouble;
  audio: 'READY' | Trouble;
  mail: 'READY' | 'NONE' | 'UNCERTAIN' | Trouble;
  event: 'READY' | Trouble;
  waitForAll: boolean;
}

export const ALL_WELL: Stages = {
  text: 'kept',
  image: 'READY',
  audio: 'READY',
  mail: 'READY',
  event: 'READY',
  waitForAll: false,
};

const BRANCHES = new Set(['drawPicture', 'speakStory', 'notifyFamily', 'announceStory']);
const TRIES = 3;
const SLOW_MS = 40;
const HEARTBEAT_MS = 200;

/** As a call would be that listens to its cancellation. */
async function held(until: Promise<void>): Promise<void> {
  const { cancelled, heartbeat } = Context.current();
  const beat = setInterval(heartbeat, HEARTBEAT_MS);
  try {
    await Promise.race([until, cancelled]);
  } finally {
    clearInterval(beat);
  }
}

export function createStageWorld() {
  const log = createStoredLog().store;
  const stages = new Map<string, Stages>();
  const registered = new Map<string, Registered>();
  const calls: { what: string; storyId: string; begun: number; ended?: number }[] = [];
  const recorded: RecordPartInput[] = [];
  const finished: FinishInput[] = [];
  const tries = new Map<string, number>();
  let hold: Promise<void> | undefined;

  const of = (storyId: string): Stages => stages.get(storyId) ?? ALL_WELL;

  async function play<T>(what: string, storyId: string, how: string, result: T): Promise<T> {
    const call: (typeof calls)[number] = { what, storyId, begun: performance.now() };
    calls.push(call);
    const tried = (tries.get(`${storyId} ${what}`) ?? 0) + 1;
    tries.set(`${storyId} ${what}`, tried);
    try {
      if (hold && BRANCHES.has(what)) await held(hold);
      if (how === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
      if (how === 'refused') throw ApplicationFailure.nonRetryable(`${what} was refused`, 'StoryRejectedError');
      if (how === 'down' || (how === 'flaky' && tried < TRIES)) throw new Error(`${what} does not answer`);
      return result;
    } finally {
      call.ended = performance.now();
    }
  }
  const part =
    (what: string, name: 'image' | 'audio' | 'mail' | 'event') =>
    async ({ storyId }: { storyId: string }) => {
      const how = of(storyId)[name];
      const state: PartState = how === 'STOCK' || how === 'NONE' || how === 'UNCERTAIN' ? how : 'READY';
      return play(what, storyId, how, { state });
    };

  const activities: StoryActivities = {
    registerStory: async ({ storyId }) =>
      registered.get(storyId) ?? { outcome: 'new', attempt: 1, waitForAll: of(storyId).waitForAll },
    planNight: async ({ family, scheduledAt }) => {
      const night = scheduledAt.slice(0, 10);
      return { storyId: `${family}/${night}`, night, existing: registered.has(`${family}/${night}`) };
    },
    async checkPrompt({ storyId }) {
      if (of(storyId).text !== 'unsafe') return play('checkPrompt', storyId, 'kept', undefined);
      throw ApplicationFailure.nonRetryable('a card of the cast was flagged', 'StoryUnsafeError');
    },
    async writeText({ storyId, draft, problem }) {
      const { text } = of(storyId);
      const rejected = text === 'rejected' || (text === 'repaired' && draft === 1);
      if (draft === 2 && problem !== 'TOO_SHORT') throw ApplicationFailure.nonRetryable('what was wrong was not said');
      return play(
        `writeText-${draft}`,
        storyId,
        text,
        rejected ? { outcome: 'rejected', problem: 'TOO_SHORT' } : { outcome: 'kept', words: 220, characters: 1_200 },
      );
    },
    drawPicture: part('drawPicture', 'image'),
    speakStory: part('speakStory', 'audio'),
    notifyFamily: part('notifyFamily', 'mail'),
    announceStory: part('announceStory', 'event'),
    async recordPart(input) {
      recorded.push(input);
    },
    async finishStory(input) {
      finished.push(input);
      return { parts: PENDING };
    },
  };
  const reports = {
    async appendProgress({ run, facts, reports: told }: Batch) {
      await log.append(run, facts, told);
    },
  };

  return {
    log,
    /** By story id. */
    stages,
    registered,
    calls,
    recorded,
    finished,
    /** What follows the text waits until it is let go. */
    holdBranches(): () => void {
      let release = () => {};
      hold = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    queues: { [WORKFLOW_TASK_QUEUE]: reports, [PROGRESS_QUEUE]: reports, [ACTIVITY_TASK_QUEUE]: activities },
  };
}
