/**
 * The story an activity works on: there still, not ended, and with names that are fit to be sent anywhere.
 *
 * @module
 */
import { ApplicationFailure } from '@temporalio/activity';
import type { CardKind } from '../../lib/store/families.ts';
import type { StoryStore } from '../../lib/store/stories.ts';
import type { StoryItem, StoryRecord } from '../../lib/story/document.ts';
import { unexpired } from '../../lib/story/expiry.ts';
import { checkLooks, checkName, InvalidNameError } from '../../lib/story/names.ts';
import { isEnded } from '../../workflows/story/model.ts';

/** What may stand in a command of an error: a card id, as names make it. */
const CARD_ID = /^[\p{L}\p{M}-]{1,40}$/u;

/** @throws ApplicationFailure StoryGoneError */
export async function openStory(stories: Pick<StoryStore, 'get'>, storyId: string, now: number): Promise<StoryItem> {
  const item = unexpired(await stories.get(storyId), now);
  if (!item) throw gone(storyId, 'it has been deleted');
  if (isEnded(item.status)) throw gone(storyId, `it has ended (${item.status})`);
  return item;
}

/** @param why such as `it has been deleted` */
export const gone = (storyId: string, why: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(
    `story ${storyId}: nothing more is made of it: ${why}. Ask for another with \`longhaul story new\``,
    'StoryGoneError',
  );

/**
 * Who may have written into the tables past the checks.
 * @throws ApplicationFailure StoryUnsafeError, which says what to do and not what the name is; InvalidStoryInputError
 */
export function checkDraw({ family, draw, language, min_words }: StoryItem, cast?: StoryRecord['cast']): void {
  const { characters, scene } = draw;
  if (!isLanguage(language)) throw invalid(family, 'its language is no BCP 47 tag such as en-GB');
  if (!Number.isInteger(min_words) || min_words < 1) throw invalid(family, 'the words of a story are no whole number');
  if (characters.length !== 2) throw unsafe(family, [], cast, `the draw has ${characters.length} characters, not two`);
  const cards = [...characters, scene];
  const bad = cards.flatMap(({ name, looks }, place) => {
    const kind = kindAt(place);
    return fits(() => checkName(kind, name)) && (looks === undefined || fits(() => checkLooks(looks))) ? [] : [place];
  });
  if (bad.length > 0)
    throw unsafe(family, bad, cast, 'what it is called, or looks like, is not what the check of names lets in');
}

/**
 * @param places of what is at fault: 0 and 1 are the characters, 2 is the scene; none when nobody can tell
 * @param why without quoting anything of the family's
 */
export function unsafe(
  family: string,
  places: readonly number[],
  cast: StoryRecord['cast'] | undefined,
  why: string,
): ApplicationFailure {
  const named = places.map((place) => {
    const kind = kindAt(place);
    const card = kind === 'scenes' ? cast?.scene : cast?.characters[place];
    const of = kind === 'scenes' ? 'the scene' : `character ${place + 1}`;
    const known = card !== undefined && CARD_ID.test(card);
    return known
      ? { of: `${of} (${card})`, command: `longhaul story ${kind} ${family} remove ${card}` }
      : { of: `${of} of the draw`, command: `longhaul story ${kind} ${family}` };
  });
  const who = named.length > 0 ? named.map(({ of }) => of).join(' and ') : 'characters and scene together';
  const remedy =
    named.length > 0
      ? `take it out of the cast: ${named.map(({ command }) => `\`${command}\``).join(', ')}`
      : 'ask for another story with `longhaul story new`, or change the cast';
  return ApplicationFailure.nonRetryable(`family ${family}: ${who}: ${why}; ${remedy}`, 'StoryUnsafeError');
}

const invalid = (family: string, why: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(
    `family ${family}: ${why}: set it with \`longhaul story families set ${family}\``,
    'InvalidStoryInputError',
  );

function isLanguage(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

const kindAt = (place: number): CardKind => (place < 2 ? 'characters' : 'scenes');

function fits(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof InvalidNameError) return false;
    throw error;
  }
}
