/**
 * What a family may be called: also asked in browsers, before anything is sent.
 *
 * @module
 */
import { FAMILY_PATTERN } from '../../workflows/story/model.ts';
import { StoryProblem } from './problem.ts';

/** @throws StoryProblem */
export function checkFamilyName(family: string): string {
  if (FAMILY_PATTERN.test(family)) return family;
  throw new StoryProblem(
    'input',
    'this cannot be the name of a family',
    'use up to 40 lower-case letters, digits and dashes, such as moon; it is not a surname: names stand in addresses and logs',
  );
}
