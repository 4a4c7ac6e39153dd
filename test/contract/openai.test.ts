/** What OpenAI does, by its own package: chat completions, pictures, moderations, models. */
import OpenAI from 'openai';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countWords, type OpenAiTarget, openOpenAiTarget, storyRequest, toldBy } from './openai-target.ts';

let target: OpenAiTarget;

beforeAll(async () => {
  target = await openOpenAiTarget();
});

afterAll(() => target.close());

/** How OpenAI refused: status, code and parameter, which programs read. */
async function refusal(call: Promise<unknown>) {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof OpenAI.APIError)) throw new Error('it was not refused', { cause: error });
  const { status, code, param, type, message } = error;
  return { status, code, param, type, message };
}

describe('keys and addresses', () => {
  it('are refused when the key is not one', async () => {
    const other = target.client.withOptions({ apiKey: 'no-key-of-theirs' });

    expect(await refusal(other.models.list().then())).toMatchObject({ status: 401, code: 'invalid_api_key' });
  });

  it('are refused without a key', async () => {
    const answer = await fetch(`${target.client.baseURL}/models`);

    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({
      error: { type: 'invalid_request_error', message: expect.any(String) },
    });
  });

  it('get 404 where nothing is, and every answer has a request id', async () => {
    const answer = await target.send('/nothing-here', { method: 'POST', body: '{}' });

    expect(answer.status).toBe(404);
    expect(answer.headers.get('x-request-id')).toMatch(/\S/);
    expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
  });

  it.each([
    ['a body cut short', '{"model": "gpt'],
    ['an empty body', ''],
  ])('get 400 for %s', async (_, body) => {
    const answer = await target.send('/chat/completions', { method: 'POST', body });

    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error', param: null } });
  });
});

describe('models', () => {
  it('are listed and looked up by their ids', async () => {
    const { text, image, moderation } = target.models;
    const listed: string[] = [];
    for await (const { id } of target.client.models.list()) listed.push(id);

    expect(listed).toEqual(expect.arrayContaining([text, image, moderation]));
    expect(await target.client.models.retrieve(text)).toMatchObject({ id: text, object: 'model' });
  });

  it('that are not there are told of as such, wherever they are asked for', async () => {
    const { chat, models, images } = target.client;
    const model = 'gpt-0-longhaul';

    expect(await refusal(models.retrieve(model).then())).toMatchObject({ status: 404, code: 'model_not_found' });
    expect(await refusal(chat.completions.create({ ...storyRequest(target), model }).then())).toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
    expect((await refusal(images.generate({ model, prompt: 'a tree' }).then())).status).toBeOneOf([400, 404]);
  });
});

describe('chat completions', () => {
  it('write a story in the form of the schema, and say what it cost', async () => {
    const answer = await target.client.chat.completions.create(storyRequest(target));

    const [choice] = answer.choices;
    const story = toldBy(choice?.message.content);
    expect(choice).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant', refusal: null } });
    expect(countWords(story)).toBeGreaterThanOrEqual(200);
    expect(`${story.title} ${story.paragraphs.join(' ')}`).toMatch(/Parker[\s\S]*Jackson|Jackson[\s\S]*Parker/);
    expect(answer.usage?.total_tokens).toBe(
      (answer.usage?.prompt_tokens ?? 0) + (answer.usage?.completion_tokens ?? 0),
    );
    expect(answer.usage?.completion_tokens_details?.reasoning_tokens).toBeLessThan(
      answer.usage?.completion_tokens ?? 0,
    );
    expect(answer.usage?.prompt_tokens_details?.cached_tokens).toBe(0);
    expect(answer.model.startsWith(target.models.text)).toBe(true);
    expect(answer._request_id).toMatch(/\S/);
  });

  it('come as a stream: the role, the text bit by bit, the end, the usage', async () => {
    const stream = await target.client.chat.completions.create({
      ...storyRequest(target),
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);

    const choices = chunks.flatMap((chunk) => chunk.choices);
    const bits = choices.flatMap(({ delta }) => delta.content ?? []);
    expect(choices[0]?.delta.role).toBe('assistant');
    expect(bits.length).toBeGreaterThan(50);
    expect(countWords(toldBy(bits.join('')))).toBeGreaterThanOrEqual(200);
    expect(choices.map((choice) => choice.finish_reason).filter(Boolean)).toEqual(['stop']);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  });

  it('are read by the helpers of the package too', async () => {
    const stream = target.client.chat.completions.stream({ ...storyRequest(target), stream: true });

    expect(countWords(toldBy((await stream.finalMessage()).content))).toBeGreaterThanOrEqual(200);
  });

  it('end by `length` at the limit of tokens', async () => {
    const { choices, usage } = await target.client.chat.completions.create({
      ...storyRequest(target),
      reasoning_effort: 'minimal',
      max_completion_tokens: 40,
    });

    expect(choices[0]?.finish_reason).toBe('length');
    expect(usage?.completion_tokens).toBeLessThanOrEqual(40);
    expect(() => toldBy(choices[0]?.message.content)).toThrow();
  });

  const strict = (schema: Record<string, unknown>) => ({
    response_format: { type: 'json_schema' as const, json_schema: { name: 'story', strict: true, schema } },
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['max_tokens', { max_tokens: 100 }, { code: 'unsupported_parameter', param: 'max_tokens' }],
    ['a temperature', { temperature: 0.2 }, { code: 'unsupported_value', param: 'temperature' }],
    ['a parameter there is not', { wombat: 1 }, { status: 400 }],
    ['a role there is not', { messages: [{ role: 'poet', content: 'x' }] }, { status: 400 }],
    ['no messages', { messages: [] }, { status: 400 }],
    ['a schema that is open', strict({ type: 'object', properties: {}, required: [] }), { param: 'response_format' }],
    [
      'a schema with a member that may be missing',
      strict({ type: 'object', properties: { a: { type: 'string' } }, required: [], additionalProperties: false }),
      { param: 'response_format' },
    ],
    ['options of a stream without one', { stream_options: { include_usage: true } }, { param: 'stream_options' }],
  ])('refuse %s', async (_, change, expected) => {
    const request = { ...storyRequest(target), ...change } as OpenAI.ChatCompletionCreateParamsNonStreaming;

    expect(await refusal(target.client.chat.completions.create(request).then())).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      ...expected,
    });
  });

  it('say what is left of the minute', async () => {
    const { response } = await target.client.chat.completions.create(storyRequest(target)).withResponse();

    expect(Number(response.headers.get('x-ratelimit-limit-requests'))).toBeGreaterThan(0);
    expect(Number(response.headers.get('x-ratelimit-remaining-requests'))).toBeGreaterThanOrEqual(0);
    expect(response.headers.get('x-ratelimit-reset-tokens')).toMatch(/^(\d+h)?(\d+m)?(\d+(\.\d+)?s)?(\d+(\.\d+)?ms)?$/);
  });
});

