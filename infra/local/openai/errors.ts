/**
 * OpenAI's errors: `{"error": {"message", "type", "param", "code"}}`, by the wordings it is known to use.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { AwsError, type AwsResponse } from '../kit/service.ts';

/** Carried through the kit's error: empty texts are null on the wire. */
interface Details {
  status?: number;
  type?: string;
  param?: string;
  code?: string;
  /** For 429: when it is worth another try. */
  retryAfterMs?: number;
  /** Where the message names it. */
  requestId?: string;
}

export function openAiError(message: string, details: Details = {}): AwsError {
  const { status = 400, type = 'invalid_request_error', param = '', code = '', retryAfterMs, requestId } = details;
  // The call log wants a word in any case.
  return new AwsError(code || type, message, status, {
    type,
    param,
    code,
    ...(retryAfterMs !== undefined && { retryAfterMs: String(retryAfterMs) }),
    ...(requestId !== undefined && { requestId }),
  });
}

/** OpenAI would do it, the stand-in cannot. */
export const notInStandIn = (what: string, param: string): AwsError =>
  openAiError(`The stand-in for OpenAI does not have ${what}.`, { param, code: 'not_in_stand_in' });

export function rateLimited(model: string, by: 'requests' | 'tokens', limit: number, retryAfterMs: number): AwsError {
  const unit = by === 'requests' ? 'requests per min (RPM)' : 'tokens per min (TPM)';
  const seconds = (retryAfterMs / 1000).toFixed(3);
  return openAiError(
    `Rate limit reached for ${model} in organization org-longhaul on ${unit}: Limit ${limit}, Used ${limit}, Requested 1. ` +
      `Please try again in ${seconds}s. Visit https://platform.openai.com/account/rate-limits to learn more.`,
    { status: 429, type: by, code: 'rate_limit_exceeded', retryAfterMs },
  );
}

export function moderationBlocked(requestId: string, violations: readonly string[]): AwsError {
  return openAiError(
    'Your request was rejected by the safety system. If you believe this is an error, contact us at help.openai.com ' +
      `and include the request ID ${requestId}. safety_violations=[${violations.join(', ')}].`,
    { type: 'image_generation_user_error', code: 'moderation_blocked', requestId },
  );
}

export const requestId = (): string => `req_${randomBytes(16).toString('hex')}`;

/** What the fault plan injects has a code and a status only. */
const INJECTED: Readonly<Record<string, { message: string; type: string }>> = {
  insufficient_quota: {
    message:
      'You exceeded your current quota, please check your plan and billing details. For more information on this ' +
      'error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.',
    type: 'insufficient_quota',
  },
  rate_limit_exceeded: { message: 'Rate limit reached.', type: 'requests' },
  moderation_blocked: {
    message: 'Your request was rejected by the safety system. safety_violations=[violence].',
    type: 'image_generation_user_error',
  },
};
const SERVER_ERRORS: Readonly<Record<number, string>> = {
  500: 'The server had an error while processing your request. Sorry about that!',
  503: 'The engine is currently overloaded, please try again later.',
};

/** Codes of the kit, where OpenAI has none. */
const KITS_OWN = new Set(['InternalFailure', 'RequestEntityTooLarge']);

export function renderError(error: AwsError, headers: Record<string, string>): AwsResponse {
  const { status, fields } = error;
  const injected = INJECTED[error.code];
  const own = fields.type !== undefined;
  const message = own ? error.message : (injected?.message ?? SERVER_ERRORS[status] ?? error.message);
  const type = fields.type ?? injected?.type ?? (status >= 500 ? 'server_error' : 'invalid_request_error');
  const code = own ? fields.code : KITS_OWN.has(error.code) ? '' : error.code;
  const retryAfterMs = fields.retryAfterMs;
  return {
    status,
    headers: {
      'content-type': 'application/json',
      ...headers,
      ...(retryAfterMs !== undefined && {
        'retry-after-ms': retryAfterMs,
        'retry-after': String(Math.ceil(Number(retryAfterMs) / 1000)),
      }),
    },
    body: JSON.stringify({ error: { message, type, param: fields.param || null, code: code || null } }, undefined, 2),
  };
}
