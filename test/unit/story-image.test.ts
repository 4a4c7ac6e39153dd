/** The picture of a story: paid once, looked at before anybody sees it, and where it is refused one of our own drawings. */
import { EventEmitter, once } from 'node:events';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { type ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createImageActivities } from '../../activities/story/image.ts';
import { pictureTokens } from '../../lib/story/picture-tokens.ts';
import { PICTURE_PROMPT_TOKENS } from '../../lib/story/prompt.ts';
import { BAD_PNG, cutOff, drawn, FLAGGED_WORD, failed, json, PNG, raw, reset } from '../support/openai-server.ts';
import { BUCKET, DRAW, openStages, type Stages } from '../support/story-stages.ts';

const TEXT = {
  title: 'The Owl and the Lantern',
  paragraphs: ['Softly sleeps the owl.'],
  words: 4,
  status: 'READY' as const,
};
const BLOCKED = { code: 'moderation_blocked', type: 'image_generation_user_error', message: 'Parker was rejected' };

let stages: Stages;
beforeAll(async () => {
  stages = await openStages();
});
afterAll(() => stages.close());
beforeEach(() => stages.begin(TEXT));
afterEach(() => {
  expect(stages.logged()).not.toMatch(/Parker|haunted woods|The Owl|Softly sleeps/);
});

const failureOf = async (run: Promise<unknown>): Promise<ApplicationFailure> =>
  run.then(
    (value) => new Error(`no failure, but ${JSON.stringify(value)}`) as ApplicationFailure,
    (reason: unknown) => reason as ApplicationFailure,
  );
