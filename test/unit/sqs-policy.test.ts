import { describe, expect, it } from 'vitest';
import type { ServiceSender } from '../../infra/local/aws/ports.ts';
import { allowsSend, policyFault } from '../../infra/local/aws/sqs/policy.ts';
import { eventsQueuePolicy } from '../../infra/local/bootstrap.ts';

const QUEUE = 'arn:aws:sqs:us-east-1:123456789012:events';
const BUCKET = 'arn:aws:s3:::sheets';
const request = {
  service: 's3.amazonaws.com',
  sourceArn: BUCKET,
  queueArn: QUEUE,
  accountId: '123456789012',
} as const;

type Statement = Record<string, unknown>;
const ALLOW: Statement = {
  Effect: 'Allow',
  Principal: { Service: 's3.amazonaws.com' },
  Action: 'sqs:SendMessage',
  Resource: QUEUE,
};
const when = (Condition: unknown): Statement => ({ ...ALLOW, Condition });
const policy = (...Statement: Statement[]) => JSON.stringify({ Version: '2012-10-17', Statement });

describe('a queue lets a service put messages', () => {
  it.each<[string, Statement]>([
    ['its principal is named', ALLOW],
    ['its principal is among others', { ...ALLOW, Principal: { Service: ['sns.amazonaws.com', 's3.amazonaws.com'] } }],
    ['everyone is named', { ...ALLOW, Principal: '*' }],
    ['everyone is named the longer way', { ...ALLOW, Principal: { AWS: '*' } }],
    ['the action is a pattern, in any case', { ...ALLOW, Action: ['sqs:GetQueueUrl', 'SQS:*'] }],
    ['the action is everything', { ...ALLOW, Action: '*' }],
    ['the resource is everything', { ...ALLOW, Resource: '*' }],
    ['the resource is a pattern', { ...ALLOW, Resource: 'arn:aws:sqs:*:*:ev?nts' }],
    ['the source is the one named', when({ ArnEquals: { 'aws:SourceArn': BUCKET } })],
    ['the source is like the one named', when({ ArnLike: { 'aws:SourceArn': 'arn:aws:s3:*:*:sh*' } })],
    ['the source is one of several', when({ StringEquals: { 'aws:SourceArn': ['arn:aws:s3:::other', BUCKET] } })],
    ['keys are written in another case', when({ StringEquals: { 'AWS:sourceaccount': '123456789012' } })],
    [
      'source and account are as named',
      when({ ArnEquals: { 'aws:SourceArn': BUCKET }, StringEquals: { 'aws:SourceAccount': '123456789012' } }),
    ],
    ['the source is not the one ruled out', when({ ArnNotLike: { 'aws:SourceArn': 'arn:aws:s3:::other' } })],
    ['the call must be encrypted', when({ Bool: { 'aws:SecureTransport': 'true' } })],
  ])('when %s', (_, statement) => {
    expect(allowsSend(policy(statement), request)).toBe(true);
  });

  it('when the only statement is no list', () => {
    expect(allowsSend(JSON.stringify({ Statement: ALLOW }), request)).toBe(true);
  });

  it('when a Deny is about something else', () => {
    const unencrypted = { ...ALLOW, Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } };

    expect(allowsSend(policy(unencrypted, ALLOW), request)).toBe(true);
  });
});

