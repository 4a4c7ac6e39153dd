import { readFile } from 'node:fs/promises';
import {
  ConfirmSubscriptionCommand,
  CreateTopicCommand,
  DeleteTopicCommand,
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  ListTopicsCommand,
  PublishCommand,
  type PublishCommandInput,
  paginateListTopics,
  SNSClient,
  SubscribeCommand,
  type SubscribeCommandInput,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Mail } from '../../infra/local/aws/sns/model.ts';
import { openTarget, type Target } from './target.ts';

let target: Target;
let sns: SNSClient;
let sqs: SQSClient;
const made: string[] = [];

beforeAll(async () => {
  target = await openTarget();
  sns = new SNSClient(target.client);
  sqs = new SQSClient(target.client);
});
afterAll(async () => {
  for (const TopicArn of made) await sns.send(new DeleteTopicCommand({ TopicArn }));
  sns.destroy();
  sqs.destroy();
  await target.close();
});

async function createTopic(): Promise<string> {
  const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: target.unique('topic') }));
  made.push(TopicArn);
  return TopicArn;
}

const publish = (input: Partial<PublishCommandInput>) =>
  sns.send(new PublishCommand({ Message: 'Good night', ...input }));
const subscribe = (input: Partial<SubscribeCommandInput>) =>
  sns.send(
    new SubscribeCommand({ Protocol: 'email', Endpoint: 'parent@example.com', ...input } as SubscribeCommandInput),
  );
const attributesOf = async (TopicArn: string) =>
  (await sns.send(new GetTopicAttributesCommand({ TopicArn }))).Attributes ?? {};
