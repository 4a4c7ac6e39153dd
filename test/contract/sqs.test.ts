import { createHash } from 'node:crypto';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  type CreateQueueCommandInput,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  type Message,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTarget, type Target } from './target.ts';

let target: Target;
let sqs: SQSClient;
const urls: string[] = [];

async function newQueue(
  Attributes?: CreateQueueCommandInput['Attributes'],
  QueueName = target.unique('sqs'),
): Promise<string> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  urls.push(QueueUrl);
  return QueueUrl;
}

const send = (QueueUrl: string, MessageBody: string, more: object = {}) =>
  sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));

/** Receives until `count` messages are there: a real queue may give fewer at a time. */
async function receive(
  QueueUrl: string,
  count = 1,
  more: Partial<ReceiveMessageCommandInput> = {},
): Promise<Message[]> {
  const messages: Message[] = [];
  while (messages.length < count) {
    const ask = { QueueUrl, WaitTimeSeconds: 10, MaxNumberOfMessages: Math.min(10, count - messages.length), ...more };
    messages.push(...((await sqs.send(new ReceiveMessageCommand(ask))).Messages ?? []));
  }
  return messages;
}

const attributesOf = async (QueueUrl: string) =>
  (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes ?? {};

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it succeeded'),
    (error: Error & { $metadata: { httpStatusCode: number }; Code?: string; Error?: { Code?: string } }) => error,
  );

beforeAll(async () => {
  target = await openTarget();
  sqs = new SQSClient(target.client);
});

afterAll(async () => {
  for (const QueueUrl of urls) await sqs.send(new DeleteQueueCommand({ QueueUrl })).catch(() => {});
  sqs.destroy();
  await target.close();
});

describe('queues', () => {
  it('are the same queue when made twice alike, and refused when made otherwise', async () => {
    const name = target.unique('twice');
    const first = await newQueue({ VisibilityTimeout: '60' }, name);

    const second = await newQueue({ VisibilityTimeout: '60' }, name);
    const bare = await newQueue(undefined, name);
    const other = await failure(newQueue({ VisibilityTimeout: '61' }, name));

    expect([second, bare]).toEqual([first, first]);
    expect(other.name).toBe('QueueNameExists');
  });

  it('have names of letters, digits, hyphens and underscores', async () => {
    const bad = await failure(newQueue(undefined, 'no spaces'));

    expect(bad.$metadata.httpStatusCode).toBe(400);
  });

  it('tell their URL, ARN and attributes, and take new ones', async () => {
    const name = target.unique('attributes');
    const QueueUrl = await newQueue({ MessageRetentionPeriod: '120' }, name);

    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: '7' } }));
    const wrong = await failure(
      sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: '43201' } })),
    );
    const found = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
    const { QueueUrls } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: name }));

    const attributes = await attributesOf(QueueUrl);
    expect(attributes).toMatchObject({
      MessageRetentionPeriod: '120',
      DelaySeconds: '0',
      ApproximateNumberOfMessages: '0',
    });
    expect(attributes.QueueArn).toMatch(new RegExp(`^arn:aws:sqs:${target.client.region}:\\d{12}:${name}$`));
    expect(found.QueueUrl).toBe(QueueUrl);
    expect(QueueUrls).toEqual([QueueUrl]);
    expect(wrong.name).toBe('InvalidAttributeValue');
  });

  it('that do not exist are named by both error codes', async () => {
    const error = await failure(sqs.send(new GetQueueUrlCommand({ QueueName: target.unique('none') })));

    expect(error.name).toBe('QueueDoesNotExist');
    expect(error.Code ?? error.Error?.Code).toBe('AWS.SimpleQueueService.NonExistentQueue');
  });
});

