/**
 * Many small things a few at a time.
 *
 * @module
 */
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapLimited } from '../../lib/concurrency.ts';

describe('mapLimited', () => {
  it('keeps the order and never runs more than its width', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 6 }),
        async (turns, width) => {
          let running = 0;
          let most = 0;
          const results = await mapLimited(turns, width, async (count, index) => {
            running += 1;
            most = Math.max(most, running);
            for (let nth = 0; nth <= count; nth += 1) await turn();
            running -= 1;
            return `${index}:${count}`;
          });
          expect(results).toEqual(turns.map((count, index) => `${index}:${count}`));
          expect(most).toBe(Math.min(width, turns.length));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('starts no more after the first error', async () => {
    const started: number[] = [];
    const running = mapLimited([0, 1, 2, 3, 4, 5], 2, async (item) => {
      started.push(item);
      await turn();
      if (item === 1) throw new Error('no');
    });
    await expect(running).rejects.toThrow('no');
    for (let nth = 0; nth < 10; nth += 1) await turn();
    // The other lane may have taken one more before the error.
    expect(started.length).toBeLessThanOrEqual(3);
  });
});
