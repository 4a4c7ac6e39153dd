/**
 * The pages that the links of mails lead to. Opening one is enough, as at SNS: no signature, no form.
 *
 * @module
 */
import { AwsError, type AwsRequest, type AwsResponse, type PreparedCall } from '../../kit/service.ts';
import { escapeXml } from '../../kit/xml.ts';
import type { SnsStore } from './store.ts';
import { confirm } from './subscription-operations.ts';

export const PAGES = /^\/(confirmation|unsubscribe)\.html$/;

export function openPage(store: SnsStore, { method, path, query }: AwsRequest): PreparedCall {
  const leaving = path === '/unsubscribe.html';
  const subject = query.get(leaving ? 'SubscriptionArn' : 'TopicArn') ?? '';
  return {
    operation: leaving ? 'Unsubscribe' : 'ConfirmSubscription',
    subject,
    async run() {
      if (method !== 'GET') return html(405, 'This page can only be opened.');
      try {
        return leaving ? unsubscribe(store, subject) : confirmed(store, subject, query.get('Token') ?? '');
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        return html(error.status, 'This link is not valid, or not any more.');
      }
    },
  };
}

function confirmed(store: SnsStore, topicArn: string, token: string): AwsResponse {
  const { arn } = confirm(store, topicArn, token, false);
  return html(200, `Subscription confirmed. Its id is ${arn}.`);
}

function unsubscribe(store: SnsStore, arn: string): AwsResponse {
  const subscription = store.subscription(arn);
  if (!subscription || subscription.pending) return html(404, 'There is no such subscription.');
  if (subscription.authenticateOnUnsubscribe) return html(403, 'Only its owner may end this subscription.');
  store.unsubscribe(subscription);
  return html(200, `You get no more notifications of ${subscription.topicArn}.`);
}

const html = (status: number, words: string): AwsResponse => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: `<!doctype html><meta charset="utf-8"><title>SNS</title><p>${escapeXml(words)}</p>\n`,
});
