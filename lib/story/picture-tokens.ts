/**
 * How many output tokens a picture may take: bounds, for what a story may cost. What it took, OpenAI tells.
 *
 * Sources: https://developers.openai.com/api/docs/guides/image-generation, "Cost and latency", 2026-11-26. Of models before
 * gpt-image-2 it has the tokens. Of gpt-image-2 it has prices of pictures, rounded to a tenth of a cent, at 30 USD for 1M
 * tokens: here are the most tokens that round to them.
 *
 * @module
 */

type Quality = 'low' | 'medium' | 'high';
type Sizes = Readonly<Record<string, Readonly<Record<Quality, number>>>>;

const GPT_IMAGE_2: Sizes = {
  '1024x1024': { low: 217, medium: 1_784, high: 7_050 },
  '1024x1536': { low: 184, medium: 1_384, high: 5_517 },
  '1536x1024': { low: 184, medium: 1_384, high: 5_517 },
};
const BEFORE: Sizes = {
  '1024x1024': { low: 272, medium: 1_056, high: 4_160 },
  '1024x1536': { low: 408, medium: 1_584, high: 6_240 },
  '1536x1024': { low: 400, medium: 1_568, high: 6_208 },
};
/** Families, the first that begins the model's id. */
const MODELS: readonly (readonly [beginning: string, sizes: Sizes])[] = [
  ['gpt-image-2', GPT_IMAGE_2],
  ['gpt-image-1', BEFORE],
];
/** Of pictures the guide has nothing of: a picture as large as the smallest listed one takes no more than the most listed. */
const LISTED_PIXELS = 1024 * 1024;

const mostOf = (sizes: Sizes, quality: Quality): number =>
  Math.max(...Object.values(sizes).map((tokens) => tokens[quality]));

/**
 * The most output tokens of one picture. An unlisted size counts as so many of the largest listed picture as it has times
 * 1024 x 1024 pixels; an unknown model as the largest of all families.
 * @param size `1024x1024`
 * @param quality `low`, `medium`, `high`; anything else counts as `high`
 */
export function pictureTokens(model: string, size: string, quality: string): number {
  const level: Quality = quality === 'low' || quality === 'medium' ? quality : 'high';
  const known = MODELS.find(([beginning]) => model.startsWith(beginning))?.[1];
  const listed = known && Object.hasOwn(known, size) ? known[size] : undefined;
  if (listed) return listed[level];
  const [width = Number.NaN, height = Number.NaN] = size.split('x').map(Number);
  if (!(width > 0 && height > 0)) throw new RangeError(`"${size}" is no size of a picture, such as 1024x1024`);
  const most = Math.max(...(known ? [known] : MODELS.map(([, sizes]) => sizes)).map((sizes) => mostOf(sizes, level)));
  return most * Math.ceil((width * height) / LISTED_PIXELS);
}
