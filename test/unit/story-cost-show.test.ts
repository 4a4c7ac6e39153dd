/** What `longhaul cost show` tells of a story, and of which ids it takes one to be a story's. */
import { describe, expect, it } from 'vitest';
import { drawStoryCost } from '../../clients/cli/cost-story-picture.ts';
import { readStoryCost } from '../../clients/cost/story-view.ts';
import { NoCostError } from '../../clients/cost/view.ts';
import { storyCostView } from '../../lib/cost/show-story.ts';
import type { LineItem } from '../../lib/store/ledger.ts';
import { priceUsage } from '../../lib/story/costs.ts';
import type { StoryRecord } from '../../lib/story/document.ts';
import { storyNameOf } from '../../workflows/story/model.ts';
import { REGION, recordOf, storyPrices, USAGE, usageOf } from '../support/story-costs.ts';

const plain = (drawn: readonly string[]) => drawn.join('\n').replace(/\u001b\[[0-9;]*m/g, '');

async function linesOf(usage: StoryRecord['usage'], rates?: string): Promise<LineItem[]> {
  const { lines } = await priceUsage(storyPrices(rates), usage, { region: REGION });
  return lines.map((line) => ({ launch_id: 'story/fox-family/2026-11-26', attempt: 1, ...line }));
}
const ended = (parts: Partial<StoryRecord> = {}) =>
  recordOf({ status: 'COMPLETE', settled: true, usage: USAGE, cost: '0.0957', ...parts });

describe('the cost of a story', () => {
  it('is drawn by stage: counts, unit prices, what was lost, and the month', async () => {
    const view = storyCostView(ended(), await linesOf(USAGE), { committed: 1_250_000, limit: '5.00' });
    const drawn = plain(drawStoryCost(view));

    expect(drawn).toContain('story/fox-family/2026-11-26  COMPLETE  0.0957 USD');
    expect(drawn).toContain('text 0.0040, image 0.0533, audio 0.0384');
    expect(drawn).toMatch(/text-1 \(lost\) +gpt-5-mini +output tokens +2026-11-26 +900 +2 USD \/ 1M +0\.0018/);
    expect(drawn).toMatch(/image-1 +gpt-image-2 +image output tokens +2026-11-26 +1,756 +30 USD \/ 1M +0\.0527/);
    expect(drawn).toMatch(/audio +neural +neural speech +2026-09-01 +2,400 +16 USD \/ 1M +0\.0384/);
    expect(drawn).toMatch(/cached input tokens .* 2\.5e-6/);
    expect(drawn).toContain('pictures: image-1 1');
    expect(drawn).toContain('lost: 0.0019, of stages that were made again');
    expect(drawn).toContain('month 2026-11 of fox-family: 1.25 of 5.00 USD spent or reserved');
  });

  it('has parts that add up to the total, and what is not priced', async () => {
    const rates = 'currency: EUR\nrates: [{ kind: speech, engine: neural, perUnit: 15 }]';
    const unpriced = ['neural: cost 0.036 EUR; give the rate in USD'];
    const view = storyCostView(ended({ unpriced }), await linesOf(USAGE, rates), { committed: 0 });

    expect(view).toMatchObject({ total: '0.0573', components: { text: '0.0040', image: '0.0533', audio: '0.0000' } });
    expect(view.stages.find(({ stage }) => stage === 'audio')).toMatchObject({
      amount: '0',
      lines: [{ currency: 'EUR' }],
    });
    expect(view.month).toEqual({ month: '2026-11', committed: '0.00' });
    const drawn = plain(drawStoryCost(view));
    expect(drawn).toContain('15 EUR / 1M');
    expect(drawn).toContain('marked: own rate');
    expect(drawn).toMatch(/not priced, and not in the total.*\n {2}neural: cost 0\.036 EUR; give the rate in USD/);
    expect(drawn).toContain('month 2026-11 of fox-family: 0.00 USD spent or reserved');
  });

  it('of several attempts, and of one that nothing was paid for', () => {
    const drawn = plain(drawStoryCost(storyCostView(ended({ attempt: 3, usage: {} }), [], { committed: 0 })));
    expect(drawn).toContain('of 3 attempts');
    expect(drawn).toContain('nothing was paid for it');
  });
});

describe('a name on the command line', () => {
  it.each([
    ['story/fox-family/2026-11-26', { family: 'fox-family', night: '2026-11-26' }],
    ['fox-family/2026-11-26', { family: 'fox-family', night: '2026-11-26' }],
    ['story/f/0e9b3c1e-6f0e-4a53-9f0e-0123456789ab', { family: 'f', night: '0e9b3c1e-6f0e-4a53-9f0e-0123456789ab' }],
  ])('%s is a story', (id, name) => {
    expect(storyNameOf(id)).toEqual(name);
  });

  it.each(['cohort-7-run-1', '2026-11-26', 'launch/cohort-7', 'story/fox-family', 'Fox/2026-11-26', 'a/b/2026-11-26'])(
    '%s is none',
    (id) => {
      expect(storyNameOf(id)).toBeUndefined();
    },
  );
});

describe('a story that has no cost', () => {
  const read = (record: StoryRecord | undefined) =>
    readStoryCost(
      {
        stories: { record: async () => record, committed: async () => 0 },
        families: { get: async () => undefined },
        ledger: { lines: async () => [] },
      },
      { family: 'fox-family', night: '2026-11-26' },
    );

  it('has not ended: what is reserved is told; or there is none', async () => {
    await expect(read(recordOf({ status: 'READY', usage: { audio: usageOf() } }))).rejects.toThrow(
      'story fox-family/2026-11-26 is READY: it is priced once it has ended; up to 0.4000 USD are reserved for it',
    );
    await expect(read(undefined)).rejects.toBeInstanceOf(NoCostError);
    await expect(read(undefined)).rejects.toMatchObject({ reason: 'unknown' });
  });
});
