/**
 * The story an activity is about, once it has its text.
 *
 * @module
 */
import type { ApplicationFailure } from '@temporalio/activity';
import type { StoryItem } from '../../lib/story/document.ts';
import type { StoryDependencies } from './dependencies.ts';
import { refuse } from './failures.ts';
import { gone, openStory } from './story-item.ts';

export type WrittenStory = StoryItem & Required<Pick<StoryItem, 'title' | 'paragraphs' | 'words'>>;

export const goneMeanwhile = (storyId: string): ApplicationFailure => gone(storyId, 'it has been deleted meanwhile');

/** @throws ApplicationFailure StoryGoneError, InvalidStoryInputError */
export async function writtenStory(
  { stories, now = Date.now }: Pick<StoryDependencies, 'stories' | 'now'>,
  storyId: string,
): Promise<WrittenStory> {
  const story = await openStory(stories, storyId, now());
  const { title, paragraphs, words } = story;
  if (title === undefined || paragraphs === undefined || words === undefined) {
    throw refuse('InvalidStoryInputError', `story ${storyId} has no text yet: there is nothing to speak or to tell of`);
  }
  return { ...story, title, paragraphs, words };
}

export const timeOf = ({ now = Date.now }: Pick<StoryDependencies, 'now'>): string => new Date(now()).toISOString();
