/**
 * How every call to OpenAI is made: it ends with the activity, and in time; and without a key there is none.
 *
 * @module
 */
import { ApplicationFailure, cancellationSignal } from '@temporalio/activity';
import type OpenAI from 'openai';
import { failCall } from './api-failures.ts';

/** Of one request of the SDK. */
export interface CallOptions {
  signal: AbortSignal;
  /** ms */
  timeout: number;
  maxRetries: number;
}

/** @throws ApplicationFailure StoryNotConfiguredError */
export function configured(openai: OpenAI | undefined): OpenAI {
  if (openai) return openai;
  throw ApplicationFailure.nonRetryable(
    'stories need a key of OpenAI: set OPENAI_API_KEY for the workers and restart them',
    'StoryNotConfiguredError',
  );
}

/**
 * @param doing such as `write the text`
 * @param withinMs for the whole answer: the SDK's own time limit ends where an answer begins
 * @throws as {@link failCall}
 */
export async function call<T>(doing: string, withinMs: number, ask: (options: CallOptions) => Promise<T>): Promise<T> {
  const cancelled = cancellationSignal();
  const signal = AbortSignal.any([cancelled, AbortSignal.timeout(withinMs)]);
  try {
    return await ask({ signal, timeout: withinMs, maxRetries: 0 });
  } catch (error) {
    failCall(doing, error, cancelled);
  }
}
