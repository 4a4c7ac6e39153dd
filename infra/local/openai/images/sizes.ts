/**
 * Sizes of pictures, and the tokens they are billed by.
 *
 * @module
 */
import { openAiError } from '../errors.ts';
import { wrongValue } from '../input.ts';

export interface Size {
  width: number;
  height: number;
}

export type Quality = 'low' | 'medium' | 'high';

const FIXED = ['1024x1024', '1024x1536', '1536x1024'];
/** Output tokens as OpenAI's image generation guide has them for GPT image 1, by size and quality. */
const PUBLISHED: Readonly<Record<string, Readonly<Record<Quality, number>>>> = {
  '1024x1024': { low: 272, medium: 1056, high: 4160 },
  '1024x1536': { low: 408, medium: 1584, high: 6240 },
  '1536x1024': { low: 400, medium: 1568, high: 6208 },
};
const SQUARE = 1024 * 1024;

/** Of GPT image 2, which draws in any size within these: sides in steps of 16 px, not too long, pixels in all. */
const ANY = { step: 16, longest: 3840, ratio: 3, least: 655_360, most: 8_294_400 };

/** @throws AwsError 400 for a size the model does not draw in */
export function readSize(size: string, model: string): Size {
  const [width = 0, height = 0] = size === 'auto' ? [1024, 1024] : size.split('x').map(Number);
  if (size === 'auto' || FIXED.includes(size)) return { width, height };
  if (!model.startsWith('gpt-image-2')) throw wrongValue('size', size, [...FIXED, 'auto']);
  const sides = [width, height];
  const fits =
    /^\d+x\d+$/.test(size) &&
    sides.every((side) => side % ANY.step === 0 && side > 0 && side <= ANY.longest) &&
    Math.max(...sides) <= ANY.ratio * Math.min(...sides) &&
    width * height >= ANY.least &&
    width * height <= ANY.most;
  if (fits) return { width, height };
  throw openAiError(
    `Invalid size '${size}'. Width and height must be divisible by ${ANY.step}, at most ${ANY.longest} px and in a ratio of at ` +
      `most ${ANY.ratio}:1, with ${ANY.least} to ${ANY.most} pixels in all.`,
    { param: 'size', code: 'invalid_value' },
  );
}

/** Of one picture. For sizes without a published figure: that of the square, by area. */
export function imageTokens({ width, height }: Size, quality: Quality): number {
  const square = PUBLISHED['1024x1024']?.[quality] ?? 0;
  return PUBLISHED[`${width}x${height}`]?.[quality] ?? Math.ceil((square * width * height) / SQUARE);
}
