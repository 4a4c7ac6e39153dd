import {
  DeleteRuleCommand,
  DescribeRuleCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  TestEventPatternCommand,
} from '@aws-sdk/client-eventbridge';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTarget, type Target } from './target.ts';

let target: Target;
let bridge: EventBridgeClient;
let sqs: SQSClient;
const queues: string[] = [];
const rules: string[] = [];

async function newQueue(): Promise<{ QueueUrl: string; Arn: string }> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: target.unique('events') }));
  queues.push(QueueUrl);
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  const Arn = Attributes?.QueueArn ?? '';
  const Statement = [
    { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: Arn },
  ];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
  return { QueueUrl, Arn };
}

async function newRule(pattern: object): Promise<string> {
  const Name = target.unique('rule');
  await bridge.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify(pattern) }));
  rules.push(Name);
  return Name;
}

async function next(QueueUrl: string) {
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    const [message] = Messages;
    if (!message) continue;
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
    return JSON.parse(message.Body ?? '');
  }
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it succeeded'),
    (error: Error) => error,
  );

beforeAll(async () => {
  target = await openTarget();
  bridge = new EventBridgeClient(target.client);
  sqs = new SQSClient(target.client);
});

afterAll(async () => {
  for (const Rule of rules) {
    const { Targets = [] } = await bridge.send(new ListTargetsByRuleCommand({ Rule }));
    const Ids = Targets.map(({ Id = '' }) => Id);
    if (Ids.length > 0) await bridge.send(new RemoveTargetsCommand({ Rule, Ids }));
    await bridge.send(new DeleteRuleCommand({ Name: Rule }));
  }
  for (const QueueUrl of queues) await sqs.send(new DeleteQueueCommand({ QueueUrl }));
  bridge.destroy();
  sqs.destroy();
  await target.close();
});

describe('rules', () => {
  it('are described and listed, switched off and on', async () => {
    const Name = await newRule({ source: ['longhaul.test'] });

    await bridge.send(new DisableRuleCommand({ Name }));
    const off = await bridge.send(new DescribeRuleCommand({ Name }));
    await bridge.send(new EnableRuleCommand({ Name }));
    const { Rules } = await bridge.send(new ListRulesCommand({ NamePrefix: Name }));

    expect(off).toMatchObject({ Name, State: 'DISABLED', EventPattern: '{"source":["longhaul.test"]}' });
    expect(off.Arn).toMatch(new RegExp(`^arn:aws:events:[\\w-]+:\\d{12}:rule/${Name}$`));
    expect(Rules).toMatchObject([{ Name, State: 'ENABLED' }]);
  });

  it('are refused with a bad pattern, and not deleted while they have targets', async () => {
    const { Arn } = await newQueue();
    const Rule = await newRule({ source: ['longhaul.test'] });
    await bridge.send(new PutTargetsCommand({ Rule, Targets: [{ Id: 'queue', Arn }] }));

    const bad = await failure(bridge.send(new PutRuleCommand({ Name: 'bad', EventPattern: '{"source":"text"}' })));
    const busy = await failure(bridge.send(new DeleteRuleCommand({ Name: Rule })));
    const missing = await failure(bridge.send(new DescribeRuleCommand({ Name: target.unique('none') })));

    expect([bad.name, busy.name, missing.name]).toEqual([
      'InvalidEventPatternException',
      'ValidationException',
      'ResourceNotFoundException',
    ]);
  });
});

describe('events', () => {
  it('reach the targets of the rules they match, in the full envelope', async () => {
    const { QueueUrl, Arn } = await newQueue();
    const source = target.unique('source');
    const Rule = await newRule({ source: [source], detail: { status: ['FAILED', 'SUCCEEDED'] } });
    const put = await bridge.send(new PutTargetsCommand({ Rule, Targets: [{ Id: 'queue', Arn }] }));
    const entry = (status: string) => ({
      Source: source,
      DetailType: 'Job Changed',
      Detail: JSON.stringify({ status }),
      Resources: ['arn:aws:x:y'],
    });

    const { FailedEntryCount, Entries } = await bridge.send(
      new PutEventsCommand({ Entries: [entry('RUNNING'), entry('FAILED')] }),
    );
    const event = await next(QueueUrl);

    expect([put.FailedEntryCount, FailedEntryCount]).toEqual([0, 0]);
    expect(event).toEqual({
      version: '0',
      id: Entries?.[1]?.EventId,
      'detail-type': 'Job Changed',
      source,
      account: expect.stringMatching(/^\d{12}$/),
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      region: target.client.region,
      resources: ['arn:aws:x:y'],
      detail: { status: 'FAILED' },
    });
  });

  it('in the name of AWS are refused one by one', async () => {
    const entry = (Source: string) => ({ Source, DetailType: 'x', Detail: '{}' });

    const { FailedEntryCount, Entries } = await bridge.send(
      new PutEventsCommand({
        Entries: [entry('aws.batch'), entry('longhaul.test'), { ...entry('longhaul.test'), Detail: 'no' }],
      }),
    );

    expect(FailedEntryCount).toBe(2);
    expect(Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      'NotAuthorizedForSourceException',
      undefined,
      'MalformedDetail',
    ]);
  });

  it('can be tried against a pattern', async () => {
    const Event = JSON.stringify({
      id: '1',
      account: '123456789012',
      source: 'aws.batch',
      time: '2026-01-01T00:00:00Z',
      region: 'us-east-1',
      resources: [],
      'detail-type': 'x',
      detail: { arrayProperties: { index: 3 } },
    });
    const test = async (pattern: object) =>
      (await bridge.send(new TestEventPatternCommand({ EventPattern: JSON.stringify(pattern), Event }))).Result;

    expect(await test({ detail: { arrayProperties: { index: [{ exists: false }] } } })).toBe(false);
    expect(await test({ detail: { arrayProperties: { index: [{ numeric: ['>', 2] }] } } })).toBe(true);
  });

  it('come from S3 when the bucket sends them', async () => {
    const s3 = new S3Client(target.client);
    const Bucket = target.unique('bridge');
    const { QueueUrl, Arn } = await newQueue();
    const Rule = await newRule({
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      detail: { bucket: { name: [Bucket] } },
    });
    await bridge.send(new PutTargetsCommand({ Rule, Targets: [{ Id: 'queue', Arn }] }));
    await s3.send(new CreateBucketCommand({ Bucket }));
    const NotificationConfiguration = { EventBridgeConfiguration: {} };
    await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
    // A new setting may take minutes to be heeded on AWS: write until an event comes.
    const event = next(QueueUrl);
    for (const deadline = Date.now() + 50_000; Date.now() < deadline; ) {
      await s3.send(new PutObjectCommand({ Bucket, Key: 'a b.csv', Body: 'xyz' }));
      const come = event.then(() => true);
      if (await Promise.race([come, new Promise<boolean>((resolve) => setTimeout(resolve, 2000, false))])) break;
    }

    const seen = await event;
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a b.csv' }));
    await s3.send(new DeleteBucketCommand({ Bucket }));
    s3.destroy();

    expect(seen).toMatchObject({
      source: 'aws.s3',
      'detail-type': 'Object Created',
      resources: [`arn:aws:s3:::${Bucket}`],
      detail: { version: '0', bucket: { name: Bucket }, object: { key: 'a b.csv', size: 3 }, reason: 'PutObject' },
    });
  });
});
