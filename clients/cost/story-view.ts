/**
 * Reading what a story has cost, and why there is nothing to read.
 *
 * @module
 */
import { type StoryCostView, storyCostView } from '../../lib/cost/show-story.ts';
import type { FamilyStore } from '../../lib/store/families.ts';
import type { LedgerStore } from '../../lib/store/ledger.ts';
import type { StoryStore } from '../../lib/store/stories.ts';
import { MICRO } from '../../lib/story/costs.ts';
import { type StoryName, storyIdOf, workflowIdOf } from '../../workflows/story/model.ts';
import { NoCostError } from './view.ts';

/** @throws NoCostError */
export async function readStoryCost(
  {
    stories,
    families,
    ledger,
  }: {
    stories: Pick<StoryStore, 'record' | 'committed'>;
    families: Pick<FamilyStore, 'get'>;
    ledger: Pick<LedgerStore, 'lines'>;
  },
  { family, night }: StoryName,
): Promise<StoryCostView> {
  const storyId = storyIdOf(family, night);
  const record = await stories.record(family, night);
  if (!record)
    throw new NoCostError(
      storyId,
      'unknown',
      `there is no story ${storyId}: "longhaul story list" shows those there are`,
    );
  if (!record.settled) {
    const most = (record.reserved / MICRO).toFixed(4);
    throw new NoCostError(
      storyId,
      'open',
      `story ${storyId} is ${record.status}: it is priced once it has ended; up to ${most} USD are reserved for it`,
    );
  }
  const [lines, committed, settings] = await Promise.all([
    ledger.lines(workflowIdOf(storyId)),
    stories.committed(family, record.month),
    families.get(family),
  ]);
  return storyCostView(record, lines, { committed, ...(settings && { limit: settings.month_limit_usd }) });
}
