/**
 * What the contract tests of OpenAI talk to: the stand-in, started fresh in this process, or with `LONGHAUL_VERIFY_OPENAI=1`
 * the account of OPENAI_API_KEY.
 *
 * @module
 */
import OpenAI from 'openai';
import { type OpenAi, type OpenAiOptions, openOpenAi } from '../../infra/local/openai/server.ts';
import { readSettings } from '../../lib/settings.ts';

export const REAL = process.env.LONGHAUL_VERIFY_OPENAI === '1';

export interface OpenAiTarget {
  client: OpenAI;
  models: { text: string; image: string; moderation: string };
  /** For what only the stand-in has. */
  local: OpenAi | undefined;
  /** A request as it is, with a key. */
  send(path: string, init: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

export async function openOpenAiTarget(options: OpenAiOptions = {}): Promise<OpenAiTarget> {
  const { storyTextModel: text, storyImageModel: image, storyModerationModel: moderation } = readSettings(process.env);
  const local = REAL ? undefined : await openOpenAi({ tokenMs: 0, ...options });
  const client = local
    ? new OpenAI({ baseURL: `${local.url}/v1`, apiKey: 'sk-contract', maxRetries: 2 })
    : new OpenAI();
  return {
    client,
    models: { text, image, moderation },
    local,
    send: (path, init) =>
      fetch(`${client.baseURL}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${client.apiKey}`, 'content-type': 'application/json', ...init.headers },
      }),
    close: async () => local?.close(),
  };
}

/** Parker and Jackson, as the first example of the sample this is about. */
export const PROMPT =
  'Write a title and a rhyming story on 2 main characters called Parker and Jackson. The story needs to be set within the ' +
  'scene haunted woods and be at least 200 words long';

export const STORY_SCHEMA = {
  type: 'object',
  properties: { title: { type: 'string' }, paragraphs: { type: 'array', items: { type: 'string' } } },
  required: ['title', 'paragraphs'],
  additionalProperties: false,
};

export const storyRequest = (target: OpenAiTarget, content = PROMPT) => ({
  model: target.models.text,
  messages: [{ role: 'user' as const, content }],
  response_format: {
    type: 'json_schema' as const,
    json_schema: { name: 'story', strict: true, schema: STORY_SCHEMA },
  },
  reasoning_effort: 'low' as const,
});

export interface Told {
  title: string;
  paragraphs: string[];
}

export const toldBy = (content: string | null | undefined): Told => JSON.parse(content ?? '') as Told;

export const countWords = ({ paragraphs }: Told): number => paragraphs.join(' ').split(/\s+/).length;
