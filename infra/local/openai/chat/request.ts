/**
 * The parameters of a chat completion, checked as OpenAI checks them.
 *
 * @module
 */
import { notInStandIn, openAiError } from '../errors.ts';
import {
  isObject,
  listed,
  missing,
  readBoolean,
  readChoice,
  readInteger,
  readString,
  wrongType,
  wrongValue,
} from '../input.ts';
import type { Json } from '../service.ts';
import { checkStrict } from './schema.ts';

export interface ChatRequest {
  messages: { role: string; text: string }[];
  /** Tokens of reasoning and answer together. */
  limit: number;
  reasoningTokens: number;
  format: { type: 'text' | 'json_object' } | { type: 'json_schema'; schema: Json };
  stream: boolean;
  includeUsage: boolean;
}

/** Known and without effect here. */
const IGNORED = [
  'metadata',
  'parallel_tool_calls',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
  'seed',
  'service_tier',
  'store',
  'user',
  'verbosity',
];
const READ = [
  'messages',
  'model',
  'max_completion_tokens',
  'max_tokens',
  'n',
  'reasoning_effort',
  'response_format',
  'stream',
  'stream_options',
];
/** Of models that do not reason. */
const SAMPLING = [
  'temperature',
  'top_p',
  'presence_penalty',
  'frequency_penalty',
  'logprobs',
  'top_logprobs',
  'logit_bias',
  'stop',
];
const NOT_HERE = [
  'audio',
  'function_call',
  'functions',
  'modalities',
  'prediction',
  'tool_choice',
  'tools',
  'web_search_options',
];
const KNOWN = new Set([...IGNORED, ...READ, ...SAMPLING, ...NOT_HERE]);
const ROLES = ['developer', 'system', 'user', 'assistant'];
/** Tokens thought before the first word, in steps of 64 as OpenAI tells them; how many is made up. */
const REASONING: Readonly<Record<string, number>> = { minimal: 0, low: 64, medium: 192, high: 512 };
const MOST_TOKENS = 128_000;

export const reasons = (model: string): boolean => /^(gpt-5|o\d)/.test(model);

export function readChatRequest(input: Json, model: string): ChatRequest {
  const unknown = Object.keys(input).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) throw openAiError(`Unrecognized request argument supplied: ${unknown}`);
  for (const name of NOT_HERE) if (input[name] != null) throw notInStandIn(`'${name}'`, name);
  if (input.metadata != null && input.store !== true) {
    throw openAiError("The 'metadata' parameter is only allowed when 'store' is enabled.", { param: 'metadata' });
  }
  if ((readInteger(input, 'n', 1, 128) ?? 1) > 1) throw notInStandIn('more than one choice', 'n');
  if (reasons(model)) checkReasoning(input);
  else if (input.reasoning_effort != null) {
    throw openAiError('Unrecognized request argument supplied: reasoning_effort');
  }
  const effort = readString(input, 'reasoning_effort') ?? 'medium';
  const stream = readBoolean(input, 'stream') ?? false;
  const messages = readMessages(input.messages);
  return {
    messages,
    limit:
      readInteger(input, 'max_completion_tokens', 1, MOST_TOKENS) ??
      readInteger(input, 'max_tokens', 1, MOST_TOKENS) ??
      MOST_TOKENS,
    reasoningTokens: reasons(model) ? (REASONING[effort] ?? 0) : 0,
    format: readFormat(input.response_format, messages),
    stream,
    includeUsage: readStreamOptions(input.stream_options, stream),
  };
}

