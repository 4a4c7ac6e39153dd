/**
 * How long a story can be read: by the clock, whatever DynamoDB has deleted by then.
 *
 * @module
 */
import { STORY_DAYS } from '../../workflows/story/model.ts';
import type { StoryItem, StoryRecord } from './document.ts';

const DAY_MS = 86_400_000;

/** The table's time to live, epoch seconds. @param at epoch ms: the begin */
export const expiresAtOf = (at: number): number => Math.floor(at / 1000) + (STORY_DAYS * DAY_MS) / 1000;

/** ISO 8601. */
export const expiryOf = ({ expires_at }: Pick<StoryItem, 'expires_at'>): string =>
  new Date(expires_at * 1000).toISOString();

/** @param now epoch ms @returns the item while its time is not over */
export const unexpired = (item: StoryItem | undefined, now: number): StoryItem | undefined =>
  item && item.expires_at * 1000 > now ? item : undefined;

/** Whether its item may be there still. @param now epoch ms */
export const mayBeThere = ({ created_at }: Pick<StoryRecord, 'created_at'>, now: number): boolean =>
  Date.parse(created_at) + STORY_DAYS * DAY_MS > now;
