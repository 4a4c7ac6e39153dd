/**
 * The text: what it is asked for is moderated first, what comes is paid once, moderated, and only then kept where it can be
 * read.
 *
 * @module
 */
import { activityInfo, heartbeat, log } from '@temporalio/activity';
import { digestOf } from '../../lib/digest.ts';
import { countWords } from '../../lib/story/clean-text.ts';
import type { StoryItem } from '../../lib/story/document.ts';
import { readDraft, type TextAnswer } from '../../lib/story/draft.ts';
import { promptTexts, reasoningOf, STORY_SCHEMA, storyMessages, textTokenBound } from '../../lib/story/prompt.ts';
import { openStageCache } from '../../lib/story/stage-cache.ts';
import {
  type OfStory,
  placeOf,
  type TextProblem,
  WORKFLOW_TYPE,
  type WriteInput,
  type Written,
} from '../../workflows/story/model.ts';
import { type ActivityProgress, progressOf } from '../progress/source.ts';
import { codeOf } from './api-failures.ts';
import { call, configured } from './calls.ts';
import type { StoryDependencies } from './dependencies.ts';
import { timeOf } from './item.ts';
import { createModelCheck, type ModelCheck } from './models.ts';
import { createModerator } from './moderation.ts';
import { checkDraw, gone, openStory, unsafe } from './story-item.ts';
import { readStream } from './text-stream.ts';

/** Of the whole text: within what Temporal gives an attempt. */
const WITHIN_MS = 200_000;
/** Between two reports of how far it is. */
const TELL_MS = 1_000;
/** Errors of the API that are about what was asked for; they cost nothing, and another wording may do. */
const DECLINED: Readonly<Record<string, TextProblem>> = {
  invalid_prompt: 'REFUSED',
  content_policy_violation: 'REFUSED',
  moderation_blocked: 'REFUSED',
  content_filter: 'FLAGGED',
};

export interface TextOptions {
  models?: ModelCheck;
  /** ms that a text may take. */
  withinMs?: number;
}

