/**
 * What steering stories works with, whoever asks.
 *
 * @module
 */
import type { PollyClient } from '@aws-sdk/client-polly';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { Client } from '@temporalio/client';
import type { Settings } from '../../lib/settings.ts';
import type { FamilyStore } from '../../lib/store/families.ts';
import type { StoryStore } from '../../lib/store/stories.ts';
import type { Family } from '../../lib/story/document.ts';
import { checkFamilyName } from './family-name.ts';
import { StoryProblem } from './problem.ts';

export interface StoryWorld {
  client: Client;
  families: FamilyStore;
  stories: StoryStore;
  sns: SNSClient;
  polly: PollyClient;
  settings: Pick<Settings, 'tablePrefix' | 'storyLinkKey' | 'storyUrl' | 'temporalUi' | 'temporalNamespace'>;
}

/** @throws StoryProblem */
export async function theFamily({ families }: Pick<StoryWorld, 'families'>, family: string): Promise<Family> {
  const known = await families.get(checkFamilyName(family));
  if (known) return known;
  throw new StoryProblem('unknown', `there is no family ${family}`, 'list the families, or add it first');
}
