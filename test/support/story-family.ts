/**
 * A family as the table has it.
 *
 * @module
 */
import type { Family } from '../../lib/story/document.ts';

export const familyItem = (more: Partial<Family> = {}): Family => ({
  family: 'moon',
  time_zone: 'Europe/Berlin',
  at: '19:15',
  language: 'en-GB',
  voice: 'Amy',
  engine: 'neural',
  min_words: 200,
  wait_for_all: false,
  story_limit_usd: '0.50',
  month_limit_usd: '10',
  catchup_minutes: 180,
  created_at: '2026-11-26T12:00:00.000Z',
  ...more,
});