export function createTextActivities(dependencies: StoryDependencies, options: TextOptions = {}) {
  const { stories, s3, openai, settings, appender, now = Date.now } = dependencies;
  const { models = createModelCheck(openai, settings), withinMs = WITHIN_MS } = options;
  const moderator = createModerator(dependencies);
  const cache = openStageCache(s3, settings.bucket);
  const needed = ['storyTextModel', 'storyModerationModel'] as const;

  return {
    /** @throws ApplicationFailure StoryUnsafeError, StoryGoneError, StoryModelError, StoryNotConfiguredError, StoryRejectedError */
    async checkPrompt({ storyId }: OfStory): Promise<void> {
      configured(openai);
      const item = await openStory(stories, storyId, now());
      const cast = (await stories.record(item.family, item.night))?.cast;
      checkDraw(item, cast);
      await models(needed);
      const { flagged, places } = await moderator.texts(item, 'prompt', promptTexts(item));
      if (!flagged) return;
      // The first is the request as a whole.
      const cards = places.filter((place) => place > 0).map((place) => place - 1);
      throw unsafe(item.family, cards, cast, 'OpenAI’s moderation finds it unfit for children');
    },

    /** @throws ApplicationFailure as checkPrompt does */
    async writeText({ storyId, draft, problem }: WriteInput): Promise<Written> {
      configured(openai);
      const item = await openStory(stories, storyId, now());
      if (item.title !== undefined && item.paragraphs) return keptOf(item.title, item.paragraphs, item);
      checkDraw(item, (await stories.record(item.family, item.night))?.cast);

      const answer = await write(item, draft, problem);
      if (typeof answer === 'string') return { outcome: 'rejected', problem: answer };
      await stories.keepUsage(item.family, item.night, `text-${draft}`, answer.usage);
      const text = readDraft(answer, { minWords: item.min_words, language: item.language });
      if (typeof text === 'string') return { outcome: 'rejected', problem: text };
      const { title, paragraphs, words } = text;
      const { flagged } = await moderator.texts(item, `text-${draft}`, [[title, ...paragraphs].join('\n\n')]);
      if (flagged) return { outcome: 'rejected', problem: 'FLAGGED' };
      const kept = await stories.keepText(storyId, { title, paragraphs, words, at: timeOf(dependencies) });
      if (!kept) throw gone(storyId, 'it has ended or been deleted meanwhile');
      log.info('story text', { storyId, draft, words });
      return keptOf(title, paragraphs, item);
    },
  };

  /** What was paid for before, or else is paid for now: in S3 before anything else is done with it. */
  async function write(
    item: StoryItem,
    draft: WriteInput['draft'],
    problem: TextProblem | undefined,
  ): Promise<TextAnswer | TextProblem> {
    const request = requestOf(item, problem);
    const hash = digestOf(request);
    const key = `${placeOf(item.story_id)}text-${draft}-${hash}.json`;
    const found = await cache.find(key);
    if (found) return readAnswer(key, found.bytes);
    await models(needed);
    const progress = appender && progressFor(item, appender);
    const answer = await ask(request, item.language, progress);
    if (typeof answer === 'string') return answer;
    const { usage, ...rest } = answer;
    const { input: inputTokens, output: outputTokens } = textTokenBound(item.min_words);
    const whole: TextAnswer = {
      ...rest,
      usage: {
        service: 'openai',
        model: request.model,
        at: timeOf(dependencies),
        hash,
        // What was not told is reckoned as the most it can have been.
        ...(usage ?? { inputTokens, outputTokens }),
      },
    };
    const kept = await cache.keep(key, Buffer.from(JSON.stringify(whole)), 'application/json');
    return readAnswer(key, kept.bytes);
  }

  function requestOf(item: StoryItem, problem: TextProblem | undefined) {
    const model = settings.storyTextModel;
    return {
      model,
      messages: storyMessages(item, problem),
      response_format: {
        type: 'json_schema' as const,
        json_schema: { name: 'bedtime_story', strict: true, schema: STORY_SCHEMA },
      },
      max_completion_tokens: textTokenBound(item.min_words).output,
      ...reasoningOf(model),
      store: false,
    };
  }

  async function ask(request: ReturnType<typeof requestOf>, language: string, progress: ActivityProgress | undefined) {
    let told = Number.NEGATIVE_INFINITY;
    let counted = 0;
    let words = 0;
    try {
      return await call('write the text', withinMs, async (callOptions) => {
        try {
          const stream = await configured(openai).chat.completions.create(
            { ...request, stream: true, stream_options: { include_usage: true } },
            callOptions,
          );
          return await readStream(stream, (content) => {
            heartbeat();
            if (!progress || content === '' || performance.now() < told + TELL_MS) return;
            // What is new alone: a word that is cut in two counts twice, but however long the text is, each of it is read once.
            words += countWords([content.slice(counted)], language);
            counted = content.length;
            progress.report({ message: `${words} words so far` });
            told = performance.now();
          });
        } catch (error) {
          const declined = DECLINED[codeOf(error) ?? ''];
          if (declined) return declined;
          throw error;
        }
      });
    } finally {
      if (told > 0) progress?.report({ message: null });
    }
  }
}

const progressFor = ({ story_id: key, family }: StoryItem, appender: NonNullable<StoryDependencies['appender']>) =>
  progressOf(activityInfo(), { appender, key, facts: { domain: WORKFLOW_TYPE, consumer: family } });

function readAnswer(key: string, bytes: Buffer): TextAnswer {
  try {
    return JSON.parse(bytes.toString('utf8')) as TextAnswer;
  } catch {
    // Its text stays out of the error.
    throw new Error(`${key} is not the answer that was put there: delete it, and the text is written again`);
  }
}

function keptOf(title: string, paragraphs: readonly string[], { language, words }: StoryItem): Written {
  return {
    outcome: 'kept',
    words: words ?? countWords(paragraphs, language),
    characters: [title, ...paragraphs].reduce((sum, text) => sum + [...text].length, 0),
  };
}
