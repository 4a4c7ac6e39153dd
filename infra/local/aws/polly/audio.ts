/**
 * From eSpeak's samples to what Polly sends: resampled by linear interpolation (good enough for speech, whose energy lies
 * far below half of any rate here), then as raw PCM, MP3 (LAME) or Ogg Vorbis.
 *
 * @module
 */
import { setImmediate } from 'node:timers/promises';
import { createMp3Encoder, createOggEncoder } from 'wasm-media-encoders';

/** Silence before the first word: room for what the MP3 codec adds. */
export const LEAD_SECONDS = 0.05;

/** Samples by which LAME and a decoder together put audio off (576 and 529): as many are left out of the silence. */
const MP3_DELAY = 1105;

/** kbit/s by samples a second: constant, as Polly's. AWS publishes none: 48 for its usual two rates is what it sends. */
const MP3_BITRATES = { 8000: 16, 16000: 32, 22050: 48, 24000: 48, 44100: 64, 48000: 64 } as const;
export type Mp3Rate = keyof typeof MP3_BITRATES;

/** The samples between -1 and 1 with the silence before them, at another rate. */
export function resample(pcm: Int16Array, from: number, to: number): Float32Array {
  const lead = Math.round(LEAD_SECONDS * to);
  const length = Math.round((pcm.length * to) / from);
  const samples = new Float32Array(lead + length);
  for (let index = 0; index < length; index += 1) {
    const place = (index * from) / to;
    const before = Math.floor(place);
    const left = pcm[before] ?? 0;
    const right = pcm[before + 1] ?? left;
    samples[lead + index] = (left + (right - left) * (place - before)) / 32_768;
  }
  return samples;
}

/** 16 bits, little-endian. */
export function toPcm(samples: Float32Array): Buffer {
  const bytes = Buffer.alloc(samples.length * 2);
  samples.forEach((sample, index) => {
    bytes.writeInt16LE(Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768))), index * 2);
  });
  return bytes;
}

/** What is heard at a time of the samples is heard at that time of the MP3. */
export async function toMp3(samples: Float32Array, rate: Mp3Rate): Promise<Buffer> {
  const encoder = await createMp3Encoder();
  encoder.configure({ channels: 1, sampleRate: rate, outputSampleRate: rate, bitrate: MP3_BITRATES[rate] });
  const silence = Math.min(MP3_DELAY, Math.round(LEAD_SECONDS * rate));
  return encode(encoder, samples.subarray(silence), rate);
}

export async function toOggVorbis(samples: Float32Array, rate: number): Promise<Buffer> {
  const encoder = await createOggEncoder();
  encoder.configure({ channels: 1, sampleRate: rate });
  return encode(encoder, samples, rate);
}

interface Encoder {
  encode(samples: readonly Float32Array[]): Uint8Array;
  finalize(): Uint8Array;
}

/** A few seconds at a time: the other stand-ins in this process go on meanwhile. */
async function encode(encoder: Encoder, samples: Float32Array, rate: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  const step = rate * 5;
  for (let begin = 0; begin < samples.length; begin += step) {
    // Copied: the encoder keeps what it returns.
    parts.push(Buffer.from(encoder.encode([samples.subarray(begin, begin + step)])));
    await setImmediate();
  }
  parts.push(Buffer.from(encoder.finalize()));
  return Buffer.concat(parts);
}
