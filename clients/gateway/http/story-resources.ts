/**
 * The resources of clients/live/stories.ts as JSON Schema.
 *
 * @module
 */
import { SPEECH_ENGINES } from '../../../lib/story/document.ts';
import { PART_STATES, PARTS, STORY_STATUSES } from '../../../workflows/story/model.ts';
import {
  about,
  anything,
  decimal,
  flag,
  integer,
  isoTime,
  list,
  map,
  number,
  object,
  ref,
  type Schema,
  text,
} from './schema-kit.ts';

const schedule = object(
  { state: { type: 'string', enum: ['active', 'paused', 'missing'] }, next: list(isoTime) },
  { until: about(text, 'Local date: the first night again.') },
);
const settings: Readonly<Record<string, Schema>> = {
  timeZone: text,
  at: text,
  language: text,
  voice: text,
  engine: { type: 'string', enum: [...SPEECH_ENGINES] },
  minWords: integer,
  waitForAll: flag,
  storyLimitUsd: decimal,
  monthLimitUsd: decimal,
  catchupMinutes: integer,
};
const family: Readonly<Record<string, Schema>> = { family: text, ...settings, createdAt: isoTime, schedule };

const ofParts = (schema: Schema): Schema => object(Object.fromEntries(PARTS.map((part) => [part, schema])));
const state: Schema = { type: 'string', enum: [...PART_STATES] };
const row: Readonly<Record<string, Schema>> = {
  storyId: text,
  night: text,
  workflowId: text,
  createdAt: isoTime,
  status: { type: 'string', enum: [...STORY_STATUSES] },
  flagged: about(flag, 'Something was flagged by moderation on the way.'),
  readable: about(flag, 'Its text is there still.'),
};
const rowMore: Readonly<Record<string, Schema>> = {
  title: text,
  words: integer,
  parts: ofParts(state),
  cost: decimal,
};

export const STORY_RESOURCES: Readonly<Record<string, Schema>> = {
  FamilyView: object(family),
  FamilyList: object({ families: list(ref('FamilyView')) }),
  FamilyDetail: object({
    ...family,
    characters: integer,
    scenes: integer,
    month: object({ month: text, committedUsd: decimal }),
  }),
  FamilyChanged: object({ ...family, warnings: list(text) }),
  FamilyRemoved: object({ family: text, removed: flag }),
  ScheduleView: schedule,
  Backfilled: object({ family: text, nights: integer }),
  SubscriptionList: object({
    subscriptions: list(object({ address: about(text, 'Masked: SNS alone knows it.'), confirmed: flag })),
  }),
  Subscribed: object({ family: text, subscribed: about(text, '`pending` until the mail is answered.') }),
  CardView: object({ card: text, name: text }, { looks: text }),
  CardList: object({ cards: list(ref('CardView')) }),
  Book: object({ stories: list(object(row, rowMore)) }, { next: about(text, 'Of the next page: as `before`.') }),
  StoryDetail: object(
    {
      ...row,
      family: text,
      attempt: integer,
      verdicts: map(object({ model: text, flagged: flag, categories: list(text), hash: text, at: isoTime })),
      usage: map(anything),
      links: list(ref('RunLink')),
    },
    {
      ...rowMore,
      cast: object({ characters: list(text), scene: text }),
      endedAt: isoTime,
      expiresAt: isoTime,
      details: ofParts(object({ state }, { at: isoTime, reason: text, seconds: number })),
      unpriced: list(text),
      error: object({ type: text, message: text }),
    },
  ),
  StoryLink: object({ url: about(text, 'Opens the story for whoever has it.'), expiresAt: isoTime }),
};
