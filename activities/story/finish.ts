/**
 * The end of a story: what became of its parts, what it has cost, and what was reserved and not spent set free. The ledger
 * is written first, the record after, the item last: whoever sees a cost finds the lines behind it, and a try that dies in
 * between is made up for by the next, which does the same again.
 *
 * @module
 */
import { log } from '@temporalio/activity';
import { byDay } from '../../lib/cost/days.ts';
import { Money, roundTotal } from '../../lib/cost/money.ts';
import type { LedgerItem } from '../../lib/store/ledger.ts';
import { type PricedUsage, priceUsage } from '../../lib/story/costs.ts';
import type { StoryItem, StoryRecord } from '../../lib/story/document.ts';
import {
  type FinishInput,
  PARTS,
  type Part,
  type PartState,
  type PartStates,
  type RecordPartInput,
  WORKFLOW_TYPE,
  workflowIdOf,
} from '../../workflows/story/model.ts';
import type { StoryDependencies } from './dependencies.ts';

export interface Finished {
  parts: PartStates;
  words?: number;
  /** USD. */
  cost?: string;
}

const OVER = 'the story has ended before';

export function createFinishActivities({
  stories,
  prices,
  ledger,
  region,
  now = Date.now,
}: Pick<StoryDependencies, 'stories' | 'prices' | 'ledger' | 'region' | 'now'>) {
  return {
    async recordPart({ storyId, part, reason }: RecordPartInput): Promise<void> {
      await stories.giveUpPart(storyId, part, reason, isoNow());
    },

    /**
     * The item may have gone: the record is enough.
     * @throws what asking again may mend: the price list, the tables
     */
    async finishStory(input: FinishInput): Promise<Finished> {
      const { storyId, attempt } = input;
      const [family = '', night = ''] = storyId.split('/');
      const record = await stories.record(family, night);
      if (!record || record.attempt !== attempt) {
        log.warn('nothing to end: the story has gone, or another attempt goes on with it', { storyId, attempt });
        return { parts: partsOf(undefined) };
      }
      const item = await stories.get(storyId);
      const ended = record.settled ? record : await settle(record, item, input);
      if (item && ended.attempt === attempt) await showEnd(item, ended);
      return {
        parts: ended.parts ?? partsOf(item),
        ...(ended.words !== undefined && { words: ended.words }),
        ...(ended.cost !== undefined && { cost: ended.cost }),
      };
    },
  };

  async function settle(
    record: StoryRecord,
    item: StoryItem | undefined,
    { storyId, status, error }: FinishInput,
  ): Promise<StoryRecord> {
    const priced = await priceUsage(prices, record.usage, { region: await region() });
    const { lines, unpriced } = priced;
    await ledger.replace(workflowIdOf(storyId), record.attempt, itemsOf(record, lines), ['line#', 'day#']);
    const end = {
      status,
      ended_at: isoNow(),
      parts: partsOf(item),
      cost: roundTotal(new Money(priced.total)),
      ...(item?.title !== undefined && { title: item.title }),
      ...(item?.words !== undefined && { words: item.words }),
      ...(unpriced.length > 0 && {
        unpriced: unpriced.map(({ resource, reason, remedy }) => `${resource}: ${reason}; ${remedy}`),
      }),
      ...(error && { error }),
    };
    if (await stories.settle(record, end, spentOf(record, priced))) {
      log.info('story settled', { storyId, status, cost: end.cost, lines: lines.length, unpriced: unpriced.length });
      return { ...record, ...end };
    }
    // By an earlier try whose answer was lost, or a later attempt: what stands there counts.
    return (await stories.record(record.family, record.night)) ?? { ...record, ...end };
  }

  /** Nothing of it is PENDING any more. */
  async function showEnd(item: StoryItem, { status, run_id: runId }: StoryRecord): Promise<void> {
    const at = isoNow();
    for (const part of PARTS)
      if (item[part].state === 'PENDING') await stories.giveUpPart(item.story_id, part, OVER, at);
    await stories.keepEnd(item.story_id, runId, status, at);
  }

  function isoNow(): string {
    return new Date(now()).toISOString();
  }
}

/** As the record keeps them. */
function partsOf(item: StoryItem | undefined): PartStates {
  const stateOf = (part: Part): PartState => {
    const state = item?.[part].state ?? 'PENDING';
    return state === 'PENDING' ? 'FAILED' : state;
  };
  return { image: stateOf('image'), audio: stateOf('audio'), mail: stateOf('mail'), event: stateOf('event') };
}

/** Micro-USD of all attempts: what has no price keeps all that was reserved for it. */
function spentOf({ spent = 0, reserved }: StoryRecord, { micro, unpriced }: PricedUsage): number {
  return unpriced.length > 0 ? spent + reserved : Math.max(spent, micro);
}

function itemsOf(
  { family, story_id: storyId, attempt, usage }: StoryRecord,
  lines: PricedUsage['lines'],
): LedgerItem[] {
  const of = { launch_id: workflowIdOf(storyId), attempt };
  const services = new Set(Object.values(usage).map(({ service }) => service));
  const about = {
    consumer: family,
    workflow_type: WORKFLOW_TYPE,
    compute_service: [...services].toSorted().join('+'),
  };
  return [
    ...lines.map((line) => ({ ...of, ...line, line: `line#${line.line}` })),
    ...byDay(lines).map((day) => ({ ...of, line: `day#${day.day}#${day.currency}`, ...about, ...day })),
  ];
}
