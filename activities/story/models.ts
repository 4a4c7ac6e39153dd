/**
 * Whether the models that are set are there: OpenAI takes models away from time to time, and some are not for every key. It is
 * asked before money is spent.
 *
 * @module
 */
import { ApplicationFailure } from '@temporalio/activity';
import type OpenAI from 'openai';
import type { Settings } from '../../lib/settings.ts';
import type { StoryErrorType } from '../../workflows/story/model.ts';
import { failCall } from './api-failures.ts';
import { configured } from './calls.ts';

/** By setting: its variable. */
const MODEL_SETTINGS = {
  storyTextModel: 'LONGHAUL_STORY_TEXT_MODEL',
  storyImageModel: 'LONGHAUL_STORY_IMAGE_MODEL',
  storyModerationModel: 'LONGHAUL_STORY_MODERATION_MODEL',
} as const;
export type ModelSetting = keyof typeof MODEL_SETTINGS;
export type ModelSettings = Pick<Settings, ModelSetting>;

/**
 * Of the models that the caller needs; of all three when it does not say: the text does not wait for a picture's model.
 * @throws ApplicationFailure StoryModelError, StoryNotConfiguredError; what failed of the call itself
 */
export type ModelCheck = (needed?: readonly ModelSetting[]) => Promise<void>;

const WITHIN_MS = 20_000;
/** Models that are shown instead of one that is not there. */
const SHOWN = 5;

/** Asks once for all callers, and again after a failure or when one was not there. */
export function createModelCheck(openai: OpenAI | undefined, settings: ModelSettings): ModelCheck {
  let asked: Promise<ReadonlySet<string>> | undefined;

  async function known(): Promise<ReadonlySet<string>> {
    const mine = (asked ??= list(configured(openai)));
    try {
      return await mine;
    } catch (error) {
      if (asked === mine) asked = undefined;
      throw error;
    }
  }

  return async (needed = Object.keys(MODEL_SETTINGS) as ModelSetting[]) => {
    const models = await known();
    const missing = needed.filter((setting) => !models.has(settings[setting]));
    if (missing.length === 0) return;
    asked = undefined;
    throw ApplicationFailure.nonRetryable(
      missing.map((setting) => tell(setting, settings[setting], models)).join('\n'),
      'StoryModelError' satisfies StoryErrorType,
    );
  };
}

async function list(openai: OpenAI): Promise<ReadonlySet<string>> {
  // Of its own: whoever asks first may be cancelled while others wait.
  const signal = AbortSignal.timeout(WITHIN_MS);
  try {
    const ids = new Set<string>();
    for await (const { id } of openai.models.list({ signal, timeout: WITHIN_MS, maxRetries: 0 })) ids.add(id);
    return ids;
  } catch (error) {
    failCall('list its models', error, new AbortController().signal);
  }
}

function tell(setting: ModelSetting, model: string, models: ReadonlySet<string>): string {
  const alike = [...models].toSorted((a, b) => shared(b, model) - shared(a, model) || (a < b ? -1 : 1)).slice(0, SHOWN);
  return (
    `${setting} (${MODEL_SETTINGS[setting]}): OpenAI has no model ${model} for this key; ` +
    (alike.length > 0 ? `it has ${alike.join(', ')}` : 'it has none at all')
  );
}

/** How many letters both begin with. */
function shared(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}
