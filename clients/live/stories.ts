/**
 * What the HTTP API says of families and stories, as JSON. Amounts of money are decimal numbers as text, USD; times ISO 8601.
 * Nothing of a story's text: that is for the page its link leads to.
 *
 * @module
 */
import type { BookEntry, SpeechEngine, StageUsage, Verdict } from '../../lib/story/document.ts';
import type { Part, PartState } from '../../workflows/story/model.ts';
import type { RunLink } from './api.ts';

/** What can be set of a family. */
export interface FamilySettings {
  /** IANA name. */
  timeZone: string;
  /** Local time of day, `19:15`. */
  at: string;
  /** BCP 47. */
  language: string;
  /** Of Polly. */
  voice: string;
  engine: SpeechEngine;
  minWords: number;
  waitForAll: boolean;
  storyLimitUsd: string;
  monthLimitUsd: string;
  catchupMinutes: number;
}

export interface ScheduleView {
  /** `missing`: Temporal has none; resuming makes it. */
  state: 'active' | 'paused' | 'missing';
  /** The next nights. */
  next: string[];
  /** Local date: the first night again. */
  until?: string;
}

export interface FamilyView extends FamilySettings {
  family: string;
  createdAt: string;
  schedule: ScheduleView;
}

export interface FamilyDetail extends FamilyView {
  characters: number;
  scenes: number;
  /** What stories of this month have cost, and may cost that are being made. */
  month: { month: string; committedUsd: string };
}

/** Of adding and setting. */
export interface FamilyChanged extends FamilyView {
  /** What was not checked, and what to mind. */
  warnings: string[];
}

export interface FamilyList {
  families: FamilyView[];
}

/** Somebody who gets the mail; SNS alone knows the address. */
export interface Subscription {
  /** `a***@e***.com` */
  address: string;
  /** The mail that asks for it has been answered. */
  confirmed: boolean;
}

/** Of characters and scenes. */
export interface CardView {
  /** What it is called by: `little-moon`. */
  card: string;
  name: string;
  looks?: string;
}

export interface CardList {
  cards: CardView[];
}

export interface CardBody {
  name: string;
  looks?: string;
}

/** Of the book of past stories: titles outlive texts. */
export interface BookRow extends BookEntry {
  workflowId: string;
}

export interface Book {
  stories: BookRow[];
  /** Of the next page: as `before`. */
  next?: string;
}

export interface PartDetail {
  state: PartState;
  at?: string;
  reason?: string;
  /** Of the voice. */
  seconds?: number;
}

export interface StoryDetail extends BookRow {
  family: string;
  /** From 1; 0: it was refused before it was begun. */
  attempt: number;
  endedAt?: string;
  /** While it can be read. */
  expiresAt?: string;
  /** Who is in it: card ids. Of one that was begun. */
  cast?: { characters: readonly string[]; scene: string };
  details?: Readonly<Record<Part, PartDetail>>;
  verdicts: Readonly<Record<string, Verdict>>;
  usage: Readonly<Record<string, StageUsage>>;
  /** What could not be priced, and is not in `cost`. */
  unpriced?: readonly string[];
  error?: { type: string; message: string };
  links: RunLink[];
}

/** Whoever has it can read that story until it goes. */
export interface StoryLink {
  url: string;
  expiresAt: string;
}
