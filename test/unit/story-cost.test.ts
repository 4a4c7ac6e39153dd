/** What a story may cost, and what it has: by hand, and by property against every usage within the bounds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBound } from '../../activities/story/bound.ts';
import { Money, sumOf } from '../../lib/cost/money.ts';
import { charactersOf, microLimit, priceUsage, storyBound } from '../../lib/story/costs.ts';
import type { Family, StoryRecord } from '../../lib/story/document.ts';
import { pictureTokens } from '../../lib/story/picture-tokens.ts';
import { planOf, REGION, storyPrices, USAGE, usageOf } from '../support/story-costs.ts';

const priced = (usage: StoryRecord['usage'], rates?: string) =>
  priceUsage(storyPrices(rates), usage, { region: REGION });
async function bound(parts: Parameters<typeof planOf>[0] = {}, rates?: string) {
  const found = await storyBound(storyPrices(rates), planOf(parts));
  if ('unpriced' in found) throw new Error(found.unpriced.join('; '));
  return found;
}

describe('the bound of a story', () => {
  it('is two drafts, two pictures, and the longest text spoken and marked', async () => {
    // (2 x 600 x 0.25 + 2 x 4000 x 2 + 2 x 500 x 5 + 2 x 1784 x 30 + 2 x 6000 x 16) / 1M
    expect(await bound()).toEqual({ micro: 320_340 });
  });

  it('counts a long text by its tokens where nobody says how many characters it has', async () => {
    const { characters: _, ...plan } = planOf();
    const found = await storyBound(storyPrices(), plan);
    expect(found).toEqual(await bound({ characters: charactersOf(4_000) }));
  });

  it('goes by cached input where that is dearer', async () => {
    const rates = 'rates: [{ kind: tokens, model: gpt-5-mini, of: cached-input, perUnit: 100 }]';
    const plain = await bound();
    expect((await bound({}, rates)).micro - plain.micro).toBe(2 * 600 * (100 - 0.25));
  });

  it('names everything without a price, and what to do', async () => {
    const found = await storyBound(
      storyPrices(),
      planOf({ textModel: 'gpt-9', engine: 'neural', region: 'xx-north-1' }),
    );
    expect(found).toEqual({
      unpriced: [
        expect.stringContaining('input tokens of gpt-9'),
        expect.stringContaining('output tokens of gpt-9'),
        expect.stringContaining('AmazonPolly in xx-north-1'),
      ],
      remedy: expect.stringMatching(/kind: tokens, model: gpt-9, of: input.*costRates/s),
    });
  });

  it('is none in another currency: limits are in USD', async () => {
    const rates = 'currency: EUR\nrates: [{ kind: speech, engine: neural, perUnit: 15 }]';
    expect(await storyBound(storyPrices(rates), planOf())).toEqual({
      unpriced: ["characters of Polly's neural voices in us-east-1 are priced in EUR, limits of stories are in USD"],
      remedy: expect.stringContaining('currency: USD'),
    });
  });

  it('is asked for again when the price list does not answer', async () => {
    const down = storyPrices(undefined, {
      before: () => {
        throw Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
      },
    });
    await expect(storyBound(down, planOf())).rejects.toThrow('slow down');
  });

  it('is held against the limit of a story to the micro-dollar', async () => {
    const { micro } = await bound();
    expect([microLimit('0.32034') >= micro, microLimit('0.320339') >= micro]).toEqual([true, false]);
    expect(microLimit('5')).toBe(5_000_000);
    expect(microLimit('0.0000019')).toBe(1);
  });

  it('has a price for each model the settings name without a file of rates', async () => {
    for (const textModel of ['gpt-5-mini', 'gpt-4o-mini', 'gpt-5-mini-2025-08-07'])
      for (const imageModel of ['gpt-image-2', 'gpt-image-1-mini', 'gpt-image-2-2026-04-21'])
        expect((await bound({ textModel, imageModel })).micro).toBeGreaterThan(0);
  });
});

describe('what a family’s story may cost', () => {
  const family = { family: 'fox-family', engine: 'neural', min_words: 200 } as Family;
  const boundOf = (storyTextModel: string) =>
    createBound(
      {
        prices: storyPrices(),
        settings: {
          storyTextModel,
          storyImageModel: 'gpt-image-2',
          storyImageSize: '1024x1024',
          storyImageQuality: 'low',
        },
        region: async () => REGION,
        now: () => planOf().at,
      },
      {
        text: (words) => ({ input: words, output: 10 * words }),
        characters: (words) => charactersOf(10 * words),
        picturePrompt: 500,
      },
    )(family);

  it('goes by its words and voice, and the models of the settings', async () => {
    const found = await bound({
      imageQuality: 'low',
      text: { input: 200, output: 2_000 },
      characters: charactersOf(2_000),
    });
    expect(await boundOf('gpt-5-mini')).toBe(found.micro);
  });

  it('is refused for good where a price is not known: trying again does not help', async () => {
    await expect(boundOf('gpt-9')).rejects.toMatchObject({
      type: 'StoryUnpricedError',
      nonRetryable: true,
      message: expect.stringMatching(/fox-family.*input tokens of gpt-9.*output tokens of gpt-9.*costRates/s) as string,
    });
  });
});

describe('tokens of a picture', () => {
  it.each([
    ['gpt-image-2', '1024x1024', 'medium', 1_784],
    ['gpt-image-2-2026-04-21', '1536x1024', 'high', 5_517],
    ['gpt-image-1-mini', '1024x1536', 'low', 408],
    ['gpt-image-1-mini', '1024x1024', 'auto', 4_160],
    ['gpt-image-2', '2048x2048', 'medium', 4 * 1_784],
    ['gpt-image-2', '800x800', 'medium', 1_784],
    ['gpt-image-9', '1024x1024', 'low', 408],
  ])('of %s, %s, %s: at most %i', (model, size, quality, tokens) => {
    expect(pictureTokens(model, size, quality)).toBe(tokens);
  });

  it('of a size that is none are an error', () => {
    expect(() => pictureTokens('gpt-image-2', 'large', 'low')).toThrow('"large" is no size');
  });
});

describe('what a story has cost', () => {
  it('is lines by stage: tokens by kind, the picture, the voice', async () => {
    const { lines, total, micro, unpriced } = await priced(USAGE);
    expect(unpriced).toEqual([]);
    const told = lines.map(({ step, resourceType, quantity, unitPrice, amount, outcome }) =>
      [step, resourceType, quantity, unitPrice, amount, outcome].join(' '),
    );
    expect(told.toSorted()).toEqual([
      'audio neural speech 0.0024 16 0.0384 done',
      'image-1 image output tokens 0.001756 30 0.05268 done',
      'image-1 input tokens 0.00012 5 0.0006 done',
      'text-1 cached input tokens 0.0001 0.025 0.0000025 failed',
      'text-1 input tokens 0.0003 0.25 0.000075 failed',
      'text-1 output tokens 0.0009 2 0.0018 failed',
      'text-2 input tokens 0.00045 0.25 0.0001125 done',
      'text-2 output tokens 0.001 2 0.002 done',
    ]);
    expect(total).toBe('0.09567');
    expect(micro).toBe(95_670);
    expect(lines.find(({ step }) => step === 'audio')).toMatchObject({
      component: 'audio',
      service: 'AmazonPolly',
      region: REGION,
      sku: 'USE1-SYNTHESIZESPEECHNEURAL-CHARACTERS',
      from: '2026-11-26T19:16:10.000Z',
    });
    expect(lines.find(({ step }) => step === 'text-2')).toMatchObject({
      component: 'text',
      service: 'OpenAI',
      region: 'global',
      currency: 'USD',
      source: 'price-list',
      pricesAt: '2026-11-26T00:00:00Z',
    });
  });

  it('counts a draft as lost when a later one was written, of whichever attempt', async () => {
    const again = usageOf({ outputTokens: 10, hash: 'f'.repeat(32), at: '2026-11-27T07:00:00.000Z' });
    const { lines } = await priced({ ...USAGE, 'text-1@ffffffff': again });
    const lost = lines.filter(({ outcome }) => outcome === 'failed').map(({ step }) => step);
    expect(new Set(lost)).toEqual(new Set(['text-1', 'text-2']));
    expect(lines.find(({ step }) => step === 'text-1@ffffffff')).toMatchObject({ component: 'text', outcome: 'done' });
  });

  it('is the user’s own rate where there is one, marked, and a discount off the list', async () => {
    const rates = [
      'rates: [{ kind: tokens, model: gpt-image-2, of: image-output, perUnit: 24 }]',
      'discounts: [{ service: OpenAI, percent: 10 }, { service: AmazonPolly, region: us-east-1, percent: 50 }]',
    ].join('\n');
    const { lines } = await priced(USAGE, rates);
    const of = (step: string, type: string) =>
      lines.find(({ step: its, resourceType }) => its === step && resourceType === type);
    expect(of('image-1', 'image output tokens')).toMatchObject({
      unitPrice: '24',
      source: 'rates',
      marks: ['own rate'],
    });
    expect(of('text-2', 'output tokens')).toMatchObject({ unitPrice: '1.8', marks: ['discount 10 %'] });
    expect(of('audio', 'neural speech')).toMatchObject({ unitPrice: '8', marks: ['discount 50 %'] });
  });

  it('names what has no price, never counts it as nothing', async () => {
    const { lines, unpriced, total } = await priced({
      'text-1': usageOf({ model: 'gpt-9', inputTokens: 10, outputTokens: 20 }),
      'image-1': usageOf({ model: 'gpt-image-2', outputTokens: 30, imageTokens: 20 }),
    });
    expect(lines.map(({ resourceType }) => resourceType)).toEqual(['image output tokens']);
    expect(total).toBe('0.0006');
    expect(unpriced.map(({ resource, component }) => [resource, component])).toEqual([
      ['gpt-9', 'text'],
      ['gpt-9', 'text'],
      // Text that a picture's model writes has no price in its list.
      ['gpt-image-2', 'image'],
    ]);
    for (const { remedy } of unpriced) expect(remedy).toContain('costRates');
  });

  it('in another currency is in the ledger, and named beside the total', async () => {
    const rates = 'currency: EUR\nrates: [{ kind: speech, engine: neural, perUnit: 15 }]';
    const { lines, unpriced, total } = await priced({ audio: USAGE.audio! }, rates);
    expect(lines).toMatchObject([{ currency: 'EUR', amount: '0.036' }]);
    expect(total).toBe('0');
    expect(unpriced).toMatchObject([{ component: 'audio', reason: expect.stringContaining('0.036 EUR') as string }]);
  });

  it('of a night across midnight (UTC) is on the days it was used', async () => {
    const { lines } = await priced({
      'text-1': usageOf({ inputTokens: 1, at: '2026-11-26T23:59:59.999Z' }),
      audio: usageOf({ service: 'polly', model: 'standard', characters: 1, at: '2026-11-27T00:00:00.000Z' }),
    });
    expect(lines.map(({ line }) => line.slice(0, 10))).toEqual(['2026-11-26', '2026-11-27']);
  });

  it('of nothing is nothing', async () => {
    expect(await priced({})).toEqual({ lines: [], total: '0', micro: 0, unpriced: [] });
  });
});

const price = fc.integer({ min: 0, max: 10_000_000 }).map((n) => (n / 1000).toFixed(3));
/** Of each kind, own rates: any ratio between them. */
const ratesOf = fc.record({
  input: price,
  cached: price,
  output: price,
  imageInput: price,
  imageCached: price,
  imageOutput: price,
  speech: price,
});
type OwnRates = typeof ratesOf extends fc.Arbitrary<infer Value> ? Value : never;

