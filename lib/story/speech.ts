/**
 * Speaking by Polly, so that nothing is paid for twice: each answer is kept before anything is made of it.
 *
 * @module
 */
import { type PollyClient, SynthesizeSpeechCommand, type VoiceId } from '@aws-sdk/client-polly';
import { digestOf } from '../digest.ts';
import { readMp3 } from './mp3.ts';
import type { StageCache } from './stage-cache.ts';
import type { Narrator } from './voices.ts';

/** Hz: what Polly's neural and long-form voices are made in. */
const SAMPLE_RATE = '24000';

/** The two forms a part is asked for in; Polly makes, and bills, each by itself. */
export const SPEECH_FORMS = {
  sound: { OutputFormat: 'mp3', SampleRate: SAMPLE_RATE },
  marks: { OutputFormat: 'json', SpeechMarkTypes: ['word'] },
} as const;
export type SpeechForm = keyof typeof SPEECH_FORMS;

const CONTENT_TYPES = { sound: 'audio/mpeg', marks: 'application/x-json-stream' } as const;
const ENDINGS = { sound: 'mp3', marks: 'jsonl' } as const;

/** Of dots and dashes alone nothing may be heard. */
const SAYS = /[\p{L}\p{N}]/u;

/** Of a sound: enough for a frame, whatever tags are before it. */
const FIRST_BYTES = 16_384;

export interface SpeechAnswer {
  bytes: Buffer;
  /** That were billed for it. */
  characters: number;
}

export interface Speech {
  /** What has been paid for before. */
  find(text: string, form: SpeechForm): Promise<SpeechAnswer | undefined>;
  speak(text: string, form: SpeechForm): Promise<SpeechAnswer>;
}

/** @param place where answers are kept, such as `stories/moon/2026-11-26/` */
export function openSpeech(
  polly: PollyClient,
  cache: StageCache,
  options: { narrator: Narrator; place: string; abortSignal?: AbortSignal },
): Speech {
  const { narrator, place, abortSignal } = options;
  const keyOf = (text: string, form: SpeechForm) =>
    `${place}speech-${digestOf({ ...narrator, text, form: SPEECH_FORMS[form] })}.${ENDINGS[form]}`;
  const read = ({ bytes, metadata }: Awaited<ReturnType<StageCache['keep']>>): SpeechAnswer => ({
    bytes,
    characters: Number(metadata.characters),
  });

  return {
    async find(text, form) {
      const kept = await cache.find(keyOf(text, form));
      return kept && read(kept);
    },

    async speak(text, form) {
      const { AudioStream, RequestCharacters = Array.from(text).length } = await polly.send(
        new SynthesizeSpeechCommand({
          ...commandOf(form),
          Engine: narrator.engine,
          VoiceId: narrator.voice as VoiceId,
          ...(narrator.languageCode && { LanguageCode: narrator.languageCode }),
          Text: text,
          TextType: 'text',
        }),
        { ...(abortSignal && { abortSignal }) },
      );
      const bytes = (await AudioStream?.transformToByteArray()) ?? new Uint8Array();
      // Kept, it would be found by every further try.
      if (form === 'sound' && SAYS.test(text) && readMp3(bytes.subarray(0, FIRST_BYTES)).samples === 0)
        throw new Error('Polly answered no sound');
      const kept = await cache.keep(keyOf(text, form), bytes, CONTENT_TYPES[form], {
        characters: String(RequestCharacters),
      });
      return read(kept);
    },
  };
}

const commandOf = (form: SpeechForm) =>
  form === 'sound'
    ? SPEECH_FORMS.sound
    : { ...SPEECH_FORMS.marks, SpeechMarkTypes: [...SPEECH_FORMS.marks.SpeechMarkTypes] };
