/**
 * Whether a voice of Polly speaks a language: asked before anything is paid for, since Polly reads whatever it is given with
 * the sounds of the voice's own language.
 *
 * @module
 */
import { DescribeVoicesCommand, type LanguageCode, type PollyClient, type Voice } from '@aws-sdk/client-polly';
import type { SpeechEngine } from './document.ts';

export interface Narrator {
  voice: string;
  engine: SpeechEngine;
  /** What a voice of two languages has to be told. */
  languageCode?: LanguageCode;
}

export class UnfitVoiceError extends Error {
  override readonly name = 'UnfitVoiceError';
}

/** Voices that are named in an error. */
const NAMED = 6;

/**
 * @param wanted language: BCP 47
 * @throws UnfitVoiceError that says which ones fit
 */
export async function findNarrator(
  polly: PollyClient,
  wanted: { voice: string; engine: SpeechEngine; language: string },
  abortSignal?: AbortSignal,
): Promise<Narrator> {
  return chooseNarrator(await listVoices(polly, abortSignal), wanted);
}

/** All voices of the Region, page after page. */
export async function listVoices(polly: PollyClient, abortSignal?: AbortSignal): Promise<Voice[]> {
  const voices: Voice[] = [];
  let NextToken: string | undefined;
  do {
    const page = await polly.send(
      new DescribeVoicesCommand({ IncludeAdditionalLanguageCodes: true, ...(NextToken && { NextToken }) }),
      { ...(abortSignal && { abortSignal }) },
    );
    voices.push(...(page.Voices ?? []));
    NextToken = page.NextToken;
  } while (NextToken);
  return voices;
}

export function chooseNarrator(
  voices: readonly Voice[],
  { voice: id, engine, language }: { voice: string; engine: SpeechEngine; language: string },
): Narrator {
  const spoken = languageOf(language);
  if (spoken === undefined) throw new UnfitVoiceError(`${language} is no language tag such as en-GB`);
  const fits = (voice: Voice) => speaks(voice, language);
  const can = (voice: Voice) => voice.SupportedEngines?.includes(engine) ?? false;
  const fitting = voices.filter((voice) => fits(voice) && can(voice)).flatMap(({ Id }) => Id ?? []);
  const advice =
    fitting.length > 0
      ? `voices of ${language} with the engine ${engine}: ${fitting.slice(0, NAMED).join(', ')}`
      : `Polly has no voice of ${language} with the engine ${engine} in this Region`;
  const found = voices.find(({ Id }) => Id === id);
  if (!found) throw new UnfitVoiceError(`Polly has no voice ${id} in this Region; ${advice}`);
  if (!can(found)) {
    throw new UnfitVoiceError(
      `the voice ${id} has the engines ${(found.SupportedEngines ?? []).join(', ')}, not ${engine}; ${advice}`,
    );
  }
  if (!fits(found))
    throw new UnfitVoiceError(`the voice ${id} speaks ${codesOf(found).join(', ')}, not ${language}; ${advice}`);
  if (!found.AdditionalLanguageCodes?.length) return { voice: id, engine };
  // The own accent where it has it.
  const codes = codesOf(found);
  const code = codes.find((one) => one === language) ?? codes.find((one) => languageOf(one) === spoken);
  return { voice: id, engine, ...(code && { languageCode: code }) };
}

/** One of its languages is that one, whatever the accent. @param language BCP 47 */
export function speaks(voice: Voice, language: string): boolean {
  const spoken = languageOf(language);
  return spoken !== undefined && codesOf(voice).some((code) => languageOf(code) === spoken);
}

const codesOf = ({ LanguageCode: own, AdditionalLanguageCodes: more = [] }: Voice): LanguageCode[] => [
  ...(own ? [own] : []),
  ...more,
];

/** `ar` of Polly's `arb`, `zh` of its `cmn-CN`. */
function languageOf(tag: string): string | undefined {
  try {
    // Polly has tags that are none, such as en-GB-WLS.
    const { language } = new Intl.Locale(tag.split('-', 2).join('-'));
    return language === 'no' ? 'nb' : language;
  } catch {
    return undefined;
  }
}
