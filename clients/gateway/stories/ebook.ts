/**
 * A story as an EPUB, with what there is of picture and sound by now.
 *
 * @module
 */
import type { StoryItem } from '../../../lib/story/document.ts';
import { type EpubInput, epubOf } from '../../../lib/story/epub.ts';
import type { StoryObjects } from '../../../lib/story/objects.ts';
import { pictureOf, soundOf } from '../../../lib/story/read.ts';

/** Each holds a whole story in memory for a moment. */
const AT_A_TIME = 4;

export interface Ebooks {
  /** @returns undefined when too many are being made */
  make(item: StoryItem): Promise<Uint8Array | undefined>;
}

export function createEbooks(objects: Pick<StoryObjects, 'bytes' | 'marks'>): Ebooks {
  let making = 0;
  return {
    async make(item) {
      if (making >= AT_A_TIME) return undefined;
      making += 1;
      try {
        return epubOf(await inputOf(item, objects));
      } finally {
        making -= 1;
      }
    },
  };
}

async function inputOf(item: StoryItem, objects: Pick<StoryObjects, 'bytes' | 'marks'>): Promise<EpubInput> {
  const picture = pictureOf(item);
  const sound = soundOf(item);
  const marksKey = sound && item.audio.marks_key;
  const [pictureBytes, soundBytes, marks] = await Promise.all([
    picture && objects.bytes(picture.key),
    sound && objects.bytes(sound.key),
    marksKey === undefined ? undefined : objects.marks(marksKey),
  ]);
  return {
    storyId: item.story_id,
    title: item.title ?? '',
    paragraphs: item.paragraphs ?? [],
    language: item.language,
    changedAt: item.updated_at,
    ...(picture &&
      pictureBytes && { picture: { bytes: pictureBytes, mediaType: picture.mediaType, alt: item.image.alt ?? '' } }),
    ...(sound && soundBytes && { sound: { bytes: soundBytes, mediaType: sound.mediaType, ...(marks && { marks }) } }),
  };
}