const image = () => stages.stories.item?.image;
const prompts = () => stages.openai.of('image').map(({ body }) => String(body.prompt));
const killedBefore = async (what: string) => {
  stages.stories.before = (write) => {
    if (write === what) throw new Error('killed');
  };
  await expect(stages.run.drawPicture()).rejects.toThrow('killed');
  stages.stories.before = () => {};
};
const objectAt = async (key: string) => {
  const answer = await stages.standIns.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  return { type: answer.ContentType, bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
};

describe('a picture', () => {
  it('is drawn, moderated and kept, with what it cost', async () => {
    await expect(stages.run.drawPicture()).resolves.toEqual({ state: 'READY' });

    const { kept } = stages.stories;
    const key = `stories/${kept.story_id}/image-${kept.usage['image-1']?.hash}.png`;
    expect(image()).toMatchObject({
      state: 'READY',
      key,
      media_type: 'image/png',
      alt: 'The Owl and the Lantern (haunted woods)',
    });
    expect(await objectAt(key)).toEqual({ type: 'image/png', bytes: PNG });
    expect(kept.usage['image-1']).toMatchObject({
      service: 'openai',
      model: 'gpt-image-2',
      pictures: 1,
      inputTokens: 77,
      outputTokens: 1056,
      imageTokens: 1056,
    });
    expect(kept.verdicts).toMatchObject({ 'image-prompt': { flagged: false }, image: { flagged: false } });
  });

  it('is asked for with what is set, and seen by the moderation as it is', async () => {
    await stages.run.drawPicture();

    expect(stages.openai.of('image')[0]?.body).toEqual({
      model: 'gpt-image-2',
      prompt: expect.stringContaining('haunted woods'),
      size: '1024x1024',
      quality: 'medium',
      output_format: 'png',
      n: 1,
    });
    expect(stages.openai.of('moderation')[1]?.body.input).toEqual([
      { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG.toString('base64')}` } },
    ]);
  });

  it('that is there already costs nothing more', async () => {
    await stages.run.drawPicture();
    const calls = stages.openai.calls.length;

    await expect(stages.run.drawPicture()).resolves.toEqual({ state: 'READY' });
    expect(stages.openai.calls).toHaveLength(calls);
  });

  it.each(['usage image-1', 'verdict image', 'image READY'])(
    'is paid once when the worker dies before it writes down: %s',
    async (what) => {
      await killedBefore(what);
      expect(image()?.state).toBe('PENDING');

      await expect(stages.run.drawPicture()).resolves.toEqual({ state: 'READY' });
      expect(stages.openai.of('image')).toHaveLength(1);
      expect(stages.stories.kept.usage['image-1']).toMatchObject({ imageTokens: 1056 });
    },
  );

  it.each([
    ['WebP', Buffer.from(`RIFF\0\0\0\0WEBPVP8 ${'\0'.repeat(80)}`, 'latin1'), 'webp', 'image/webp'],
    ['JPEG', Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(80)]), 'jpg', 'image/jpeg'],
  ])('is what its bytes are, whatever was asked for: %s', async (_, bytes, extension, type) => {
    stages.openai.queue('image', drawn(bytes));
    await killedBefore('image READY');

    await stages.run.drawPicture();

    expect(image()).toMatchObject({ key: expect.stringMatching(new RegExp(`\\.${extension}$`)), media_type: type });
    expect(stages.openai.of('image')).toHaveLength(1);
  });

  it.each([
    [
      'SVG with a script',
      Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>${' '.repeat(60)}`),
    ],
    ['HTML', Buffer.from(`<html>${' '.repeat(80)}`)],
    ['a GIF', Buffer.concat([Buffer.from('GIF89a'), Buffer.alloc(80)])],
    ['the begin of a PNG', PNG.subarray(0, 8)],
    ['no base64', 'not base64!'],
    ['nothing', ''],
    ['a huge thing', `iVBORw0KGgo${'A'.repeat(24 * 1024 * 1024)}`],
  ])('that is none fails for good, its usage kept: %s', async (_, bytes) => {
    stages.openai.queue('image', drawn(bytes));

    const failure = await failureOf(stages.run.drawPicture());

    expect(failure).toMatchObject({ nonRetryable: true, type: 'StoryRejectedError' });
    expect(stages.stories.kept.usage['image-1']).toMatchObject({ pictures: 1 });
    expect(await stages.objects()).toEqual([]);
  });

  it.each(['{"data":[]}', '{"data":[{"url":"https://example.com/x.png"}]}', '{}'])(
    'that did not come fails for good: %s',
    async (answer) => {
      stages.openai.queue('image', raw(answer));

      expect(await failureOf(stages.run.drawPicture())).toMatchObject({ type: 'StoryRejectedError' });
    },
  );

  it.each([
    ['no usage', undefined],
    ['half of it', { input_tokens: 7 }],
    ['nonsense', { input_tokens: -1, output_tokens: '12' }],
  ])('with %s is kept, and reckoned as the most it can have cost', async (_, usage) => {
    stages.openai.queue('image', json({ created: 1, data: [{ b64_json: PNG.toString('base64') }], usage }));

    await expect(stages.run.drawPicture()).resolves.toEqual({ state: 'READY' });
    const most = pictureTokens('gpt-image-2', '1024x1024', 'medium');
    expect(stages.stories.kept.usage['image-1']).toMatchObject({
      pictures: 1,
      inputTokens: PICTURE_PROMPT_TOKENS,
      outputTokens: most,
      imageTokens: most,
    });
  });

  it('is not taken from what somebody else has put where it belongs', async () => {
    await stages.run.drawPicture();
    const { story_id: storyId, usage } = stages.stories.kept;
    const Key = `stories/${storyId}/image-${usage['image-1']?.hash}.png`;
    await stages.standIns.s3.send(
      new PutObjectCommand({ Bucket: BUCKET, Key, Body: '<svg/>', ContentType: 'text/html' }),
    );
    if (stages.stories.item) stages.stories.item.image = { state: 'PENDING' };

    const failure = await failureOf(stages.run.drawPicture());

    expect(failure.message).toContain(Key);
    expect(image()?.state).toBe('PENDING');
  });
});

describe('a refusal', () => {
  it('by the API is put more plainly once', async () => {
    stages.openai.queue('image', failed(400, BLOCKED));

    await expect(stages.run.drawPicture()).resolves.toEqual({ state: 'READY' });

    const [first, second] = prompts();
    expect(first).toContain('Parker');
    expect(second).not.toMatch(/Parker|Jackson|The Owl|scarf/);
    expect(Object.keys(stages.stories.kept.usage)).toEqual(['image-2']);
  });

  it('twice by the API is our own drawing', async () => {
    stages.openai.queue('image', failed(400, BLOCKED), failed(400, BLOCKED));

    const result = await stages.run.drawPicture();

    expect(result).toEqual({ state: 'STOCK', reason: expect.stringContaining('OpenAI refused') });
    expect(image()).toMatchObject({
      state: 'STOCK',
      media_type: 'image/svg+xml',
      alt: expect.stringContaining('haunted woods'),
    });
    const { type, bytes } = await objectAt(image()?.key ?? '');
    expect(type).toBe('image/svg+xml');
    expect(bytes.toString()).toMatch(/^<svg /);
    expect(stages.stories.kept.usage).toEqual({});
  });

  it('of the prompt by the moderation costs nothing: the plainer one is drawn', async () => {
    await stages.begin({ ...TEXT, title: `The ${FLAGGED_WORD}` });

    await expect(stages.run.drawPicture()).resolves.toEqual({ state: 'READY' });
    expect(prompts()).toHaveLength(1);
    expect(prompts()[0]).not.toContain(FLAGGED_WORD);
    expect(stages.stories.kept.verdicts).toMatchObject({
      'image-prompt': { flagged: true },
      'image-prompt-2': { flagged: false },
    });
  });

  it('of both prompts by the moderation is our own drawing, for nothing', async () => {
    await stages.begin({ ...TEXT, draw: { ...DRAW, scene: { name: `${FLAGGED_WORD} lane` } } });

    await expect(stages.run.drawPicture()).resolves.toMatchObject({ state: 'STOCK' });
    expect(stages.openai.of('image')).toEqual([]);
  });

  it('of the picture by the moderation deletes it', async () => {
    stages.openai.queue('image', drawn(BAD_PNG));

    await expect(stages.run.drawPicture()).resolves.toMatchObject({ state: 'STOCK' });
    expect(await stages.objects()).toEqual([expect.stringMatching(/\.svg$/)]);
    expect(stages.stories.kept.verdicts.image).toMatchObject({ flagged: true });
    expect(stages.stories.kept.usage['image-1']).toMatchObject({ pictures: 1 });
  });

  it.each(['verdict image', 'image STOCK'])(
    'of the picture is paid once when the worker dies before: %s',
    async (what) => {
      stages.openai.queue('image', drawn(BAD_PNG));
      await killedBefore(what);

      await expect(stages.run.drawPicture()).resolves.toMatchObject({ state: 'STOCK' });
      expect(stages.openai.of('image')).toHaveLength(1);
      expect(await stages.objects()).toEqual([expect.stringMatching(/\.svg$/)]);
    },
  );

  it('that is told already is told again by the next attempt', async () => {
    stages.openai.queue('image', failed(400, BLOCKED), failed(400, BLOCKED));
    const first = await stages.run.drawPicture();

    await expect(stages.run.drawPicture()).resolves.toEqual(first);
    expect(stages.openai.of('image')).toHaveLength(2);
  });
});

describe('a call that fails', () => {
  it('for now is tried again, and pays once', async () => {
    stages.openai.queue(
      'image',
      failed(429, { code: 'rate_limit_exceeded' }, { 'retry-after': '20' }),
      failed(503, {}),
      reset,
    );

    expect(await failureOf(stages.run.drawPicture())).toMatchObject({ nonRetryable: false, nextRetryDelay: 20_000 });
    expect(await failureOf(stages.run.drawPicture())).toMatchObject({ nonRetryable: false });
    expect((await failureOf(stages.run.drawPicture())).message).toMatch(/for now/);
    await expect(stages.run.drawPicture()).resolves.toEqual({ state: 'READY' });
  });

  it.each([
    ['half of an answer', raw(`{"data":[{"b64_json":"${PNG.toString('base64')}`)],
    ['an answer that is cut off', cutOff('{"data": "Parker')],
  ])('with %s is tried again', async (_, reply) => {
    stages.openai.queue('image', reply);

    const failure = await failureOf(stages.run.drawPicture());

    expect(failure.message).toMatch(/^OpenAI could not draw the picture/);
    expect(failure).not.toMatchObject({ nonRetryable: true });
    expect(`${failure.stack}${String(failure.cause)}`).not.toContain('Parker');
  });

  it.each([
    [400, { code: 'billing_hard_limit_reached' }, 'StoryRejectedError'],
    [403, { code: null, type: 'invalid_request_error', message: 'Parker' }, 'StoryRejectedError'],
    [400, { code: 'invalid_value', param: 'size' }, 'StoryRejectedError'],
    [404, { code: 'model_not_found' }, 'StoryModelError'],
  ])('for good is given up: %i %j', async (status, error, type) => {
    stages.openai.queue('image', failed(status, error));

    expect(await failureOf(stages.run.drawPicture())).toMatchObject({ nonRetryable: true, type });
    expect(stages.openai.of('image')).toHaveLength(1);
  });

  it('of a story that is cancelled ends at once', async () => {
    const wire = new EventEmitter();
    stages.openai.queue('image', (response) => {
      response.on('close', () => wire.emit('closed'));
      wire.emit('begun');
    });
    const ended = Promise.all([once(wire, 'closed'), failureOf(stages.run.drawPicture())]);
    await once(wire, 'begun');

    stages.environment.cancel();

    expect((await ended)[1]).toBeInstanceOf(CancelledFailure);
  });

  it('and never answers is ended', async () => {
    stages.openai.queue('image', () => {});
    const { drawPicture } = createImageActivities(stages.dependencies, { withinMs: 50 });
    const storyId = stages.stories.kept.story_id;

    await expect(stages.attempt(() => drawPicture({ storyId }))).rejects.toThrow(/draw the picture/);
  });
});

describe('nothing is drawn', () => {
  it('without a text', async () => {
    await stages.begin();

    expect(await failureOf(stages.run.drawPicture())).toMatchObject({
      nonRetryable: true,
      type: 'InvalidStoryInputError',
    });
  });

  it('of a story that has gone', async () => {
    stages.stories.item = undefined;

    expect(await failureOf(stages.run.drawPicture())).toMatchObject({ nonRetryable: true, type: 'StoryGoneError' });
    expect(stages.openai.calls).toEqual([]);
  });

  it('of a name that is none', async () => {
    await stages.begin({ ...TEXT, draw: { ...DRAW, characters: [{ name: '<b>Parker' }, { name: 'Jackson' }] } });

    expect(await failureOf(stages.run.drawPicture())).toMatchObject({ type: 'StoryUnsafeError' });
    expect(stages.openai.calls).toEqual([]);
  });

  it('by a model that is not there, whatever becomes of the text', async () => {
    const settings = { ...stages.dependencies.settings, storyImageModel: 'gpt-image-0' };
    const { drawPicture } = createImageActivities({ ...stages.dependencies, settings });

    const failure = await failureOf(stages.attempt(() => drawPicture({ storyId: stages.stories.kept.story_id })));

    expect(failure).toMatchObject({ nonRetryable: true, type: 'StoryModelError' });
    expect(failure.message).toContain('LONGHAUL_STORY_IMAGE_MODEL');
    expect(failure.message).toContain('gpt-image-2');
  });
});
