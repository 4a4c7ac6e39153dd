/**
 * One request of OpenAI's API: which operation it is, whether its key and its body can be read, what its limits allow, and
 * the headers every answer has.
 *
 * @module
 */
import type { Kit } from '../kit/front-door.ts';
import type { AwsRequest, AwsResponse, AwsService } from '../kit/service.ts';
import type { Behaviours } from './behaviours.ts';
import { openAiError, rateLimited, renderError, requestId } from './errors.ts';
import type { RateLimits } from './limits.ts';
import type { Models } from './models.ts';
import { countTokens } from './tokens.ts';

export type Json = Record<string, unknown>;

/** What operations have in common. */
export interface Shared {
  kit: Kit;
  models: Models;
  behaviours: Behaviours;
}

export interface OperationCall {
  /** The body; empty where there is none. */
  input: Json;
  /** What the path's pattern has captured. */
  captured: string;
  requestId: string;
  /** Aborted when the caller hung up. */
  gone: AbortSignal;
}

export interface Operation {
  /** `operationId` of OpenAI's API description. */
  name: string;
  method: 'GET' | 'POST';
  path: RegExp;
  /** Model that is used where the body names none. */
  defaultModel?: string;
  run(call: OperationCall): Promise<AwsResponse>;
}

/** Pictures come along as base64. */
const BODY_LIMIT = 32 * 1024 * 1024;
/** A key of OpenAI's begins so; nobody checks the rest. */
const KEY = /^Bearer (?<key>\S+)$/i;
/** How long a call that the fault plan throttles is sent away. */
const THROTTLED_MS = 250;

export function createOpenAi(limits: RateLimits, operations: readonly Operation[]): AwsService {
  return {
    names: ['openai'],
    // It has the door to itself.
    unsigned: /^/,
    async prepare(request) {
      const { operation, captured } = route(request, operations);
      const posts = operation.method === 'POST';
      const bytes = posts ? await request.bytes(BODY_LIMIT) : Buffer.alloc(0);
      const parsed = parse(bytes);
      const model = parsed?.model ?? operation.defaultModel ?? captured;
      const subject = typeof model === 'string' ? model : '';
      return {
        operation: operation.name,
        subject,
        async run() {
          const begun = performance.now();
          const id = requestId();
          authenticate(request.headers.authorization);
          const input = posts ? checkBody(request, parsed) : {};
          const left = posts ? limits.take(subject, countTokens(textsOf(input))) : {};
          const response = await operation.run({ input, captured, requestId: id, gone: request.gone });
          return { ...response, headers: { ...answerHeaders(id, begun), ...left, ...response.headers } };
        },
      };
    },
    throttled: () => rateLimited('this model', 'requests', limits.requestsPerMinute, THROTTLED_MS),
    renderError: (error) => renderError(error, answerHeaders(error.fields.requestId ?? requestId(), performance.now())),
  };
}

/** A body as JSON: 200. */
export const jsonAnswer = (body: unknown): AwsResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body, undefined, 2),
});

function route(request: AwsRequest, operations: readonly Operation[]): { operation: Operation; captured: string } {
  const { method, path } = request;
  const there = operations.filter((operation) => operation.path.test(path));
  const operation = there.find((one) => one.method === method);
  if (operation) return { operation, captured: decode(operation.path.exec(path)?.[1] ?? '') };
  if (there.length === 0) throw openAiError(`Invalid URL (${method} ${path})`, { status: 404 });
  throw openAiError(`Not allowed to ${method} on ${path}. (HINT: Perhaps you meant to use a different HTTP method?)`, {
    status: 405,
    code: 'method_not_supported',
  });
}

/** A path that is not well encoded names nothing that is there. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function authenticate(header: string | undefined): void {
  if (header === undefined) {
    throw openAiError(
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth " +
        "(i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the " +
        'API from your browser and are prompted for a username and password. You can obtain an API key from ' +
        'https://platform.openai.com/account/api-keys.',
      { status: 401 },
    );
  }
  const key = KEY.exec(header)?.groups?.key ?? '';
  if (key.startsWith('sk-')) return;
  const shown =
    key.length > 8 ? `${key.slice(0, 4)}${'*'.repeat(key.length - 8)}${key.slice(-4)}` : '*'.repeat(key.length);
  throw openAiError(
    `Incorrect API key provided: ${shown}. You can find your API key at https://platform.openai.com/account/api-keys.`,
    { status: 401, code: 'invalid_api_key' },
  );
}

function parse(bytes: Buffer): Json | undefined {
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Json) : undefined;
  } catch {
    return undefined;
  }
}

function checkBody(request: AwsRequest, parsed: Json | undefined): Json {
  const type = request.headers['content-type']?.split(';')[0]?.trim();
  if (type !== 'application/json') {
    throw openAiError(
      `Unsupported content type: '${type ?? ''}'. This API method only accepts 'application/json' requests, but you ` +
        "specified the header 'Content-Type'. Please try again with a supported content type.",
      { code: 'unsupported_content_type' },
    );
  }
  if (parsed === undefined) {
    throw openAiError(
      "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library " +
        'correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble ' +
        'figuring out how to fix this, please contact us through our help center at help.openai.com.)',
    );
  }
  return parsed;
}

/** What of a request counts as text: pictures are no tokens of it. */
function textsOf(value: unknown): string {
  if (typeof value === 'string') return value.startsWith('data:') ? '' : value;
  if (typeof value !== 'object' || value === null) return '';
  return Object.values(value).map(textsOf).join(' ');
}

function answerHeaders(id: string, begun: number): Record<string, string> {
  return {
    'x-request-id': id,
    'openai-version': '2020-10-01',
    'openai-organization': 'org-longhaul',
    'openai-processing-ms': String(Math.round(performance.now() - begun)),
  };
}
