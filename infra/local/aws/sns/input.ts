/**
 * Reading what all operations of SNS read: ARNs, pages, maps of attributes.
 *
 * @module
 */
import type { QueryParameters } from '../../kit/query-protocol.ts';
import type { XmlObject } from '../../kit/xml.ts';
import { invalidParameter, noSuchTopic, notAuthorized } from './errors.ts';
import type { Topic } from './model.ts';
import type { SnsStore } from './store.ts';

/** SNS's page of topics and of subscriptions. */
const PAGE = 100;

/** @throws AwsError InvalidParameter, AuthorizationError for another account's, NotFound */
export function topicOf(store: SnsStore, operation: string, arn: string | undefined): Topic {
  if (arn === undefined || arn === '')
    throw invalidParameter('TopicArn or TargetArn Reason: no value for required parameter');
  const parts = arn.split(':');
  if (parts.length < 6) {
    throw invalidParameter(`TopicArn Reason: An ARN must have at least 6 elements, not ${parts.length}`);
  }
  if (parts.length > 6 || parts[0] !== 'arn' || parts[2] !== 'sns') {
    throw invalidParameter('TopicArn Reason: A TopicArn must begin with arn:aws:sns and have six elements');
  }
  if (parts[4] !== store.accountId) throw notAuthorized(operation, arn);
  const topic = store.topic(arn);
  if (!topic) throw noSuchTopic();
  return topic;
}

/** `<name>.entry.1.key`, `<name>.entry.1.value`, … */
export function readMap(input: QueryParameters, name: string): Map<string, string> {
  const map = new Map<string, string>();
  for (let index = 1; ; index += 1) {
    const key = input.get(`${name}.entry.${index}.key`);
    if (key === undefined) return map;
    map.set(key, input.get(`${name}.entry.${index}.value`) ?? '');
  }
}

/** One page of a list, and the token of the next: names the last one shown, so that what is new moves nothing. */
export function page<One>(
  all: readonly One[],
  token: string | undefined,
  keyOf: (one: One) => string,
): { shown: readonly One[]; more: XmlObject } {
  let begin = 0;
  if (token !== undefined) {
    const last = Buffer.from(token, 'base64url').toString('utf8');
    begin = all.findIndex((one) => keyOf(one) === last) + 1;
    if (begin === 0) throw invalidParameter('NextToken Reason: Invalid token');
  }
  const shown = all.slice(begin, begin + PAGE);
  const [last] = shown.slice(-1);
  const more = begin + PAGE < all.length && last !== undefined;
  return { shown, more: more ? { NextToken: Buffer.from(keyOf(last)).toString('base64url') } : {} };
}
