/** MP3s are joined frame by frame, and play for exactly as long as their frames do. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createMp3Encoder } from 'wasm-media-encoders';
import { joinMp3, millisecondsOf, readMp3 } from '../../lib/story/mp3.ts';
import { soundOf } from '../support/tone-polly.ts';

const FRAME_MS = 24;

/** A tag of ID3v2.4 with `size` bytes of padding. */
const id3v2 = (size: number) =>
  Buffer.concat([Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, (size >> 7) & 0x7f, size & 0x7f]), Buffer.alloc(size)]);

/** The frame an encoder tells about its file in: as the first frame, with a sign instead of sound. */
function headerFrame(sound: Buffer, sign: string, at: number): Buffer {
  const frame = Buffer.alloc(144);
  sound.copy(frame, 0, 0, 4);
  frame.write(sign, at, 'latin1');
  return frame;
}

it('tells how long a sound plays, within a frame or three of what went into it', async () => {
  const sound = readMp3(await soundOf('one two three four five'));

  expect(sound).toMatchObject({ sampleRate: 24_000, channels: 1 });
  expect(sound.samples % 576).toBe(0);
  // five words and the breath behind each of them, and what an encoder adds before and behind
  const spoken = 50 + [3, 3, 5, 4, 4].reduce((sum, letters) => sum + 60 + 10 * letters + 30, 0);
  expect(millisecondsOf(sound)).toBeGreaterThanOrEqual(spoken);
  expect(millisecondsOf(sound)).toBeLessThan(spoken + 5 * FRAME_MS);
});

it('joins sounds: the whole plays for the sum of its parts, to the sample, and is read again as it was', async () => {
  const parts = (await Promise.all(['one', 'two three', 'and a fourth'].map((text) => soundOf(text)))).map(readMp3);

  const whole = joinMp3(parts);

  expect(whole.samples).toBe(parts.reduce((sum, { samples }) => sum + samples, 0));
  expect(readMp3(whole.bytes)).toEqual(whole);
});

it('leaves tags and the frames of encoders out', async () => {
  const plain = await soundOf('one two');
  const expected = readMp3(plain);
  const id3v1 = Buffer.concat([Buffer.from('TAG'), Buffer.alloc(125, 0x20)]);

  for (const sign of ['Xing', 'Info']) {
    const file = Buffer.concat([id3v2(300), headerFrame(plain, sign, 13), plain, id3v1]);
    expect(readMp3(file)).toEqual(expected);
  }
  expect(readMp3(Buffer.concat([headerFrame(plain, 'VBRI', 36), plain]))).toEqual(expected);
});

it('leaves the header frame of a stereo sound of MPEG 1 out', async () => {
  const encoder = await createMp3Encoder();
  encoder.configure({ channels: 2, sampleRate: 44_100, outputSampleRate: 44_100, bitrate: 128 });
  const silence = new Float32Array(44_100);
  const plain = Buffer.concat([Buffer.from(encoder.encode([silence, silence])), Buffer.from(encoder.finalize())]);
  const expected = readMp3(plain);
  expect(expected).toMatchObject({ channels: 2, sampleRate: 44_100 });
  const frame = Buffer.alloc(417);
  plain.copy(frame, 0, 0, 4);
  frame[2] = (plain[2] as number) & 0xfd;
  frame.write('Info', 36, 'latin1');

  expect(readMp3(Buffer.concat([frame, plain]))).toEqual(expected);
});

it('finds no frames in what is no MP3, whatever it is', () => {
  expect(readMp3(new Uint8Array())).toMatchObject({ samples: 0 });
  expect(readMp3(Buffer.from('{"message":"no sound"}'))).toMatchObject({ samples: 0 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
      expect(readMp3(bytes).samples).toBeGreaterThanOrEqual(0);
    }),
  );
});

it('does not join sounds of different kinds', async () => {
  const sounds = [readMp3(await soundOf('one')), readMp3(await soundOf('two', { sampleRate: 22_050 }))];

  expect(() => joinMp3(sounds)).toThrow(/24000 Hz.*22050 Hz.*cannot be joined/);
  expect(joinMp3([readMp3(Buffer.alloc(0)), sounds[0] as never]).samples).toBe(sounds[0]?.samples);
});
