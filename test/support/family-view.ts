/**
 * A family as clients are told of it.
 *
 * @module
 */
import type { FamilyView } from '../../clients/live/stories.ts';

/** Of Berlin, with what is usual. */
export const familyView = (family: string, schedule: FamilyView['schedule']): FamilyView => ({
  family,
  timeZone: 'Europe/Berlin',
  at: '19:15',
  language: 'en-GB',
  voice: 'Amy',
  engine: 'neural',
  minWords: 200,
  waitForAll: false,
  storyLimitUsd: '0.50',
  monthLimitUsd: '10',
  catchupMinutes: 180,
  createdAt: '2026-11-01T00:00:00.000Z',
  schedule,
});
