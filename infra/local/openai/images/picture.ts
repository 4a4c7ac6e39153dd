/**
 * Pictures as files: written, read again, and the mark of those that the moderation is meant to flag: sixteen pixels of one
 * colour in the upper left corner, which no scene has there.
 *
 * @module
 */
import { PNG } from 'pngjs';
import { openAiError } from '../errors.ts';

/** RGBA, row by row. */
export interface Pixels {
  width: number;
  height: number;
  data: Buffer;
}

const MARK = [255, 0, 254] as const;
const MARK_SIDE = 4;

/** RGB without alpha. Neighbouring rows are much alike: the filter `Up` makes them small, and is quick. */
export function writePicture({ width, height, data }: Pixels): Buffer {
  const png = new PNG({ width, height });
  png.data = data;
  return PNG.sync.write(png, { colorType: 2, inputColorType: 6, filterType: 2, deflateLevel: 6, deflateStrategy: 0 });
}

/**
 * @returns undefined for what is a picture by its signature, and of a kind whose pixels nobody looks at here
 * @throws AwsError 400 for what is none, or is damaged
 */
export function readPicture(bytes: Buffer): Pixels | undefined {
  try {
    if (bytes.subarray(0, 8).equals(PNG_SIGNATURE)) return PNG.sync.read(bytes);
  } catch {
    throw unreadable();
  }
  const head = bytes.toString('latin1', 0, 12);
  if (/^\xff\xd8\xff|^GIF8[79]a|^RIFF....WEBP/s.test(head)) return undefined;
  throw unreadable();
}

const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

const unreadable = () =>
  openAiError(
    "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].",
    { param: 'input', code: 'invalid_image_format' },
  );

export function mark(pixels: Pixels): void {
  for (const at of markedAt(pixels)) pixels.data.set(MARK, at);
}

export function isMarked(pixels: Pixels | undefined): boolean {
  if (!pixels || pixels.width < MARK_SIDE || pixels.height < MARK_SIDE) return false;
  return markedAt(pixels).every((at) => MARK.every((value, channel) => pixels.data[at + channel] === value));
}

/** Where the marked pixels begin. */
function markedAt({ width }: Pixels): number[] {
  const steps = Array.from({ length: MARK_SIDE }, (_, index) => index);
  return steps.flatMap((y) => steps.map((x) => (y * width + x) * 4));
}
