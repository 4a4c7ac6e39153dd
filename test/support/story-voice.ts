/**
 * The activities that speak, mail and announce, over real clients: S3 and EventBridge's stand-ins, a voice that hums, a topic,
 * and a story in memory.
 *
 * @module
 */

import { PollyClient } from '@aws-sdk/client-polly';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createAudioActivities } from '../../activities/story/audio.ts';
import type { StoryDependencies } from '../../activities/story/dependencies.ts';
import { createEventActivities } from '../../activities/story/event.ts';
import { createMailActivities } from '../../activities/story/mail.ts';
import type { Family, StoryItem } from '../../lib/story/document.ts';
import type { PartResult } from '../../workflows/story/model.ts';
import { type MemoryTopic, memoryTopic, TOPIC } from './memory-topic.ts';
import { begunStory, OneStory } from './one-story.ts';
import { openStandIns, type StandIns } from './stand-ins.ts';
import { familyItem } from './story-family.ts';
import { type TonePolly, tonePolly } from './tone-polly.ts';

export const BUCKET = 'longhaul';
export const NOW = Date.parse('2026-11-26T18:15:00Z');
const KEY = 'a key of thirty-two characters ok';

export interface StoryVoice {
  standIns: StandIns;
  polly: TonePolly;
  topic: MemoryTopic;
  story: OneStory;
  family: Family | undefined;
  settings: StoryDependencies['settings'];
  storyId: string;
  /** One attempt, by a worker that has just begun. */
  speak(environment?: MockActivityEnvironment): Promise<PartResult>;
  notify(): Promise<PartResult>;
  announce(): Promise<PartResult>;
  /** Below the story's place. */
  keys(): Promise<string[]>;
  bytes(key: string): Promise<Buffer>;
  /** Anew: another story, nothing asked for. */
  begin(change?: Partial<StoryItem>): void;
  close(): Promise<void>;
}

const WRITTEN: Partial<StoryItem> = {
  status: 'READY',
  title: 'The Owl and the Lamp',
  paragraphs: [
    'Parker the owl had a lamp that would glow,\nand Jackson the mouse kept it steady below.',
    'They walked through the woods, “Are we lost?” whispered he – no.',
  ],
  words: 27,
};
const story = (id: string, change: Partial<StoryItem> = {}) =>
  new OneStory(begunStory(id, NOW, { ...WRITTEN, night: '2026-11-26', ...change }));

const FAMILY = familyItem({
  story_limit_usd: '1',
  catchup_minutes: 60,
  topic_arn: TOPIC,
  created_at: new Date(NOW).toISOString(),
});

/** @param options.requestTimeout ms that SNS has to answer */
export async function openStoryVoice(options: { requestTimeout?: number } = {}): Promise<StoryVoice> {
  const [polly, topic] = [tonePolly(), memoryTopic()];
  const standIns = await openStandIns([polly.service, topic.service]);
  await standIns.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const clients = {
    // As lib/story/clients.ts makes them, but unpaced.
    polly: new PollyClient({ ...standIns.settings, maxAttempts: 1, requestHandler: new NodeHttpHandler() }),
    sns: new SNSClient({
      ...standIns.settings,
      maxAttempts: 1,
      requestHandler: { requestTimeout: options.requestTimeout ?? 10_000, throwOnRequestTimeout: true },
    }),
  };
  let nth = 0;
  const dependencies = (): StoryDependencies =>
    ({
      stories: voice.story,
      families: { get: async () => voice.family },
      s3: standIns.s3,
      events: standIns.events,
      ...clients,
      settings: voice.settings,
      now: () => NOW,
    }) as unknown as StoryDependencies;
  const attempt = async (run: () => Promise<PartResult>, environment = new MockActivityEnvironment()) =>
    (await environment.run(run)) as PartResult;
  const voice: StoryVoice = {
    standIns,
    polly,
    topic,
    story: story('moon/0'),
    family: FAMILY,
    settings: {} as StoryDependencies['settings'],
    storyId: '',
    speak: (environment) =>
      attempt(() => createAudioActivities(dependencies()).speakStory({ storyId: voice.storyId }), environment),
    notify: () => attempt(() => createMailActivities(dependencies()).notifyFamily({ storyId: voice.storyId })),
    announce: () => attempt(() => createEventActivities(dependencies()).announceStory({ storyId: voice.storyId })),
    async keys() {
      const Prefix = `stories/${voice.storyId}/`;
      const { Contents = [] } = await standIns.s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix }));
      return Contents.map(({ Key = '' }) => Key.slice(Prefix.length));
    },
    async bytes(key) {
      const { Body } = await standIns.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    begin(change = {}) {
      nth += 1;
      voice.storyId = `moon/00000000-0000-4000-8000-${String(nth).padStart(12, '0')}`;
      voice.story = story(voice.storyId, change);
      voice.family = { ...FAMILY };
      voice.settings = {
        bucket: BUCKET,
        storyLinkKey: KEY,
        storyUrl: 'https://stories.example',
        storyBus: 'default',
      } as StoryDependencies['settings'];
      polly.requests.length = 0;
      polly.billed = 0;
      polly.tempo = 1;
      polly.marks = (lines) => lines;
      polly.sound = (bytes) => bytes;
      topic.published.length = 0;
      standIns.kit.faults.set([]);
    },
    async close() {
      for (const client of Object.values(clients)) client.destroy();
      await standIns.close();
    },
  };
  voice.begin();
  return voice;
}
