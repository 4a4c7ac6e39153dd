/** StoryCreated says that a story can be read, in a form of its own. */
import { readFileSync } from 'node:fs';
import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LOCAL_PLACE } from '../../infra/local/aws/ports.ts';
import { InvalidStoryEventError, readStoryCreated, storyCreated } from '../../lib/story/story-event.ts';
import { openStoryVoice, type StoryVoice } from '../support/story-voice.ts';

let voice: StoryVoice;
let QueueUrl: string | undefined;
beforeAll(async () => {
  voice = await openStoryVoice();
  const { sqs, events } = voice.standIns;
  const Arn = `arn:aws:sqs:${LOCAL_PLACE.region}:${LOCAL_PLACE.accountId}:stories`;
  const Statement = [
    { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: Arn },
  ];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  ({ QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'stories', Attributes: { Policy } })));
  const EventPattern = JSON.stringify({ source: ['longhaul.story'], 'detail-type': ['StoryCreated'] });
  await events.send(new PutRuleCommand({ Name: 'stories', EventPattern }));
  await events.send(new PutTargetsCommand({ Rule: 'stories', Targets: [{ Id: 'queue', Arn }] }));
});
afterAll(() => voice.close());
beforeEach(() => voice.begin());

const received = async () => {
  const { Messages = [] } = await voice.standIns.sqs.send(
    new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20, MaxNumberOfMessages: 10 }),
  );
  return Messages.map(({ Body = '' }) => JSON.parse(Body) as { detail: { storyId: string } });
};
/** Waits for as many. */
async function ofStory(storyId: string, count = 1): Promise<{ detail: { storyId: string } }[]> {
  const found: { detail: { storyId: string } }[] = [];
  while (found.length < count) found.push(...(await received()).filter(({ detail }) => detail.storyId === storyId));
  return found;
}
const FIXTURE = new URL('./fixtures/story-created.json', import.meta.url);

describe('announceStory', () => {
  it('puts one event on the bus, and says so', async () => {
    expect(await voice.announce()).toEqual({ state: 'READY' });

    expect(voice.story.item?.event).toEqual({ state: 'READY', at: '2026-11-26T18:15:00.000Z' });
    const [event] = await ofStory(voice.storyId);
    expect(event).toMatchObject({ source: 'longhaul.story', 'detail-type': 'StoryCreated' });
    expect(readStoryCreated(event?.detail)).toEqual({
      version: '1',
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      storyId: voice.storyId,
      family: 'moon',
      createdAt: '2026-11-26T18:15:00.000Z',
      expiresAt: '2026-11-28T18:15:00.000Z',
      title: 'The Owl and the Lamp',
      words: 27,
      language: 'en-GB',
    });
    const before = voice.standIns.kit.calls.lastSeq;
    expect(await voice.announce()).toEqual({ state: 'READY' });
    expect(voice.standIns.kit.calls.list({ afterSeq: before })).toEqual([]);
  });

  it('gives a repeat the same id, and another story another', async () => {
    voice.story.before = () => {
      voice.story.before = () => {};
      throw new Error('DynamoDB is away');
    };
    await expect(voice.announce()).rejects.toThrow('DynamoDB is away');
    await voice.announce();
    const twice = await ofStory(voice.storyId, 2);
    voice.begin();
    await voice.announce();
    const other = await ofStory(voice.storyId);

    const ids = [...twice, ...other].map(({ detail }) => readStoryCreated(detail).id);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  it.each([{ effect: 'throttle' as const }, { effect: 'error' as const, status: 500 }])(
    'is tried again after $effect',
    async (rule) => {
      voice.standIns.kit.faults.set([{ service: 'events', operation: 'PutEvents', times: 3, ...rule }]);

      await expect(voice.announce()).rejects.not.toHaveProperty('nonRetryable', true);
      expect(voice.story.item?.event.state).toBe('PENDING');
      expect(await voice.announce()).toEqual({ state: 'READY' });
      expect(await ofStory(voice.storyId)).toHaveLength(1);
    },
  );

  it('is tried again when the entry was not taken', async () => {
    const { events } = voice.standIns;
    const { send } = events;
    events.send = (async () => ({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'InternalFailure' }] })) as never;
    try {
      await expect(voice.announce()).rejects.toThrow('EventBridge did not take StoryCreated (InternalFailure)');
    } finally {
      events.send = send;
    }
    expect(voice.story.item?.event.state).toBe('PENDING');
  });

  it.each([
    ['AccessDeniedException', /allow events:PutEvents/],
    ['ResourceNotFoundException', /on the bus default \(ResourceNotFoundException\).*LONGHAUL_STORY_BUS/],
  ])('gives up on %s', async (code, says) => {
    voice.standIns.kit.faults.set([{ service: 'events', operation: 'PutEvents', effect: 'error', status: 400, code }]);

    const failure = voice.announce();

    await expect(failure).rejects.toMatchObject({ type: 'StoryRejectedError', nonRetryable: true });
    await expect(failure).rejects.toThrow(says);
  });
});

describe('readStoryCreated', () => {
  const detail = storyCreated({
    storyId: 'moon/2026-11-26',
    family: 'moon',
    createdAt: '2026-11-26T18:15:00.000Z',
    expiresAt: Date.parse('2026-11-28T18:15:00Z') / 1000,
    title: 'The Owl and the Lamp',
    words: 212,
    language: 'en-GB',
  });

  it('is what consumers were promised: the event kept in test/events', () => {
    const kept = JSON.parse(readFileSync(FIXTURE, 'utf8')) as { detail: unknown };
    expect(readStoryCreated(kept.detail)).toEqual(detail);
  });

  it('leaves fields alone that it does not know', () => {
    expect(readStoryCreated({ ...detail, mood: 'sleepy' })).toMatchObject(detail);
  });

  it.each([
    [{ version: '2' }, 'detail.version is not "1": bring this consumer up to date'],
    [{ words: 0 }, 'detail.words must be >= 1'],
    [{ words: '212' }, 'detail.words must be integer'],
    [{ title: undefined }, "detail must have required property 'title'"],
    [{ storyId: '../../etc' }, 'detail.storyId must match pattern'],
    [{ createdAt: 'yesterday' }, 'detail.createdAt must match format "date-time"'],
    [{ id: 'x' }, 'detail.id must match pattern'],
  ])('refuses %j, and says what is wrong', (change, message) => {
    const read = () => readStoryCreated(JSON.parse(JSON.stringify({ ...detail, ...change })));
    expect(read).toThrow(InvalidStoryEventError);
    expect(read).toThrow(message);
  });

  it.each([undefined, null, 'text', [], 7])('refuses %j', (value) => {
    expect(() => readStoryCreated(value)).toThrow(InvalidStoryEventError);
  });
});