const fileOf = (rates: OwnRates) =>
  JSON.stringify({
    rates: [
      { kind: 'tokens', model: 'gpt-5-mini', of: 'input', perUnit: rates.input },
      { kind: 'tokens', model: 'gpt-5-mini', of: 'cached-input', perUnit: rates.cached },
      { kind: 'tokens', model: 'gpt-5-mini', of: 'output', perUnit: rates.output },
      { kind: 'tokens', model: 'gpt-image-2', of: 'input', perUnit: rates.imageInput },
      { kind: 'tokens', model: 'gpt-image-2', of: 'cached-input', perUnit: rates.imageCached },
      { kind: 'tokens', model: 'gpt-image-2', of: 'image-output', perUnit: rates.imageOutput },
      { kind: 'speech', engine: 'neural', perUnit: rates.speech },
    ],
  });

const plan = planOf();
const upTo = (max: number) => fc.integer({ min: 0, max });
const at = fc
  .integer({ min: 0, max: 3 * 86_400_000 })
  .map((ms) => new Date(Date.parse('2026-11-26T19:15:30Z') + ms).toISOString());
const input = (most: number) =>
  upTo(most).chain((inputTokens) =>
    fc.record({ inputTokens: fc.constant(inputTokens), cachedInputTokens: upTo(inputTokens) }),
  );
