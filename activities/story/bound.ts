/**
 * What a story of a family may cost at most, by the models of the settings: taken from its month before anything is paid.
 *
 * @module
 */
import { ApplicationFailure } from '@temporalio/activity';
import { storyBound } from '../../lib/story/costs.ts';
import type { StoryErrorType } from '../../workflows/story/model.ts';
import type { StoryDependencies } from './dependencies.ts';
import type { Bound } from './register.ts';

/** Of prompts and answers: what prompt.ts knows. */
export interface TokenBounds {
  /** Of one draft. */
  text(minWords: number): { input: number; output: number };
  /** Of title and text. */
  characters(minWords: number): number;
  picturePrompt: number;
}

export function createBound(
  {
    prices,
    settings,
    region,
    now = Date.now,
  }: Pick<StoryDependencies, 'prices' | 'region' | 'now'> & {
    settings: Pick<
      StoryDependencies['settings'],
      'storyTextModel' | 'storyImageModel' | 'storyImageSize' | 'storyImageQuality'
    >;
  },
  tokens: TokenBounds,
): Bound {
  return async ({ family, engine, min_words: minWords }) => {
    const bound = await storyBound(prices, {
      textModel: settings.storyTextModel,
      text: tokens.text(minWords),
      characters: tokens.characters(minWords),
      imageModel: settings.storyImageModel,
      imageSize: settings.storyImageSize,
      imageQuality: settings.storyImageQuality,
      picturePrompt: tokens.picturePrompt,
      engine,
      region: await region(),
      at: now(),
    });
    if ('micro' in bound) return bound.micro;
    throw ApplicationFailure.nonRetryable(
      `family ${family}: nobody knows what a story may cost: ${bound.unpriced.join('; ')}. ${bound.remedy}`,
      'StoryUnpricedError' satisfies StoryErrorType,
    );
  };
}
