/**
 * What the model says, and what it counts for.
 *
 * @module
 */
import type { Story } from '../story/writer.ts';
import { countTokens, tokensOf } from '../tokens.ts';
import { type ChatBehaviour, misbehave } from './behave.ts';
import type { ChatRequest } from './request.ts';
import { fill } from './schema.ts';

/** Before it is put on the wire. */
export interface Answer {
  /** Null where it is a refusal. */
  content: string | null;
  refusal: string | null;
  finishReason: 'stop' | 'length' | 'content_filter';
}

const REFUSAL = "I'm sorry, but I can't help with that.";

export function answerOf(request: ChatRequest, story: Story, behaviour: ChatBehaviour): Answer {
  const said = misbehave(story, behaviour);
  if (behaviour === 'refuse') return { content: null, refusal: REFUSAL, finishReason: 'stop' };
  const whole = behaviour === 'empty' ? '' : render(request.format, said);
  const tokens = tokensOf(whole);
  const room = Math.max(0, request.limit - request.reasoningTokens);
  const half = tokens.slice(0, Math.ceil(tokens.length / 2)).join('');
  // The limit holds whatever else happens.
  if (tokens.length > room) return { content: tokens.slice(0, room).join(''), refusal: null, finishReason: 'length' };
  if (behaviour === 'truncate') return { content: half, refusal: null, finishReason: 'length' };
  if (behaviour === 'content_filter') return { content: half, refusal: null, finishReason: 'content_filter' };
  return { content: behaviour === 'malformed' ? half : whole, refusal: null, finishReason: 'stop' };
}

function render(format: ChatRequest['format'], story: Story): string {
  if (format.type === 'json_schema') return JSON.stringify(fill(format.schema, story));
  const { title, paragraphs } = story;
  return format.type === 'json_object' ? JSON.stringify({ title, paragraphs }) : [title, ...paragraphs].join('\n\n');
}

export function usageOf(prompt: { tokens: number; cached: number }, request: ChatRequest, answer: Answer) {
  const reasoning = Math.min(request.reasoningTokens, request.limit);
  const completion = reasoning + countTokens(answer.content ?? answer.refusal ?? '');
  return {
    prompt_tokens: prompt.tokens,
    completion_tokens: completion,
    total_tokens: prompt.tokens + completion,
    prompt_tokens_details: { cached_tokens: prompt.cached, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
