/**
 * What is kept of a story, a family and the cast: the items of the tables, and what readers get. Names are those of DynamoDB
 * (snake case) in items.
 *
 * @module
 */
import type { Part, PartState, StoryStatus } from '../../workflows/story/model.ts';

/** Item of `Families`. A family is an opaque id with settings: no names of people, no addresses; those are SNS's. */
export interface Family {
  family: string;
  /** IANA name, such as `Europe/Berlin`. */
  time_zone: string;
  /** Local time of day, `19:15`. */
  at: string;
  /** BCP 47, such as `en-GB`: of the text and the voice. */
  language: string;
  /** A voice of Polly, such as `Amy`. */
  voice: string;
  /** `standard`, `neural` or `long-form`: those that have speech marks. */
  engine: SpeechEngine;
  min_words: number;
  /** The mail waits for picture and voice. */
  wait_for_all: boolean;
  /** USD as a decimal number; of one story, and of all of a calendar month (UTC). */
  story_limit_usd: string;
  month_limit_usd: string;
  /** A night the server slept through is made up for within so many minutes. */
  catchup_minutes: number;
  /** Of SNS; its subscribers get the mail. Absent: nobody is told. */
  topic_arn?: string;
  created_at: string;
}

export const SPEECH_ENGINES = ['standard', 'neural', 'long-form'] as const;
export type SpeechEngine = (typeof SPEECH_ENGINES)[number];

/** Item of `Characters` and of `Scenes`: key `family`, `card`. */
export interface Card {
  family: string;
  /** What it is called by in commands: `cardIdOf(name)`. */
  card: string;
  name: string;
  /** How a picture shows it. */
  looks?: string;
  created_at: string;
}

/** Card ids of a story. */
export interface Cast {
  characters: readonly string[];
  scene: string;
}

/** Who is in tonight's story. */
export interface Draw {
  /** Two names. */
  characters: readonly { name: string; looks?: string }[];
  scene: { name: string; looks?: string };
}

export interface PartView {
  state: PartState;
  /** ISO 8601: since when it is in that state. */
  at?: string;
  reason?: string;
  /** Of the mail, while it is being sent: whose call it is. */
  claim?: string;
}

export interface ImagePart extends PartView {
  /** Key in the bucket; `image/png`, `image/webp`, `image/jpeg` or `image/svg+xml`. */
  key?: string;
  media_type?: string;
  /** Alternative text. */
  alt?: string;
}

export interface AudioPart extends PartView {
  /** Keys in the bucket: the sound (`audio/mpeg`) and {@link SpeechMarks}. */
  key?: string;
  media_type?: string;
  marks_key?: string;
  seconds?: number;
}

/** Item of `Stories`, key `story_id`; it goes two days after the story was begun (`expires_at`, TTL). */
export interface StoryItem {
  story_id: string;
  family: string;
  night: string;
  workflow_id: string;
  run_id: string;
  status: StoryStatus;
  draw: Draw;
  language: string;
  voice: string;
  engine: SpeechEngine;
  min_words: number;
  created_at: string;
  updated_at: string;
  /** Epoch seconds. DynamoDB deletes late: whoever reads has to look. */
  expires_at: number;
  title?: string;
  paragraphs?: readonly string[];
  words?: number;
  image: ImagePart;
  audio: AudioPart;
  mail: PartView;
  event: PartView;
}

/** What outlives the text, without end: item of `StoryRecords`, key `family`, `entry` = `night#<night>`. */
export interface StoryRecord {
  family: string;
  entry: string;
  story_id: string;
  night: string;
  status: StoryStatus;
  /** Of the workflow whose run it is, which alone may change it. */
  run_id: string;
  /** From 1, one a run. */
  attempt: number;
  /** Who was in it: the next nights draw others. */
  cast: Cast;
  /** Of the index by_created. */
  created_at: string;
  ended_at?: string;
  title?: string;
  words?: number;
  parts?: Readonly<Record<Part, PartState>>;
  /** By what was looked at: `prompt`, `text-1`, `image-prompt`, `image`. */
  verdicts: Readonly<Record<string, Verdict>>;
  /**
   * Paid calls, by stage: `text-1`, `text-2`, `image-1`, `image-2`, `audio`. Repeats overwrite themselves; a stage that was
   * made again from something else has `@` and digits of its hash behind.
   */
  usage: Readonly<Record<string, StageUsage>>;
  /** Micro-USD: the upper bound that was taken from the month, set free at the end. */
  reserved: number;
  /** `2026-11`, which month it was taken from. */
  month: string;
  /** USD as a decimal number, once it has ended; what could not be priced is not in it. */
  cost?: string;
  unpriced?: readonly string[];
  settled?: boolean;
  /**
   * Micro-USD of attempts that have been settled: the month has them already. Where something could not be priced, it is all
   * that was reserved.
   */
  spent?: number;
  error?: { type: string; message: string };
}

/** Item of the same table, entry `month#<2026-11>`: micro-USD that stories have spent or may still spend. */
export interface MonthItem {
  family: string;
  entry: string;
  committed: number;
}

export interface Verdict {
  /** Of the moderation model. */
  model: string;
  flagged: boolean;
  /** OpenAI's names of those that were flagged. */
  categories: readonly string[];
  /** `digestOf` of what was looked at. */
  hash: string;
  at: string;
}

/** What one stage was billed for, as the service itself told. */
export interface StageUsage {
  service: 'openai' | 'polly';
  /** Model of OpenAI; engine of Polly. */
  model: string;
  at: string;
  /** `digestOf` of what the stage was made from: the same is not paid again. */
  hash: string;
  inputTokens?: number;
  /** Of input tokens. */
  cachedInputTokens?: number;
  outputTokens?: number;
  /** Of output tokens: those of pictures. */
  imageTokens?: number;
  pictures?: number;
  /** Billed by Polly: the sum over all requests, those for speech and those for marks. */
  characters?: number;
}

/** `audio/…` is read along by these: JSON in the bucket, and for readers as it is. */
export interface SpeechMarks {
  version: 1;
  /** Of the whole sound. */
  seconds: number;
  /** In the order they are spoken. */
  words: readonly WordMark[];
}

export interface WordMark {
  /** ms from the begin of the sound. */
  start: number;
  end: number;
  /** -1: the title; else the index of the paragraph. */
  paragraph: number;
  /** UTF-16 code units within the title or paragraph, from (included) to (excluded). */
  from: number;
  to: number;
}

/** What the page of a story gets: nothing of a story that has gone. Addresses of sound and picture are signed as it is read. */
export interface ReadableStory {
  storyId: string;
  status: StoryStatus;
  title: string;
  paragraphs: readonly string[];
  language: string;
  createdAt: string;
  expiresAt: string;
  image: { state: PartState; url?: string; mediaType?: string; alt?: string };
  audio: { state: PartState; url?: string; mediaType?: string; seconds?: number; marksUrl?: string };
}

/** The entry of the book of past titles. */
export interface BookEntry {
  storyId: string;
  night: string;
  createdAt: string;
  status: StoryStatus;
  title?: string;
  words?: number;
  parts?: Readonly<Record<Part, PartState>>;
  cost?: string;
  /** Something was flagged on the way. */
  flagged: boolean;
  /** Its text is there still. */
  readable: boolean;
}
