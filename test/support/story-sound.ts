/**
 * A sound that can be played and read along with: an MP3 with a tone for each word, and the marks of exactly those tones.
 *
 * @module
 */
import { createMp3Encoder } from 'wasm-media-encoders';
import type { SpeechMarks, WordMark } from '../../lib/story/document.ts';
import { TITLE } from '../../lib/story/words.ts';

const SAMPLE_RATE = 22_050;
/** A word, and a breath after a paragraph. */
const WORD_MS = 180;
const BREATH_MS = 400;

export interface Told {
  bytes: Uint8Array;
  marks: SpeechMarks;
}

/** Marks of every run of letters and digits; every word takes as long as any other. */
export function marksFor(title: string, paragraphs: readonly string[], wordMs = WORD_MS): SpeechMarks {
  const words: WordMark[] = [];
  let at = 120;
  for (const [place, text] of [title, ...paragraphs].entries()) {
    for (const found of text.matchAll(/[\p{L}\p{M}\p{N}'’-]+/gu)) {
      const from = found.index;
      words.push({ start: at, end: at + wordMs, paragraph: place + TITLE, from, to: from + found[0].length });
      at += wordMs;
    }
    at += BREATH_MS;
  }
  return { version: 1, seconds: at / 1000, words };
}

const made = new Map<string, Promise<Told>>();

/** The same again is not encoded again. */
export function soundFor(title: string, paragraphs: readonly string[], wordMs?: number): Promise<Told> {
  const key = JSON.stringify([title, paragraphs, wordMs]);
  const sound = made.get(key) ?? encode(title, paragraphs, wordMs);
  made.set(key, sound);
  return sound;
}

async function encode(title: string, paragraphs: readonly string[], wordMs: number | undefined): Promise<Told> {
  const marks = marksFor(title, paragraphs, wordMs);
  const samples = new Float32Array(Math.ceil(marks.seconds * SAMPLE_RATE));
  for (const [nth, { start, end }] of marks.words.entries()) {
    const [first, last] = [start, end].map((ms) => Math.floor((ms / 1000) * SAMPLE_RATE)) as [number, number];
    const step = (2 * Math.PI * (220 + 40 * (nth % 8))) / SAMPLE_RATE;
    for (let at = first; at < last; at += 1)
      samples[at] = 0.3 * Math.sin(Math.PI * ((at - first) / (last - first))) * Math.sin(step * at);
  }
  const encoder = await createMp3Encoder();
  encoder.configure({ sampleRate: SAMPLE_RATE, channels: 1, bitrate: 48 });
  // What it returns is its own memory: the next call writes over it.
  const parts = [encoder.encode([samples]).slice(), encoder.finalize().slice()];
  return { bytes: Buffer.concat(parts), marks };
}
