/** What only OpenAI's stand-in can be made to do: trouble by the fault plan, behaviours by their queue, limits by its clock. */
import OpenAI from 'openai';
import { PNG } from 'pngjs';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { FaultRule } from '../../infra/local/kit/faults.ts';
import { type OpenAi, type OpenAiOptions, openOpenAi } from '../../infra/local/openai/server.ts';
import { countWords, PROMPT, STORY_SCHEMA, toldBy } from './openai-target.ts';

let openai: OpenAi;
let client: OpenAI;

const clientOf = ({ url }: OpenAi, maxRetries = 0) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: 'sk-contract', maxRetries });

beforeAll(async () => {
  openai = await openOpenAi({ tokenMs: 0 });
  client = clientOf(openai);
});

afterAll(() => openai.close());

afterEach(async () => {
  openai.kit.faults.set([]);
  await queue();
});

async function another(options: OpenAiOptions): Promise<OpenAI & { of: OpenAi }> {
  const made = await openOpenAi({ tokenMs: 0, ...options });
  onTestFinished(() => made.close());
  return Object.assign(clientOf(made), { of: made });
}

const steer = (method: string, topic: string, body?: unknown) =>
  fetch(`${openai.url}/_longhaul/${topic}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

async function queue(...entries: Record<string, unknown>[]): Promise<void> {
  const answer = await steer('POST', 'openai-behaviour', { queue: entries });
  if (!answer.ok) throw new Error(await answer.text());
}

const onceWith = (rule: Partial<FaultRule>) =>
  openai.kit.faults.set([{ service: 'openai', operation: 'createChatCompletion', effect: 'error', ...rule }]);

const request = (content = PROMPT) => ({
  model: 'gpt-5-mini',
  messages: [{ role: 'user' as const, content }],
  response_format: {
    type: 'json_schema' as const,
    json_schema: { name: 'story', strict: true, schema: STORY_SCHEMA },
  },
});
const write = async (content?: string, by = client) => by.chat.completions.create(request(content));
const first = async (content?: string) => (await write(content)).choices[0];
const picture = (prompt = 'a tree', more: Record<string, unknown> = {}) =>
  client.images.generate({ model: 'gpt-image-2', prompt, ...more } as OpenAI.Images.ImageGenerateParamsNonStreaming);
const bytesOf = (answer: OpenAI.ImagesResponse) => Buffer.from(answer.data?.[0]?.b64_json ?? '', 'base64');
const moderate = async (input: OpenAI.ModerationCreateParams['input']) =>
  (await client.moderations.create({ input })).results[0] as OpenAI.Moderation;
const asInput = (bytes: Buffer) => [
  { type: 'image_url' as const, image_url: { url: `data:image/png;base64,${bytes.toString('base64')}` } },
];

async function refused(call: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error = await call.catch((thrown: unknown) => thrown);
  if (error instanceof OpenAI.APIError) return error;
  throw new Error('it was not refused', { cause: error });
}

describe('trouble by the fault plan', () => {
  it('is 429 with a time to wait, which the package keeps before it tries again', async () => {
    onceWith({ effect: 'throttle' });
    const before = openai.kit.calls.lastSeq;
    const begun = performance.now();

    await write(PROMPT, clientOf(openai, 1));

    const calls = openai.kit.calls.list({ afterSeq: before });
    expect(calls.map(({ operation, subject, status, error }) => [operation, subject, status, error])).toEqual([
      ['createChatCompletion', 'gpt-5-mini', 429, 'rate_limit_exceeded'],
      ['createChatCompletion', 'gpt-5-mini', 200, ''],
    ]);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(250);
  });

  it('tells too many requests from a spent account', async () => {
    onceWith({ effect: 'throttle' });
    const tooMany = await refused(write());
    onceWith({ status: 429, code: 'insufficient_quota' });
    const spent = await refused(write());

    expect([tooMany, spent].map(({ status, code, type }) => [status, code, type])).toEqual([
      [429, 'rate_limit_exceeded', 'requests'],
      [429, 'insufficient_quota', 'insufficient_quota'],
    ]);
    expect(tooMany.headers?.get('retry-after')).toBe('1');
    expect(tooMany.headers?.get('retry-after-ms')).toBe('250');
    expect(spent.headers?.get('retry-after')).toBeNull();
  });

  it.each([500, 503])('is an error of the server: %i', async (status) => {
    onceWith({ status });

    expect(await refused(write())).toMatchObject({ status, type: 'server_error', code: null });
  });

  it('is a connection that ends, before the work or after it', async () => {
    for (const when of ['before', 'after'] as const) {
      onceWith({ effect: 'reset', when });

      await expect(write()).rejects.toThrow(OpenAI.APIConnectionError);
    }
  });

  it('is an answer that never comes', async () => {
    onceWith({ effect: 'hang' });

    await expect(client.chat.completions.create(request(), { timeout: 200 })).rejects.toThrow(
      OpenAI.APIConnectionTimeoutError,
    );
  });

  it('hits other operations by their names', async () => {
    for (const [operation, call] of [
      ['createImage', () => picture()],
      ['createModeration', () => moderate('hello')],
      ['listModels', () => client.models.list()],
      ['retrieveModel', () => client.models.retrieve('gpt-5-mini')],
    ] as const) {
      onceWith({ operation, status: 500 });
      expect(await refused(call())).toMatchObject({ status: 500 });
    }
  });
});

describe('limits of a minute', () => {
  it('are counted by model, and end by the clock', async () => {
    const limited = await another({ requestsPerMinute: 2 });
    const ask = () => limited.moderations.create({ input: 'hello' });
    await ask();
    const { response } = await limited.moderations.create({ input: 'hello' }).withResponse();

    expect(response.headers.get('x-ratelimit-limit-requests')).toBe('2');
    expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('0');
    const error = await refused(ask());
    expect(error).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
    expect(Number(error.headers?.get('retry-after-ms'))).toBeGreaterThan(25_000);
    await limited.chat.completions.create(request());
    limited.of.kit.clock.advance(60_000);
    await ask();
  });

  it('count tokens too', async () => {
    const limited = await another({ tokensPerMinute: 100 });

    await limited.chat.completions.create(request());
    expect(await refused(limited.chat.completions.create(request()))).toMatchObject({ status: 429, type: 'tokens' });
  });
});

describe('behaviours of the model', () => {
  const chat = (does: string) => queue({ operation: 'createChatCompletion', does });

  it('refuses, whole and as a stream', async () => {
    await queue({ operation: 'createChatCompletion', does: 'refuse', times: 2 });

    expect(await first()).toMatchObject({ finish_reason: 'stop', message: { content: null, refusal: /sorry/ } });
    const stream = await client.chat.completions.create({ ...request(), stream: true });
    let [refusal, content] = ['', ''];
    for await (const { choices } of stream) {
      refusal += choices[0]?.delta.refusal ?? '';
      content += choices[0]?.delta.content ?? '';
    }
    expect([refusal, content]).toEqual([expect.stringMatching(/sorry/), '']);
    expect(countWords(toldBy((await first())?.message.content))).toBeGreaterThanOrEqual(200);
  });

  it.each([
    ['truncate', 'length'],
    ['content_filter', 'content_filter'],
    ['malformed', 'stop'],
    ['empty', 'stop'],
  ])('%s: an answer that is no JSON, ended by %s', async (does, reason) => {
    await chat(does);
    const choice = await first();

    expect(choice?.finish_reason).toBe(reason);
    expect(() => toldBy(choice?.message.content)).toThrow(SyntaxError);
  });

  it('breaks off in the middle, of a stream and of a whole answer', async () => {
    await queue({ operation: 'createChatCompletion', does: 'break_off', times: 2 });
    const stream = await client.chat.completions.create({ ...request(), stream: true });
    const seen: (string | null)[] = [];
    const read = async () => {
      for await (const { choices } of stream) seen.push(choices[0]?.finish_reason ?? null);
    };

    await expect(read()).rejects.toThrow();
    expect(seen.length).toBeGreaterThan(50);
    expect(seen.filter(Boolean)).toEqual([]);
    await expect(write()).rejects.toThrow();
  });

  it('writes too little', async () => {
    await chat('short');

    expect(countWords(toldBy((await first())?.message.content))).toBeLessThan(40);
  });

  it('writes markup', async () => {
    await chat('markup');
    const { title, paragraphs } = toldBy((await first())?.message.content);

    for (const text of [title, paragraphs.join()]) expect(text).toMatch(/<script>.*\u202e/s);
  });

  it('writes what the moderation flags', async () => {
    expect((await moderate((await first())?.message.content ?? '')).flagged).toBe(false);
    await chat('unsafe');

    expect(await moderate((await first())?.message.content ?? '')).toMatchObject({
      flagged: true,
      categories: { violence: true, hate: false },
    });
  });

  it('draws what the moderation flags, and else what it does not', async () => {
    await queue({ operation: 'createImage', does: 'unsafe' });
    const [unsafe, safe] = [bytesOf(await picture()), bytesOf(await picture())];

    expect(await moderate(asInput(unsafe))).toMatchObject({ flagged: true, categories: { violence: true } });
    expect((await moderate(asInput(safe))).flagged).toBe(false);
    // Written anew by somebody else it is still the same picture.
    expect((await moderate(asInput(PNG.sync.write(PNG.sync.read(unsafe))))).flagged).toBe(true);
  });

  it('refuses to draw, and names the request', async () => {
    await queue({ operation: 'createImage', does: 'moderation_blocked' });
    const error = await refused(picture());

    expect(error).toMatchObject({ status: 400, code: 'moderation_blocked', type: 'image_generation_user_error' });
    expect(error.message).toContain('safety_violations=[violence]');
    expect(error.requestID).toMatch(/^req_/);
    expect(error.message).toContain(error.requestID);
  });

  it('draws no picture at all', async () => {
    await queue({ operation: 'createImage', does: 'broken' });
    const bytes = bytesOf(await picture());

    expect(() => PNG.sync.read(bytes)).toThrow();
    expect(await refused(moderate(asInput(bytes)))).toMatchObject({ status: 400 });
  });

  it('flags whatever it is', async () => {
    await queue({ operation: 'createModeration', does: 'flag' });

    expect((await moderate('Two rabbits look at the moon.')).flagged).toBe(true);
    expect((await moderate('Two rabbits look at the moon.')).flagged).toBe(false);
  });

  it('takes its time', async () => {
    await queue({ operation: 'createModeration', does: 'slow', ms: 300 });
    const begun = performance.now();
    await moderate('hello');

    expect(performance.now() - begun).toBeGreaterThanOrEqual(290);
  });

  it('does so only where the request is about what the entry names, and as often as it says', async () => {
    await queue({ operation: 'createModeration', does: 'flag', about: 'rabbit', times: 2 });
    const verdicts: boolean[] = [];
    for (const text of ['a hare', 'a rabbit', 'a hare', 'a rabbit', 'a rabbit']) {
      verdicts.push((await moderate(text)).flagged);
    }

    expect(verdicts).toEqual([false, true, false, true, false]);
    expect(await (await steer('GET', 'openai-behaviour')).json()).toEqual({ queue: [] });
  });

  it.each([
    [{ operation: 'createSong', does: 'refuse' }, /createSong refuse; there are createChatCompletion: refuse/],
    [{ operation: 'createImage', does: 'refuse' }, /unknown: createImage refuse/],
    [{ operation: 'createImage', does: 'unsafe', times: 0 }, /times/],
  ])('is told of an entry it cannot read: %j', async (entry, message) => {
    const answer = await steer('POST', 'openai-behaviour', { queue: [entry] });

    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { message: string }).message).toMatch(message);
  });
});

describe('the same and the other', () => {
  const story = async (content: string) => toldBy((await first(content))?.message.content);

  it('is the same story for the same prompt, and another one for another cast or wording', async () => {
    const one = await story(PROMPT);

    expect(await story(PROMPT)).toEqual(one);
    for (const other of [
      PROMPT.replace('Parker', 'Mia'),
      PROMPT.replace('haunted woods', 'old harbour'),
      `${PROMPT}!`,
    ]) {
      expect(await story(other)).not.toEqual(one);
    }
  });

  it('is the same picture for the same prompt, and several are several', async () => {
    const [one, again, other] = [await picture('a castle'), await picture('a castle'), await picture('a castle.')];
    const two = await picture('a castle', { n: 2 });

    expect(bytesOf(again)).toEqual(bytesOf(one));
    expect(bytesOf(other)).not.toEqual(bytesOf(one));
    expect(two.data?.[0]?.b64_json).toBe(one.data?.[0]?.b64_json);
    expect(two.data?.[1]?.b64_json).not.toBe(two.data?.[0]?.b64_json);
    expect(two.usage?.output_tokens).toBe(2 * (one.usage?.output_tokens ?? 0));
  });

  it('is told of by the prompt cache, from 1,024 tokens on', async () => {
    const long = `${PROMPT}\n${'once upon a time '.repeat(400)}`;
    const cached = async (content: string) => (await write(content)).usage?.prompt_tokens_details?.cached_tokens ?? 0;

    expect(await cached(long)).toBe(0);
    expect(await cached(`${long} there was an end`)).toBeGreaterThanOrEqual(1024);
    expect(await cached(PROMPT)).toBe(0);
  });
});

describe('what the stand-in does not have', () => {
  const tool = { type: 'function', function: { name: 'f' } };

  it.each<[string, Record<string, unknown>]>([
    ['tools', { tools: [tool] }],
    ['two choices', { n: 2 }],
    [
      'members that are no texts',
      {
        response_format: {
          type: 'json_schema',
          json_schema: {
            name: 'count',
            strict: true,
            schema: {
              type: 'object',
              properties: { words: { type: 'integer' } },
              required: ['words'],
              additionalProperties: false,
            },
          },
        },
      },
    ],
  ])('is refused as such: %s', async (_, change) => {
    const call = client.chat.completions.create({ ...request(), ...change } as never);

    expect(await refused(call.then())).toMatchObject({ status: 400, code: 'not_in_stand_in' });
  });

  it.each([{ output_format: 'webp' }, { background: 'transparent' }, { stream: true }])(
    'is refused as such, of pictures: %j',
    async (change) => {
      expect(await refused(picture('a tree', change))).toMatchObject({ status: 400, code: 'not_in_stand_in' });
    },
  );

  it('is refused when a request is too large, and the next one is answered', async () => {
    const error = await refused(moderate('x'.repeat(33 * 1024 * 1024)));

    expect(error.status).toBe(413);
    expect((await moderate('hello')).flagged).toBe(false);
  });
});

describe('the process', () => {
  it('serves other models when it is told so', async () => {
    const other = await another({ models: ['gpt-9', 'gpt-image-9', 'omni-moderation-latest'] });
    const ids: string[] = [];
    for await (const { id } of other.models.list()) ids.push(id);

    expect(ids).toEqual(['gpt-9', 'gpt-image-9', 'omni-moderation-latest']);
    expect((await other.chat.completions.create({ ...request(), model: 'gpt-9' })).model).toBe('gpt-9');
    expect(await refused(other.chat.completions.create(request()))).toMatchObject({ code: 'model_not_found' });
  });

  it('does not let a picture be written by a model of texts, nor the other way round', async () => {
    expect((await refused(picture('a tree', { model: 'gpt-5-mini' }))).status).toBe(400);
    expect((await refused(client.chat.completions.create({ ...request(), model: 'gpt-image-2' }))).status).toBe(404);
  });

  it('takes the time for its tokens that it is told to', async () => {
    const slow = await another({ tokenMs: 5 });
    const stream = await slow.chat.completions.create({ ...request(), stream: true });
    const begun = performance.now();
    let chunks = 0;
    for await (const _ of stream) chunks += 1;

    expect(performance.now() - begun).toBeGreaterThanOrEqual((chunks - 2) * 5 * 0.9);
  });

  it('keeps no prompt in its log of calls', async () => {
    const before = openai.kit.calls.lastSeq;
    await write();

    expect(JSON.stringify(openai.kit.calls.list({ afterSeq: before }))).not.toMatch(/Parker|haunted|sk-contract/);
  });
});
