/**
 * What one story has cost, taken apart by stage: tokens, pictures and characters, with their prices, beside what its
 * family's month has left. Read from the record and the ledger.
 *
 * @module
 */
import { STORY_COMPONENTS } from '../../workflows/cost/model.ts';
import { type StoryStatus, workflowIdOf } from '../../workflows/story/model.ts';
import type { LineItem } from '../store/ledger.ts';
import type { StageUsage, StoryRecord } from '../story/document.ts';
import { groupBy } from './group.ts';
import { Money, roundParts, roundTotal, sumOf } from './money.ts';
import { amountOf, isLost } from './summary.ts';

const CURRENCY = 'USD';
const MICRO = 1_000_000;

/** Money in `currency` where none is named; decimal numbers. */
export interface StoryCostView {
  storyId: string;
  workflowId: string;
  consumer: string;
  status: StoryStatus;
  createdAt: string;
  endedAt?: string;
  /** Runs it took. */
  attempts: number;
  currency: 'USD';
  /** Rounded; `text`, `image` and `audio` add up to it. What has no price is not in it. */
  total: string;
  components: Readonly<Record<(typeof STORY_COMPONENTS)[number], string>>;
  /** Exact, part of the total: of stages that were made again. */
  lost: string;
  stages: readonly StageCost[];
  /** Each with its reason and remedy. */
  unpriced: readonly string[];
  /** What stories of its month have cost and may still cost, and what they may: without a limit when the family has gone. */
  month: { month: string; committed: string; limit?: string };
}

export interface StageCost extends Pick<StageUsage, 'service' | 'model' | 'at'> {
  /** `text-1`, `image-1`, `audio`, … */
  stage: string;
  /** It was made again: this bought nothing. */
  lost: boolean;
  usage: Readonly<
    Partial<
      Record<'inputTokens' | 'cachedInputTokens' | 'outputTokens' | 'imageTokens' | 'pictures' | 'characters', number>
    >
  >;
  /** Exact, of its lines in USD. */
  amount: string;
  lines: readonly StageLine[];
}

export type StageLine = Pick<
  LineItem,
  'resourceType' | 'quantity' | 'unit' | 'unitPrice' | 'currency' | 'amount' | 'pricesAt' | 'source'
> & { sku?: string; marks: readonly string[] };

/** @param committed micro-USD */
export function storyCostView(
  record: StoryRecord,
  lines: readonly LineItem[],
  month: { committed: number; limit?: string },
): StoryCostView {
  const own = lines.filter(({ currency }) => currency === CURRENCY);
  const byComponent = groupBy(own, ({ component }) => component);
  const { total, parts } = roundParts(
    Object.fromEntries(
      STORY_COMPONENTS.map((component) => [
        component,
        sumOf((byComponent.get(component) ?? []).map(({ amount }) => amount)),
      ]),
    ) as Record<(typeof STORY_COMPONENTS)[number], Money>,
  );
  const byStage = groupBy(lines, ({ step }) => step);
  return {
    storyId: record.story_id,
    workflowId: workflowIdOf(record.story_id),
    consumer: record.family,
    status: record.status,
    createdAt: record.created_at,
    ...(record.ended_at !== undefined && { endedAt: record.ended_at }),
    attempts: record.attempt,
    currency: CURRENCY,
    total,
    components: parts,
    lost: amountOf(own.filter(isLost)),
    stages: Object.entries(record.usage)
      .toSorted(([, a], [, b]) => Date.parse(a.at) - Date.parse(b.at))
      .map(([stage, used]) => stageCost(stage, used, byStage.get(stage) ?? [])),
    unpriced: record.unpriced ?? [],
    month: {
      month: record.month,
      committed: roundTotal(new Money(month.committed).div(MICRO)),
      ...(month.limit !== undefined && { limit: month.limit }),
    },
  };
}

function stageCost(
  stage: string,
  { service, model, at, hash: _hash, ...usage }: StageUsage,
  lines: readonly LineItem[],
): StageCost {
  return {
    stage,
    service,
    model,
    at,
    lost: lines.some(isLost),
    usage,
    amount: amountOf(lines.filter(({ currency }) => currency === CURRENCY)),
    lines: lines.map(
      ({ resourceType, quantity, unit, unitPrice, currency, amount, pricesAt, source, sku, marks = [] }) => ({
        ...{ resourceType, quantity, unit, unitPrice, currency, amount, pricesAt, source },
        ...(sku !== undefined && { sku }),
        marks,
      }),
    ),
  };
}
