/**
 * Reading the answer of a text model as it is written.
 *
 * @module
 */
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import type { TextAnswer } from '../../lib/story/draft.ts';
import { isCount } from '../../lib/story/usage.ts';
import { BrokenAnswerError } from './api-failures.ts';

/** Far beyond what the limit of tokens lets through; whatever sends more is not read to its end. */
const LONGEST = 200_000;

export interface StreamedAnswer extends Pick<TextAnswer, 'content' | 'refusal' | 'finish'> {
  /** Of the API, in its last chunk; nobody knows it where that did not come. */
  usage?: { inputTokens: number; cachedInputTokens?: number; outputTokens: number } | undefined;
}

/**
 * @param written told of all that is there so far, with every chunk
 * @throws BrokenAnswerError when the stream ends and the answer does not: the SDK tells of no abort, and a server may just stop
 */
export async function readStream(
  chunks: AsyncIterable<ChatCompletionChunk>,
  written: (content: string) => void,
): Promise<StreamedAnswer> {
  const answer: StreamedAnswer = { content: '', refusal: '', finish: '' };
  for await (const { choices, usage } of chunks) {
    const [choice] = choices ?? [];
    if (typeof choice?.delta?.content === 'string') answer.content += choice.delta.content;
    if (typeof choice?.delta?.refusal === 'string') answer.refusal += choice.delta.refusal;
    if (choice?.finish_reason) answer.finish = choice.finish_reason;
    if (usage) answer.usage = readUsage(usage);
    written(answer.content);
    if (answer.content.length + answer.refusal.length > LONGEST) return { ...answer, finish: 'length' };
  }
  if (answer.finish === '') throw new BrokenAnswerError('it broke off');
  return answer;
}

function readUsage(usage: NonNullable<ChatCompletionChunk['usage']>): StreamedAnswer['usage'] {
  const { prompt_tokens: inputTokens, completion_tokens: outputTokens, prompt_tokens_details: details } = usage;
  if (!isCount(inputTokens) || !isCount(outputTokens)) return undefined;
  const cachedInputTokens = details?.cached_tokens;
  return { inputTokens, outputTokens, ...(isCount(cachedInputTokens) && { cachedInputTokens }) };
}
