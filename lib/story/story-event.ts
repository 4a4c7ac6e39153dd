/**
 * The event StoryCreated: what is told of a story to whoever listens on the bus. Its form is its own, whatever becomes of the
 * tables: story-created.schema.json.
 *
 * @module
 */

import { schemaCheck } from '../../workflows/kit/schema.ts';
import { digestOf } from '../digest.ts';
import schema from './story-created.schema.json' with { type: 'json' };

export const STORY_EVENT_SOURCE = 'longhaul.story';
export const STORY_CREATED = 'StoryCreated';
const VERSION = '1';

/** `detail` of the event. */
export interface StoryCreated {
  version: typeof VERSION;
  /** Of the event: a repeat has the same. */
  id: string;
  storyId: string;
  family: string;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601: until when it can be read. */
  expiresAt: string;
  title: string;
  words: number;
  /** BCP 47. */
  language: string;
}

/** The message says which field is wrong, not what stands in it. */
export class InvalidStoryEventError extends Error {
  override readonly name = 'InvalidStoryEventError';
}

/** As RFC 3339, which JSON Schema means by date-time, and ISO 8601 have it in common. */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

const check = schemaCheck<StoryCreated>(schema, {
  formats: { 'date-time': (text: string) => DATE_TIME.test(text) && !Number.isNaN(Date.parse(text)) },
});

/** @param story.expiresAt epoch seconds */
export function storyCreated(
  story: Pick<StoryCreated, 'storyId' | 'family' | 'createdAt' | 'title' | 'words' | 'language'> & {
    expiresAt: number;
  },
): StoryCreated {
  const { storyId, family, createdAt, title, words, language } = story;
  return {
    version: VERSION,
    id: digestOf({ type: STORY_CREATED, version: VERSION, storyId }),
    storyId,
    family,
    createdAt,
    expiresAt: new Date(story.expiresAt * 1000).toISOString(),
    title,
    words,
    language,
  };
}

/**
 * Reads the `detail` of an event, parsed from JSON. Fields that this version does not know are left alone.
 * @throws InvalidStoryEventError
 */
export function readStoryCreated(detail: unknown): StoryCreated {
  const validate = check();
  if (validate(detail)) return detail;
  const [problem] = validate.errors ?? [];
  const where = `detail${(problem?.instancePath ?? '').replaceAll('/', '.')}`;
  throw new InvalidStoryEventError(
    where === 'detail.version'
      ? `${where} is not "${VERSION}": bring this consumer up to date`
      : `${where} ${problem?.message ?? 'is wrong'}: see story-created.schema.json`,
  );
}
