/**
 * What can be seen of stories without reading them: the book of past titles, one story's parts, verdicts and cost, its link.
 *
 * @module
 */
import type { StoryItem, StoryRecord } from '../../lib/story/document.ts';
import { expiryOf, mayBeThere, unexpired } from '../../lib/story/expiry.ts';
import { storyLink } from '../../lib/story/link.ts';
import { bookEntryOf } from '../../lib/story/read.ts';
import { NIGHT_PATTERN, PARTS, type Part, STORY_DAYS, storyIdOf, workflowIdOf } from '../../workflows/story/model.ts';
import type { Book, BookRow, PartDetail, StoryDetail, StoryLink } from '../live/stories.ts';
import { workflowPage } from '../pages.ts';
import { checkFamilyName } from './family-name.ts';
import { StoryProblem } from './problem.ts';
import type { StoryWorld } from './world.ts';

type Kept = Pick<StoryWorld, 'stories'>;

/**
 * Also of a family that has been removed.
 * @param before `next` of a page
 * @throws StoryProblem for a name that is none
 */
export async function bookOf(
  { stories }: Kept,
  family: string,
  page: { limit: number; before?: string },
  now: number,
): Promise<Book> {
  const { records, before } = await stories.book(checkFamilyName(family), page);
  const rows = await Promise.all(
    records.map(async (record) => rowOf(record, await itemOf({ stories }, record, now), now)),
  );
  return { stories: rows, ...(before !== undefined && { next: before }) };
}

/** @returns undefined for one that there is not */
export async function storyDetail(
  { stories, settings }: Kept & Pick<StoryWorld, 'settings'>,
  family: string,
  night: string,
  now: number,
): Promise<StoryDetail | undefined> {
  if (!NIGHT_PATTERN.test(night)) return undefined;
  const record = await stories.record(checkFamilyName(family), night);
  if (!record) return undefined;
  const item = await itemOf({ stories }, record, now);
  const { attempt, ended_at, cast, verdicts, usage, unpriced, error } = record;
  const workflowId = workflowIdOf(record.story_id);
  return {
    ...rowOf(record, item, now),
    family,
    attempt,
    cast,
    verdicts,
    usage,
    ...(ended_at !== undefined && { endedAt: ended_at }),
    ...(item && { expiresAt: expiryOf(item), details: detailsOf(item) }),
    ...(unpriced && unpriced.length > 0 && { unpriced }),
    ...(error && { error }),
    links: [{ what: 'temporal', label: 'Temporal Web UI', href: workflowPage(settings, workflowId, record.run_id) }],
  };
}

/** @throws StoryProblem where there is nothing it could lead to */
export async function linkTo(
  { stories, settings }: Kept & Pick<StoryWorld, 'settings'>,
  family: string,
  night: string,
  now: number,
): Promise<StoryLink> {
  if (settings.storyLinkKey === '')
    throw new StoryProblem(
      'conflict',
      'there are no links here: nothing is set to sign them with',
      'set LONGHAUL_STORY_LINK_KEY to the same secret for workers and gateways',
    );
  const record = NIGHT_PATTERN.test(night) ? await stories.record(checkFamilyName(family), night) : undefined;
  if (!record)
    throw new StoryProblem('unknown', `there is no story ${family}/${night}`, 'list the stories of the family');
  const item = await itemOf({ stories }, record, now);
  if (!item)
    throw new StoryProblem(
      'conflict',
      `story ${record.story_id} has gone: stories can be read for ${STORY_DAYS} days`,
      'ask for a new one',
    );
  const url = await storyLink(settings.storyLinkKey, settings.storyUrl, storyIdOf(family, night), item.expires_at);
  return { url, expiresAt: expiryOf(item) };
}

/** The item while it is not over its time, whatever DynamoDB has deleted; old records are not looked up. */
async function itemOf({ stories }: Kept, record: StoryRecord, now: number): Promise<StoryItem | undefined> {
  return mayBeThere(record, now) ? unexpired(await stories.get(record.story_id), now) : undefined;
}

/** While it is under way the item knows more than the record. @param item as {@link itemOf} found it */
function rowOf(record: StoryRecord, item: StoryItem | undefined, now: number): BookRow {
  const open = record.settled ? undefined : item;
  const title = record.title ?? item?.title;
  return {
    ...bookEntryOf(record, now),
    workflowId: workflowIdOf(record.story_id),
    ...(title !== undefined && { title }),
    ...(open && { status: open.status, parts: mapParts(({ state }) => state, open) }),
    ...(open?.words !== undefined && { words: open.words }),
    readable: item?.paragraphs !== undefined,
  };
}

const detailsOf = (item: StoryItem): Record<Part, PartDetail> =>
  mapParts(
    ({ state, at, reason, ...more }) => ({
      state,
      ...(at !== undefined && { at }),
      ...(reason !== undefined && { reason }),
      ...('seconds' in more && more.seconds !== undefined && { seconds: more.seconds }),
    }),
    item,
  );

const mapParts = <T>(of: (view: StoryItem[Part]) => T, item: StoryItem): Record<Part, T> =>
  Object.fromEntries(PARTS.map((part) => [part, of(item[part])])) as Record<Part, T>;
