/** The models that are set are looked for once, before anything is paid, and again after a failure. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createModelCheck } from '../../activities/story/models.ts';
import { failed, json, type OpenAiServer, openOpenAiServer, raw } from '../support/openai-server.ts';

const SETTINGS = {
  storyTextModel: 'gpt-5-mini',
  storyImageModel: 'gpt-image-2',
  storyModerationModel: 'omni-moderation-latest',
};

let server: OpenAiServer;
beforeAll(async () => {
  server = await openOpenAiServer();
});
afterAll(() => server.close());
beforeEach(() => server.reset());

it('asks once for all who wait, and no more while all are there', async () => {
  const check = createModelCheck(server.client, SETTINGS);

  await Promise.all([check(), check(['storyTextModel']), check()]);
  await check();

  expect(server.of('models')).toHaveLength(1);
});

it('names the setting, the model, and those that are most like it', async () => {
  const check = createModelCheck(server.client, { ...SETTINGS, storyImageModel: 'gpt-image-3' });

  await expect(check()).rejects.toMatchObject({
    type: 'StoryModelError',
    nonRetryable: true,
    message:
      'storyImageModel (LONGHAUL_STORY_IMAGE_MODEL): OpenAI has no model gpt-image-3 for this key; ' +
      'it has gpt-image-1, gpt-image-2, gpt-5, gpt-5-mini, omni-moderation-latest',
  });
});

it('names every one that is missing', async () => {
  const check = createModelCheck(server.client, { ...SETTINGS, storyTextModel: 'x', storyModerationModel: 'y' });

  await expect(check()).rejects.toThrow(/storyTextModel .* x [\s\S]*storyModerationModel .* y /);
});

it('does not miss what the caller does not need', async () => {
  const check = createModelCheck(server.client, { ...SETTINGS, storyImageModel: 'gone' });

  await expect(check(['storyTextModel', 'storyModerationModel'])).resolves.toBeUndefined();
});

it('asks again when one was missing: it may be there by now', async () => {
  server.queue('models', json({ object: 'list', data: [{ id: 'gpt-5-mini' }] }));
  const check = createModelCheck(server.client, SETTINGS);
  await expect(check()).rejects.toMatchObject({ type: 'StoryModelError' });

  await expect(check()).resolves.toBeUndefined();
});

it('says that there are none', async () => {
  server.queue('models', json({ object: 'list', data: [] }));

  await expect(createModelCheck(server.client, SETTINGS)()).rejects.toThrow(/it has none at all/);
});

it.each([
  [failed(500, { message: 'x' }), { nonRetryable: false }],
  [failed(429, { code: 'rate_limit_exceeded' }, { 'retry-after': '3' }), { nextRetryDelay: 3000 }],
  [failed(401, { code: 'invalid_api_key' }), { nonRetryable: true, type: 'StoryRejectedError' }],
  [raw('<html>'), { message: 'OpenAI could not list its models: the connection or its answer broke' }],
])('asks again after a failure (%#)', async (reply, failure) => {
  server.queue('models', reply);
  const check = createModelCheck(server.client, SETTINGS);
  await expect(check()).rejects.toMatchObject(failure);

  await expect(check()).resolves.toBeUndefined();
  expect(server.of('models')).toHaveLength(2);
});

it('says what is missing where there is no key', async () => {
  await expect(createModelCheck(undefined, SETTINGS)()).rejects.toMatchObject({
    type: 'StoryNotConfiguredError',
    nonRetryable: true,
  });
});
