/**
 * The picture. A prompt that is refused is put more plainly once; after that, and for a picture that is not fit for children,
 * one of our own drawings stands in. What was drawn is paid once, and nobody sees it before it has been looked at.
 *
 * @module
 */
import { log } from '@temporalio/activity';
import type { ImagesResponse } from 'openai/resources/images';
import { digestOf } from '../../lib/digest.ts';
import { cleanTitle } from '../../lib/story/clean-text.ts';
import type { ImagePart, StageUsage, StoryItem } from '../../lib/story/document.ts';
import { PICTURE_TYPES, type PictureExtension, pictureType, readPicture } from '../../lib/story/picture.ts';
import { pictureTokens } from '../../lib/story/picture-tokens.ts';
import { PICTURE_PROMPT_TOKENS, picturePrompt } from '../../lib/story/prompt.ts';
import { openStageCache, type Staged } from '../../lib/story/stage-cache.ts';
import { drawStockArt, STOCK_MEDIA_TYPE } from '../../lib/story/stock-art.ts';
import { isCount } from '../../lib/story/usage.ts';
import { type OfStory, type PartResult, placeOf } from '../../workflows/story/model.ts';
import { codeOf } from './api-failures.ts';
import { call, configured } from './calls.ts';
import type { StoryDependencies } from './dependencies.ts';
import { refuse } from './failures.ts';
import { goneMeanwhile, timeOf } from './item.ts';
import { createModelCheck, type ModelCheck } from './models.ts';
import { createModerator } from './moderation.ts';
import { checkDraw, openStory } from './story-item.ts';

/** A picture of high quality takes two minutes. */
const WITHIN_MS = 240_000;
/** Of the API, about what was asked for. */
const BLOCKED = ['moderation_blocked', 'content_policy_violation'];
/** The prompt as it is, then a plainer one. */
const TRIES = [1, 2] as const;
const EXTENSIONS = Object.keys(PICTURE_TYPES) as PictureExtension[];

interface Drawn {
  key: string;
  bytes: Buffer;
  mediaType: string;
  usage: StageUsage;
}

type Refusal = 'prompt' | 'blocked' | 'picture';

const WHY: Readonly<Record<Refusal, string>> = {
  prompt: 'what the picture was to show was found unfit for children, also when put plainly',
  blocked: 'OpenAI refused to draw it, also when put plainly',
  picture: 'the picture was found unfit for children',
};