describe('pictures', () => {
  it('are PNG of the size that was asked for, as base64, billed by size and quality', async () => {
    const answer = await target.client.images.generate(
      { model: target.models.image, prompt: 'A calm night in the haunted woods', size: '1536x1024', quality: 'low' },
      { headers: { 'Idempotency-Key': 'longhaul-contract' } },
    );

    const [picture] = answer.data ?? [];
    const png = PNG.sync.read(Buffer.from(picture?.b64_json ?? '', 'base64'));
    expect([png.width, png.height]).toEqual([1536, 1024]);
    expect(picture?.url).toBeUndefined();
    expect(answer).toMatchObject({ output_format: 'png', quality: 'low', size: '1536x1024', background: 'opaque' });
    expect(answer.usage?.output_tokens).toBeGreaterThan(0);
    expect(answer.usage?.total_tokens).toBe((answer.usage?.input_tokens ?? 0) + (answer.usage?.output_tokens ?? 0));
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['response_format, which they do not have', { response_format: 'b64_json' }, 'response_format'],
    ['a size that is none', { size: 'large' }, 'size'],
    ['a quality of other models', { quality: 'hd' }, 'quality'],
    ['eleven at once', { n: 11 }, 'n'],
    ['an empty prompt', { prompt: '' }, 'prompt'],
    ['a prompt that is too long', { prompt: 'x'.repeat(32_001) }, 'prompt'],
  ])('are refused for %s', async (_, change, param) => {
    const request = { model: target.models.image, prompt: 'a tree', ...change };

    expect(await refusal(target.client.images.generate(request as never).then())).toMatchObject({ status: 400, param });
  });
});

describe('moderations', () => {
  const harmless = 'Two rabbits look at the moon.';
  const url = (bytes: Buffer) => ({
    type: 'image_url' as const,
    image_url: { url: `data:image/png;base64,${bytes.toString('base64')}` },
  });
  const white = () => {
    const png = new PNG({ width: 64, height: 64 });
    png.data.fill(255);
    return PNG.sync.write(png);
  };
  const moderate = (input: OpenAI.ModerationCreateParams['input']) =>
    target.client.moderations.create({ model: target.models.moderation, input });

  it('have a verdict, a score and the kinds of input for every category', async () => {
    const { id, results } = await moderate(harmless);

    const [result] = results;
    const names = Object.keys(result?.categories ?? {});
    expect(id).toMatch(/^modr-/);
    expect(results).toHaveLength(1);
    expect(result?.flagged).toBe(false);
    expect(names).toHaveLength(13);
    expect(Object.values(result?.categories ?? {}).some(Boolean)).toBe(false);
    expect(Object.keys(result?.category_scores ?? {})).toEqual(names);
    expect(result?.category_applied_input_types).toMatchObject({ violence: ['text'], hate: ['text'] });
  });

  it('have one result for each of several texts, in their order', async () => {
    const { results } = await moderate([harmless, 'I will kill you, murderer', harmless]);

    expect(results.map(({ flagged }) => flagged)).toEqual([false, true, false]);
    expect(results[1]?.categories.violence).toBe(true);
    expect(results[1]?.category_scores.violence).toBeGreaterThan(0.5);
  });

  it('have one result for a picture with its text', async () => {
    const { results } = await moderate([{ type: 'text', text: harmless }, url(white())]);

    expect(results).toHaveLength(1);
    expect(results[0]?.flagged).toBe(false);
    expect(results[0]?.category_applied_input_types).toMatchObject({ violence: ['text', 'image'], hate: ['text'] });
  });

  it('refuse two pictures at once', async () => {
    expect(await refusal(moderate([url(white()), url(white())]))).toMatchObject({
      status: 400,
      code: 'too_many_images',
    });
  });

  it.each([
    ['bytes that are no picture', Buffer.from('this is no picture')],
    ['a picture that is cut short', white().subarray(0, 60)],
  ])('refuse %s', async (_, bytes) => {
    expect((await refusal(moderate([url(bytes)]))).status).toBe(400);
  });

  it('refuse no input', async () => {
    expect((await refusal(moderate([]))).status).toBe(400);
  });
});