describe('a queue takes no message', () => {
  it('without a policy', () => {
    expect(allowsSend(undefined, request)).toBe(false);
  });

  it.each<[string, Statement]>([
    ['another service is named', { ...ALLOW, Principal: { Service: 'events.amazonaws.com' } }],
    ['an account is named', { ...ALLOW, Principal: { AWS: 'arn:aws:iam::123456789012:root' } }],
    ['another action is allowed', { ...ALLOW, Action: ['sqs:ReceiveMessage', 'sqs:Send'] }],
    ['another queue is meant', { ...ALLOW, Resource: `${QUEUE}-dead-letters` }],
    ['a resource in another case is meant', { ...ALLOW, Resource: QUEUE.toUpperCase() }],
    ['the source is another', when({ ArnEquals: { 'aws:SourceArn': 'arn:aws:s3:::sheets2' } })],
    ['a pattern would have to reach over a colon', when({ ArnLike: { 'aws:SourceArn': 'arn:aws:*:sheets' } })],
    ['StringEquals is given a pattern', when({ StringEquals: { 'aws:SourceArn': 'arn:aws:s3:::*' } })],
    ['the account is another', when({ StringEquals: { 'aws:SourceAccount': '210987654321' } })],
    [
      'one of two conditions does not hold',
      when({ ArnEquals: { 'aws:SourceArn': BUCKET }, StringEquals: { 'aws:SourceAccount': '210987654321' } }),
    ],
    ['a key is asked for that the call has not', when({ StringEquals: { 'aws:PrincipalOrgID': 'o-1' } })],
    ['an operator is not known', when({ IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } })],
    ['an operator is a name objects inherit', when({ toString: { 'aws:SourceArn': BUCKET } })],
    ['the statement is by exclusion', { ...ALLOW, NotPrincipal: { AWS: '*' } }],
  ])('when %s', (_, statement) => {
    expect(allowsSend(policy(statement), request)).toBe(false);
  });

  it.each<[string, Statement]>([
    ['covers it', { ...ALLOW, Effect: 'Deny' }],
    ['covers everything', { Effect: 'Deny', Principal: '*', Action: '*', Resource: '*' }],
    ['is not understood', { ...when({ IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }), Effect: 'Deny' }],
  ])('when a Deny %s, wherever it stands', (_, deny) => {
    expect([allowsSend(policy(ALLOW, deny), request), allowsSend(policy(deny, ALLOW), request)]).toEqual([
      false,
      false,
    ]);
  });
});

describe("the embedded platform's events queue", () => {
  const text = JSON.stringify(eventsQueuePolicy(QUEUE, 'sheets'));
  const rule = 'arn:aws:events:us-east-1:123456789012:rule/longhaul-batch-jobs';
  const from = (service: ServiceSender['service'], sourceArn: string, accountId = '123456789012') =>
    allowsSend(text, { ...request, service, sourceArn, accountId });

  it('takes messages from its bucket and its rule', () => {
    expect(policyFault(text)).toBeUndefined();
    expect([from('s3.amazonaws.com', BUCKET), from('events.amazonaws.com', rule)]).toEqual([true, true]);
  });

  it('takes them from nobody else', () => {
    expect([
      from('s3.amazonaws.com', `${BUCKET}-of-another`),
      from('s3.amazonaws.com', BUCKET, '210987654321'),
      from('s3.amazonaws.com', rule),
      from('events.amazonaws.com', BUCKET),
      from('events.amazonaws.com', `${rule}-2`),
    ]).toEqual([false, false, false, false, false]);
  });
});

describe('a policy is refused', () => {
  it.each([
    ['{', 'it is not JSON'],
    ['[]', 'no Statement'],
    ['{"Version":"2012-10-17"}', 'no Statement'],
    [JSON.stringify({ Version: '2020-01-01', Statement: [ALLOW] }), 'unknown Version'],
    [JSON.stringify({ Statement: ['x'] }), 'a Statement is no object'],
    [policy({ ...ALLOW, Effect: 'Perhaps' }), 'a Statement without Effect'],
    [policy({ ...ALLOW, Principal: undefined }), 'a Statement without Principal'],
    [policy({ ...ALLOW, Resource: undefined }), 'a Statement without Resource'],
  ])('%s', (text, fault) => {
    expect(policyFault(text)).toBe(fault);
  });

  it('but not a whole one', () => {
    expect(policyFault(policy(ALLOW))).toBeUndefined();
  });
});
