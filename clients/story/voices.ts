/**
 * Whether Polly has the voice, with the engine, in the language.
 *
 * @module
 */
import type { PollyClient } from '@aws-sdk/client-polly';
import type { Family } from '../../lib/story/document.ts';
import { listVoices, speaks } from '../../lib/story/voices.ts';
import { StoryProblem } from './problem.ts';

/** Voices that are named in an error. */
const NAMED = 12;

type Speaking = Pick<Family, 'voice' | 'engine' | 'language'>;

/**
 * @returns the voice as Polly writes it; what is to be said where Polly could not be asked
 * @throws StoryProblem where Polly does not have it so
 */
export async function checkVoice(
  polly: PollyClient,
  { voice, engine, language }: Speaking,
): Promise<{ voice: string; warning?: string }> {
  const voices = await listVoices(polly).catch((error: unknown) => error as Error);
  if (voices instanceof Error)
    return {
      voice,
      warning: `Polly could not be asked about the voice ${voice} (${voices.name}): it is taken as it is`,
    };
  const fitting = voices.filter((one) => speaks(one, language) && one.SupportedEngines?.includes(engine));
  const known = voices.find(({ Id }) => Id?.toLowerCase() === voice.toLowerCase());
  if (known?.Id && fitting.includes(known)) return { voice: known.Id };
  const what = !known
    ? `Polly has no voice ${voice} in this Region`
    : speaks(known, language)
      ? `the voice ${voice} does not have the engine ${engine}, but ${(known.SupportedEngines ?? []).join(', ')}`
      : `the voice ${voice} does not speak ${language}, but ${known.LanguageName ?? known.LanguageCode}`;
  const names = fitting.flatMap(({ Id }) => Id ?? []).toSorted();
  throw new StoryProblem(
    'input',
    what,
    names.length === 0
      ? `choose another language or engine: no voice speaks ${language} with ${engine}`
      : `choose one of ${names.slice(0, NAMED).join(', ')}${names.length > NAMED ? ' or another' : ''}`,
  );
}
