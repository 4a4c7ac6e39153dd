/**
 * One story more: now, by a UUID; or of a night that had none, or whose story failed, by its date.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { isDate, localDate } from '../../lib/story/local-time.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import {
  NIGHT_PATTERN,
  type StoryInput,
  type StoryStatus,
  storyIdOf,
  WORKFLOW_TYPE,
  workflowIdOf,
} from '../../workflows/story/model.ts';
import { StoryProblem } from './problem.ts';
import { type StoryWorld, theFamily } from './world.ts';

const STATUS = defineSearchAttributeKey('LonghaulStatus', SearchAttributeType.KEYWORD);
const CONSUMER = defineSearchAttributeKey('LonghaulConsumer', SearchAttributeType.KEYWORD);

export interface StartedStory {
  storyId: string;
  workflowId: string;
  /** `running`: it is being made. `existing`: it has been made. */
  outcome: 'started' | 'running' | 'existing';
  status: StoryStatus;
}

/**
 * Safe to repeat for a night: one that has its story, or is making it, is not begun again.
 * @param night a local date, or the UUID of a story that failed; without it a new UUID
 * @throws StoryProblem
 */
export async function startStory(
  world: Pick<StoryWorld, 'client' | 'families' | 'stories'>,
  name: string,
  night: string | undefined,
  now: number,
): Promise<StartedStory> {
  const { family, time_zone } = await theFamily(world, name);
  const input: StoryInput = { family, night: night === undefined ? randomUUID() : checkNight(night, time_zone, now) };
  const known = night === undefined ? undefined : await world.stories.record(family, night);
  if (night !== undefined && !isDate(night) && !known)
    throw new StoryProblem(
      'unknown',
      `family ${family} has no story ${night}`,
      'name a date, or leave it out for a new story',
    );
  const storyId = storyIdOf(family, input.night);
  const workflowId = workflowIdOf(storyId);
  if (known?.status === 'COMPLETE') return { storyId, workflowId, outcome: 'existing', status: known.status };
  try {
    await world.client.workflow.start(WORKFLOW_TYPE, {
      workflowId,
      taskQueue: WORKFLOW_TASK_QUEUE,
      args: [input],
      // Its registration goes on with one that failed.
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: night === undefined ? `another story for ${family}` : `story of ${input.night} for ${family}`,
      staticDetails: `\`longhaul story show ${storyId}\``,
      typedSearchAttributes: [
        { key: STATUS, value: 'WRITING' },
        { key: CONSUMER, value: family },
      ],
    });
    return { storyId, workflowId, outcome: 'started', status: 'WRITING' };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return { storyId, workflowId, outcome: 'running', status: (await world.stories.get(storyId))?.status ?? 'WRITING' };
  }
}

/** @throws StoryProblem */
function checkNight(night: string, timeZone: string, now: number): string {
  if (!NIGHT_PATTERN.test(night) || (night.length === 'yyyy-mm-dd'.length && !isDate(night)))
    throw new StoryProblem('input', 'this is no night', 'give its date, such as 2026-11-26');
  const today = localDate(now, timeZone);
  if (isDate(night) && night > today)
    throw new StoryProblem(
      'input',
      `the night of ${night} has not come`,
      `there it is ${today}; leave it out for a story now`,
    );
  return night;
}