/** What models that reason do not take. */
function checkReasoning(input: Json): void {
  if (input.max_tokens != null) throw unsupportedParameter('max_tokens', " Use 'max_completion_tokens' instead.");
  for (const name of ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty']) {
    const fallback = name.endsWith('penalty') ? 0 : 1;
    const value = input[name] ?? fallback;
    if (value === fallback) continue;
    throw openAiError(
      `Unsupported value: '${name}' does not support ${String(value)} with this model. Only the default (${fallback}) value is supported.`,
      { param: name, code: 'unsupported_value' },
    );
  }
  for (const name of ['logprobs', 'top_logprobs', 'logit_bias', 'stop']) {
    if (input[name] != null && input[name] !== false) throw unsupportedParameter(name);
  }
  const effort = readString(input, 'reasoning_effort');
  if (effort === undefined || Object.hasOwn(REASONING, effort)) return;
  throw openAiError(
    `Unsupported value: 'reasoning_effort' does not support '${effort}' with this model. Supported values are: ${listed(Object.keys(REASONING))}.`,
    { param: 'reasoning_effort', code: 'unsupported_value' },
  );
}

const unsupportedParameter = (param: string, instead = '') =>
  openAiError(`Unsupported parameter: '${param}' is not supported with this model.${instead}`, {
    param,
    code: 'unsupported_parameter',
  });

function readMessages(value: unknown): ChatRequest['messages'] {
  if (value === undefined) throw missing('messages');
  if (!Array.isArray(value)) throw wrongType('messages', 'an array of objects', value);
  if (value.length === 0) {
    throw openAiError(
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      {
        param: 'messages',
        code: 'empty_array',
      },
    );
  }
  return value.map((message: unknown, index) => {
    const path = `messages[${index}]`;
    if (!isObject(message)) throw wrongType(path, 'an object', message);
    const role = readString(message, 'role', `${path}.role`);
    if (role === undefined) throw missing(`${path}.role`);
    if (role === 'tool' || role === 'function') throw notInStandIn('tools', `${path}.role`);
    if (!ROLES.includes(role)) throw wrongValue(`${path}.role`, role, ROLES);
    return { role, text: readContent(message.content, `${path}.content`) };
  });
}

function readContent(content: unknown, path: string): string {
  if (typeof content === 'string') return content;
  if (content === undefined || content === null) {
    throw openAiError(`Invalid value for 'content': expected a string, got null.`, { param: path });
  }
  if (!Array.isArray(content)) throw wrongType(path, 'one of a string or array of objects', content);
  return content
    .map((part: unknown, index) => {
      if (!isObject(part)) throw wrongType(`${path}[${index}]`, 'an object', part);
      if (part.type !== 'text')
        throw notInStandIn(`content of the type '${String(part.type)}'`, `${path}[${index}].type`);
      return readString(part, 'text', `${path}[${index}].text`) ?? '';
    })
    .join('\n');
}

function readFormat(value: unknown, messages: ChatRequest['messages']): ChatRequest['format'] {
  if (value === undefined || value === null) return { type: 'text' };
  if (!isObject(value)) throw wrongType('response_format', 'an object', value);
  const type = readChoice(value, 'type', ['json_object', 'json_schema', 'text']);
  if (type === undefined) throw missing('response_format.type');
  if (type === 'text') return { type };
  if (type === 'json_object') {
    if (messages.some(({ text }) => /json/i.test(text))) return { type };
    throw openAiError(
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
      { param: 'messages' },
    );
  }
  const wrapped = value.json_schema;
  if (!isObject(wrapped)) throw missing('response_format.json_schema');
  const name = readString(wrapped, 'name', 'response_format.json_schema.name');
  if (name === undefined) throw missing('response_format.json_schema.name');
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    throw openAiError(
      `Invalid 'response_format.json_schema.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
      { param: 'response_format.json_schema.name', code: 'invalid_value' },
    );
  }
  if (!isObject(wrapped.schema)) throw missing('response_format.json_schema.schema');
  if (readBoolean(wrapped, 'strict', 'response_format.json_schema.strict') === true) checkStrict(name, wrapped.schema);
  return { type: 'json_schema', schema: wrapped.schema };
}

function readStreamOptions(value: unknown, stream: boolean): boolean {
  if (value === undefined || value === null) return false;
  if (!stream) {
    throw openAiError("The 'stream_options' parameter is only allowed when 'stream' is enabled.", {
      param: 'stream_options',
    });
  }
  if (!isObject(value)) throw wrongType('stream_options', 'an object', value);
  return readBoolean(value, 'include_usage', 'stream_options.include_usage') ?? false;
}
