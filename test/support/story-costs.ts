/** What stories use, what it is priced by, and records of them, for tests of what they cost. */
import { openPriceBook } from '../../lib/prices/pricing-models.ts';
import { parseRates } from '../../lib/prices/rates-file.ts';
import type { StoryPlan } from '../../lib/story/costs.ts';
import type { StageUsage, StoryItem, StoryRecord } from '../../lib/story/document.ts';
import { documentOf, pricingOf, spotOf } from '../unit/prices-harness.ts';
import { begunRecord, begunStory } from './one-story.ts';

export const AT = '2026-11-26T19:15:30.000Z';
export const REGION = 'us-east-1';

/** The product's own book: OpenAI's list, and one of Polly; over it rates, as a file has them. */
export function storyPrices(rates = 'currency: USD', { before = () => {} }: { before?: () => void } = {}) {
  const speech = (usagetype: string, price: string, regionCode = REGION) =>
    documentOf('AmazonPolly', { regionCode, usagetype }, price, { unit: 'Characters', sku: usagetype.toUpperCase() });
  const { client } = pricingOf(
    [
      speech('USE1-SynthesizeSpeech-Characters', '0.0000040000'),
      speech('USE1-SynthesizeSpeechNeural-Characters', '0.0000160000'),
      speech('USE1-SynthesizeSpeechLongForm-Characters', '0.0001000000'),
      speech('USE1-SynthesizeSpeechGenerative-Characters', '0.0000300000'),
    ],
    { before },
  );
  return openPriceBook({
    pricing: client,
    ec2: spotOf({}).ec2,
    rates: parseRates(rates, 'rates.yaml'),
    now: () => Date.parse(AT),
  });
}

export const planOf = (parts: Partial<StoryPlan> = {}): StoryPlan => ({
  textModel: 'gpt-5-mini',
  text: { input: 600, output: 4_000 },
  imageModel: 'gpt-image-2',
  imageSize: '1024x1024',
  imageQuality: 'medium',
  picturePrompt: 500,
  engine: 'neural',
  region: REGION,
  characters: 6_000,
  at: Date.parse(AT),
  ...parts,
});

export const usageOf = (parts: Partial<StageUsage> = {}): StageUsage => ({
  service: 'openai',
  model: 'gpt-5-mini',
  at: AT,
  hash: '0123456789abcdef0123456789abcdef',
  ...parts,
});

/** A text that was written twice, a picture, a voice. */
export const USAGE: StoryRecord['usage'] = {
  'text-1': usageOf({ inputTokens: 400, cachedInputTokens: 100, outputTokens: 900 }),
  'text-2': usageOf({ inputTokens: 450, outputTokens: 1_000, at: '2026-11-26T19:15:50.000Z' }),
  'image-1': usageOf({
    model: 'gpt-image-2',
    inputTokens: 120,
    outputTokens: 1_756,
    imageTokens: 1_756,
    pictures: 1,
    at: '2026-11-26T19:16:20.000Z',
  }),
  audio: usageOf({ service: 'polly', model: 'neural', characters: 2_400, at: '2026-11-26T19:16:10.000Z' }),
};

export const recordOf = (parts: Partial<StoryRecord> = {}): StoryRecord => {
  const { family, night } = parts;
  const item = itemOf({ ...(family !== undefined && { family }), ...(night !== undefined && { night }) });
  return { ...begunRecord(item), reserved: 400_000, ...parts };
};

export const itemOf = (parts: Partial<StoryItem> = {}): StoryItem => {
  const { family = 'fox-family', night = '2026-11-26' } = parts;
  return begunStory(`${family}/${night}`, Date.parse(AT), parts);
};