export function createImageActivities(
  dependencies: StoryDependencies,
  options: { models?: ModelCheck; withinMs?: number } = {},
) {
  const { stories, s3, openai, settings, now = Date.now } = dependencies;
  const { models = createModelCheck(openai, settings), withinMs = WITHIN_MS } = options;
  const moderator = createModerator(dependencies);
  const cache = openStageCache(s3, settings.bucket);

  return {
    /** @throws ApplicationFailure StoryGoneError, StoryUnsafeError, StoryModelError, StoryNotConfiguredError, StoryRejectedError */
    async drawPicture({ storyId }: OfStory): Promise<PartResult> {
      configured(openai);
      const item = await openStory(stories, storyId, now());
      if (item.title === undefined)
        throw refuse('InvalidStoryInputError', `story ${storyId} has no text yet: a picture is drawn of a text`);
      const { state, reason } = item.image;
      if (state === 'READY' || state === 'STOCK') return { state, ...(reason !== undefined && { reason }) };
      checkDraw(item, (await stories.record(item.family, item.night))?.cast);

      const drawn = await draw(item);
      const part: ImagePart =
        typeof drawn === 'string'
          ? { ...(await keepStockArt(item)), reason: WHY[drawn] }
          : { state: 'READY', key: drawn.key, media_type: drawn.mediaType, alt: altOf(item) };
      if (!(await stories.keepPart(storyId, 'image', part, timeOf(dependencies)))) throw goneMeanwhile(storyId);
      log.info('story picture', { storyId, state: part.state, ...(typeof drawn === 'string' && { refused: drawn }) });
      return { state: part.state, ...(part.reason !== undefined && { reason: part.reason }) };
    },
  };

  /** @returns why there is none of a model's */
  async function draw(item: StoryItem): Promise<Drawn | Refusal> {
    let refusal: Refusal = 'prompt';
    for (const nth of TRIES) {
      const prompt = picturePrompt(item, { plain: nth === 2 });
      const { flagged } = await moderator.texts(item, nth === 1 ? 'image-prompt' : 'image-prompt-2', [prompt]);
      refusal = 'prompt';
      if (flagged) continue;
      const drawn = await paidOnce(item, nth, prompt);
      if (drawn === 'picture') return drawn;
      refusal = 'blocked';
      if (drawn === 'blocked') continue;
      const judged = await moderator.picture(item, drawn);
      if (!judged.flagged) return drawn;
      await cache.remove(drawn.key);
      return 'picture';
    }
    return refusal;
  }

  async function paidOnce(
    item: StoryItem,
    nth: (typeof TRIES)[number],
    prompt: string,
  ): Promise<Drawn | 'blocked' | 'picture'> {
    const request = {
      model: settings.storyImageModel,
      prompt,
      size: settings.storyImageSize as '1024x1024',
      quality: settings.storyImageQuality as 'medium',
      output_format: 'png' as const,
      n: 1,
    };
    const hash = digestOf(request);
    const found = await find(item, hash);
    if (found) return record(item, nth, found);
    // One that was drawn, looked at and deleted, by an attempt that died before it could say so.
    const before = await stories.record(item.family, item.night);
    if (before?.usage[`image-${nth}`]?.hash === hash && before.verdicts.image?.flagged) return 'picture';
    await models(['storyImageModel']);
    const answer = await call('draw the picture', withinMs, async (callOptions) => {
      try {
        return await configured(openai).images.generate(request, callOptions);
      } catch (error) {
        if (BLOCKED.includes(codeOf(error) ?? '')) return undefined;
        throw error;
      }
    });
    if (!answer) return 'blocked';
    const usage: StageUsage = {
      service: 'openai',
      model: request.model,
      at: timeOf(dependencies),
      hash,
      pictures: 1,
      ...tokensOf(answer, pictureTokens(request.model, request.size, request.quality)),
    };
    const picture = readPicture(answer.data?.[0]?.b64_json);
    if (typeof picture === 'string') {
      await stories.keepUsage(item.family, item.night, `image-${nth}`, usage);
      throw refuse(
        'StoryRejectedError',
        `${settings.storyImageModel} has answered without a picture: ${picture}. Choose another image model`,
      );
    }
    const { bytes, extension } = picture;
    const key = keyOf(item, hash, extension);
    const kept = await cache.keep(key, bytes, PICTURE_TYPES[extension], { usage: JSON.stringify(usage) });
    const first = drawnOf(key, extension, kept);
    if (!first) throw new Error(`${key} is not the picture that was put there: delete it, and it is drawn again`);
    return record(item, nth, first);
  }

  async function record(item: StoryItem, nth: number, drawn: Drawn): Promise<Drawn> {
    await stories.keepUsage(item.family, item.night, `image-${nth}`, drawn.usage);
    return drawn;
  }

  async function find(item: StoryItem, hash: string): Promise<Drawn | undefined> {
    for (const extension of EXTENSIONS) {
      const key = keyOf(item, hash, extension);
      const staged = await cache.find(key);
      const drawn = staged && drawnOf(key, extension, staged);
      if (drawn) return drawn;
    }
    return undefined;
  }

  async function keepStockArt(item: StoryItem): Promise<ImagePart> {
    const svg = drawStockArt(item.story_id, item.draw.scene.name);
    const key = keyOf(item, digestOf(svg), 'svg');
    await cache.keep(key, Buffer.from(svg), STOCK_MEDIA_TYPE);
    return { state: 'STOCK', key, media_type: STOCK_MEDIA_TYPE, alt: altOf(item) };
  }
}

const keyOf = ({ story_id: storyId }: StoryItem, hash: string, extension: string): string =>
  `${placeOf(storyId)}image-${hash}.${extension}`;

/** In the family's own words, whatever its language. */
const altOf = ({ title = '', draw }: StoryItem): string => cleanTitle(`${title} (${draw.scene.name})`);

/** @param most of the output; what was not told is reckoned as the most it can have been */
function tokensOf(
  { usage }: ImagesResponse,
  most: number,
): Pick<StageUsage, 'inputTokens' | 'outputTokens' | 'imageTokens'> {
  const { input_tokens: inputTokens, output_tokens: outputTokens, output_tokens_details: details } = usage ?? {};
  if (!isCount(inputTokens) || !isCount(outputTokens))
    return { inputTokens: PICTURE_PROMPT_TOKENS, outputTokens: most, imageTokens: most };
  const images = details?.image_tokens;
  return { inputTokens, outputTokens, imageTokens: isCount(images) ? Math.min(images, outputTokens) : outputTokens };
}

/** @returns undefined for what none of ours has put there */
function drawnOf(key: string, extension: PictureExtension, { bytes, metadata }: Staged): Drawn | undefined {
  const usage = readUsage(metadata);
  const whole = usage && pictureType(bytes) === extension;
  return whole ? { key, bytes, mediaType: PICTURE_TYPES[extension], usage } : undefined;
}

function readUsage({ usage }: Readonly<Record<string, string>>): StageUsage | undefined {
  try {
    return usage === undefined ? undefined : (JSON.parse(usage) as StageUsage);
  } catch {
    return undefined;
  }
}
