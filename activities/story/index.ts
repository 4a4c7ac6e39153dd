/**
 * The activities of the story domain.
 *
 * @module
 */
import { PICTURE_PROMPT_TOKENS, textCharacterBound, textTokenBound } from '../../lib/story/prompt.ts';
import { createAudioActivities } from './audio.ts';
import { createBound } from './bound.ts';
import type { StoryDependencies } from './dependencies.ts';
import { createEventActivities } from './event.ts';
import { createFinishActivities } from './finish.ts';
import { createImageActivities } from './image.ts';
import { createMailActivities } from './mail.ts';
import { createModelCheck, type ModelCheck } from './models.ts';
import { createRegisterActivities } from './register.ts';
import { createTextActivities } from './text.ts';

/** @param models the worker's own, which has asked already */
export function createStoryActivities(
  dependencies: StoryDependencies,
  models: ModelCheck = createModelCheck(dependencies.openai, dependencies.settings),
) {
  const bound = createBound(dependencies, {
    text: textTokenBound,
    characters: textCharacterBound,
    picturePrompt: PICTURE_PROMPT_TOKENS,
  });
  return {
    ...createRegisterActivities(dependencies, bound),
    ...createTextActivities(dependencies, { models }),
    ...createImageActivities(dependencies, { models }),
    ...createAudioActivities(dependencies),
    ...createMailActivities(dependencies),
    ...createEventActivities(dependencies),
    ...createFinishActivities(dependencies),
  };
}

export type StoryActivities = ReturnType<typeof createStoryActivities>;
