/**
 * The e-mails that SNS sends: they are kept, not sent.
 *
 * @module
 */
import type { Subscription, Topic } from './model.ts';
import type { SnsStore } from './store.ts';

/** `"name" <address>`; quotes would end the name. */
const sender = ({ name, displayName }: Topic) =>
  `"${(displayName || name).replaceAll(/[^ !#-[\]-~]/g, ' ')}" <no-reply@sns.amazonaws.com>`;

/** @param base this endpoint, such as `http://127.0.0.1:4577` */
export function mailConfirmation(store: SnsStore, topic: Topic, subscription: Subscription, base: string): void {
  const { topicArn, arn, endpoint, token = '' } = subscription;
  const link = `${base}/confirmation.html?${new URLSearchParams({ TopicArn: topicArn, Token: token, Endpoint: endpoint })}`;
  store.keepMail({
    kind: 'confirmation',
    topicArn,
    subscriptionArn: arn,
    from: sender(topic),
    to: endpoint,
    subject: 'AWS Notification - Subscription Confirmation',
    link,
    text: [
      'You have chosen to subscribe to the topic:',
      topicArn,
      '',
      'To confirm this subscription, visit this link. If this was a mistake, nothing has to be done.',
      link,
      '',
      'Please do not reply to this mail.',
    ].join('\n'),
  });
}

/** @param message as it was published */
export function mailNotification(
  store: SnsStore,
  topic: Topic,
  subscription: Subscription,
  { subject, message }: { subject: string | undefined; message: string },
  base: string,
): void {
  const { topicArn, arn, endpoint } = subscription;
  const link = unsubscribeLink(subscription, base);
  store.keepMail({
    kind: 'notification',
    topicArn,
    subscriptionArn: arn,
    from: sender(topic),
    to: endpoint,
    subject: subject ?? 'AWS Notification Message',
    link,
    text: [
      message,
      '',
      '--',
      'To stop receiving notifications from this topic, visit this link to unsubscribe:',
      link,
      '',
      'Please do not reply to this mail.',
    ].join('\n'),
  });
}

export const unsubscribeLink = ({ arn, endpoint }: Subscription, base: string): string =>
  `${base}/unsubscribe.html?${new URLSearchParams({ SubscriptionArn: arn, Endpoint: endpoint })}`;
