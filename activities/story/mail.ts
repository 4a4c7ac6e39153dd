/**
 * The mail with the link to the story: sent by one attempt only, and never twice. SNS has no token by which it could know a
 * repeat, so before it is asked the mail counts as perhaps sent.
 *
 * @module
 */
import { GetTopicAttributesCommand, PublishCommand } from '@aws-sdk/client-sns';
import { log } from '@temporalio/activity';
import { accessDenied, outcomeOf } from '../../lib/aws-errors.ts';
import type { Family, PartView } from '../../lib/story/document.ts';
import { storyLink } from '../../lib/story/link.ts';
import { mailText } from '../../lib/story/mail-text.ts';
import type { OfStory, PartResult } from '../../workflows/story/model.ts';
import type { StoryDependencies } from './dependencies.ts';
import { familyOf, refuse } from './failures.ts';
import { goneMeanwhile, timeOf, type WrittenStory, writtenStory } from './item.ts';

const NO_KEY =
  'there is no key to sign links with: set LONGHAUL_STORY_LINK_KEY for workers and gateways (openssl rand -base64 32)';

export function createMailActivities(dependencies: StoryDependencies) {
  const { stories, sns, settings } = dependencies;

  const keep = async (storyId: string, view: PartView): Promise<PartResult> => {
    if (!(await stories.keepPart(storyId, 'mail', view, timeOf(dependencies)))) throw goneMeanwhile(storyId);
    return view;
  };

  return {
    /**
     * @returns UNCERTAIN: it may have been sent, and is not sent again
     * @throws ApplicationFailure StoryGoneError, InvalidStoryInputError, FamilyNotFoundError, StoryRejectedError
     */
    async notifyFamily({ storyId }: OfStory): Promise<PartResult> {
      const story = await writtenStory(dependencies, storyId);
      if (story.mail.state !== 'PENDING') return resultOf(story.mail);
      const family = await familyOf(dependencies, story.family);
      if (!family.topic_arn || (await isUnread(family.topic_arn))) return keep(storyId, { state: 'NONE' });
      if (!settings.storyLinkKey) return keep(storyId, { state: 'FAILED', reason: NO_KEY });
      const { subject, message } = await compose(story, family);
      if (!(await stories.claimMail(storyId, timeOf(dependencies)))) {
        const now = await stories.get(storyId);
        if (!now) throw goneMeanwhile(storyId);
        return resultOf(now.mail);
      }
      try {
        // It is not taken back when the story is cancelled: half a request tells nobody what became of it.
        await sns.send(new PublishCommand({ TopicArn: family.topic_arn, Subject: subject, Message: message }));
      } catch (error) {
        return failed(story, error);
      }
      return sent(storyId);
    },
  };

  /** Nobody has confirmed a subscription. Whoever may not ask, or gets no answer, does not know: then it is sent. */
  async function isUnread(TopicArn: string): Promise<boolean> {
    try {
      const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn }));
      return Attributes?.SubscriptionsConfirmed === '0';
    } catch {
      return false;
    }
  }

  async function compose({ story_id, title, language, expires_at }: WrittenStory, { time_zone }: Family) {
    const link = await storyLink(settings.storyLinkKey, settings.storyUrl, story_id, expires_at);
    return mailText({ title, language, link, expiresAt: expires_at, timeZone: time_zone });
  }

  /** Only names of SNS's errors are told. */
  async function failed({ story_id: storyId, family }: WrittenStory, error: unknown): Promise<PartResult> {
    const outcome = outcomeOf(error);
    if (outcome === 'unknown') {
      log.warn('nobody knows whether the mail was sent', { storyId, error: (error as Error).name });
      return { state: 'UNCERTAIN' };
    }
    await keep(storyId, { state: 'PENDING' });
    if (outcome === 'later') throw error;
    throw refuse(
      'StoryRejectedError',
      accessDenied(error) || (error as Error).name === 'AuthorizationErrorException'
        ? `the role of the workers may not publish to the topic of family ${family}: allow sns:Publish`
        : `SNS refuses the mail of family ${family} (${(error as Error).name}): if its topic has gone, ` +
            `\`longhaul story families subscribe ${family} <e-mail>\` makes it anew`,
    );
  }

  /** Sent it is, whatever becomes of the note about it. */
  async function sent(storyId: string): Promise<PartResult> {
    try {
      await keep(storyId, { state: 'READY' });
    } catch (error) {
      log.warn('the mail was sent, which could not be noted', { storyId, error: (error as Error).name });
    }
    return { state: 'READY' };
  }
}

const resultOf = ({ state, reason }: PartView): PartResult => ({ state, ...(reason !== undefined && { reason }) });
