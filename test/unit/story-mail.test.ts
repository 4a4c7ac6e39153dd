/** One mail a story: never two, and none that nobody can account for. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkLink } from '../../lib/story/link.ts';
import { mailText, subjectOf } from '../../lib/story/mail-text.ts';
import { NOW, openStoryVoice, type StoryVoice } from '../support/story-voice.ts';

let voice: StoryVoice;
beforeAll(async () => {
  voice = await openStoryVoice({ requestTimeout: 300 });
});
afterAll(() => voice.close());
beforeEach(() => voice.begin());

const mail = () => voice.story.item?.mail;
const published = () => voice.standIns.kit.calls.list({ service: 'sns', operation: 'Publish' });
const fault = (rule: object) =>
  voice.standIns.kit.faults.set([{ service: 'sns', operation: 'Publish', effect: 'error', ...rule }]);

describe('notifyFamily', () => {
  it('sends title, link and until when, and says so', async () => {
    expect(await voice.notify()).toEqual({ state: 'READY' });

    expect(mail()).toEqual({ state: 'READY', at: '2026-11-26T18:15:00.000Z' });
    const [{ subject, message } = { subject: '', message: '' }] = voice.topic.published;
    expect(subject).toBe("Tonight's story: The Owl and the Lamp");
    expect(message).toMatch(/^The Owl and the Lamp\n/);
    expect(message).toContain('until Saturday, 28 November 2026 at 19:15 (Europe/Berlin)');
    const link = new URL(/https:\S+/.exec(message)?.[0] ?? '');
    expect(`${link.origin}${link.pathname}`).toBe(`https://stories.example/stories/${voice.storyId}`);
    const check = (at: number) =>
      checkLink(voice.settings.storyLinkKey, voice.storyId, link.searchParams.get('t') ?? '', at);
    expect(await check(NOW)).toBe('valid');
    expect(await check(NOW + 2 * 86_400_000)).toBe('expired');
  });

  it('tells the link nobody but the reader', async () => {
    const result = await voice.notify();
    const token = /t=(\S+)/.exec(voice.topic.published[0]?.message ?? '')?.[1] ?? 'none';

    expect(JSON.stringify([result, voice.story.item, voice.standIns.kit.calls.list()])).not.toContain(token);
  });

  it('sends none to a family without a topic, and none without a key for links', async () => {
    Object.assign(voice.family ?? {}, { topic_arn: undefined });
    expect(await voice.notify()).toEqual({ state: 'NONE' });
    expect(mail()?.state).toBe('NONE');

    voice.begin();
    Object.assign(voice.settings, { storyLinkKey: '' });
    expect(await voice.notify()).toEqual({
      state: 'FAILED',
      reason: expect.stringContaining('set LONGHAUL_STORY_LINK_KEY'),
    });
    expect(mail()).toMatchObject({ state: 'FAILED', reason: expect.stringContaining('LONGHAUL_STORY_LINK_KEY') });
    expect(voice.topic.published).toEqual([]);
  });

  it.each(['READY', 'UNCERTAIN', 'NONE', 'FAILED'] as const)('sends nothing where it is %s already', async (state) => {
    voice.begin({ mail: { state, reason: 'so it is' } });

    expect(await voice.notify()).toEqual({ state, reason: 'so it is' });
    expect(voice.topic.published).toEqual([]);
  });

  it('sends one, whoever else is at it', async () => {
    const results = await Promise.all([voice.notify(), voice.notify(), voice.notify()]);

    expect(voice.topic.published).toHaveLength(1);
    expect(results.filter(({ state }) => state === 'READY').length).toBeGreaterThan(0);
    expect(results.every(({ state }) => ['READY', 'UNCERTAIN'].includes(state))).toBe(true);
    expect(mail()?.state).toBe('READY');
  });

  it.each([
    ['the answer is lost', { effect: 'reset', when: 'after' }, 1],
    ['the connection is lost before', { effect: 'reset' }, 0],
    ['there is no answer in time', { effect: 'hang', when: 'after' }, 1],
    ['SNS breaks inside', { status: 500, code: 'InternalError' }, 0],
    ['SNS breaks after it', { status: 503, code: 'ServiceUnavailable', when: 'after' }, 1],
  ])('is uncertain for good when %s', async (_, rule, sent) => {
    const before = published().length;
    fault(rule);

    expect(await voice.notify()).toEqual({ state: 'UNCERTAIN' });
    expect(mail()?.state).toBe('UNCERTAIN');
    expect(await voice.notify()).toEqual({ state: 'UNCERTAIN' });
    expect(voice.topic.published).toHaveLength(sent);
    expect(published().length - before).toBe(1);
  });

  it.each([
    { status: 429, code: 'Throttled' },
    { status: 400, code: 'Throttling' },
    { status: 400, code: 'KMSThrottling' },
    { status: 403, code: 'ExpiredToken' },
  ])('is tried again after $code, which sent nothing', async (rule) => {
    fault(rule);

    await expect(voice.notify()).rejects.not.toHaveProperty('nonRetryable', true);
    expect(mail()?.state).toBe('PENDING');
    expect(await voice.notify()).toEqual({ state: 'READY' });
    expect(voice.topic.published).toHaveLength(1);
  });

  it('is tried again when SNS cannot be reached at all', async () => {
    const unreachable = await openStoryVoice();
    await unreachable.close();

    unreachable.story.get = async () => unreachable.story.item;
    await expect(unreachable.notify()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(unreachable.story.item?.mail.state).toBe('PENDING');
  });

  it.each([
    { status: 400, code: 'InvalidParameter', says: /InvalidParameter.*families subscribe moon/ },
    { status: 404, code: 'NotFound', says: /NotFound.*families subscribe moon/ },
    { status: 403, code: 'AuthorizationError', says: /allow sns:Publish/ },
  ])('gives up on $code, which sent nothing', async ({ says, ...rule }) => {
    fault(rule);

    const failure = voice.notify();

    await expect(failure).rejects.toMatchObject({ type: 'StoryRejectedError', nonRetryable: true });
    await expect(failure).rejects.toThrow(says);
    expect(mail()?.state).toBe('PENDING');
  });

  it('gives up on a family that is not there any more', async () => {
    voice.family = undefined;
    await expect(voice.notify()).rejects.toMatchObject({ type: 'FamilyNotFoundError', nonRetryable: true });
  });

  it('was sent, also when that cannot be noted', async () => {
    voice.story.before = (what) => {
      if (what === 'mail READY') throw new Error('DynamoDB is away');
    };
    expect(await voice.notify()).toEqual({ state: 'READY' });
    voice.story.before = () => {};

    expect(await voice.notify()).toEqual({ state: 'UNCERTAIN' });
    expect(voice.topic.published).toHaveLength(1);
  });

  it('is not sent when it cannot be claimed', async () => {
    voice.story.before = (what) => {
      if (what === 'claim') throw new Error('DynamoDB is away');
    };
    await expect(voice.notify()).rejects.toThrow('DynamoDB is away');
    expect(voice.topic.published).toEqual([]);
  });

  it('is not sent about a story that is gone', async () => {
    voice.begin({ expires_at: 1 });
    await expect(voice.notify()).rejects.toMatchObject({ type: 'StoryGoneError' });
  });
});

describe('the text of a mail', () => {
  const textOf = (title: string, language = 'en-GB') =>
    mailText({
      title,
      language,
      link: 'https://x.example/stories/a',
      expiresAt: NOW / 1000,
      timeZone: 'America/New_York',
    });

  it.each([
    ['The Owl & the <b>Lamp</b>', "Tonight's story: The Owl & the <b>Lamp</b>"],
    ['Die süße Eule – „Straße“', 'Tonight\'s story: Die susse Eule - "Strasse"'],
    ['Łódź, œuvre, Ærø', "Tonight's story: Lodz, oeuvre, AEro"],
    ['The Owl 🦉 and 👩‍👩‍👧 the Lamp', "Tonight's story: The Owl and the Lamp"],
    ['フクロウとランプ', "Tonight's story is ready"],
    ['البومة', "Tonight's story is ready"],
    ['🦉', "Tonight's story is ready"],
    ['', "Tonight's story is ready"],
  ])('has the title in its subject where ASCII can say it: %s', (title, subject) => {
    expect(textOf(title).subject).toBe(subject);
  });

  it('keeps the subject under 100 characters, cut behind a word', () => {
    const { subject } = textOf('The Owl and the Lamp '.repeat(20));
    expect(subject).toMatch(/^Tonight's story: (The Owl and the Lamp )+The Owl and the\.\.\.$/);
    expect(subject.length).toBeLessThan(100);
    expect(subjectOf('z'.repeat(500), 'en-GB')).toMatch(/^Tonight's story: z{79}\.\.\.$/);
  });

  it('lets no title break a line, hide, or turn around what follows', () => {
    const { subject, message } = textOf('Owl\r\nBcc: x@example.com\u2028\u202eLamp\u0007 می‌خواهم');
    expect(subject).toBe("Tonight's story is ready");
    expect(message.split('\n')[0]).toBe('Owl Bcc: x@example.com Lamp می‌خواهم');
    expect(textOf('Owl\r\nBcc: x@example.com').subject).toBe("Tonight's story: Owl Bcc: x@example.com");
  });

  it.each([
    ['de-DE', 'Eure Geschichte', 'Donnerstag, 26. November 2026'],
    ['es', 'Vuestro cuento', 'jueves, 26 de noviembre de 2026'],
    ['fr-CA', 'Votre histoire', 'jeudi 26 novembre 2026'],
    ['it-IT', 'La vostra storia', 'giovedì 26 novembre 2026'],
    ['nl-BE', 'Jullie verhaal', 'donderdag 26 november 2026'],
    ['pt-BR', "Tonight's story", 'Thursday, 26 November 2026'],
    ['no tag!', "Tonight's story", 'Thursday, 26 November 2026'],
  ])('is in the language of the story where there are words in it: %s', (language, tonight, day) => {
    const { subject, message } = textOf('Mia 🦉', language);

    expect(subject).toBe(`${tonight}: Mia`);
    const [ready, ...lines] = [textOf('🦉', language).subject, ...message.split('\n')];
    // As SNS takes it.
    expect(ready).toMatch(/^[A-Za-z][\x20-\x7e]{1,98}$/);
    expect(lines[4]).toBe('https://x.example/stories/a');
    expect(lines[6]).toContain(day);
  });

  it('cuts a title that is none, and tells the time where the family lives', () => {
    const { message } = textOf('👩‍👩‍👧‍👦'.repeat(500));
    expect(message.length).toBeLessThan(600);
    expect(message).toContain('until Thursday, 26 November 2026 at 13:15 (America/New_York)');
  });
});
