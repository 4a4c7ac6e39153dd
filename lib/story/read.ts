/**
 * What readers get of stories: whether one is there at all, and then everything of it but what it was made from.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { isEnded, storyIdOf } from '../../workflows/story/model.ts';
import type { StoryStore } from '../store/stories.ts';
import type { BookEntry, ReadableStory, StoryItem, StoryRecord } from './document.ts';
import { expiryOf, mayBeThere, unexpired } from './expiry.ts';
import { isPicture, isSound } from './media-types.ts';

/** `gone`: its two days are over, whatever the table still has. `unknown`: there never was one. */
export type Found = { outcome: 'there'; item: StoryItem } | { outcome: 'gone' } | { outcome: 'unknown' };

/** @param now epoch ms */
export async function findStory(
  stories: Pick<StoryStore, 'get' | 'record'>,
  { family, night }: { family: string; night: string },
  now: number,
): Promise<Found> {
  const kept = await stories.get(storyIdOf(family, night));
  const item = unexpired(kept, now);
  if (item) return { outcome: 'there', item };
  if (kept || (await stories.record(family, night))) return { outcome: 'gone' };
  return { outcome: 'unknown' };
}

export interface StoryObject {
  key: string;
  mediaType: string;
}

export const pictureOf = ({ image }: Pick<StoryItem, 'image'>): StoryObject | undefined =>
  (image.state === 'READY' || image.state === 'STOCK') && image.key !== undefined && isPicture(image.media_type)
    ? { key: image.key, mediaType: image.media_type as string }
    : undefined;

export const soundOf = ({ audio }: Pick<StoryItem, 'audio'>): StoryObject | undefined =>
  audio.state === 'READY' && audio.key !== undefined && isSound(audio.media_type)
    ? { key: audio.key, mediaType: audio.media_type as string }
    : undefined;

export interface Addresses {
  /** Of an object in the bucket, for as long as it takes to read the story. */
  sign(object: StoryObject): Promise<string>;
  /** Of the speech marks. */
  marks: string;
}

export async function readableOf(item: StoryItem, addresses: Addresses): Promise<ReadableStory> {
  const picture = pictureOf(item);
  const sound = soundOf(item);
  const [pictureUrl, soundUrl] = await Promise.all(
    [picture, sound].map(async (object) => object && addresses.sign(object)),
  );
  const { image, audio } = item;
  return {
    storyId: item.story_id,
    status: item.status,
    title: item.title ?? '',
    paragraphs: item.paragraphs ?? [],
    language: item.language,
    createdAt: item.created_at,
    expiresAt: expiryOf(item),
    image: {
      state: image.state,
      ...(picture &&
        pictureUrl !== undefined && { url: pictureUrl, mediaType: picture.mediaType, alt: image.alt ?? '' }),
    },
    audio: {
      state: audio.state,
      ...(sound &&
        soundUrl !== undefined && {
          url: soundUrl,
          mediaType: sound.mediaType,
          ...(audio.seconds !== undefined && { seconds: audio.seconds }),
          ...(audio.marks_key !== undefined && { marksUrl: addresses.marks }),
        }),
    },
  };
}

/** Another one whenever readers would get something else; addresses, which are signed anew each time, do not count. */
export function versionOf(item: StoryItem): string {
  const { status, title, paragraphs, language, expires_at, image, audio } = item;
  const told = [status, title, paragraphs, language, expires_at, partOf(image), partOf(audio)];
  return createHash('sha256').update(JSON.stringify(told)).digest('base64url').slice(0, 22);
}

const partOf = (part: StoryItem['image'] | StoryItem['audio']) => ({ ...part, at: undefined, reason: undefined });

const TITLE_CHARACTERS = 300;

/** @param now epoch ms */
export function bookEntryOf(record: StoryRecord, now: number): BookEntry {
  const { story_id, night, created_at, status, title, words, parts, cost, verdicts } = record;
  return {
    storyId: story_id,
    night,
    createdAt: created_at,
    status,
    ...(title !== undefined && { title: title.slice(0, TITLE_CHARACTERS) }),
    ...(words !== undefined && { words }),
    ...(parts && { parts }),
    ...(cost !== undefined && { cost }),
    flagged: Object.values(verdicts).some(({ flagged }) => flagged),
    readable: mayBeThere(record, now) && (status === 'COMPLETE' || !isEnded(status)),
  };
}
