/**
 * Looking at prompts, texts and pictures before anybody sees them. What cannot be looked at counts as not seen: the call is
 * tried again, and nothing goes on without its verdict, which the record keeps.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { Moderation, ModerationMultiModalInput } from 'openai/resources/moderations';
import { digestOf } from '../../lib/digest.ts';
import type { StoryItem, Verdict } from '../../lib/story/document.ts';
import { BrokenAnswerError } from './api-failures.ts';
import { call, configured } from './calls.ts';
import type { StoryDependencies } from './dependencies.ts';
import { timeOf } from './item.ts';

/** What was looked at: the name of its verdict in the record. */
export type Looked = 'prompt' | 'text-1' | 'text-2' | 'image-prompt' | 'image-prompt-2' | 'image';

export interface Judged {
  flagged: boolean;
  /** Which of the texts were. */
  places: readonly number[];
}

export interface Moderator {
  texts(story: StoryItem, of: Looked, texts: readonly string[]): Promise<Judged>;
  picture(story: StoryItem, picture: { bytes: Buffer; mediaType: string }): Promise<Judged>;
}

const WITHIN_MS = 30_000;
const CATEGORY = /^[\w /-]{1,60}$/;
const MODEL = /^[\w.:-]{1,100}$/;

export function createModerator(
  dependencies: Pick<StoryDependencies, 'stories' | 'openai' | 'settings' | 'now'>,
): Moderator {
  const { stories, settings } = dependencies;
  const model = settings.storyModerationModel;

  /** What was looked at before is not looked at again, unless nobody knows any more which of several it was. */
  async function look(
    { family, night }: StoryItem,
    of: Looked,
    hash: string,
    input: readonly string[] | ModerationMultiModalInput[],
  ): Promise<Judged> {
    const known = (await stories.record(family, night))?.verdicts[of];
    if (known?.hash === hash && (!known.flagged || input.length === 1))
      return { flagged: known.flagged, places: known.flagged ? [0] : [] };
    const results = await ask(input);
    const places = results.flatMap((result, place) => (isFlagged(result) ? [place] : []));
    const verdict: Verdict = {
      model: results.model,
      flagged: places.length > 0,
      categories: categoriesOf(results),
      hash,
      at: timeOf(dependencies),
    };
    await stories.keepVerdict(family, night, of, verdict);
    return { flagged: verdict.flagged, places };
  }

  async function ask(
    input: readonly string[] | ModerationMultiModalInput[],
  ): Promise<readonly Moderation[] & { model: string }> {
    const openai = configured(dependencies.openai);
    return call('moderate', WITHIN_MS, async (options) => {
      const answer = await openai.moderations.create({ model, input: [...input] as string[] }, options);
      const results: unknown = answer.results;
      // A picture and its text are one; texts are one each.
      if (!Array.isArray(results) || results.length !== input.length || !results.every(isVerdict))
        throw new BrokenAnswerError('it did not say whether something is flagged');
      return Object.assign(results as Moderation[], { model: MODEL.test(answer.model) ? answer.model : model });
    });
  }

  return {
    texts: (story, of, texts) => look(story, of, digestOf({ model, texts }), texts),

    picture(story, { bytes, mediaType }) {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const url = `data:${mediaType};base64,${bytes.toString('base64')}`;
      return look(story, 'image', digestOf({ model, sha256 }), [{ type: 'image_url', image_url: { url } }]);
    },
  };
}

const isVerdict = (result: unknown): boolean =>
  typeof (result as Partial<Moderation> | null)?.flagged === 'boolean' &&
  typeof (result as Partial<Moderation>).categories === 'object';

const isFlagged = ({ flagged, categories }: Moderation): boolean =>
  flagged || Object.values(categories ?? {}).some((value) => value === true);

function categoriesOf(results: readonly Moderation[]): string[] {
  const names = results.flatMap(({ categories }) =>
    Object.entries(categories ?? {}).flatMap(([name, value]) => (value === true && CATEGORY.test(name) ? [name] : [])),
  );
  return [...new Set(names)].toSorted();
}
