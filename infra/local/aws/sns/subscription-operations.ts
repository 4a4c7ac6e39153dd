/**
 * Subscribe, ConfirmSubscription, ListSubscriptionsByTopic, Unsubscribe. An e-mail address has to confirm; a queue of the
 * same account has not.
 *
 * @module
 */
import type { QueryOperation, QueryParameters } from '../../kit/query-protocol.ts';
import type { AwsRequest } from '../../kit/service.ts';
import { invalidParameter, noSuchSubscription, notAuthorized } from './errors.ts';
import { page, readMap, topicOf } from './input.ts';
import { mailConfirmation } from './mails.ts';
import { PROTOCOLS, type Protocol, type Subscription } from './model.ts';
import type { SnsStore } from './store.ts';

/** What SNS has beside them. */
const OTHER_PROTOCOLS = ['application', 'email-json', 'firehose', 'http', 'https', 'lambda', 'sms'];
/** One address and nothing that could end a header of a mail. */
const ADDRESS = /^[^\s@<>"(),:;[\]\\]{1,64}@[a-z\d-]{1,63}(\.[a-z\d-]{1,63})+$/i;
const QUEUE = /^arn:aws[\w-]*:sqs:[\w-]+:\d{12}:[\w-]{1,80}(\.fifo)?$/;
const MOST_ADDRESS = 320;

const PENDING = 'pending confirmation';

/** This endpoint, as its caller reaches it. */
export const baseOf = ({ headers }: AwsRequest): string =>
  `http://${String(headers.host ?? headers[':authority'] ?? '127.0.0.1')}`;

export function subscriptionOperations(store: SnsStore): Record<string, QueryOperation> {
  return {
    Subscribe: {
      knows: /^(TopicArn|Protocol|Endpoint|ReturnSubscriptionArn|Attributes\.entry\.\d+\.(key|value))$/,
      subject: (input) => input.get('TopicArn') ?? '',
      run(input, request) {
        const topic = topicOf(store, 'Subscribe', input.get('TopicArn'));
        const topicArn = store.arn(topic.name);
        const protocol = protocolOf(input);
        const endpoint = endpointOf(input, protocol);
        const raw = isRaw(input, protocol);
        const present = store
          .subscriptions(topicArn)
          .find((one) => one.protocol === protocol && one.endpoint === endpoint);
        if (present && (present.raw ?? false) !== raw) {
          throw invalidParameter('Attributes Reason: Subscription already exists with different attributes');
        }
        const wanted = { topicArn, protocol, endpoint, ...(raw && { raw: true as const }) };
        const subscription = present ?? store.subscribe(wanted, protocol === 'sqs');
        if (!subscription.pending) return { SubscriptionArn: subscription.arn };
        // Asked for again, it is sent again.
        mailConfirmation(store, topic, subscription, baseOf(request));
        return { SubscriptionArn: input.get('ReturnSubscriptionArn') === 'true' ? subscription.arn : PENDING };
      },
    },
    ConfirmSubscription: {
      knows: /^(TopicArn|Token|AuthenticateOnUnsubscribe)$/,
      subject: (input) => input.get('TopicArn') ?? '',
      run(input) {
        const topic = topicOf(store, 'ConfirmSubscription', input.get('TopicArn'));
        const careful = input.get('AuthenticateOnUnsubscribe') === 'true';
        return {
          SubscriptionArn: confirm(store, store.arn(topic.name), input.get('Token'), careful).arn,
        };
      },
    },
    ListSubscriptionsByTopic: {
      knows: /^(TopicArn|NextToken)$/,
      subject: (input) => input.get('TopicArn') ?? '',
      run(input) {
        const topic = topicOf(store, 'ListSubscriptionsByTopic', input.get('TopicArn'));
        const all = store.subscriptions(store.arn(topic.name));
        const { shown, more } = page(all, input.get('NextToken'), ({ arn }) => arn);
        return { Subscriptions: { member: shown.map((one) => view(store, one)) }, ...more };
      },
    },
    Unsubscribe: {
      knows: /^SubscriptionArn$/,
      subject: (input) => input.get('SubscriptionArn') ?? '',
      run(input) {
        const arn = input.get('SubscriptionArn') ?? '';
        const elements = arn.split(':').length;
        if (elements < 6) {
          throw invalidParameter(`SubscriptionArn Reason: An ARN must have at least 6 elements, not ${elements}`);
        }
        if (!store.isOwn(arn)) throw notAuthorized('Unsubscribe', arn);
        const subscription = store.subscription(arn);
        if (!subscription) throw noSuchSubscription();
        if (subscription.pending) {
          throw invalidParameter('SubscriptionArn Reason: a subscription that is not confirmed cannot be deleted');
        }
        store.unsubscribe(subscription);
        return {};
      },
    },
  };
}

/**
 * Confirms what waits for this token; a token that was used already confirms what it confirmed.
 * @throws AwsError InvalidParameter for another token, also for one that is too old
 */
export function confirm(
  store: SnsStore,
  topicArn: string,
  token: string | undefined,
  authenticateOnUnsubscribe: boolean,
): Subscription {
  const found = store.subscriptions(topicArn).find((one) => one.token !== undefined && one.token === token);
  if (!found) throw invalidParameter('Token');
  if (!found.pending) return found;
  const { pending: _, ...confirmed } = found;
  const subscription: Subscription = {
    ...confirmed,
    ...(authenticateOnUnsubscribe && { authenticateOnUnsubscribe: true as const }),
  };
  store.update(subscription);
  return subscription;
}

function protocolOf(input: QueryParameters): Protocol {
  const text = input.get('Protocol') ?? '';
  const protocol = PROTOCOLS.find((one) => one === text);
  if (protocol) return protocol;
  if (OTHER_PROTOCOLS.includes(text)) {
    throw invalidParameter(`Protocol Reason: this stand-in has ${PROTOCOLS.join(' and ')} only, not ${text}`);
  }
  throw invalidParameter(`Does not support this protocol string: ${text}`);
}

function endpointOf(input: QueryParameters, protocol: Protocol): string {
  const endpoint = input.get('Endpoint') ?? '';
  if (protocol === 'email' && !(ADDRESS.test(endpoint) && endpoint.length <= MOST_ADDRESS)) {
    throw invalidParameter('Email address');
  }
  if (protocol === 'sqs' && !QUEUE.test(endpoint)) throw invalidParameter('SQS endpoint ARN');
  if (endpoint.endsWith('.fifo')) {
    throw invalidParameter(
      'Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics',
    );
  }
  return endpoint;
}

function isRaw(input: QueryParameters, protocol: Protocol): boolean {
  const attributes = readMap(input, 'Attributes');
  for (const key of attributes.keys()) {
    if (key !== 'RawMessageDelivery') throw invalidParameter(`Attributes Reason: this stand-in does not know ${key}`);
  }
  const raw = attributes.get('RawMessageDelivery') ?? 'false';
  if (raw !== 'true' && raw !== 'false') {
    throw invalidParameter(`Attributes Reason: RawMessageDelivery: Invalid value [${raw}]. Must be true or false.`);
  }
  if (raw === 'true' && protocol === 'email') {
    throw invalidParameter(
      'Attributes Reason: RawMessageDelivery: Delivery protocol [email] does not support raw message delivery.',
    );
  }
  return raw === 'true';
}

const view = (store: SnsStore, { arn, topicArn, protocol, endpoint, pending }: Subscription) => ({
  SubscriptionArn: pending ? 'PendingConfirmation' : arn,
  Owner: store.accountId,
  Protocol: protocol,
  Endpoint: endpoint,
  TopicArn: topicArn,
});
