/**
 * The settings of a family while they are typed: texts of fields, what is wrong with each before anything is sent, and what is
 * sent. Pure.
 *
 * @module
 */
import type { FamilySettings } from '../../../live/stories.ts';
import { checkFamilyName } from '../../../story/family-name.ts';
import { StoryProblem } from '../../../story/problem.ts';
import { BOUNDS, checkSettings, DEFAULTS } from '../../../story/settings.ts';

type Numbers = 'minWords' | 'catchupMinutes';
/** Numbers as they are typed. */
export type FamilyDraft = Omit<FamilySettings, Numbers> & Record<Numbers, string>;
export type FamilyProblems = Partial<Record<keyof FamilyDraft, string>>;

export const draftOf = ({ minWords, catchupMinutes, ...rest }: FamilySettings): FamilyDraft => ({
  ...rest,
  minWords: String(minWords),
  catchupMinutes: String(catchupMinutes),
});

/** As the command line has it; the voice is that of the language. */
export const newDraft = (timeZone: string): FamilyDraft => draftOf({ ...DEFAULTS, timeZone, voice: '' });

/** Where the reader is. */
export const zoneHere = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Without what was left empty for the gateway to choose. No number may be 0: that is said of an empty one too. */
export function settingsOf(draft: Partial<FamilyDraft>): Partial<FamilySettings> {
  const { minWords, catchupMinutes, voice = '', ...rest } = draft;
  const texts = Object.entries(rest).map(([name, value]) => [name, typeof value === 'string' ? value.trim() : value]);
  return {
    ...(Object.fromEntries(texts) as Partial<FamilySettings>),
    ...(voice.trim() !== '' && { voice: voice.trim() }),
    ...(minWords !== undefined && { minWords: Number(minWords) }),
    ...(catchupMinutes !== undefined && { catchupMinutes: Number(catchupMinutes) }),
  };
}

/** What of the edits is different from what is set. */
export function changesOf(edits: Partial<FamilyDraft>, family: FamilySettings): Partial<FamilySettings> {
  const changed = Object.entries(settingsOf(edits)).filter(
    ([name, value]) => value !== family[name as keyof FamilySettings],
  );
  return Object.fromEntries(changed) as Partial<FamilySettings>;
}

/** With these any other field is looked at by itself. */
const HARMLESS = { timeZone: 'UTC', voice: 'Amy', storyLimitUsd: '0.000001', monthLimitUsd: String(BOUNDS.mostUsd) };

/** Of each field by itself; what fits together, and what Polly has, the gateway knows. */
export function problemsOf(draft: Partial<FamilyDraft>): FamilyProblems {
  const given = Object.entries(settingsOf(draft)) as [keyof FamilySettings, never][];
  return Object.fromEntries(
    given.flatMap(([name, value]) => {
      const problem = problemOf(() => checkSettings({ ...HARMLESS, [name]: value }));
      return problem === undefined ? [] : [[name, problem]];
    }),
  );
}

export const nameProblem = (name: string): string | undefined => problemOf(() => checkFamilyName(name));

function problemOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof StoryProblem) return `${error.message}: ${error.remedy}`;
    throw error;
  }
}
