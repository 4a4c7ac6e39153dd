/**
 * What the SNS stand-in keeps: topics, who is subscribed to them, and the e-mails that SNS would have sent.
 *
 * @module
 */

export interface Topic {
  name: string;
  displayName: string;
  /** Subscriptions that were ended: SNS counts them. */
  deleted: number;
}

export const PROTOCOLS = ['email', 'sqs'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export interface Subscription {
  arn: string;
  topicArn: string;
  protocol: Protocol;
  endpoint: string;
  /** Epoch ms. */
  createdAt: number;
  /** Waits for the confirmation of its address. */
  pending?: true;
  /** Confirms it, also a second time. */
  token?: string;
  /** The link at the end of a mail ends it no more: only its owner may. */
  authenticateOnUnsubscribe?: true;
  /** Of SQS: the message alone, without SNS's envelope. */
  raw?: true;
}

export interface Mail {
  id: string;
  /** ISO time by the stand-ins' clock. */
  at: string;
  kind: 'confirmation' | 'notification';
  topicArn: string;
  subscriptionArn: string;
  from: string;
  to: string;
  subject: string;
  text: string;
  /** Where the one link leads that a person is asked to follow. */
  link: string;
  /** The `.eml` file, below the state directory. */
  file: string;
}
