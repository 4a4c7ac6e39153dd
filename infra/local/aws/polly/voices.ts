/**
 * The voices of Polly that are known here, with the engines AWS gives them, and who speaks for each. Ids, names, genders,
 * languages and engines are those of AWS's table of voices as of autumn 2026; of voices other than the British ones the
 * engine `generative` is from memory of its announcements. Which of eSpeak's voices and what pitch stand for one is ours:
 * they are told apart by ear, and sound like nobody.
 *
 * @module
 */
import { AwsError } from '../../kit/service.ts';
import table from './voices.json' with { type: 'json' };

export const ENGINES = ['standard', 'neural', 'long-form', 'generative'] as const;
export type Engine = (typeof ENGINES)[number];

export interface Voice {
  id: string;
  name: string;
  gender: 'Female' | 'Male';
  /** Such as `en-GB`. */
  language: string;
  engines: readonly Engine[];
  /** Of eSpeak: a language and a variant. */
  espeak: string;
  pitch: number;
}

const VOICES = table.voices as readonly Voice[];
const LANGUAGES: Readonly<Record<string, string>> = table.languages;

/** Of Polly's bilingual voices none is here, so a voice has one language. */
export const isLanguage = (code: string): boolean => Object.hasOwn(LANGUAGES, code);

/** @throws AwsError ValidationException for one that is not known */
export function voiceOf(id: string): Voice {
  const voice = VOICES.find((one) => one.id === id);
  if (voice) return voice;
  const known = VOICES.map((one) => one.id).join(', ');
  throw notInSet(id, 'voiceId', known);
}

export const notInSet = (value: string, member: string, known: string) =>
  new AwsError(
    'ValidationException',
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: Member must satisfy enum value set: [${known}]`,
  );

export function isEngine(text: string): text is Engine {
  return (ENGINES as readonly string[]).includes(text);
}

/** As DescribeVoices answers: all of them on one page. */
export function describeVoices(query: URLSearchParams): Record<string, unknown> {
  const engine = query.get('Engine');
  const language = query.get('LanguageCode');
  const token = query.get('NextToken');
  if (engine !== null && !isEngine(engine)) throw notInSet(engine, 'engine', ENGINES.join(', '));
  if (language !== null && !/^[a-z]{2,3}(-[A-Z]{2}(-[A-Z]{3})?)?$/.test(language)) {
    throw notInSet(language, 'languageCode', Object.keys(LANGUAGES).join(', '));
  }
  if (token !== null) throw new AwsError('InvalidNextTokenException', 'The NextToken is invalid.');
  const found = VOICES.filter(
    (voice) =>
      (engine === null || voice.engines.includes(engine)) && (language === null || voice.language === language),
  );
  return {
    Voices: found.map(({ id, name, gender, language: code, engines }) => ({
      Gender: gender,
      Id: id,
      LanguageCode: code,
      LanguageName: LANGUAGES[code],
      Name: name,
      SupportedEngines: engines,
    })),
  };
}
