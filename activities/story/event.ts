/**
 * StoryCreated on the bus: that a story can be read, for whoever listens.
 *
 * @module
 */
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { accessDenied, outcomeOf } from '../../lib/aws-errors.ts';
import { STORY_CREATED, STORY_EVENT_SOURCE, storyCreated } from '../../lib/story/story-event.ts';
import type { OfStory, PartResult } from '../../workflows/story/model.ts';
import type { StoryDependencies } from './dependencies.ts';
import { refuse } from './failures.ts';
import { goneMeanwhile, timeOf, writtenStory } from './item.ts';

export function createEventActivities(dependencies: StoryDependencies) {
  const { stories, events, settings } = dependencies;

  return {
    /**
     * May put it twice when an answer is lost: with the same id.
     * @throws ApplicationFailure StoryGoneError, InvalidStoryInputError, StoryRejectedError
     */
    async announceStory({ storyId }: OfStory): Promise<PartResult> {
      const { family, created_at, expires_at, title, words, language, event } = await writtenStory(
        dependencies,
        storyId,
      );
      if (event.state === 'READY') return { state: 'READY' };
      await put(
        storyCreated({ storyId, family, createdAt: created_at, expiresAt: expires_at, title, words, language }),
      );
      if (!(await stories.keepPart(storyId, 'event', { state: 'READY' }, timeOf(dependencies))))
        throw goneMeanwhile(storyId);
      return { state: 'READY' };
    },
  };

  async function put(detail: object): Promise<void> {
    const { storyBus } = settings;
    try {
      const { FailedEntryCount = 0, Entries = [] } = await events.send(
        new PutEventsCommand({
          Entries: [
            {
              EventBusName: storyBus,
              Source: STORY_EVENT_SOURCE,
              DetailType: STORY_CREATED,
              Detail: JSON.stringify(detail),
            },
          ],
        }),
      );
      // Of entries only what is throttled or broken inside of EventBridge is told this way: it is put again.
      if (FailedEntryCount > 0) throw new Error(`EventBridge did not take StoryCreated (${Entries[0]?.ErrorCode})`);
    } catch (error) {
      if (outcomeOf(error) !== 'refused') throw error;
      throw refuse(
        'StoryRejectedError',
        accessDenied(error)
          ? `the role of the workers may not put events on the bus ${storyBus}: allow events:PutEvents`
          : `EventBridge refuses StoryCreated on the bus ${storyBus} (${(error as Error).name}): see that the bus is there, in this ` +
              'Region, or set LONGHAUL_STORY_BUS',
      );
    }
  }
}
