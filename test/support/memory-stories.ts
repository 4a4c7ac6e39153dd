/**
 * Stories in memory, with what the store on DynamoDB promises of what tests of pages use.
 *
 * @module
 */
import type { StoryStore } from '../../lib/store/stories.ts';
import type { StoryItem, StoryRecord } from '../../lib/story/document.ts';

export type Stories = Pick<
  StoryStore,
  'get' | 'record' | 'book' | 'begin' | 'keepText' | 'keepPart' | 'keepEnd' | 'keepVerdict' | 'settle'
>;

export interface MemoryStories extends Stories {
  /** As its time to live does. */
  remove(storyId: string): void;
}

export function createMemoryStories(): MemoryStories {
  const items = new Map<string, StoryItem>();
  const records = new Map<string, StoryRecord>();
  const change = (storyId: string, set: Partial<StoryItem>): boolean => {
    const item = items.get(storyId);
    if (item) items.set(storyId, { ...item, ...set });
    return item !== undefined;
  };
  return {
    get: async (storyId) => structuredClone(items.get(storyId)),
    record: async (family, night) => structuredClone(records.get(`${family}/${night}`)),
    async begin(item, record) {
      items.set(item.story_id, item);
      records.set(item.story_id, record);
      return { outcome: 'new' };
    },
    keepText: async (storyId, { at, ...text }) => change(storyId, { ...text, status: 'READY', updated_at: at }),
    keepPart: async (storyId, part, view, at) => change(storyId, { [part]: { at, ...view }, updated_at: at }),
    keepEnd: async (storyId, _run, status, at) => change(storyId, { status, updated_at: at }),
    async keepVerdict(family, night, of, verdict) {
      const record = records.get(`${family}/${night}`);
      if (record) records.set(record.story_id, { ...record, verdicts: { ...record.verdicts, [of]: verdict } });
    },
    async settle(record, end) {
      records.set(record.story_id, { ...record, ...end, settled: true });
      return true;
    },
    async book(family, { limit, before }) {
      const ofFamily = [...records.values()]
        .filter((record) => record.family === family && (before === undefined || record.created_at < before))
        .sort((one, other) => other.created_at.localeCompare(one.created_at));
      const page = ofFamily.slice(0, limit);
      const last = page.at(-1);
      return { records: page, ...(ofFamily.length > limit && last && { before: last.created_at }) };
    },
    remove: (storyId) => void items.delete(storyId),
  };
}
