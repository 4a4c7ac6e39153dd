/**
 * A story spoken by Polly and kept in S3 and DynamoDB: sound that plays, and marks that lie in it; and the mail's claim, on
 * the real table.
 */

import { PollyClient } from '@aws-sdk/client-polly';
import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAudioActivities } from '../../activities/story/audio.ts';
import type { StoryDependencies } from '../../activities/story/dependencies.ts';
import { StoryStore } from '../../lib/store/stories.ts';
import type { SpeechMarks } from '../../lib/story/document.ts';
import { millisecondsOf, readMp3 } from '../../lib/story/mp3.ts';
import type { PartResult } from '../../workflows/story/model.ts';
import { freshTables } from '../support/fresh-tables.ts';
import type { OneStory } from '../support/one-story.ts';
import { itemOf, recordOf } from '../support/story-costs.ts';
import { openStoryVoice, type StoryVoice } from '../support/story-voice.ts';
import { openTarget, type Target } from './target.ts';

const tables = freshTables();
const NOW = Date.parse('2026-11-26T18:15:00Z');
const ITEM = itemOf({
  status: 'READY',
  language: 'en-GB',
  voice: 'Amy',
  engine: 'neural',
  expires_at: NOW / 1000 + 2 * 86_400,
  title: 'The Owl’s Lamp',
  paragraphs: [
    'Parker the owl had a lamp that would glow,\nand Jackson the mouse kept it steady below.',
    'They walked through the woods – “are we lost?” whispered he, and señor Fuchs laughed in the tallest tree. '
      .repeat(10)
      .trim(),
    '🦉 “Good night,” said the moon.',
  ],
  words: 230,
});
let stories: StoryStore;
beforeEach(async () => {
  stories = new StoryStore(tables.client, tables.names);
  await stories.begin(ITEM, recordOf({ reserved: 0 }), 1_000_000);
});

describe('speakStory', () => {
  let target: Target;
  let clients: { s3: S3Client; polly: PollyClient };
  let bucket: string;
  beforeAll(async () => {
    target = await openTarget();
    bucket = target.unique('voice');
    clients = {
      s3: new S3Client(target.client),
      polly: new PollyClient({ ...target.client, requestHandler: new NodeHttpHandler() }),
    };
    await clients.s3.send(new CreateBucketCommand({ Bucket: bucket }));
  });
  afterAll(async () => {
    for (const client of Object.values(clients)) client.destroy();
    await target.close();
  });

  const speak = async () => {
    const { speakStory } = createAudioActivities({
      ...clients,
      stories,
      settings: { bucket },
      now: () => NOW,
    } as unknown as StoryDependencies);
    return (await new MockActivityEnvironment().run(speakStory, { storyId: ITEM.story_id })) as PartResult;
  };
  const read = async (key = '') => {
    const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };

  it('keeps one sound of several parts, with every word at its place in text and time, and its bill', async () => {
    expect(await speak()).toEqual({ state: 'READY' });

    const { audio } = (await stories.get(ITEM.story_id)) ?? {};
    const sound = readMp3(await read(audio?.key));
    const { seconds, words } = JSON.parse((await read(audio?.marks_key)).toString('utf8')) as SpeechMarks;
    expect(seconds).toBeCloseTo(millisecondsOf(sound) / 1000, 3);
    expect(audio).toMatchObject({ state: 'READY', media_type: 'audio/mpeg', seconds });
    // A calm reader says two to four words a second.
    expect(words.length / seconds).toBeGreaterThan(1.5);
    expect(words.length / seconds).toBeLessThan(4.5);
    const texts = [ITEM.title ?? '', ...(ITEM.paragraphs ?? [])];
    const segmenter = new Intl.Segmenter('en-GB', { granularity: 'word' });
    const expected = texts.flatMap((text) =>
      [...segmenter.segment(text)].flatMap(({ segment, isWordLike }) => (isWordLike ? [segment] : [])),
    );
    expect(words.map(({ paragraph, from, to }) => texts[paragraph + 1]?.slice(from, to))).toEqual(expected);
    words.forEach(({ start, end }, index) => {
      expect(start).toBeGreaterThanOrEqual(words[index - 1]?.end ?? 0);
      expect(end).toBeGreaterThanOrEqual(start);
    });
    expect(words.at(-1)?.end).toBeLessThanOrEqual(seconds * 1000 + 1);
    const { family, night } = ITEM;
    const characters = Array.from(texts.join('\n\n')).length;
    const { usage } = (await stories.record(family, night)) ?? {};
    expect(usage?.audio).toMatchObject({ service: 'polly', model: 'neural' });
    // Cut between sentences, a part needs no empty line before it.
    expect(usage?.audio?.characters).toBeGreaterThan(2 * (characters - 10));
    expect(usage?.audio?.characters).toBeLessThanOrEqual(2 * characters);
  });
});

describe('notifyFamily', () => {
  let voice: StoryVoice;
  beforeAll(async () => {
    voice = await openStoryVoice();
  });
  afterAll(() => voice.close());
  beforeEach(() => {
    voice.begin();
    voice.storyId = ITEM.story_id;
    voice.story = stories as unknown as OneStory;
  });
  const mail = async () => (await stories.get(ITEM.story_id))?.mail.state;

  it('sends one mail, however many are at it', async () => {
    await Promise.all(Array.from({ length: 8 }, () => voice.notify()));

    expect(voice.topic.published).toHaveLength(1);
    expect(await mail()).toBe('READY');
  });

  it('is uncertain when the answer is lost, and not sent by whoever comes next', async () => {
    voice.standIns.kit.faults.set([{ service: 'sns', operation: 'Publish', effect: 'reset', when: 'after' }]);

    expect(await voice.notify()).toEqual({ state: 'UNCERTAIN' });
    expect(await voice.notify()).toEqual({ state: 'UNCERTAIN' });
    expect(await mail()).toBe('UNCERTAIN');
    expect(voice.topic.published).toHaveLength(1);
  });

  it('is sent by the next try when SNS has refused it for now', async () => {
    voice.standIns.kit.faults.set([
      { service: 'sns', operation: 'Publish', effect: 'error', status: 429, code: 'Throttled' },
    ]);
    await expect(voice.notify()).rejects.toThrow();
    expect(await mail()).toBe('PENDING');

    expect(await voice.notify()).toEqual({ state: 'READY' });
  });
});
