/**
 * The book of a family: titles outlive their stories.
 *
 * @module
 */

import type { StoryStore } from '../../../lib/store/stories.ts';
import { TOKEN_PARAMETER } from '../../../lib/story/link.ts';
import { bookEntryOf } from '../../../lib/story/read.ts';
import { storyIdOf } from '../../../workflows/story/model.ts';
import type { BookLine } from '../../story-page/view/others.tsx';
import type { Admission, StoryParams } from './admit.ts';

const PAGE = 30;
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

export interface BookRequest extends StoryParams {
  admission: Admission;
  token: unknown;
  /** Of an address of ours: where the page before ended. */
  before: unknown;
}

export async function readBook(
  stories: Pick<StoryStore, 'book'>,
  { family, night, admission, token, before }: BookRequest,
  now: number,
): Promise<{ lines: BookLine[]; older?: string }> {
  const page = await stories.book(family, {
    limit: PAGE,
    ...(typeof before === 'string' && ISO_TIME.test(before) && { before }),
  });
  const query = queryOf(token);
  const lines = page.records.map((record): BookLine => {
    const entry = bookEntryOf(record, now);
    const { storyId, createdAt, title, flagged, readable } = entry;
    // A link opens its own story, and no other.
    const opens = readable && (admission === 'user' || storyId === storyIdOf(family, night));
    return {
      storyId,
      night: entry.night,
      createdAt,
      flagged,
      readable,
      ...(title !== undefined && { title }),
      ...(opens && { href: `../${entry.night}${query}` }),
    };
  });
  return { lines, ...(page.before !== undefined && { older: `book${withBefore(query, page.before)}` }) };
}

/** What takes a link's token along. */
export const queryOf = (token: unknown): string =>
  typeof token === 'string' ? `?${TOKEN_PARAMETER}=${encodeURIComponent(token)}` : '';

const withBefore = (query: string, before: string): string =>
  `${query}${query === '' ? '?' : '&'}before=${encodeURIComponent(before)}`;
