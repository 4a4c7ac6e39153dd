/**
 * A voice that hums: Polly's protocol with real MP3 of tones, one for each word, whose times it therefore knows; fast, and
 * the same every time.
 *
 * @module
 */
import { createMp3Encoder } from 'wasm-media-encoders';
import { jsonError, parseJsonBody } from '../../infra/local/kit/json-protocol.ts';
import { AwsError, type AwsResponse, type AwsService } from '../../infra/local/kit/service.ts';

const VOICES = [
  { Id: 'Amy', LanguageCode: 'en-GB', SupportedEngines: ['neural', 'standard'] },
  { Id: 'Joanna', LanguageCode: 'en-US', SupportedEngines: ['neural', 'standard', 'long-form'] },
  { Id: 'Vicki', LanguageCode: 'de-DE', SupportedEngines: ['neural'] },
  { Id: 'Zeina', LanguageCode: 'arb', SupportedEngines: ['standard'] },
  { Id: 'Kajal', LanguageCode: 'en-IN', AdditionalLanguageCodes: ['hi-IN'], SupportedEngines: ['neural'] },
];
const LIMIT = 3_000;
const LEAD_MS = 50;
const BREATH_MS = 30;
const PARAGRAPH_MS = 400;

export interface TonePolly {
  service: AwsService;
  /** As they were asked. */
  requests: { form: string; text: string; voice: string; engine: string; language?: string }[];
  /** Characters that were billed. */
  billed: number;
  /** How many times faster than usual it hums. */
  tempo: number;
  /** Changes what is answered as marks. */
  marks: (lines: string[]) => string[];
  /** Changes what is answered as sound. */
  sound: (bytes: Buffer) => Buffer;
}

export function tonePolly(): TonePolly {
  const polly: TonePolly = {
    requests: [],
    billed: 0,
    tempo: 1,
    marks: (lines) => lines,
    sound: (bytes) => bytes,
    service: {
      names: ['polly'],
      async prepare(request) {
        if (request.path === '/v1/voices') {
          return { operation: 'DescribeVoices', subject: '', run: async () => json({ Voices: VOICES }) };
        }
        const input = parseJsonBody(await request.bytes()) as Record<string, string | undefined>;
        const { Text: text = '', VoiceId: voice = '', Engine: engine = 'standard', OutputFormat: form = '' } = input;
        return {
          operation: 'SynthesizeSpeech',
          subject: form,
          async run() {
            const characters = Array.from(text).length;
            if (characters > LIMIT) throw new AwsError('TextLengthExceededException', `too long: ${text}`);
            const known = VOICES.find(({ Id }) => Id === voice);
            if (!known?.SupportedEngines.includes(engine)) {
              throw new AwsError(
                'ValidationException',
                `Value '${text}' at 'text': this voice does not support ${engine}`,
              );
            }
            const { LanguageCode: language } = input;
            polly.requests.push({ form, text, voice, engine, ...(language && { language }) });
            polly.billed += characters;
            const body =
              form === 'json'
                ? `${polly.marks(linesOf(text, polly.tempo)).join('\n')}\n`
                : await soundOf(text, { tempo: polly.tempo });
            const headers = { 'content-type': form, 'x-amzn-requestcharacters': String(characters) };
            return { status: 200, headers, body: typeof body === 'string' ? body : polly.sound(body) };
          },
        };
      },
      renderError: (error) => jsonError(error),
    },
  };
  return polly;
}

const json = (body: unknown): AwsResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/** When each word begins, ms, and how long all of it takes. */
export function toneTimes(
  text: string,
  tempo = 1,
): {
  words: { word: string; index: number; time: number; ms: number }[];
  ms: number;
} {
  const words = [];
  let time = LEAD_MS;
  let behind = 0;
  for (const { segment, index, isWordLike } of new Intl.Segmenter('en', { granularity: 'word' }).segment(text)) {
    if (!isWordLike) continue;
    if (text.slice(behind, index).includes('\n\n')) time += PARAGRAPH_MS;
    const ms = 60 + 10 * Math.min(20, segment.length);
    words.push({ word: segment, index, time: time / tempo, ms: ms / tempo });
    time += ms + BREATH_MS;
    behind = index + segment.length;
  }
  return { words, ms: time / tempo };
}

const linesOf = (text: string, tempo: number): string[] =>
  toneTimes(text, tempo).words.map(({ word, index, time }) => {
    const start = Buffer.byteLength(text.slice(0, index));
    return JSON.stringify({
      time: Math.round(time),
      type: 'word',
      start,
      end: start + Buffer.byteLength(word),
      value: word,
    });
  });

let encoder: Awaited<ReturnType<typeof createMp3Encoder>> | undefined;

export async function soundOf(
  text: string,
  { sampleRate = 24_000, tempo = 1 }: { sampleRate?: 24_000 | 22_050; tempo?: number } = {},
): Promise<Buffer> {
  const { words, ms } = toneTimes(text, tempo);
  const samples = new Float32Array(Math.ceil((ms / 1000) * sampleRate));
  for (const { time, ms: length } of words) {
    const [from, to] = [time, time + length].map((at) => Math.round((at / 1000) * sampleRate)) as [number, number];
    for (let at = from; at < to; at += 1) samples[at] = 0.5 * Math.sin((2 * Math.PI * 440 * at) / sampleRate);
  }
  encoder ??= await createMp3Encoder();
  encoder.configure({ channels: 1, sampleRate, outputSampleRate: sampleRate, bitrate: 48 });
  // Copied: the encoder keeps what it returns.
  const body = Buffer.from(encoder.encode([samples]));
  return Buffer.concat([body, Buffer.from(encoder.finalize())]);
}