const subscriptionsOf = async (TopicArn: string) =>
  (await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions ?? [];

describe('a topic', () => {
  it('is made once, however often it is asked for', async () => {
    const Name = target.unique('topic');
    const first = await sns.send(new CreateTopicCommand({ Name, Attributes: { DisplayName: 'Stories' } }));
    const second = await sns.send(new CreateTopicCommand({ Name }));
    made.push(first.TopicArn ?? '');

    expect(first.TopicArn).toMatch(new RegExp(`^arn:aws:sns:[\\w-]+:\\d{12}:${Name}$`));
    expect(second.TopicArn).toBe(first.TopicArn);
    expect(await attributesOf(first.TopicArn ?? '')).toMatchObject({
      TopicArn: first.TopicArn,
      DisplayName: 'Stories',
      SubscriptionsConfirmed: '0',
      SubscriptionsPending: '0',
    });
    await expect(
      sns.send(new CreateTopicCommand({ Name, Attributes: { DisplayName: 'Others' } })),
    ).rejects.toMatchObject({ name: 'InvalidParameterException', $metadata: { httpStatusCode: 400 } });
  });

  it('is listed', async () => {
    const topicArn = await createTopic();
    const found: string[] = [];
    for await (const { Topics = [] } of paginateListTopics({ client: sns }, {})) {
      found.push(...Topics.map(({ TopicArn = '' }) => TopicArn));
    }

    expect(found).toContain(topicArn);
  });

  it.each(['', 'with space', 'dots.are.none', 'a'.repeat(257)])('is not called "%s"', async (Name) => {
    await expect(sns.send(new CreateTopicCommand({ Name }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('that is gone is not found', async () => {
    const TopicArn = await createTopic();
    await sns.send(new DeleteTopicCommand({ TopicArn }));
    await sns.send(new DeleteTopicCommand({ TopicArn }));

    const missing = { name: 'NotFoundException', message: 'Topic does not exist', $metadata: { httpStatusCode: 404 } };
    await expect(publish({ TopicArn })).rejects.toMatchObject(missing);
    await expect(attributesOf(TopicArn)).rejects.toMatchObject(missing);
    await expect(subscriptionsOf(TopicArn)).rejects.toMatchObject(missing);
  });

  it('of another account is closed', async () => {
    const TopicArn = (await createTopic()).replace(/\d{12}/, '999999999999');

    await expect(publish({ TopicArn })).rejects.toMatchObject({
      name: 'AuthorizationErrorException',
      $metadata: { httpStatusCode: 403 },
    });
  });
});

describe('a message', () => {
  it('has an id, also when nobody listens', async () => {
    const TopicArn = await createTopic();
    const ids = [await publish({ TopicArn }), await publish({ TopicArn, Subject: 'A story' })];

    expect(new Set(ids.map(({ MessageId }) => MessageId)).size).toBe(2);
    expect(ids[0]?.MessageId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each<[string, Partial<PublishCommandInput>]>([
    ['no text', { Message: '' }],
    ['more than 256 KB', { Message: 'ß'.repeat(131_073) }],
    ['an empty subject', { Subject: '' }],
    ['a subject of 101 characters', { Subject: 'a'.repeat(101) }],
    ['a subject of two lines', { Subject: 'A story\nBcc: everyone@example.com' }],
    ['a structure without a default', { MessageStructure: 'json', Message: '{"email": "x"}' }],
    ['a structure that is no JSON', { MessageStructure: 'json', Message: 'x' }],
  ])('is refused with %s', async (_, input) => {
    const TopicArn = await createTopic();

    await expect(publish({ TopicArn, ...input })).rejects.toMatchObject({
      name: 'InvalidParameterException',
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('may be 256 KB with a subject of 100 characters', async () => {
    const TopicArn = await createTopic();

    await expect(publish({ TopicArn, Message: 'ß'.repeat(131_072), Subject: 'a'.repeat(100) })).resolves.toHaveProperty(
      'MessageId',
    );
  });

  it('reaches a queue whose policy lets the topic in, with its envelope', async () => {
    const TopicArn = await createTopic();
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: target.unique('queue') }));
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
    const Endpoint = Attributes?.QueueArn ?? '';
    const Policy = JSON.stringify({
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'sns.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource: Endpoint,
          Condition: { ArnEquals: { 'aws:SourceArn': TopicArn } },
        },
      ],
    });
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));

    const { SubscriptionArn } = await subscribe({ TopicArn, Protocol: 'sqs', Endpoint });
    const { MessageId } = await publish({ TopicArn, Subject: 'A story', Message: 'Good night' });
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));

    expect(SubscriptionArn).toMatch(/^arn:aws:sns:/);
    expect(JSON.parse(Messages[0]?.Body ?? '{}')).toMatchObject({
      Type: 'Notification',
      MessageId,
      TopicArn,
      Subject: 'A story',
      Message: 'Good night',
    });
  });
});

describe('a subscription', () => {
  it('of an address waits for its confirmation', async () => {
    const TopicArn = await createTopic();

    const quiet = await subscribe({ TopicArn, Endpoint: 'success@simulator.amazonses.com' });
    const told = await subscribe({
      TopicArn,
      Endpoint: 'success@simulator.amazonses.com',
      ReturnSubscriptionArn: true,
    });

    expect(quiet.SubscriptionArn).toBe('pending confirmation');
    expect(told.SubscriptionArn).toMatch(new RegExp(`^${TopicArn}:[0-9a-f-]{36}$`));
    expect(await subscriptionsOf(TopicArn)).toMatchObject([
      {
        SubscriptionArn: 'PendingConfirmation',
        Protocol: 'email',
        Endpoint: 'success@simulator.amazonses.com',
        TopicArn,
      },
    ]);
  });

  it.each<[string, Partial<SubscribeCommandInput>]>([
    ['no address', { Endpoint: 'parent' }],
    ['an address and a header', { Endpoint: 'parent@example.com\r\nBcc: everyone@example.com' }],
    ['a protocol nobody has', { Protocol: 'pigeon' }],
    ['a queue that is no ARN', { Protocol: 'sqs', Endpoint: 'queue' }],
  ])('to %s is refused', async (_, input) => {
    const TopicArn = await createTopic();

    await expect(subscribe({ TopicArn, ...input })).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  it('is not confirmed by a token nobody was sent', async () => {
    const TopicArn = await createTopic();

    await expect(sns.send(new ConfirmSubscriptionCommand({ TopicArn, Token: 'x'.repeat(256) }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });

  it('that is pending cannot be ended by the words it is listed with', async () => {
    await expect(sns.send(new UnsubscribeCommand({ SubscriptionArn: 'PendingConfirmation' }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });
});

describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('the stand-in', () => {
  const local = () => {
    if (!target.local) throw new Error('only for the stand-ins');
    return target.local;
  };
  async function mailbox(filter: Record<string, string>): Promise<Mail[]> {
    const answer = await fetch(`${local().url}/_longhaul/mailbox?${new URLSearchParams(filter)}`);
    return ((await answer.json()) as { mails: Mail[] }).mails;
  }
  const open = async (link: string | undefined) => {
    const answer = await fetch(link ?? '');
    return { status: answer.status, text: await answer.text() };
  };

  it('tells an address once it has confirmed by the link of its mail', async () => {
    const TopicArn = await createTopic();
    await subscribe({ TopicArn });
    await publish({ TopicArn, Subject: 'Too early' });
    const [confirmation] = await mailbox({ topic: TopicArn });

    const page = await open(confirmation?.link);
    const again = await open(confirmation?.link);
    await publish({ TopicArn, Subject: 'A story for tonight', Message: 'Zoë & Finn\nhttps://example.com/?a=1&b=2' });

    const mails = await mailbox({ topic: TopicArn });
    expect([page.status, again.status]).toEqual([200, 200]);
    expect(page.text).toContain('Subscription confirmed');
    expect(mails.map(({ kind, to, subject }) => `${kind} ${to} ${subject}`)).toEqual([
      'confirmation parent@example.com AWS Notification - Subscription Confirmation',
      'notification parent@example.com A story for tonight',
    ]);
    expect(mails[1]?.text).toMatch(/^Zoë & Finn\nhttps:\/\/example\.com\/\?a=1&b=2\n/);
    expect(await attributesOf(TopicArn)).toMatchObject({ SubscriptionsConfirmed: '1', SubscriptionsPending: '0' });
  });

  it('keeps each mail as a file that mail programs open', async () => {
    const TopicArn = await createTopic();
    await subscribe({ TopicArn, Endpoint: 'files@example.com' });
    const [mail] = await mailbox({ to: 'files@example.com' });

    const lines = (await readFile(mail?.file ?? '', 'utf8')).split('\r\n');

    expect(mail?.file).toMatch(/\.eml$/);
    expect(lines).toEqual(
      expect.arrayContaining(['To: files@example.com', 'MIME-Version: 1.0', TopicArn, mail?.link ?? '?']),
    );
    expect(lines.indexOf('')).toBeGreaterThan(lines.findIndex((line) => line.startsWith('Subject: ')));
    expect(lines.find((line) => line.includes('\n'))).toBeUndefined();
  });

  it('confirms by the operation too, and lets the link at the end of a mail unsubscribe', async () => {
    const TopicArn = await createTopic();
    await subscribe({ TopicArn });
    const [confirmation] = await mailbox({ topic: TopicArn });
    const Token = new URL(confirmation?.link ?? '').searchParams.get('Token') ?? '';

    const { SubscriptionArn } = await sns.send(new ConfirmSubscriptionCommand({ TopicArn, Token }));
    await publish({ TopicArn });
    const left = await open((await mailbox({ topic: TopicArn })).at(-1)?.link);
    await publish({ TopicArn });

    expect(SubscriptionArn).toBe(confirmation?.subscriptionArn);
    expect(left.status).toBe(200);
    expect(await mailbox({ topic: TopicArn })).toHaveLength(2);
    expect(await subscriptionsOf(TopicArn)).toEqual([]);
    expect(await attributesOf(TopicArn)).toMatchObject({ SubscriptionsDeleted: '1' });
    await expect(sns.send(new UnsubscribeCommand({ SubscriptionArn }))).rejects.toMatchObject({
      name: 'NotFoundException',
    });
  });

  it('leaves unsubscribing to the owner where that was asked for', async () => {
    const TopicArn = await createTopic();
    await subscribe({ TopicArn });
    const [confirmation] = await mailbox({ topic: TopicArn });
    const Token = new URL(confirmation?.link ?? '').searchParams.get('Token') ?? '';
    const { SubscriptionArn } = await sns.send(
      new ConfirmSubscriptionCommand({ TopicArn, Token, AuthenticateOnUnsubscribe: 'true' }),
    );
    await publish({ TopicArn });

    expect((await open((await mailbox({ topic: TopicArn })).at(-1)?.link)).status).toBe(403);
    await sns.send(new UnsubscribeCommand({ SubscriptionArn }));
    expect(await subscriptionsOf(TopicArn)).toEqual([]);
  });

  it('sends the confirmation again when it is asked again, and none to who has confirmed', async () => {
    const TopicArn = await createTopic();
    await subscribe({ TopicArn });
    await subscribe({ TopicArn });
    const mails = await mailbox({ topic: TopicArn });
    await open(mails[0]?.link);
    const { SubscriptionArn } = await subscribe({ TopicArn });

    expect(mails.map(({ link }) => link)).toEqual([mails[0]?.link, mails[0]?.link]);
    expect(SubscriptionArn).toBe(mails[0]?.subscriptionArn);
    expect(await mailbox({ topic: TopicArn })).toHaveLength(2);
  });

  it('forgets after two days who has not confirmed', async () => {
    const TopicArn = await createTopic();
    await subscribe({ TopicArn });
    const [mail] = await mailbox({ topic: TopicArn });
    local().kit.clock.advance(2 * 24 * 60 * 60 * 1000);

    expect(await subscriptionsOf(TopicArn)).toEqual([]);
    expect((await open(mail?.link)).status).toBe(400);
  });

  it('answers a link that was changed, without what stands in it', async () => {
    const { status, text } = await open(`${local().url}/confirmation.html?TopicArn=<script>&Token=x`);

    expect(status).toBe(400);
    expect(text).not.toContain('<script>');
  });

  it('gives each protocol its own message where there are several', async () => {
    const TopicArn = await createTopic();
    await subscribe({ TopicArn });
    await open((await mailbox({ topic: TopicArn }))[0]?.link);
    await publish({ TopicArn, MessageStructure: 'json', Message: JSON.stringify({ default: 'short', email: 'long' }) });

    expect((await mailbox({ topic: TopicArn })).at(-1)?.text).toMatch(/^long\n/);
  });

  it('shows subscriptions in pages of a hundred', async () => {
    const TopicArn = await createTopic();
    for (let index = 0; index < 101; index += 1) await subscribe({ TopicArn, Endpoint: `parent${index}@example.com` });

    const first = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
    const { NextToken } = first;
    const second = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn, NextToken }));

    expect([first.Subscriptions?.length, second.Subscriptions?.length]).toEqual([100, 1]);
    expect(second.NextToken).toBeUndefined();
    await expect(sns.send(new ListTopicsCommand({ NextToken: 'nobodys' }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });

  it('keeps topics, subscribers and mails over a restart', async () => {
    const TopicArn = await createTopic();
    await subscribe({ TopicArn });
    await open((await mailbox({ topic: TopicArn }))[0]?.link);
    await target.restart?.('stand-ins', async () => {});
    await publish({ TopicArn });

    expect((await mailbox({ topic: TopicArn })).map(({ kind }) => kind)).toEqual(['confirmation', 'notification']);
  });

  it('has a long line in a mail that keeps to the rules of mails', async () => {
    const TopicArn = await createTopic();
    await subscribe({ TopicArn });
    await open((await mailbox({ topic: TopicArn }))[0]?.link);
    const Message = 'ö'.repeat(2_000);
    await publish({ TopicArn, Message });
    const mail = (await mailbox({ topic: TopicArn })).at(-1);

    const [head = '', body = ''] = (await readFile(mail?.file ?? '', 'utf8')).split('\r\n\r\n');

    expect(head).toContain('Content-Transfer-Encoding: base64');
    expect(Math.max(...body.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(76);
    expect(Buffer.from(body, 'base64').toString('utf8').startsWith(Message)).toBe(true);
  });

  it.each<[string, Partial<SubscribeCommandInput>]>([
    ['protocols it does not have', { Protocol: 'https', Endpoint: 'https://example.com' }],
    ['filters', { Attributes: { FilterPolicy: '{}' } }],
  ])('refuses %s', async (_, input) => {
    const TopicArn = await createTopic();

    await expect(subscribe({ TopicArn, ...input })).rejects.toThrow('this stand-in');
  });
});