describe('messages', () => {
  it('arrive with their attributes and checksums, once, until deleted', async () => {
    const QueueUrl = await newQueue();
    const body = 'hello ünï ☃';
    const MessageAttributes = {
      kind: { DataType: 'String', StringValue: 'greeting' },
      blob: { DataType: 'Binary', BinaryValue: new Uint8Array([1, 2, 3]) },
      count: { DataType: 'Number', StringValue: '3' },
    };

    const sent = await send(QueueUrl, body, { MessageAttributes });
    const [message] = await receive(QueueUrl, 1, {
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    });
    const hidden = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }));

    expect(sent.MD5OfMessageBody).toBe(createHash('md5').update(body).digest('hex'));
    expect(message).toMatchObject({ Body: body, MessageId: sent.MessageId, MessageAttributes });
    expect(message?.MD5OfMessageAttributes).toBe(sent.MD5OfMessageAttributes);
    expect(message?.Attributes?.ApproximateReceiveCount).toBe('1');
    expect(Math.abs(Date.now() - Number(message?.Attributes?.SentTimestamp))).toBeLessThan(300_000);
    expect(hidden.Messages).toBeUndefined();
  });

  it('wake a long poll', async () => {
    const QueueUrl = await newQueue();
    const waiting = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));

    await send(QueueUrl, 'wake up');
    const { Messages } = await waiting;

    expect(Messages?.map(({ Body }) => Body)).toEqual(['wake up']);
  });

  it('come again with a higher count when made visible, and not by an old handle deleted', async () => {
    const QueueUrl = await newQueue();
    await send(QueueUrl, 'again');
    const [first] = await receive(QueueUrl);

    const again = { QueueUrl, ReceiptHandle: first?.ReceiptHandle, VisibilityTimeout: 0 };
    await sqs.send(new ChangeMessageVisibilityCommand(again));
    const [second] = await receive(QueueUrl, 1, { MessageSystemAttributeNames: ['ApproximateReceiveCount'] });

    expect(second?.MessageId).toBe(first?.MessageId);
    expect(second?.ReceiptHandle).not.toBe(first?.ReceiptHandle);
    expect(second?.Attributes?.ApproximateReceiveCount).toBe('2');
  });

  it('go to the dead-letter queue after the last allowed receive', async () => {
    const deadUrl = await newQueue();
    const { QueueArn: deadLetterTargetArn } = await attributesOf(deadUrl);
    const QueueUrl = await newQueue({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 1 }) });
    const { MessageId } = await send(QueueUrl, 'poison');
    await receive(QueueUrl, 1, { VisibilityTimeout: 0 });

    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }));
    const [dead] = await receive(deadUrl);

    expect(Messages).toBeUndefined();
    expect(dead).toMatchObject({ MessageId, Body: 'poison' });
  });

  it('are sent and deleted in batches, each entry with its own outcome', async () => {
    const QueueUrl = await newQueue();
    const Entries = Array.from({ length: 10 }, (_, index) => ({ Id: `m${index}`, MessageBody: `body ${index}` }));

    const sent = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    const messages = await receive(QueueUrl, 10);
    const handles = messages.map(({ ReceiptHandle }, index) => ({ Id: `d${index}`, ReceiptHandle }));
    const deleted = await sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: [...handles.slice(1), { Id: 'bad', ReceiptHandle: 'no handle' }],
      }),
    );

    expect(sent.Successful).toHaveLength(10);
    expect(new Set(messages.map(({ Body }) => Body)).size).toBe(10);
    expect(deleted.Successful).toHaveLength(9);
    expect(deleted.Failed).toMatchObject([{ Id: 'bad', Code: 'ReceiptHandleIsInvalid', SenderFault: true }]);
  });

  it('and batches that break the rules are refused', async () => {
    const QueueUrl = await newQueue();
    const batch = (Entries: { Id: string; MessageBody: string }[]) =>
      failure(sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries })));
    const entry = (Id: string, MessageBody = 'x') => ({ Id, MessageBody });

    const errors = [
      await batch([entry('a'), entry('a')]),
      await batch(Array.from({ length: 11 }, (_, index) => entry(`e${index}`))),
      await batch([entry('a', 'x'.repeat(700_000)), entry('b', 'x'.repeat(700_000))]),
      await failure(send(QueueUrl, 'bell \u0007')),
      await failure(send(QueueUrl, 'x'.repeat(1_048_577))),
    ];

    expect(errors.map(({ name }) => name)).toEqual([
      'BatchEntryIdsNotDistinct',
      'TooManyEntriesInBatchRequest',
      'BatchRequestTooLong',
      'InvalidMessageContents',
      'InvalidParameterValue',
    ]);
  });
});

describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('with the clock of the stand-ins', () => {
  it('a message comes again when its visibility timeout is over', async () => {
    const QueueUrl = await newQueue({ VisibilityTimeout: '3600' });
    await send(QueueUrl, 'later');
    await receive(QueueUrl);
    const waiting = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    const { ApproximateNumberOfMessagesNotVisible: inFlight } = await attributesOf(QueueUrl);

    target.local?.kit.clock.advance(3_600_000);

    // The same step of the clock may have ended the poll, whichever was due first.
    const messages = (await waiting).Messages ?? (await receive(QueueUrl));
    expect(inFlight).toBe('1');
    expect(messages.map(({ Body }) => Body)).toEqual(['later']);
  });

  it('a delayed message comes when its delay is over, and none after its retention', async () => {
    const QueueUrl = await newQueue({ MessageRetentionPeriod: '3600' });
    await send(QueueUrl, 'delayed', { DelaySeconds: 900 });

    const early = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    target.local?.kit.clock.advance(900_000);
    const [onTime] = await receive(QueueUrl, 1, { VisibilityTimeout: 0 });
    target.local?.kit.clock.advance(2_700_001);
    const late = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));

    expect([early.Messages, onTime?.Body, late.Messages]).toEqual([undefined, 'delayed', undefined]);
  });

  it('a caller that hung up takes no message', async () => {
    const QueueUrl = await newQueue();
    const hangUp = new AbortController();
    const aborted = failure(
      sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), { abortSignal: hangUp.signal }),
    );
    // Once a later call was answered, the poll has long been taken in: both came over the same loop.
    await attributesOf(QueueUrl);
    hangUp.abort();
    await aborted;
    await attributesOf(QueueUrl);

    await send(QueueUrl, 'not lost');
    const [message] = await receive(QueueUrl);

    expect(message?.Body).toBe('not lost');
  });
});
