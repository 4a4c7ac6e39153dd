/** Pictures of OpenAI's stand-in: their sizes and tokens, what words call for, and the mark of those that are to be flagged. */
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { AwsError } from '../../infra/local/kit/service.ts';
import { FEATURES } from '../../infra/local/openai/images/features.ts';
import { isMarked, mark, readPicture, writePicture } from '../../infra/local/openai/images/picture.ts';
import { drawScene } from '../../infra/local/openai/images/scene.ts';
import { imageTokens, readSize } from '../../infra/local/openai/images/sizes.ts';
import { duration } from '../../infra/local/openai/limits.ts';

describe('sizes', () => {
  it.each([
    ['1024x1024', 'low', 272],
    ['1024x1024', 'medium', 1056],
    ['1024x1024', 'high', 4160],
    ['1024x1536', 'medium', 1584],
    ['1536x1024', 'medium', 1568],
    ['1536x1024', 'high', 6208],
    ['2048x2048', 'low', 1088],
  ] as const)('%s in %s quality costs %i tokens', (size, quality, tokens) => {
    expect(imageTokens(readSize(size, 'gpt-image-2'), quality)).toBe(tokens);
  });

  it.each(['1024', '1025x1024', '4096x1024', '3840x1024', '512x512', '3840x3840', '0x0', '1e3x1024', '-1024x1024', ''])(
    'of GPT image 2 are not %j',
    (size) => {
      expect(() => readSize(size, 'gpt-image-2')).toThrow(AwsError);
    },
  );

  it('of others are three, and the one the model chooses', () => {
    expect(readSize('auto', 'gpt-image-1')).toEqual({ width: 1024, height: 1024 });
    expect(() => readSize('2048x2048', 'gpt-image-1')).toThrow(/'1024x1024', '1024x1536', '1536x1024', and 'auto'/);
  });
});

describe('a scene', () => {
  const size = { width: 256, height: 256 };

  it.each([
    ['haunted woods', [0]],
    ['ein Schloss am Meer', [1, 2]],
    ['a snowy village', [3, 5]],
    ['space and a flower garden', [4, 6]],
    // Neither a park nor a ship, no fort and no tree.
    ['Parker and the comfort of friendship on the driver’s seat', []],
    ['moonlight, a storm, Sturm und Drang', []],
  ])('of %s has what it names', (prompt, expected) => {
    const found = FEATURES.flatMap(({ words }, index) => (words.test(prompt.toLowerCase()) ? [index] : []));

    expect(found).toEqual(expected);
  });

  it('can be read again as it was drawn, and is small', () => {
    const drawn = drawScene('a castle', 0, { width: 1024, height: 1024 });
    const file = writePicture(drawn);
    const again = PNG.sync.read(file);

    expect([again.width, again.height]).toEqual([1024, 1024]);
    expect(again.data.equals(drawn.data)).toBe(true);
    expect(file.length).toBeLessThan(300_000);
    expect(
      new Set(Array.from({ length: 500 }, (_, index) => again.data.readUInt32LE(index * 8000))).size,
    ).toBeGreaterThan(50);
  });

  it('is marked only where it was', () => {
    const plain = drawScene('a castle', 0, size);
    expect(isMarked(readPicture(writePicture(plain)))).toBe(false);
    mark(plain);
    expect(isMarked(readPicture(writePicture(plain)))).toBe(true);
  });

  it('of one pixel has no mark and no trouble', () => {
    const png = new PNG({ width: 1, height: 1 });
    png.data.fill(0);

    expect(isMarked(readPicture(PNG.sync.write(png)))).toBe(false);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['a PNG with another byte in it', flipped(writePicture(drawScene('x', 0, { width: 32, height: 32 })))],
  ])('is not %s', (_, bytes) => {
    expect(() => readPicture(bytes)).toThrow(/unsupported image/);
  });

  it('may be a JPEG, which nobody looks at', () => {
    expect(readPicture(Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0]))).toBeUndefined();
  });
});

function flipped(bytes: Buffer): Buffer {
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  return bytes;
}

describe('times until a limit is whole again', () => {
  it.each([
    [0, '0ms'],
    [6, '6ms'],
    [1200, '1.2s'],
    [90_500, '1m30.5s'],
    [120_000, '2m0s'],
  ])('%i ms is %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});
