/**
 * What SynthesizeSpeech takes, checked as Polly checks it.
 *
 * @module
 */
import { AwsError } from '../../kit/service.ts';
import type { Mp3Rate } from './audio.ts';
import { plainText, type SpokenText, ssmlText } from './spoken-text.ts';
import { ENGINES, type Engine, isEngine, isLanguage, notInSet, type Voice, voiceOf } from './voices.ts';

type Json = Record<string, unknown>;

export type Output =
  | { format: 'mp3' | 'ogg_vorbis'; rate: Mp3Rate }
  | { format: 'pcm'; rate: 8000 | 16000 }
  | { format: 'json'; marks: ReadonlySet<string> };

export interface SpeechRequest {
  voice: Voice;
  engine: Engine;
  output: Output;
  source: string;
  spoken: SpokenText;
}

/** Polly's quotas of one request: billed characters, and with those of tags. */
const MOST_BILLED = 3_000;
const MOST_CHARACTERS = 6_000;

const FORMATS = ['json', 'mp3', 'ogg_opus', 'ogg_vorbis', 'pcm', 'mulaw', 'alaw'];
const MARKS = ['sentence', 'ssml', 'viseme', 'word'];
const RATES = [8000, 16000, 22050, 24000, 44100, 48000] as const satisfies readonly Mp3Rate[];
const PCM_RATES = [8000, 16000] as const;

const invalid = (message: string) => new AwsError('ValidationException', message);

/** @throws AwsError as Polly refuses; ValidationException that names the stand-in for what it does not have */
export function readSpeechRequest(input: Json): SpeechRequest {
  const format = member(input, 'OutputFormat', FORMATS);
  const source = required(input, 'Text');
  const textType = input.TextType === undefined ? 'text' : member(input, 'TextType', ['ssml', 'text']);
  const voice = voiceOf(required(input, 'VoiceId'));
  const engine = engineOf(input.Engine, voice);
  checkLanguage(input.LanguageCode, voice);
  const marks = marksOf(input.SpeechMarkTypes);
  if (format !== 'json' && marks.length > 0) {
    throw new AwsError(
      'MarksNotSupportedForFormatException',
      'Speech marks are not supported for the OutputFormat selected. Speech marks are only available for content in json format.',
    );
  }
  if (marks.includes('ssml') && textType === 'text') {
    throw new AwsError(
      'SsmlMarksNotSupportedForTextTypeException',
      'SSML speech marks are not supported for plain text-type input.',
    );
  }
  const output = outputOf(format, input.SampleRate, marks, engine);
  const [lexicon] = Array.isArray(input.LexiconNames) ? (input.LexiconNames as unknown[]) : [];
  if (lexicon !== undefined) {
    throw new AwsError('LexiconNotFoundException', `Lexicon not found: ${String(lexicon)}`, 404);
  }
  const spoken = textType === 'ssml' ? ssmlText(source) : plainText(source);
  if (spoken.billed > MOST_BILLED || [...source].length > MOST_CHARACTERS) {
    throw new AwsError('TextLengthExceededException', 'Maximum text length has been exceeded');
  }
  return { voice, engine, output, source, spoken };
}

function engineOf(given: unknown, voice: Voice): Engine {
  const engine = given === undefined ? 'standard' : String(given);
  if (!isEngine(engine)) throw notInSet(engine, 'engine', ENGINES.join(', '));
  if (!voice.engines.includes(engine)) throw invalid(`This voice does not support the selected engine: ${engine}`);
  return engine;
}

function checkLanguage(given: unknown, voice: Voice): void {
  if (given === undefined) return;
  const code = String(given);
  if (isLanguage(code) && code === voice.language) return;
  throw new AwsError(
    'LanguageNotSupportedException',
    'The language specified is not currently supported by Amazon Polly in this capacity.',
  );
}

function marksOf(given: unknown): string[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) throw new AwsError('SerializationException', 'SpeechMarkTypes must be a list');
  const types = given.map(String);
  if (types.length > MARKS.length) {
    throw invalid(
      `1 validation error detected: Value at 'speechMarkTypes' failed to satisfy constraint: Member must have length less than or equal to ${MARKS.length}`,
    );
  }
  const unknown = types.find((type) => !MARKS.includes(type));
  if (unknown !== undefined) throw notInSet(unknown, 'speechMarkTypes', MARKS.join(', '));
  return types;
}

function outputOf(format: string, rate: unknown, marks: readonly string[], engine: Engine): Output {
  if (format === 'json') {
    if (marks.length === 0) throw invalid('SpeechMarkTypes must be given when OutputFormat is json');
    if (engine === 'generative') throw invalid('The generative engine does not support speech marks');
    if (marks.includes('viseme') || marks.includes('ssml')) {
      throw invalid('this stand-in has speech marks of the types sentence and word only');
    }
    return { format, marks: new Set(marks) };
  }
  if (format === 'pcm') return { format, rate: rateOf(rate, PCM_RATES, 16_000) };
  if (format === 'mp3' || format === 'ogg_vorbis') {
    return { format, rate: rateOf(rate, RATES, engine === 'standard' ? 22_050 : 24_000) };
  }
  throw invalid(`this stand-in has no ${format}: mp3, ogg_vorbis, pcm and json`);
}

function rateOf<Rate extends number>(given: unknown, known: readonly Rate[], usual: Rate): Rate {
  const rate = given === undefined ? usual : known.find((one) => String(one) === given);
  if (rate === undefined) {
    throw new AwsError('InvalidSampleRateException', 'The specified sample rate is not valid.');
  }
  return rate;
}

function member(input: Json, name: string, known: readonly string[]): string {
  const value = required(input, name);
  if (!known.includes(value)) throw notInSet(value, lowerFirst(name), known.join(', '));
  return value;
}

/** Without text there is nothing to say: refused here as missing. */
function required(input: Json, name: string): string {
  const value = input[name];
  if (typeof value === 'string' && value !== '') return value;
  throw invalid(
    `1 validation error detected: Value at '${lowerFirst(name)}' failed to satisfy constraint: Member must not be null`,
  );
}

const lowerFirst = (name: string) => `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`;
