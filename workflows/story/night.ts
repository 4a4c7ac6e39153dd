/**
 * What a family's schedule starts. A schedule adds its time to the workflow id of what it starts; the story's own id is the
 * local date, so that a night has one story however often its schedule fires, is triggered or backfilled.
 *
 * History: under 30 events.
 *
 * @module
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ApplicationFailure,
  ParentClosePolicy,
  proxyActivities,
  setCurrentDetails,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { StoryActivities } from '../../activities/story/index.ts';
import { isoTime } from '../kit/time.ts';
import { setVersioning } from '../kit/versioning.ts';
import {
  ACTIVITY_TASK_QUEUE,
  FAMILY_PATTERN,
  type NightInput,
  type NightResult,
  WORKFLOW_TYPE,
  workflowIdOf,
} from './model.ts';

const PLAN = {
  taskQueue: ACTIVITY_TASK_QUEUE,
  startToCloseTimeout: '20 seconds',
  retry: { maximumInterval: '30 seconds' },
} as const;
const { planNight } = proxyActivities<StoryActivities>(PLAN);

setVersioning('PINNED', storyNight);
export async function storyNight({ family }: NightInput): Promise<NightResult> {
  if (!FAMILY_PATTERN.test(family))
    throw ApplicationFailure.nonRetryable(
      'family: up to 40 lower-case letters, digits and dashes',
      'InvalidStoryInputError',
    );
  const { storyId, night, existing } = await planNight.executeWithOptions(
    { ...PLAN, summary: 'which night it is there' },
    [{ family, scheduledAt: scheduledAt() }],
  );
  setCurrentDetails(`starts ${workflowIdOf(storyId)}`);
  if (existing) return { storyId, outcome: 'existing' };
  try {
    await startChild(WORKFLOW_TYPE, {
      workflowId: workflowIdOf(storyId),
      args: [{ family, night }],
      // Its registration tells whether there is anything to do.
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `story of ${night} for ${family}`,
    });
    return { storyId, outcome: 'started' };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { storyId, outcome: 'existing' };
    throw error;
  }
}

/** The time the schedule meant, however late it fires; by hand: the start. */
function scheduledAt(): string {
  const { searchAttributes, startTime } = workflowInfo();
  const [scheduled] = (searchAttributes.TemporalScheduledStartTime as Date[] | undefined) ?? [];
  return scheduled ? scheduled.toISOString() : isoTime(startTime.getTime());
}
