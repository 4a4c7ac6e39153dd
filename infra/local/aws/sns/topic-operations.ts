/**
 * CreateTopic, DeleteTopic, ListTopics, GetTopicAttributes.
 *
 * @module
 */
import type { QueryOperation } from '../../kit/query-protocol.ts';
import { invalidParameter } from './errors.ts';
import { page, readMap, topicOf } from './input.ts';
import type { SnsStore } from './store.ts';

const NAME = /^[\w-]{1,256}$/;
const MOST_DISPLAY_NAME = 100;

export function topicOperations(store: SnsStore): Record<string, QueryOperation> {
  return {
    CreateTopic: {
      knows: /^(Name|Attributes\.entry\.\d+\.(key|value))$/,
      subject: (input) => input.get('Name') ?? '',
      run(input) {
        const name = input.get('Name') ?? '';
        if (name.endsWith('.fifo')) throw invalidParameter('Name Reason: this stand-in has standard topics only');
        if (!NAME.test(name)) throw invalidParameter('Topic Name');
        const attributes = readMap(input, 'Attributes');
        for (const key of attributes.keys()) {
          if (key !== 'DisplayName') throw invalidParameter(`Attributes Reason: this stand-in does not know ${key}`);
        }
        const displayName = attributes.get('DisplayName');
        if (displayName !== undefined && displayName.length > MOST_DISPLAY_NAME) {
          throw invalidParameter('Attributes Reason: DisplayName');
        }
        const TopicArn = store.arn(name);
        const present = store.topic(TopicArn);
        if (present && displayName !== undefined && displayName !== present.displayName) {
          throw invalidParameter('Attributes Reason: Topic already exists with different attributes');
        }
        if (!present) store.putTopic({ name, displayName: displayName ?? '', deleted: 0 });
        return { TopicArn };
      },
    },
    DeleteTopic: {
      knows: /^TopicArn$/,
      subject: (input) => input.get('TopicArn') ?? '',
      run(input) {
        const arn = input.get('TopicArn');
        // What is not there is deleted already.
        if (arn !== undefined && store.isOwn(arn) && !store.topic(arn)) return {};
        store.endTopic(topicOf(store, 'DeleteTopic', arn));
        return {};
      },
    },
    ListTopics: {
      knows: /^NextToken$/,
      run(input) {
        const { shown, more } = page(store.topics(), input.get('NextToken'), ({ name }) => name);
        return { Topics: { member: shown.map(({ name }) => ({ TopicArn: store.arn(name) })) }, ...more };
      },
    },
    GetTopicAttributes: {
      knows: /^TopicArn$/,
      subject: (input) => input.get('TopicArn') ?? '',
      run(input) {
        const { name, displayName, deleted } = topicOf(store, 'GetTopicAttributes', input.get('TopicArn'));
        const subscriptions = store.subscriptions(store.arn(name));
        const pending = subscriptions.filter(({ pending: waits }) => waits).length;
        const attributes = {
          TopicArn: store.arn(name),
          Owner: store.accountId,
          DisplayName: displayName,
          SubscriptionsPending: String(pending),
          SubscriptionsConfirmed: String(subscriptions.length - pending),
          SubscriptionsDeleted: String(deleted),
        };
        return { Attributes: { entry: Object.entries(attributes).map(([key, value]) => ({ key, value })) } };
      },
    },
  };
}
