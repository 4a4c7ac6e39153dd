/**
 * Asking a story to end: the same for the command line and for the gateway. What is there of it stays until it goes, and a mail
 * that was sent is sent.
 *
 * @module
 */
import { isEnded, type StoryName, type StoryStatus, storyIdOf, workflowIdOf } from '../../workflows/story/model.ts';
import { type CancelRequest, requestCancel } from '../cancel.ts';
import { StoryProblem } from './problem.ts';
import { unrecordedStory } from './refused.ts';
import { storyDetail } from './view.ts';
import type { StoryWorld } from './world.ts';

/**
 * It records its end itself, a while after this has returned. Safe to repeat.
 * @throws StoryProblem where there is no such story
 */
export async function cancelStory(
  world: Pick<StoryWorld, 'client' | 'stories' | 'settings'>,
  { family, night }: StoryName,
  now: number,
): Promise<CancelRequest<StoryStatus>> {
  const storyId = storyIdOf(family, night);
  let story = await storyDetail(world, family, night, now);
  // Until it is registered, the next attempt has the record of the one before, or none.
  if (!story || story.status === 'FAILED' || story.status === 'CANCELLED')
    story = (await unrecordedStory(world, family, night)) ?? story;
  if (!story) throw new StoryProblem('unknown', `there is no story ${storyId}`, 'list the stories of the family');
  const { status } = story;
  if (isEnded(status)) return { outcome: 'refused', status, reason: `story ${storyId} has ended already: ${status}` };
  const gone = `story ${storyId} is ${status}, but its workflow has ended from outside: ask for that night again, which goes on with it`;
  return requestCancel(world.client, workflowIdOf(storyId), status, gone);
}
