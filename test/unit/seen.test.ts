import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Seen } from '../support/seen.ts';

const tallyOf = (numbers: readonly number[], upTo: number) => {
  const seen = new Seen();
  for (const n of numbers) seen.take(n);
  return seen.tally(upTo);
};

describe('what a watcher has seen', () => {
  it.each([
    ['everything in order', [1, 2, 3], { delivered: 3, lost: 0, duplicated: 0, outOfOrder: 0 }],
    ['a hole', [1, 3], { delivered: 2, lost: 1, duplicated: 0, outOfOrder: 0 }],
    ['nothing', [], { delivered: 0, lost: 3, duplicated: 0, outOfOrder: 0 }],
    ['the end missing', [1, 2], { delivered: 2, lost: 1, duplicated: 0, outOfOrder: 0 }],
    ['one twice', [1, 2, 2, 3], { delivered: 3, lost: 0, duplicated: 1, outOfOrder: 0 }],
    ['one late', [1, 3, 2], { delivered: 3, lost: 0, duplicated: 0, outOfOrder: 1 }],
    ['an old one again', [1, 2, 3, 1], { delivered: 3, lost: 0, duplicated: 1, outOfOrder: 0 }],
  ])('%s', (_, numbers, expected) => {
    expect(tallyOf(numbers, 3)).toEqual({ ...expected, merged: 0 });
  });

  it('counts all that a merged one stands for, and says when it stands for what was seen', () => {
    const seen = new Seen();
    seen.take(1);
    seen.take(5, 4);
    expect(seen.tally(5)).toEqual({ delivered: 5, lost: 0, duplicated: 0, outOfOrder: 0, merged: 3 });
    seen.take(6, 2);
    expect(seen.tally(6)).toMatchObject({ delivered: 6, duplicated: 1 });
  });

  it('adds up, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 600 })), (numbers) => {
        const { delivered, lost, duplicated } = tallyOf(numbers, 600);
        expect(delivered + duplicated).toBe(numbers.length);
        expect(delivered + lost).toBe(600);
      }),
    );
  });
});