const draft = fc
  .record({ of: input(plan.text.input), outputTokens: upTo(plan.text.output), at })
  .map(({ of, ...used }) => usageOf({ ...of, ...used }));
const picture = fc
  .record({ of: input(plan.picturePrompt), imageTokens: upTo(pictureTokens('gpt-image-2', '1024x1024', 'medium')), at })
  .map(({ of, imageTokens, at: when }) =>
    usageOf({ ...of, model: 'gpt-image-2', imageTokens, outputTokens: imageTokens, pictures: 1, at: when }),
  );
const voice = fc
  .record({ characters: upTo(2 * (plan.characters ?? 0)), at })
  .map((used) => usageOf({ service: 'polly', model: 'neural', ...used }));
const usages: fc.Arbitrary<StoryRecord['usage']> = fc
  .record(
    { 'text-1': draft, 'text-2': draft, 'image-1': picture, 'image-2': picture, audio: voice },
    { requiredKeys: [] },
  )
  .map((used) => used as StoryRecord['usage']);

describe('for every usage within the bounds, and whatever the prices', () => {
  it('the bound is no less than the cost, and the cost is the sum of its lines', async () => {
    await fc.assert(
      fc.asyncProperty(usages, ratesOf, async (usage, rates) => {
        const file = fileOf(rates);
        const most = await bound({}, file);
        const { lines, total, micro, unpriced } = await priced(usage, file);
        expect(unpriced).toEqual([]);
        expect(sumOf(lines.map(({ amount }) => amount)).toFixed()).toBe(total);
        for (const line of lines) expect(new Money(line.quantity).times(line.unitPrice).toFixed()).toBe(line.amount);
        expect(micro).toBeLessThanOrEqual(most.micro);
        expect(new Set(lines.map(({ line }) => line)).size).toBe(lines.length);
      }),
      { numRuns: 200 },
    );
  });

  it('the same usage in another order is the same lines', async () => {
    await fc.assert(
      fc.asyncProperty(usages, async (usage) => {
        const turned = Object.fromEntries(Object.entries(usage).toReversed());
        expect(await priced(turned)).toEqual(await priced(usage));
      }),
      { numRuns: 50 },
    );
  });
});
