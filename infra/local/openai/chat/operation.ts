/**
 * createChatCompletion: one answer, whole or as a stream of events.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { AwsResponse } from '../../kit/service.ts';
import { passed } from '../behaviours.ts';
import { jsonAnswer, type Operation, type Shared } from '../service.ts';
import { readBrief } from '../story/brief.ts';
import { writeStory } from '../story/writer.ts';
import { tokensOf } from '../tokens.ts';
import { type Answer, answerOf, usageOf } from './answer.ts';
import { PromptCache } from './cache.ts';
import { readChatRequest } from './request.ts';

export function createChatCompletion({ models, behaviours, kit, tokenMs }: Shared & { tokenMs: number }): Operation {
  const cache = new PromptCache();
  return {
    name: 'createChatCompletion',
    method: 'POST',
    path: /^\/v1\/chat\/completions$/,
    async run({ input, gone }) {
      const model = models.check(input.model, 'chat');
      const request = readChatRequest(input, model);
      const story = writeStory(readBrief(request.messages));
      const behaviour = await behaviours.take('createChatCompletion', input, gone);
      const answer = answerOf(request, story, behaviour);
      const prompt = cache.take(model, request.messages.map(({ role, text }) => `${role}: ${text}\n`).join(''));
      const head = {
        id: `chatcmpl-${randomBytes(15).toString('base64url')}`,
        created: Math.floor(kit.clock.now() / 1000),
        model,
        service_tier: 'default',
        system_fingerprint: null,
      };
      const usage = usageOf(prompt, request, answer);
      const breaksOff = behaviour === 'break_off';
      if (request.stream) {
        return stream(head, answer, request.includeUsage ? usage : undefined, { tokenMs, gone, breaksOff });
      }
      const message = { role: 'assistant', content: answer.content, refusal: answer.refusal, annotations: [] };
      const choices = [{ index: 0, message, logprobs: null, finish_reason: answer.finishReason }];
      const whole = jsonAnswer({ ...head, object: 'chat.completion', choices, usage });
      return breaksOff ? { ...whole, body: Readable.from(halfOf(String(whole.body))) } : whole;
    },
  };
}

/** Server-sent events: the role, the tokens one by one, the end, the usage where it was asked for, `[DONE]`. */
function stream(
  head: Record<string, unknown>,
  answer: Answer,
  usage: Record<string, unknown> | undefined,
  pace: { tokenMs: number; gone: AbortSignal; breaksOff: boolean },
): AwsResponse {
  const event = (choices: unknown[], counted: unknown = null) => {
    const chunk = { ...head, object: 'chat.completion.chunk', choices, ...(usage && { usage: counted }) };
    return `data: ${JSON.stringify(chunk)}\n\n`;
  };
  const choice = (delta: Record<string, unknown>, finish: string | null = null) =>
    event([{ index: 0, delta, logprobs: null, finish_reason: finish }]);
  const member = answer.refusal === null ? 'content' : 'refusal';
  async function* events() {
    yield choice({
      role: 'assistant',
      content: member === 'content' ? '' : null,
      refusal: member === 'refusal' ? '' : null,
    });
    const tokens = tokensOf(answer.refusal ?? answer.content ?? '');
    for (const [index, token] of tokens.entries()) {
      if (pace.breaksOff && index >= tokens.length / 2) throw new Error('the stand-in breaks off');
      if (pace.tokenMs > 0) await passed(pace.tokenMs, pace.gone);
      yield choice({ [member]: token });
    }
    yield choice({}, answer.finishReason);
    if (usage) yield event([], usage);
    yield 'data: [DONE]\n\n';
  }
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
    body: Readable.from(events()),
  };
}

/** The front door ends the connection when a body fails. */
function* halfOf(text: string): Generator<string> {
  yield text.slice(0, text.length / 2);
  throw new Error('the stand-in breaks off');
}
