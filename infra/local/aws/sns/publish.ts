/**
 * Publish: to everyone who has confirmed.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../kit/clock.ts';
import type { QueryOperation, QueryParameters } from '../../kit/query-protocol.ts';
import type { QueuePort } from '../ports.ts';
import { invalidParameter } from './errors.ts';
import { topicOf } from './input.ts';
import { mailNotification, unsubscribeLink } from './mails.ts';
import type { Protocol, Subscription } from './model.ts';
import type { SnsStore } from './store.ts';
import { baseOf } from './subscription-operations.ts';

/** Bytes. */
const MOST_MESSAGE = 256 * 1024;
/** Printable ASCII, no space first; newer documents of SNS allow UTF-8 too, older ones ask for this. */
const SUBJECT = /^[!-~][ -~]{0,99}$/;

interface Notification {
  id: string;
  topicArn: string;
  subject: string | undefined;
  message: string;
  base: string;
}

export function publishOperation(store: SnsStore, queues: QueuePort, clock: Clock): QueryOperation {
  return {
    knows: /^(TopicArn|TargetArn|Message|Subject|MessageStructure)$/,
    subject: (input) => input.get('TopicArn') ?? input.get('TargetArn') ?? '',
    run(input, request) {
      const topic = topicOf(store, 'Publish', input.get('TopicArn') ?? input.get('TargetArn'));
      const subject = input.get('Subject');
      if (subject !== undefined && !SUBJECT.test(subject)) throw invalidParameter('Subject');
      const messageFor = messagesOf(input);
      const topicArn = store.arn(topic.name);
      const id = randomUUID();
      for (const subscription of store.subscriptions(topicArn)) {
        if (subscription.pending) continue;
        const message = messageFor(subscription.protocol);
        const notification = { id, topicArn, subject, message, base: baseOf(request) };
        if (subscription.protocol === 'email')
          mailNotification(store, topic, subscription, notification, notification.base);
        else {
          const body = subscription.raw ? message : envelope(notification, subscription, clock);
          queues.deliver(subscription.endpoint, body, { service: 'sns.amazonaws.com', sourceArn: topicArn });
        }
      }
      return { MessageId: id };
    },
  };
}

/** The one message, or with `MessageStructure` each protocol's own. */
function messagesOf(input: QueryParameters): (protocol: Protocol) => string {
  const text = input.get('Message') ?? '';
  if (text === '') throw invalidParameter('Empty message');
  if (Buffer.byteLength(text) > MOST_MESSAGE) throw invalidParameter('Message too long');
  const structure = input.get('MessageStructure');
  if (structure === undefined) return () => text;
  if (structure !== 'json') throw invalidParameter('MessageStructure');
  let messages: unknown;
  try {
    messages = JSON.parse(text);
  } catch {
    throw invalidParameter('Message Structure - JSON message body failed to parse');
  }
  const byProtocol = (typeof messages === 'object' && messages !== null ? messages : {}) as Record<string, unknown>;
  const usual = Object.hasOwn(byProtocol, 'default') ? byProtocol.default : undefined;
  if (typeof usual !== 'string') {
    throw invalidParameter('Message Structure - No default entry in JSON message body');
  }
  return (protocol) => {
    const own = Object.hasOwn(byProtocol, protocol) ? byProtocol[protocol] : undefined;
    return typeof own === 'string' ? own : usual;
  };
}

/** Without the signature, which only AWS can make. */
function envelope({ id, topicArn, subject, message, base }: Notification, subscription: Subscription, clock: Clock) {
  return JSON.stringify({
    Type: 'Notification',
    MessageId: id,
    TopicArn: topicArn,
    ...(subject !== undefined && { Subject: subject }),
    Message: message,
    Timestamp: clock.date().toISOString(),
    UnsubscribeURL: unsubscribeLink(subscription, base),
  });
}
