/** Text and picture by the embedded platform's OpenAI, which refuses, cuts off and draws what nobody should see when asked to. */
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { FaultRule } from '../../infra/local/kit/faults.ts';
import { type OpenAi, openOpenAi as openStandIn } from '../../infra/local/openai/server.ts';
import { openOpenAi } from '../../lib/story/openai.ts';
import { BUCKET, openStages, type Stages } from '../support/story-stages.ts';

let standIn: OpenAi;
let stages: Stages;
let before = 0;
beforeAll(async () => {
  standIn = await openStandIn({ tokenMs: 0 });
  const client = openOpenAi('sk-unit');
  client.baseURL = `${standIn.url}/v1`;
  stages = await openStages(client);
});
afterAll(async () => {
  await stages.close();
  await standIn.close();
});
beforeEach(async () => {
  await stages.begin();
  await behave();
  faults();
  before = standIn.kit.calls.lastSeq;
});

const behave = async (...queue: object[]) => standIn.kit.actions.get('POST openai-behaviour')?.({ queue });
const faults = (...rules: Omit<FaultRule, 'service'>[]) =>
  standIn.kit.faults.set(rules.map((rule) => ({ service: 'openai', ...rule })));
/** Answered with success: those are billed. */
const paid = (operation: string) =>
  standIn.kit.calls.list({ operation, afterSeq: before }).filter(({ status }) => status === 200).length;

it('writes a rhyme on those who were drawn, long enough, and a picture beside it', async () => {
  await stages.run.checkPrompt();
  await expect(stages.run.writeText()).resolves.toMatchObject({ outcome: 'kept' });
  await expect(stages.run.drawPicture()).resolves.toEqual({ state: 'READY' });

  const { item, kept } = stages.stories;
  const text = item?.paragraphs?.join('\n\n') ?? '';
  expect(item?.words).toBeGreaterThanOrEqual(200);
  for (const name of ['Parker', 'Jackson']) expect(text).toContain(name);
  // Verses keep their lines.
  expect(text).toMatch(/\S\n\S/);
  const object = await stages.standIns.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: item?.image.key ?? '' }));
  const picture = PNG.sync.read(Buffer.from((await object.Body?.transformToByteArray()) ?? []));
  expect([picture.width, picture.height]).toEqual([1024, 1024]);
  expect(Object.keys(kept.verdicts).toSorted()).toEqual(['image', 'image-prompt', 'prompt', 'text-1']);
  for (const stage of ['text-1', 'image-1']) expect(kept.usage[stage]?.outputTokens).toBeGreaterThan(100);
});

it('writes in the language of the family', async () => {
  await stages.begin({ language: 'de-DE' });

  await expect(stages.run.writeText()).resolves.toMatchObject({ outcome: 'kept' });
  expect(stages.stories.item?.paragraphs?.join(' ')).toMatch(/\b(und|der|die)\b/);
});

it.each([
  ['refuse', 'REFUSED'],
  ['truncate', 'TRUNCATED'],
  ['content_filter', 'FLAGGED'],
  ['malformed', 'MALFORMED'],
  ['empty', 'MALFORMED'],
  ['short', 'TOO_SHORT'],
  ['unsafe', 'FLAGGED'],
])('of a draft that it has made to %s says %s, and repairs it', async (does, problem) => {
  await behave({ operation: 'createChatCompletion', does });

  await expect(stages.run.writeText()).resolves.toEqual({ outcome: 'rejected', problem });
  await expect(stages.run.writeText(2, problem as 'REFUSED')).resolves.toMatchObject({ outcome: 'kept' });
  expect(stages.stories.kept.usage['text-1']?.inputTokens).toBeGreaterThan(0);
});

it('takes markup and controls for text, or leaves them out', async () => {
  await behave({ operation: 'createChatCompletion', does: 'markup' });

  await stages.run.writeText();

  const text = [stages.stories.item?.title, ...(stages.stories.item?.paragraphs ?? [])].join(' ');
  expect(text).toContain('<script>');
  expect(text).not.toMatch(/[\u202e\u202c\u200b\u0007]/);
});

it.each([
  [[{ operation: 'createImage', does: 'moderation_blocked' }], 'READY', 1],
  [[{ operation: 'createImage', does: 'moderation_blocked', times: 2 }], 'STOCK', 0],
  [[{ operation: 'createImage', does: 'unsafe' }], 'STOCK', 1],
])('with %j the picture is %s', async (queue, state, pictures) => {
  await stages.run.writeText();
  await behave(...queue);

  await expect(stages.run.drawPicture()).resolves.toMatchObject({ state });
  expect(paid('createImage')).toBe(pictures);
});

it('does not keep bytes that are no picture', async () => {
  await stages.run.writeText();
  await behave({ operation: 'createImage', does: 'broken' });

  await expect(stages.run.drawPicture()).rejects.toMatchObject({ type: 'StoryRejectedError', nonRetryable: true });
});

it('waits as long as a limit of its rate says', async () => {
  faults({ operation: 'createChatCompletion', effect: 'throttle' });

  await expect(stages.run.writeText()).rejects.toMatchObject({
    nonRetryable: false,
    nextRetryDelay: expect.any(Number),
  });
});

it('gives up when the account is spent', async () => {
  faults({ operation: 'createChatCompletion', effect: 'error', status: 429, code: 'insufficient_quota' });

  await expect(stages.run.writeText()).rejects.toMatchObject({ nonRetryable: true, type: 'StoryRejectedError' });
});

it('tries again what broke off, in the middle too', async () => {
  await behave({ operation: 'createChatCompletion', does: 'break_off' });

  await expect(stages.run.writeText()).rejects.toThrow(/OpenAI could not write the text/);
  await expect(stages.run.writeText()).resolves.toMatchObject({ outcome: 'kept' });
});

it('pays once over five attempts that die at every write', async () => {
  await stages.run.checkPrompt();
  for (const what of ['usage text-1', 'verdict text-1', 'text', 'usage image-1', 'verdict image', 'image READY']) {
    stages.stories.before = (write) => {
      if (write === what) throw new Error('killed');
    };
    const run = /image/.test(what) ? stages.run.drawPicture : stages.run.writeText;
    await expect(run()).rejects.toThrow('killed');
    stages.stories.before = () => {};
    if (what === 'text') await stages.run.writeText();
  }
  await expect(stages.run.drawPicture()).resolves.toEqual({ state: 'READY' });

  expect([paid('createChatCompletion'), paid('createImage')]).toEqual([1, 1]);
});
