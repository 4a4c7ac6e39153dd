/** Who is tried again: never more often than its cause allows, and always in jobs Batch takes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CAUSE_NAMES, CAUSES, type CauseName } from '../../workflows/launch/causes.ts';
import {
  decide,
  type ItemReview,
  limitOf,
  noteFailure,
  type RetryRules,
  shardsOf,
} from '../../workflows/launch/retries.ts';

const rules: fc.Arbitrary<RetryRules> = fc.record({
  retries: fc.record({ exit: fc.nat(3), hostLoss: fc.nat(3), outOfMemory: fc.nat(3), timeout: fc.nat(3) }),
  memoryMiB: fc.integer({ min: 4, max: 4_096 }),
  maxMemoryMiB: fc.integer({ min: 4, max: 20_000 }),
});
const cause = fc.constantFrom(...CAUSE_NAMES);

describe('an item', () => {
  it('is tried again no more often than each cause allows, whatever befalls it', () => {
    fc.assert(
      fc.property(rules, fc.infiniteStream(cause), (rule, fates) => {
        let review: ItemReview | undefined;
        let memoryMiB = rule.memoryMiB;
        const failed = new Map<string, number>();
        for (let tries = 1; ; tries += 1) {
          const fate = fates.next().value as CauseName;
          const kind = CAUSES[fate].retry;
          failed.set(kind, (failed.get(kind) ?? 0) + 1);
          review = noteFailure({ index: 0, memoryMiB }, fate, review);
          const decision = decide(rule, [review]);
          expect(decision.again.length + decision.final.length).toBe(1);
          const [next] = decision.again;
          if (!next) break;
          expect(failed.get(kind)).toBeLessThanOrEqual(limitOf(rule, kind));
          expect(next.nextMemoryMiB).toBeLessThanOrEqual(Math.max(rule.memoryMiB, rule.maxMemoryMiB));
          expect(next.nextMemoryMiB > memoryMiB).toBe(kind === 'outOfMemory');
          memoryMiB = next.nextMemoryMiB;
          // 3 of each that can be set, 3 interrupted, 1 lost: no fate makes an item run for ever.
          expect(tries).toBeLessThanOrEqual(3 * 3 + 3 + 1);
        }
      }),
    );
  });

  it('is not tried again at all when nobody could mend it', () => {
    const rule: RetryRules = {
      retries: { exit: 9, hostLoss: 9, outOfMemory: 9, timeout: 9 },
      memoryMiB: 8,
      maxMemoryMiB: 64,
    };
    const hopeless = CAUSE_NAMES.filter((name) => CAUSES[name].retry === 'none');
    expect(hopeless).toEqual(expect.arrayContaining(['IMAGE', 'ROLE', 'INPUTS', 'STUCK', 'TERMINATED', 'HOST_LOST']));
    for (const name of hopeless)
      expect(decide(rule, [noteFailure({ index: 0, memoryMiB: 8 }, name, undefined)]).again).toEqual([]);
  });

  it('does not pay for one cause with the tries of another', () => {
    const rule: RetryRules = {
      retries: { exit: 1, hostLoss: 0, outOfMemory: 1, timeout: 1 },
      memoryMiB: 8,
      maxMemoryMiB: 64,
    };
    let review: ItemReview | undefined;
    for (const name of ['EXIT_CODE', 'OUT_OF_MEMORY', 'TIMEOUT', 'LOST'] as const) {
      review = noteFailure({ index: 0, memoryMiB: 8 }, name, review);
      expect(decide(rule, [review]).again).toHaveLength(1);
    }
    expect(decide(rule, [noteFailure({ index: 0, memoryMiB: 8 }, 'EXIT_CODE', review)]).final).toHaveLength(1);
  });
});

describe('shards', () => {
  it('hold every item once, of one memory each, in bounded arrays, the same ones again', () => {
    const items = fc.uniqueArray(fc.record({ index: fc.nat(500), memoryMiB: fc.constantFrom(64, 128, 256) }), {
      selector: ({ index }) => index,
    });
    fc.assert(
      fc.property(items, fc.integer({ min: 1, max: 40 }), (list, size) => {
        const shards = shardsOf(list, size);
        expect(shards.flatMap(({ indexes }) => indexes).toSorted((a, b) => a - b)).toEqual(
          list.map(({ index }) => index).toSorted((a, b) => a - b),
        );
        for (const { indexes, memoryMiB } of shards) {
          expect(indexes.length).toBeGreaterThan(0);
          expect(indexes.length).toBeLessThanOrEqual(size);
          expect(indexes).toEqual(indexes.toSorted((a, b) => a - b));
          for (const index of indexes) expect(list).toContainEqual({ index, memoryMiB });
        }
        expect(shards.map(({ shard }) => shard)).toEqual(shards.map((_, number) => number));
        expect(shardsOf(list.toReversed(), size)).toEqual(shards);
      }),
    );
  });
});
