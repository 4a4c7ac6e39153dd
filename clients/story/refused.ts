/**
 * Stories that were refused before they were begun: over a limit, without a price, with too small a cast. Nothing is kept of
 * them; their workflow says why, for as long as Temporal remembers it.
 *
 * @module
 */
import {
  type WorkflowExecutionDescription,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { NIGHT_PATTERN, type StoryStatus, storyIdOf, workflowIdOf } from '../../workflows/story/model.ts';
import type { StoryDetail } from '../live/stories.ts';
import { workflowPage } from '../pages.ts';
import { checkFamilyName } from './family-name.ts';
import type { StoryWorld } from './world.ts';

export async function failureOf(handle: WorkflowHandle): Promise<{ type: string; message: string } | undefined> {
  const failure: unknown = await handle.result().catch((error: unknown) => error);
  const cause = failure instanceof WorkflowFailedError ? failure.cause : undefined;
  if (!cause) return undefined;
  return { type: cause instanceof ApplicationFailure ? (cause.type ?? 'Error') : cause.name, message: cause.message };
}

/**
 * A story that there is no record of, by its workflow.
 * @returns undefined where Temporal does not know it either
 * @throws StoryProblem for a family that cannot be
 */
export async function unrecordedStory(
  { client, settings }: Pick<StoryWorld, 'client' | 'settings'>,
  family: string,
  night: string,
): Promise<StoryDetail | undefined> {
  if (!NIGHT_PATTERN.test(night)) return undefined;
  const storyId = storyIdOf(checkFamilyName(family), night);
  const workflowId = workflowIdOf(storyId);
  const handle = client.workflow.getHandle(workflowId);
  const described = await describe(handle);
  if (!described) return undefined;
  const status = statusOf(described);
  const error = status === 'FAILED' ? await failureOf(handle) : undefined;
  return {
    storyId,
    family,
    night,
    workflowId,
    status,
    attempt: 0,
    createdAt: described.startTime.toISOString(),
    ...(described.closeTime && { endedAt: described.closeTime.toISOString() }),
    flagged: false,
    readable: false,
    verdicts: {},
    usage: {},
    ...(error && { error }),
    links: [{ what: 'temporal', label: 'Temporal Web UI', href: workflowPage(settings, workflowId, described.runId) }],
  };
}

async function describe(handle: WorkflowHandle): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await handle.describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

function statusOf({ status }: WorkflowExecutionDescription): StoryStatus {
  if (status.name === 'RUNNING') return 'WRITING';
  return status.name === 'CANCELLED' ? 'CANCELLED' : 'FAILED';
}
