/**
 * The settings of a family, checked: what can be known to be wrong is told when it is entered, not at bedtime.
 *
 * @module
 */
import { type Family, SPEECH_ENGINES } from '../../lib/story/document.ts';
import { datesWithout, localDate } from '../../lib/story/local-time.ts';
import type { FamilySettings } from '../live/stories.ts';
import { StoryProblem } from './problem.ts';

export const DEFAULTS = {
  at: '19:15',
  language: 'en-GB',
  engine: 'neural',
  minWords: 200,
  waitForAll: false,
  storyLimitUsd: '0.50',
  monthLimitUsd: '10',
  catchupMinutes: 180,
} as const satisfies Partial<FamilySettings>;

/** Who speaks where nobody is named; all of these are neural and standard. */
const VOICES: Readonly<Record<string, string>> = { 'en-US': 'Joanna', en: 'Amy', de: 'Vicki' };

export const BOUNDS = {
  minWords: { least: 50, most: 800 },
  /** Later than a day, and the next night is there. */
  catchupMinutes: { least: 1, most: 1_440 },
  mostUsd: 1_000,
} as const;
export const AT_PATTERN = /^([01]\d|2[0-3]):[0-5]\d$/;
export const USD_PATTERN = /^\d{1,4}(\.\d{1,6})?$/;
const VOICE_PATTERN = /^[A-Za-z][A-Za-z-]{0,39}$/;
const LONGEST = 64;
const YEAR_DAYS = 366;

type Checked = Omit<Family, 'family' | 'topic_arn' | 'created_at'>;

/**
 * @param given what is set; the rest is as it was, or as it is by default
 * @throws StoryProblem naming the first that cannot be used
 */
export function checkSettings(given: Partial<FamilySettings>, before?: Family): Checked {
  const { timeZone = before?.time_zone, at = before?.at ?? DEFAULTS.at } = given;
  const language = languageOf(given.language ?? before?.language ?? DEFAULTS.language);
  // Another language is spoken by another voice.
  const same = before !== undefined && new Intl.Locale(before.language).language === new Intl.Locale(language).language;
  const settings: Checked = {
    time_zone: timeZoneOf(timeZone),
    at: matching(at, AT_PATTERN, 'the time of day', 'give hours and minutes, such as 19:15'),
    language,
    voice: voiceOf(given.voice ?? (same ? before.voice : undefined), language),
    engine: engineOf(given.engine ?? before?.engine ?? DEFAULTS.engine),
    min_words: whole(
      given.minWords ?? before?.min_words ?? DEFAULTS.minWords,
      'the least number of words',
      BOUNDS.minWords,
    ),
    wait_for_all: given.waitForAll ?? before?.wait_for_all ?? DEFAULTS.waitForAll,
    story_limit_usd: usd(
      given.storyLimitUsd ?? before?.story_limit_usd ?? DEFAULTS.storyLimitUsd,
      'the limit of a story',
    ),
    month_limit_usd: usd(
      given.monthLimitUsd ?? before?.month_limit_usd ?? DEFAULTS.monthLimitUsd,
      'the limit of a month',
    ),
    catchup_minutes: whole(
      given.catchupMinutes ?? before?.catchup_minutes ?? DEFAULTS.catchupMinutes,
      'the minutes to catch up',
      BOUNDS.catchupMinutes,
    ),
  };
  if (Number(settings.story_limit_usd) > Number(settings.month_limit_usd))
    throw new StoryProblem(
      'input',
      `a story may cost ${settings.story_limit_usd} USD, a whole month ${settings.month_limit_usd} only`,
      'make the limit of a month at least that of a story',
    );
  return settings;
}

/** The dates of the year to come without that time. */
export function withoutTime({ time_zone, at }: Pick<Family, 'time_zone' | 'at'>, now: number): string[] {
  return datesWithout(time_zone, at, localDate(now, time_zone), YEAR_DAYS);
}

/** As the IANA database writes it: Temporal takes no other. */
function timeZoneOf(text: string | undefined): string {
  const remedy = 'name one of the IANA database, such as Europe/Berlin or America/New_York';
  if (text === undefined) throw new StoryProblem('input', 'the time zone is missing', remedy);
  const known = Intl.supportedValuesOf('timeZone').find((zone) => zone.toLowerCase() === text.toLowerCase());
  if (known !== undefined) return known;
  // Names of old, and newer ones than those listed, such as Europe/Kyiv; `+02:00` has no daylight saving.
  if (text.length <= LONGEST && /^[A-Z]\w*(\/[\w+-]+)*$/.test(text) && isKnown(text)) return text;
  throw new StoryProblem('input', `there is no time zone ${shown(text)}`, remedy);
}

function isKnown(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function languageOf(text: string): string {
  try {
    const [tag] = Intl.getCanonicalLocales(text);
    if (tag !== undefined && tag.length <= LONGEST && new Intl.Locale(tag).language !== 'und') return tag;
  } catch {
    // The same as any other that is none.
  }
  throw new StoryProblem('input', `${shown(text)} is no language`, 'give a BCP 47 tag, such as en-GB or de-DE');
}

function voiceOf(given: string | undefined, language: string): string {
  const remedy = "name one of Amazon Polly's, such as Amy";
  const voice = given ?? VOICES[language] ?? VOICES[new Intl.Locale(language).language];
  if (voice === undefined) throw new StoryProblem('input', `there is no usual voice for ${language}`, remedy);
  return matching(voice, VOICE_PATTERN, 'the voice', remedy);
}

function engineOf(text: string): Family['engine'] {
  const known = SPEECH_ENGINES.find((engine) => engine === text);
  if (known) return known;
  throw new StoryProblem(
    'input',
    `the engine cannot be ${shown(text)}`,
    `choose one of ${SPEECH_ENGINES.join(', ')}: those tell when each word is spoken`,
  );
}

function matching(text: string, pattern: RegExp, what: string, remedy: string): string {
  if (pattern.test(text)) return text;
  throw new StoryProblem('input', `${what} cannot be ${shown(text)}`, remedy);
}

function whole(value: number, what: string, { least, most }: { least: number; most: number }): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new StoryProblem('input', `${what} cannot be ${value}`, `give a whole number from ${least} to ${most}`);
}

function usd(text: string, what: string): string {
  if (USD_PATTERN.test(text) && Number(text) > 0 && Number(text) <= BOUNDS.mostUsd) return text;
  throw new StoryProblem(
    'input',
    `${what} cannot be ${shown(text)}`,
    `give US dollars such as 0.50, more than 0 and up to ${BOUNDS.mostUsd}`,
  );
}

/** Whatever it holds, it shows as one harmless line. */
const shown = (text: string): string =>
  JSON.stringify(text.slice(0, LONGEST).replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '?'));
