import {
  DeleteRuleCommand,
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketNotificationConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
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
let sqs: SQSClient;
let s3: S3Client;
let bridge: EventBridgeClient;
const undo: (() => Promise<unknown>)[] = [];

interface Queue {
  QueueUrl: string;
  Arn: string;
}

async function newQueue(): Promise<Queue> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: target.unique('policy') }));
  undo.push(() => sqs.send(new DeleteQueueCommand({ QueueUrl })));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  return { QueueUrl, Arn: Attributes?.QueueArn ?? '' };
}

async function newBucket(): Promise<string> {
  const Bucket = target.unique('policy');
  await s3.send(new CreateBucketCommand({ Bucket }));
  undo.push(() => s3.send(new DeleteBucketCommand({ Bucket })));
  return Bucket;
}

/** A rule with these targets, and what makes an event that it matches. */
async function newRule(Targets: { Id: string; Arn: string; DeadLetterConfig?: { Arn: string } }[]) {
  const Name = target.unique('policy');
  const { RuleArn = '' } = await bridge.send(
    new PutRuleCommand({ Name, EventPattern: JSON.stringify({ source: [Name] }) }),
  );
  await bridge.send(new PutTargetsCommand({ Rule: Name, Targets }));
  undo.push(async () => {
    await bridge.send(new RemoveTargetsCommand({ Rule: Name, Ids: Targets.map(({ Id }) => Id) }));
    await bridge.send(new DeleteRuleCommand({ Name }));
  });
  const emit = (n: number) =>
    bridge.send(new PutEventsCommand({ Entries: [{ Source: Name, DetailType: 'x', Detail: JSON.stringify({ n }) }] }));
  return { RuleArn, emit };
}

async function setPolicy({ QueueUrl, Arn }: Queue, service: string, sourceArn: string): Promise<void> {
  const Statement = [
    {
      Effect: 'Allow',
      Principal: { Service: service },
      Action: 'sqs:SendMessage',
      Resource: Arn,
      Condition: { ArnEquals: { 'aws:SourceArn': sourceArn } },
    },
  ];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
}

const notify = (Bucket: string, QueueArn: string) =>
  s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket,
      NotificationConfiguration: { QueueConfigurations: [{ QueueArn, Events: ['s3:ObjectCreated:*'] }] },
    }),
  );

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it succeeded'),
    (error: Error) => error,
  );

/** The body of the next message; it is taken out. */
async function next(QueueUrl: string) {
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    const [message] = Messages;
    if (!message) continue;
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
    return JSON.parse(message.Body ?? '');
  }
}

beforeAll(async () => {
  target = await openTarget();
  sqs = new SQSClient(target.client);
  s3 = new S3Client(target.client);
  bridge = new EventBridgeClient(target.client);
});

afterAll(async () => {
  for (const step of undo.reverse()) await step();
  for (const client of [sqs, s3, bridge]) client.destroy();
  await target.close();
});

describe('a bucket', () => {
  it('cannot be told to notify a queue that does not let it', async () => {
    const bucket = await newBucket();
    const bare = await newQueue();
    const otherwise = await newQueue();
    await setPolicy(otherwise, 's3.amazonaws.com', 'arn:aws:s3:::another-bucket');

    const errors = [await failure(notify(bucket, bare.Arn)), await failure(notify(bucket, otherwise.Arn))];
    const kept = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket: bucket }));

    for (const error of errors) {
      expect(error).toMatchObject({
        name: 'InvalidArgument',
        message: 'Unable to validate the following destination configurations',
      });
    }
    expect(kept.QueueConfigurations).toBeUndefined();
  });

  it('notifies a queue that lets just this bucket', async () => {
    const bucket = await newBucket();
    const queue = await newQueue();
    await setPolicy(queue, 's3.amazonaws.com', `arn:aws:s3:::${bucket}`);

    // A new policy may take a minute to be heeded on AWS.
    await expect.poll(() => notify(bucket, queue.Arn).then(() => 'taken', String)).toBe('taken');

    expect(await next(queue.QueueUrl)).toMatchObject({ Event: 's3:TestEvent', Bucket: bucket });
  });
});

describe('a rule', () => {
  it('loses its event without a word when the queue does not let it, and delivers once it does', async () => {
    const closed = await newQueue();
    const open = await newQueue();
    const rule = await newRule([
      { Id: 'closed', Arn: closed.Arn },
      { Id: 'open', Arn: open.Arn },
    ]);
    await setPolicy(open, 'events.amazonaws.com', rule.RuleArn);

    // Until the first event is through: a new rule or policy may take a minute to be heeded on AWS.
    let sent = 0;
    const first = next(open.QueueUrl);
    await expect
      .poll(
        async () => {
          const { FailedEntryCount } = await rule.emit(++sent);
          return Promise.race([
            first.then(() => FailedEntryCount),
            new Promise((go) => setTimeout(go, 500, 'not yet')),
          ]);
        },
        { timeout: 120_000 },
      )
      .toBe(0);
    const lost = await sqs.send(new ReceiveMessageCommand({ QueueUrl: closed.QueueUrl, WaitTimeSeconds: 1 }));

    expect(lost.Messages).toBeUndefined();
    expect((await first).detail.n).toBeLessThanOrEqual(sent);
  });

  it('puts what a queue does not take into its dead-letter queue, if that takes it', async () => {
    const closed = await newQueue();
    const dead = await newQueue();
    const rule = await newRule([{ Id: 'closed', Arn: closed.Arn, DeadLetterConfig: { Arn: dead.Arn } }]);
    await setPolicy(dead, 'events.amazonaws.com', rule.RuleArn);
    const come = next(dead.QueueUrl);

    await expect
      .poll(
        async () => {
          await rule.emit(1);
          return Promise.race([come.then(() => 'come'), new Promise((go) => setTimeout(go, 500, 'not yet'))]);
        },
        { timeout: 120_000 },
      )
      .toBe('come');

    expect((await come).detail).toEqual({ n: 1 });
  });
});
