/**
 * A gateway with stories that are written step by step, as the workflow would: items by the store, objects in S3, and a word
 * of each step in the run's log.
 *
 * @module
 */
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { StoryItem, StoryRecord } from '../../lib/story/document.ts';
import { storyLink } from '../../lib/story/link.ts';
import type { Report } from '../../workflows/progress/model.ts';
import { type Part, placeOf, type StoryStatus, storyIdOf, workflowIdOf } from '../../workflows/story/model.ts';
import { type GatewayRig, openGateway, type RigOptions } from './gateway.ts';
import { createMemoryStories, type Stories } from './memory-stories.ts';
import { begunRecord, begunStory, RUN } from './one-story.ts';
import { openStandIns } from './stand-ins.ts';
import { ENGLISH, moonPng, type Written } from './stories.ts';
import { soundFor } from './story-sound.ts';

export const BUCKET = 'stories-test';
export const LINK_KEY = 'a-key-of-tests-with-enough-characters-in-it';
export const FAMILY = 'otters';
const ASSETS = fileURLToPath(new URL('../../dist/stories', import.meta.url));

export interface StoryWorld extends AsyncDisposable {
  url: string;
  rig: GatewayRig;
  stories: Stories;
  s3: S3Client;
  /** Of S3. */
  origin: string;
  /** Moves the gateway's clock, ms. */
  pass(ms: number): void;
  /** Address of the page, with a token until the story goes, or until then (epoch s). */
  link(storyId: string, expiresAt?: number): Promise<string>;
  /** A story nothing is known of but its draw. @returns its id */
  begin(given?: Partial<StoryItem> & { written?: Written }): Promise<string>;
  /** Says something of it in its log. */
  tell(storyId: string, report?: Partial<Report>): Promise<void>;
  text(storyId: string, written?: Written): Promise<void>;
  picture(storyId: string, picture?: { bytes: Uint8Array; mediaType: string; alt: string }): Promise<void>;
  sound(storyId: string, written?: Written, options?: { wordMs?: number; marks?: boolean }): Promise<void>;
  end(storyId: string, status?: StoryStatus): Promise<void>;
  /** All of it, at once. @returns its id */
  whole(written?: Written, given?: Partial<StoryItem>, options?: { wordMs?: number }): Promise<string>;
}

export async function openStoryWorld({
  store: stories = createMemoryStories(),
  linkKey = LINK_KEY,
  ...options
}: { store?: Stories; linkKey?: string } & Omit<RigOptions, 'stories'> = {}): Promise<StoryWorld> {
  const standIns = await openStandIns();
  const { s3 } = standIns;
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  let passed = 0;
  const now = () => Date.now() + passed;
  const rig = await openGateway({
    now,
    ...options,
    stories: {
      store: stories,
      s3,
      bucket: BUCKET,
      linkKey,
      assets: ASSETS,
      pictureSize: { width: 1024, height: 1024 },
    },
  });
  const { protocol, hostname, port } = await endpointOf(s3);
  const at = () => new Date(now()).toISOString();
  let told = 0;

  const put = async (storyId: string, name: string, bytes: Uint8Array | string, type: string) => {
    const key = `${placeOf(storyId)}${name}`;
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: bytes, ContentType: type }));
    return key;
  };
  const keep = async <P extends Part>(storyId: string, part: P, view: StoryItem[P]) => {
    await stories.keepPart(storyId, part, view, at());
    await world.tell(storyId);
  };

  const world: StoryWorld = {
    url: rig.url,
    rig,
    stories,
    s3,
    origin: `${protocol}//${hostname}:${port}`,
    pass(ms) {
      passed += ms;
    },
    async link(storyId, expiresAt) {
      const item = await stories.get(storyId);
      return storyLink(linkKey, rig.url, storyId, expiresAt ?? item?.expires_at ?? Math.floor(now() / 1000) + 3_600);
    },
    async begin({ written = ENGLISH, ...given } = {}) {
      const { item, record } = beginningOf(now(), { language: written.language, ...given });
      await stories.begin(item, record, 10_000_000);
      return item.story_id;
    },
    async tell(storyId, report = {}) {
      told += 1;
      const source = { name: 'workflow', attempt: 1 };
      const [consumer = ''] = storyId.split('/');
      await rig.log.append(workflowIdOf(storyId), { domain: 'story', consumer }, [
        { kind: 'progress', source, localSeq: told, at: now(), ...report },
      ]);
    },
    async text(storyId, { title, paragraphs } = ENGLISH) {
      const words = paragraphs.join(' ').split(/\s+/).length;
      await stories.keepText(storyId, { title, paragraphs, words, at: at() });
      await world.tell(storyId, { kind: 'status', status: 'READY' });
    },
    async picture(
      storyId,
      picture = { bytes: moonPng(), mediaType: 'image/png', alt: 'A yellow moon over a dark hill' },
    ) {
      const key = await put(storyId, `image-${picture.bytes.length}`, picture.bytes, picture.mediaType);
      await keep(storyId, 'image', { state: 'READY', key, media_type: picture.mediaType, alt: picture.alt });
    },
    async sound(storyId, { title, paragraphs } = ENGLISH, { wordMs, marks: marked = true } = {}) {
      const { bytes, marks } = await soundFor(title, paragraphs, wordMs);
      const key = await put(storyId, `audio-${bytes.length}`, bytes, 'audio/mpeg');
      const marks_key = await put(storyId, `marks-${bytes.length}`, JSON.stringify(marks), 'application/json');
      const { seconds } = marks;
      await keep(storyId, 'audio', {
        state: 'READY',
        key,
        media_type: 'audio/mpeg',
        seconds,
        ...(marked && { marks_key }),
      });
    },
    async end(storyId, status = 'COMPLETE') {
      await stories.keepEnd(storyId, RUN, status, at());
      const [item, record] = await Promise.all([
        stories.get(storyId),
        stories.record(...(storyId.split('/') as [string, string])),
      ]);
      if (record) await stories.settle(record, { status, ...titleOf(item), ended_at: at() }, 0);
      await world.tell(storyId, { kind: 'end', status });
    },
    async whole(written = ENGLISH, given = {}, options = {}) {
      const storyId = await world.begin({ written, ...given });
      await world.text(storyId, written);
      await world.picture(storyId);
      await world.sound(storyId, written, options);
      await world.end(storyId);
      return storyId;
    },
    async [Symbol.asyncDispose]() {
      await rig.close();
      await standIns.close();
    },
  };
  return world;
}

const titleOf = (item: StoryItem | undefined) => (item?.title === undefined ? {} : { title: item.title });

const endpointOf = async (s3: S3Client) => {
  const endpoint = await s3.config.endpoint?.();
  if (!endpoint) throw new Error('the client has no endpoint');
  return endpoint;
};

let nights = 0;

/** @param now epoch ms; it goes two days after `created_at` */
export function beginningOf(now: number, given: Partial<StoryItem> = {}): { item: StoryItem; record: StoryRecord } {
  nights += 1;
  const night = given.night ?? new Date(Date.UTC(2026, 0, nights)).toISOString().slice(0, 10);
  const created = given.created_at === undefined ? now : Date.parse(given.created_at);
  const item = begunStory(storyIdOf(given.family ?? FAMILY, night), created, given);
  const title = given.title !== undefined && { title: given.title };
  return { item, record: { ...begunRecord(item), status: item.status, reserved: 1_000, ...title } };
}
