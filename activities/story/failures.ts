/**
 * How story activities fail of what no retry mends.
 *
 * @module
 */
import { ApplicationFailure } from '@temporalio/activity';
import type { Family } from '../../lib/story/document.ts';
import type { StoryErrorType } from '../../workflows/story/model.ts';
import type { StoryDependencies } from './dependencies.ts';

export const refuse = (type: StoryErrorType, message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, type);

/** @throws ApplicationFailure FamilyNotFoundError */
export async function familyOf({ families }: Pick<StoryDependencies, 'families'>, id: string): Promise<Family> {
  const family = await families.get(id);
  if (family) return family;
  throw refuse('FamilyNotFoundError', `there is no family ${id}: add it with \`longhaul story families add ${id}\``);
}
