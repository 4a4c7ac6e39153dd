/**
 * OpenAI's API on loopback, for tests of what the wire can do to a client: by default it answers well; a test queues replies
 * that do not, down to single bytes. The stand-in of the embedded platform is the faithful one; this one misbehaves.
 *
 * @module
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type OpenAI from 'openai';
import { openOpenAi } from '../../lib/story/openai.ts';

export type Operation = 'chat' | 'image' | 'moderation' | 'models';
export interface ReceivedCall {
  operation: Operation;
  body: Record<string, unknown>;
  headers: IncomingHttpHeaders;
}
export type Reply = (response: ServerResponse, call: ReceivedCall) => void | Promise<void>;

export interface OpenAiServer {
  client: OpenAI;
  /** `http://127.0.0.1:<port>/v1` */
  url: string;
  calls: ReceivedCall[];
  of(operation: Operation): ReceivedCall[];
  /** The next replies of an operation; then it answers well again. */
  queue(operation: Operation, ...replies: Reply[]): void;
  /** Forgets calls and queues. */
  reset(): void;
  close(): Promise<void>;
}

const PATHS: Readonly<Record<string, Operation>> = {
  '/v1/chat/completions': 'chat',
  '/v1/images/generations': 'image',
  '/v1/moderations': 'moderation',
  '/v1/models': 'models',
};

export const MODELS = ['gpt-5-mini', 'gpt-5', 'gpt-image-2', 'gpt-image-1', 'omni-moderation-latest'];
export const FLAGGED_WORD = 'murder';
/** A whole PNG of one pixel, and what a moderation of these tests flags: one with a comment of that word. */
export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
export const BAD_PNG = Buffer.concat([PNG, Buffer.from(FLAGGED_WORD)]);

export const CHAT_USAGE = {
  prompt_tokens: 321,
  completion_tokens: 654,
  total_tokens: 975,
  prompt_tokens_details: { cached_tokens: 128 },
};
export const IMAGE_USAGE = {
  input_tokens: 77,
  output_tokens: 1056,
  total_tokens: 1133,
  input_tokens_details: { text_tokens: 77, image_tokens: 0 },
  output_tokens_details: { image_tokens: 1056, text_tokens: 0 },
};

/** A story of so many words, as its JSON. */
export function storyJson(words: number, title = 'The Owl and the Lantern'): string {
  const line = 'softly sleeps the little owl beneath the silver moon';
  const all = Array.from({ length: words }, (_, nth) => line.split(' ')[nth % 9]).join(' ');
  const half = all.indexOf(' ', all.length / 2);
  return JSON.stringify({ title, paragraphs: [all.slice(0, half), all.slice(half + 1)] });
}

const chunk = (choice: object | undefined, more: object = {}) =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'gpt-5-mini-2025-08-07',
    choices: choice ? [{ index: 0, delta: {}, finish_reason: null, ...choice }] : [],
    ...more,
  })}\n\n`;

const sse = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req_1' });

/** Streams content, refusal and finish in pieces. */
export const written =
  (content: string, { finish = 'stop', refusal = '', usage = true, done = true } = {}): Reply =>
  (response) => {
    sse(response).write(chunk({ delta: { role: 'assistant', content: '' } }));
    for (let at = 0; at < content.length; at += 40)
      response.write(chunk({ delta: { content: content.slice(at, at + 40) } }));
    if (refusal) response.write(chunk({ delta: { refusal } }));
    if (finish) response.write(chunk({ finish_reason: finish }));
    if (usage) response.write(chunk(undefined, { usage: CHAT_USAGE }));
    response.end(done ? 'data: [DONE]\n\n' : '');
  };

/** The begin of a stream, then `end`. */
export const begun =
  (content: string, end: (response: ServerResponse) => void): Reply =>
  (response) => {
    sse(response).write(chunk({ delta: { role: 'assistant', content } }), () => end(response));
  };

/** An error as the API tells it. */
export const failed =
  (status: number, error: object, headers: Record<string, string> = {}): Reply =>
  (response) => {
    const named = { 'content-type': 'application/json', 'x-request-id': 'req_1', ...headers };
    response.writeHead(status, named).end(JSON.stringify({ error: { message: '', type: '', param: null, ...error } }));
  };

export const json =
  (body: unknown): Reply =>
  (response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

/** Any bytes with status 200. */
export const raw =
  (bytes: string, type = 'application/json'): Reply =>
  (response) => {
    response.writeHead(200, { 'content-type': type }).end(bytes);
  };

/** An answer that says it is longer. */
export const cutOff =
  (bytes: string): Reply =>
  (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '99999' });
    response.write(bytes, () => response.socket?.resetAndDestroy());
  };

export const reset: Reply = (response) => void response.socket?.resetAndDestroy();

export const drawn = (bytes: Buffer | string, usage: object | undefined = IMAGE_USAGE): Reply =>
  json({
    created: 1,
    data: [{ b64_json: typeof bytes === 'string' ? bytes : bytes.toString('base64') }],
    ...(usage && { usage }),
  });

const verdictOf = (flagged: boolean) => ({
  flagged,
  categories: { violence: flagged, sexual: false, 'violence/graphic': false },
  category_scores: { violence: flagged ? 0.97 : 0.0001, sexual: 0.0001, 'violence/graphic': 0.0001 },
  category_applied_input_types: { violence: ['text'], sexual: ['text'], 'violence/graphic': ['text'] },
});

/** By the word, in a text or in the bytes of a picture. */
const moderated: Reply = (response, call) => {
  const input = call.body.input as (string | { image_url: { url: string } })[];
  const texts = input.map((one) =>
    typeof one === 'string' ? one : Buffer.from(one.image_url.url.split(',')[1] ?? '', 'base64').toString('latin1'),
  );
  const results = texts.map((text) => verdictOf(text.includes(FLAGGED_WORD)));
  return json({ id: 'modr-1', model: 'omni-moderation-2024-09-26', results })(response, call);
};

const DEFAULTS: Readonly<Record<Operation, Reply>> = {
  chat: written(storyJson(240)),
  image: drawn(PNG),
  moderation: moderated,
  models: json({ object: 'list', data: MODELS.map((id) => ({ id, object: 'model', created: 1, owned_by: 'system' })) }),
};

export async function openOpenAiServer(): Promise<OpenAiServer> {
  const calls: ReceivedCall[] = [];
  const queues: Record<Operation, Reply[]> = { chat: [], image: [], moderation: [], models: [] };
  const server = createServer((request, response) => void answer(request, response));
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const operation = PATHS[request.url ?? ''];
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    if (!operation) return void response.writeHead(404).end();
    const text = Buffer.concat(parts).toString();
    const call = { operation, body: text === '' ? {} : JSON.parse(text), headers: request.headers };
    calls.push(call);
    await (queues[operation].shift() ?? DEFAULTS[operation])(response, call);
  }
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const client = openOpenAi('sk-test');
  client.baseURL = url;
  return {
    client,
    url,
    calls,
    of: (operation) => calls.filter((call) => call.operation === operation),
    queue: (operation, ...replies) => void queues[operation].push(...replies),
    reset() {
      calls.length = 0;
      for (const queue of Object.values(queues)) queue.length = 0;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
