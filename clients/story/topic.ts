/**
 * Who gets the mail: a topic of SNS for each family. Addresses are SNS's and kept nowhere else; none gets into an error, a
 * log or an answer.
 *
 * @module
 */
import {
  CreateTopicCommand,
  DeleteTopicCommand,
  ListSubscriptionsByTopicCommand,
  type SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import type { Subscription } from '../live/stories.ts';
import { StoryProblem } from './problem.ts';

/** Permissions may name topics by `longhaul-story-*`. No family has an underscore: those of two prefixes are never one. */
export const topicNameOf = (tablePrefix: string, family: string): string =>
  `longhaul-story-${tablePrefix === '' ? '' : `${tablePrefix.replaceAll('.', '_')}_`}${family}`;

/** The same again is the same topic. @returns its ARN @throws StoryProblem */
export async function ensureTopic(sns: SNSClient, tablePrefix: string, family: string): Promise<string> {
  const name = topicNameOf(tablePrefix, family);
  const { TopicArn } = await sns
    .send(new CreateTopicCommand({ Name: name }))
    .catch(refused(`SNS did not make the topic ${name}`));
  if (TopicArn === undefined) throw new Error(`SNS has made the topic ${name} and not said which it is`);
  return TopicArn;
}

/** With everybody who has subscribed. One that is not there is as good. @throws StoryProblem */
export async function removeTopic(sns: SNSClient, topicArn: string): Promise<void> {
  await sns
    .send(new DeleteTopicCommand({ TopicArn: topicArn }))
    .catch((error: unknown) => (nameOf(error) === 'NotFoundException' ? undefined : Promise.reject(error)))
    .catch(refused('SNS did not remove the topic'));
}

/** Few people write otherwise; SNS has the last word. */
const ADDRESS = /^[^\s@<>"'\\,;:()[\]\p{C}]{1,64}@[^\s@<>"'\\,;:()[\]_\p{C}]+\.[^\s@<>"'\\,;:()[\]_.\p{C}]{2,63}$/u;
const LONGEST = 254;

/** SNS sends a mail that has to be answered first. @throws StoryProblem */
export async function subscribe(sns: SNSClient, topicArn: string, address: string): Promise<void> {
  if (address.length > LONGEST || !ADDRESS.test(address))
    throw new StoryProblem('input', 'this is no e-mail address', 'give one such as name@example.org');
  await sns
    .send(new SubscribeCommand({ TopicArn: topicArn, Protocol: 'email', Endpoint: address }))
    .catch((error: unknown) => {
      // Its words have the address in them.
      if (nameOf(error).startsWith('InvalidParameter'))
        throw new StoryProblem('input', 'SNS does not take this address', 'give one that can get mail');
      throw error;
    })
    .catch(refused('SNS did not take the subscription'));
}

/** @throws StoryProblem */
export async function subscriptions(sns: SNSClient, topicArn: string): Promise<Subscription[]> {
  const found: Subscription[] = [];
  let next: string | undefined;
  do {
    const { Subscriptions = [], NextToken } = await sns
      .send(new ListSubscriptionsByTopicCommand({ TopicArn: topicArn, ...(next !== undefined && { NextToken: next }) }))
      .catch(refused('SNS did not list who has subscribed'));
    // SNS lists those that have left for a while.
    for (const { Endpoint = '', SubscriptionArn = '' } of Subscriptions)
      if (SubscriptionArn !== 'Deleted')
        found.push({ address: masked(Endpoint), confirmed: SubscriptionArn.startsWith('arn:') });
    next = NextToken;
  } while (next !== undefined);
  return found;
}

/** `a***@e***.org`: enough to know one's own by. */
export function masked(address: string): string {
  const at = address.lastIndexOf('@');
  if (at < 0) return '***';
  const [first = ''] = address.slice(0, at);
  const domain = address.slice(at + 1);
  const dot = domain.lastIndexOf('.');
  const [begin = ''] = domain;
  return `${first}***@${begin}***${dot > 0 ? domain.slice(dot) : ''}`;
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

/** Only what it is called: words of AWS may have an address or an account in them. */
const refused =
  (what: string) =>
  (error: unknown): never => {
    if (error instanceof StoryProblem) throw error;
    throw new StoryProblem(
      'unavailable',
      `${what} (${nameOf(error) || 'unknown error'})`,
      'see that SNS can be reached and may be used, then ask again',
    );
  };
