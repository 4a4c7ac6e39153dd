/**
 * What a call to OpenAI failed of, as Temporal should take it. OpenAI's own messages may quote a prompt, and so may what its
 * SDK throws at a broken answer: neither gets into a history. Its codes do.
 *
 * @module
 */
import { ApplicationFailure } from '@temporalio/activity';
import { APIError } from 'openai';
import { refuse } from './failures.ts';

/** Longer than this nobody waits for: what a bedtime has. */
const LONGEST_DELAY_MS = 15 * 60_000;
/** May come right by itself: time out, conflict, too early, too many; and everything of the server's own. */
const RETRIED = [408, 409, 425, 429];
/** Answered with 429 as well, but waiting does not help. */
const UNPAID = ['insufficient_quota', 'billing_hard_limit_reached', 'billing_not_active'];
const WORD = /^[\w.:[\]-]{1,80}$/;

/** Of an API's error, where it is one that may be told. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof APIError ? (word(error.code) ?? word(error.type)) : undefined;

/** An answer that came to no end, or is not what was asked for; a retry may get a whole one. */
export class BrokenAnswerError extends Error {
  override readonly name = 'BrokenAnswerError';
}

/**
 * @param doing such as `write the text`
 * @param signal of the activity's cancellation
 * @throws always: CancelledFailure, ApplicationFailure StoryRejectedError or StoryModelError, or what Temporal retries
 */
export function failCall(doing: string, error: unknown, signal: AbortSignal): never {
  signal.throwIfAborted();
  if (error instanceof ApplicationFailure) throw error;
  if (error instanceof BrokenAnswerError) throw new Error(`OpenAI could not ${doing}: ${error.message}`);
  if (!(error instanceof APIError)) throw new Error(`OpenAI could not ${doing}: the connection or its answer broke`);
  const { status } = error;
  const code = codeOf(error);
  const request = word(error.requestID);
  const answer = `${status ?? 'no answer'}${code ? ` (${code})` : ''}${request ? `, request ${request}` : ''}`;
  if (code !== undefined && UNPAID.includes(code))
    throw refuse(
      'StoryRejectedError',
      `OpenAI does not ${doing}: ${answer}: add credit to its account, or raise its limit`,
    );
  if (status === undefined || RETRIED.includes(status) || status >= 500) {
    const delay = status === undefined ? undefined : retryAfter(error.headers);
    throw ApplicationFailure.create({
      message: `OpenAI could not ${doing} for now: ${answer}`,
      ...(delay !== undefined && { nextRetryDelay: delay }),
    });
  }
  const parameter = word(error.param);
  if (code === 'model_not_found' || (status === 404 && parameter === 'model'))
    throw refuse(
      'StoryModelError',
      `OpenAI cannot ${doing}: ${answer}: the model that is set for it is not there any more`,
    );
  throw refuse('StoryRejectedError', `OpenAI refuses to ${doing}: ${answer}${remedyOf(status, parameter)}`);
}

function remedyOf(status: number, parameter: string | undefined): string {
  if (status === 401) return ': OPENAI_API_KEY is not a key it knows';
  if (status === 403) return ': look at what the project of OPENAI_API_KEY may use';
  if (status === 404) return ': OPENAI_BASE_URL may lead somewhere else';
  return parameter ? `, parameter ${parameter}: choose a model that takes it` : '';
}

/** ms; seconds, ms, or a date, as the API likes. */
function retryAfter(headers: Headers | undefined): number | undefined {
  const exact = Number(headers?.get('retry-after-ms') ?? Number.NaN);
  const after = headers?.get('retry-after');
  const seconds = Number(after ?? Number.NaN);
  const delay = Number.isFinite(exact)
    ? exact
    : Number.isFinite(seconds)
      ? seconds * 1000
      : Date.parse(after ?? '') - Date.now();
  return delay > 0 ? Math.min(Math.ceil(delay), LONGEST_DELAY_MS) : undefined;
}

const word = (text: unknown): string | undefined => (typeof text === 'string' && WORD.test(text) ? text : undefined);
