/**
 * Who is tried again, how often, and with how much memory. Pure: the same reviews give the same next generation.
 *
 * @module
 */
import { CAUSES, type CauseName, type RetryKind } from './causes.ts';
import { LIMITS } from './model.ts';

/** How often each kind of cause is tried again. `hostLoss` is Batch's to count. */
export interface RetryLimits {
  exit: number;
  hostLoss: number;
  outOfMemory: number;
  timeout: number;
}

/** Of a step: its limits and the memory it asks for, in MiB. */
export interface RetryRules {
  retries: RetryLimits;
  memoryMiB: number;
  maxMemoryMiB: number;
}

/** What is known of one item that is not done. */
export interface ItemReview {
  /** Place in the plan's list of items. */
  index: number;
  cause: CauseName;
  /** How often it has failed of each kind so far, this time included. */
  failed: Partial<Record<RetryKind, number>>;
  /** The memory it had. */
  memoryMiB: number;
}

export interface Decision {
  /** With the memory they get next. */
  again: (ItemReview & { nextMemoryMiB: number })[];
  /** Those that have no try left. */
  final: ItemReview[];
}

/** What passes by itself is tried again this often without being asked to. */
const INTERRUPTED_RETRIES = 3;
/** A job that vanished, or left nothing though it "succeeded": once may be an accident. */
const LOST_RETRIES = 1;
/** Doubling finds the need in few tries; below it a tool that needs a little more fails once more for nothing. */
const MEMORY_FACTOR = 2;

export function limitOf(rules: RetryRules, kind: RetryKind): number {
  switch (kind) {
    case 'exit':
      return rules.retries.exit;
    case 'outOfMemory':
      return rules.retries.outOfMemory;
    case 'timeout':
      return rules.retries.timeout;
    case 'interrupted':
      return INTERRUPTED_RETRIES;
    case 'lost':
      return LOST_RETRIES;
    default:
      return 0;
  }
}

/** Adds this failure to what was known of the item. */
export function noteFailure(
  item: { index: number; memoryMiB: number },
  cause: CauseName,
  before: ItemReview | undefined,
): ItemReview {
  const kind = CAUSES[cause].retry;
  const failed = { ...before?.failed, [kind]: (before?.failed[kind] ?? 0) + 1 };
  return { index: item.index, cause, failed, memoryMiB: item.memoryMiB };
}

/** Each cause has a count of its own: two tries lost to memory take nothing from those for exit codes. */
export function decide(rules: RetryRules, reviews: readonly ItemReview[]): Decision {
  const decision: Decision = { again: [], final: [] };
  for (const review of reviews) {
    const kind = CAUSES[review.cause].retry;
    const left = limitOf(rules, kind) - (review.failed[kind] ?? 0);
    const nextMemoryMiB = kind === 'outOfMemory' ? raised(rules, review.memoryMiB) : review.memoryMiB;
    // More of the same memory would end the same way.
    const useless = kind === 'outOfMemory' && nextMemoryMiB <= review.memoryMiB;
    if (left < 0 || useless) decision.final.push(review);
    else decision.again.push({ ...review, nextMemoryMiB });
  }
  return decision;
}

const raised = (rules: RetryRules, memoryMiB: number): number =>
  Math.min(memoryMiB * MEMORY_FACTOR, Math.max(rules.maxMemoryMiB, rules.memoryMiB));

export interface Shard {
  shard: number;
  memoryMiB: number;
  /** Places in the plan's list of items, ascending. */
  indexes: number[];
}

/** One array has one reservation, and 10,000 children at most. @see LIMITS.arraySize */
export function shardsOf(items: readonly { index: number; memoryMiB: number }[], arraySize: number): Shard[] {
  const byMemory = new Map<number, number[]>();
  for (const { index, memoryMiB } of items) {
    const group = byMemory.get(memoryMiB);
    if (group) group.push(index);
    else byMemory.set(memoryMiB, [index]);
  }
  const shards: Shard[] = [];
  for (const [memoryMiB, indexes] of [...byMemory].sort(([a], [b]) => a - b)) {
    indexes.sort((a, b) => a - b);
    for (let first = 0; first < indexes.length; first += arraySize)
      shards.push({ shard: shards.length, memoryMiB, indexes: indexes.slice(first, first + arraySize) });
  }
  return shards;
}

/**
 * The jobs of a generation: a function of what the step keeps, so that submitting it again gives the same ones.
 * @param items keys of all items, and those that are done
 * @param before what the last generation left undone; absent for the first
 */
export function shardsOfGeneration(
  step: Pick<RetryRules, 'memoryMiB'>,
  items: { keys: readonly string[]; done: Readonly<Record<number, unknown>> },
  before: { again: readonly { index: number; nextMemoryMiB: number }[] } | undefined,
): Shard[] {
  const wanted = before
    ? before.again.map(({ index, nextMemoryMiB }) => ({ index, memoryMiB: nextMemoryMiB }))
    : items.keys.flatMap((_, index) => (items.done[index] ? [] : [{ index, memoryMiB: step.memoryMiB }]));
  return shardsOf(wanted, LIMITS.arraySize);
}
