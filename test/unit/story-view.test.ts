/** Starting stories, the book of past ones, one of them, and its link. */
import { ApplicationFailure } from '@temporalio/common';
import { beforeEach, describe, expect, it } from 'vitest';
import { addFamily } from '../../clients/story/families.ts';
import { unrecordedStory } from '../../clients/story/refused.ts';
import { startStory } from '../../clients/story/start.ts';
import { bookOf, linkTo, storyDetail } from '../../clients/story/view.ts';
import type { StoryItem, StoryRecord } from '../../lib/story/document.ts';
import { checkLink } from '../../lib/story/link.ts';
import { memoryWorld } from '../support/steering-world.ts';

const NOW = Date.parse('2026-11-26T20:00:00Z');
const SECRET = 'Once upon a time';

const record = (night: string, more: Partial<StoryRecord> = {}): StoryRecord => ({
  family: 'moon',
  entry: `night#${night}`,
  story_id: `moon/${night}`,
  night,
  status: 'COMPLETE',
  run_id: 'run-1',
  attempt: 1,
  cast: { characters: ['parker', 'jackson'], scene: 'haunted-woods' },
  created_at: `${night.length === 10 ? night : '2026-11-26'}T18:15:00.000Z`,
  ended_at: '2026-11-26T18:16:00.000Z',
  title: 'The Fox',
  words: 220,
  parts: { image: 'READY', audio: 'FAILED', mail: 'NONE', event: 'READY' },
  verdicts: { prompt: { model: 'm', flagged: false, categories: [], hash: 'h', at: 'x' } },
  usage: {},
  reserved: 1,
  month: '2026-11',
  cost: '0.04',
  settled: true,
  ...more,
});
const item = (night: string, more: Partial<StoryItem> = {}): StoryItem => ({
  story_id: `moon/${night}`,
  family: 'moon',
  night,
  workflow_id: `story/moon/${night}`,
  run_id: 'run-1',
  status: 'COMPLETE',
  draw: { characters: [{ name: 'Parker' }, { name: 'Jackson' }], scene: { name: 'haunted woods' } },
  language: 'en-GB',
  voice: 'Amy',
  engine: 'neural',
  min_words: 200,
  created_at: '2026-11-26T18:15:00.000Z',
  updated_at: '2026-11-26T18:16:00.000Z',
  expires_at: NOW / 1000 + 3_600,
  title: 'The Fox',
  paragraphs: [SECRET],
  words: 220,
  image: { state: 'READY', key: 'stories/moon/x.png', at: '2026-11-26T18:15:30.000Z' },
  audio: { state: 'FAILED', reason: 'StoryModelError: no voice' },
  mail: { state: 'NONE' },
  event: { state: 'READY' },
  ...more,
});

let world: ReturnType<typeof memoryWorld>;
beforeEach(async () => {
  world = memoryWorld();
  await addFamily(world, 'moon', { timeZone: 'Europe/Berlin' }, NOW);
});

describe('the book', () => {
  it('has old titles, and of what is readable or under way what is known now', async () => {
    const {
      title: _title,
      words: _words,
      parts: _parts,
      ended_at: _ended,
      settled: _settled,
      ...begun
    } = record('2026-11-26');
    world.kept.records.push(
      { ...begun, status: 'WRITING' },
      record('2026-11-25'),
      record('2026-11-20', {
        verdicts: { 'text-1': { model: 'm', flagged: true, categories: ['violence'], hash: 'h', at: 'x' } },
      }),
    );
    world.kept.items.set('moon/2026-11-26', item('2026-11-26', { status: 'READY', audio: { state: 'PENDING' } }));
    world.kept.items.set('moon/2026-11-25', item('2026-11-25'));
    // DynamoDB deletes late.
    world.kept.items.set('moon/2026-11-20', item('2026-11-20', { expires_at: NOW / 1000 - 1 }));
    const { stories } = await bookOf(world, 'moon', { limit: 10 }, NOW);
    expect(stories).toMatchObject([
      {
        night: '2026-11-26',
        status: 'READY',
        title: 'The Fox',
        words: 220,
        parts: { image: 'READY', audio: 'PENDING', mail: 'NONE', event: 'READY' },
        readable: true,
        flagged: false,
      },
      { night: '2026-11-25', status: 'COMPLETE', parts: { audio: 'FAILED' }, readable: true, cost: '0.04' },
      { night: '2026-11-20', status: 'COMPLETE', readable: false, flagged: true, title: 'The Fox' },
    ]);
    expect(JSON.stringify(stories)).not.toContain(SECRET);
  });

  it('goes on page by page', async () => {
    for (let day = 10; day < 20; day += 1) world.kept.records.push(record(`2026-11-${day}`));
    const nights: string[] = [];
    let before: string | undefined;
    do {
      const page = await bookOf(world, 'moon', { limit: 3, ...(before !== undefined && { before }) }, NOW);
      nights.push(...page.stories.map(({ night }) => night));
      before = page.next;
    } while (before !== undefined);
    expect(nights).toEqual(Array.from({ length: 10 }, (_, place) => `2026-11-${19 - place}`));
  });
});

describe('one story', () => {
  it('shows parts with their reasons, verdicts and cost; no text, no name, no key', async () => {
    world.kept.records.push(record('2026-11-26', { unpriced: [], error: { type: 'E', message: 'm' } }));
    world.kept.items.set('moon/2026-11-26', item('2026-11-26'));
    const detail = await storyDetail(world, 'moon', '2026-11-26', NOW);
    expect(detail).toMatchObject({
      storyId: 'moon/2026-11-26',
      workflowId: 'story/moon/2026-11-26',
      readable: true,
      expiresAt: '2026-11-26T21:00:00.000Z',
      cast: { characters: ['parker', 'jackson'], scene: 'haunted-woods' },
      details: {
        image: { state: 'READY', at: '2026-11-26T18:15:30.000Z' },
        audio: { state: 'FAILED', reason: 'StoryModelError: no voice' },
      },
      error: { type: 'E', message: 'm' },
      links: [{ what: 'temporal', href: expect.stringContaining('story%2Fmoon%2F2026-11-26/run-1') }],
    });
    expect(detail).not.toHaveProperty('unpriced');
    expect(JSON.stringify(detail)).not.toMatch(/Once upon|Parker|stories\/moon\/x/);
  });

  it('that has gone keeps what outlives it', async () => {
    world.kept.records.push(record('2026-11-20'));
    const detail = await storyDetail(world, 'moon', '2026-11-20', NOW);
    expect(detail).toMatchObject({ title: 'The Fox', readable: false, parts: { audio: 'FAILED' } });
    expect(detail).not.toHaveProperty('details');
    expect(detail).not.toHaveProperty('expiresAt');
  });

  it.each(['2026-11-21', 'nothing', '../2026-11-20', '2026-11-26#'])('of %s is not there', async (night) => {
    world.kept.records.push(record('2026-11-20'));
    expect(await storyDetail(world, 'moon', night, NOW)).toBeUndefined();
  });
});

describe('a story that was refused before it was begun', () => {
  it('says why, by its workflow', async () => {
    const failure = ApplicationFailure.nonRetryable('family moon: too dear', 'StoryLimitError');
    world.kept.workflows.set('story/moon/2026-11-26', { failure });
    expect(await unrecordedStory(world, 'moon', '2026-11-26')).toMatchObject({
      storyId: 'moon/2026-11-26',
      status: 'FAILED',
      attempt: 0,
      readable: false,
      error: { type: 'StoryLimitError', message: 'family moon: too dear' },
    });
  });

  it('is not there where Temporal does not know it, and is being written while it runs', async () => {
    expect(await unrecordedStory(world, 'moon', '2026-11-26')).toBeUndefined();
    expect(await unrecordedStory(world, 'moon', 'nothing')).toBeUndefined();
    await startStory(world, 'moon', '2026-11-26', NOW);
    const begun = await unrecordedStory(world, 'moon', '2026-11-26');
    expect(begun).toMatchObject({ status: 'WRITING' });
    expect(begun).not.toHaveProperty('error');
  });
});

describe('a link', () => {
  it('opens that story until it goes, and no other', async () => {
    world.kept.records.push(record('2026-11-26'));
    world.kept.items.set('moon/2026-11-26', item('2026-11-26'));
    const { url, expiresAt } = await linkTo(world, 'moon', '2026-11-26', NOW);
    expect(url).toMatch(/^https:\/\/stories\.example\/stories\/moon\/2026-11-26\?t=/);
    const token = new URL(url).searchParams.get('t') ?? '';
    const key = world.settings.storyLinkKey;
    expect(await checkLink(key, 'moon/2026-11-26', token, Date.parse(expiresAt) - 1_000)).toBe('valid');
    expect(await checkLink(key, 'moon/2026-11-26', token, Date.parse(expiresAt) + 1_000)).toBe('expired');
    expect(await checkLink(key, 'moon/2026-11-25', token, NOW)).toBe('invalid');
  });

  it('is none to a story that has gone, that was never there, or without a key', async () => {
    world.kept.records.push(record('2026-11-26'));
    await expect(linkTo(world, 'moon', '2026-11-26', NOW)).rejects.toMatchObject({
      kind: 'conflict',
      message: 'story moon/2026-11-26 has gone: stories can be read for 2 days',
    });
    await expect(linkTo(world, 'moon', '2026-11-25', NOW)).rejects.toMatchObject({ kind: 'unknown' });
    const keyless = memoryWorld({ storyLinkKey: '' });
    await expect(linkTo(keyless, 'moon', '2026-11-26', NOW)).rejects.toMatchObject({
      kind: 'conflict',
      remedy: expect.stringContaining('LONGHAUL_STORY_LINK_KEY'),
    });
  });
});

describe('one story more', () => {
  it('is begun under its own id, with what Temporal shows and finds it by', async () => {
    const started = await startStory(world, 'moon', undefined, NOW);
    expect(started).toMatchObject({ outcome: 'started', status: 'WRITING' });
    expect(started.storyId).toMatch(/^moon\/[0-9a-f]{8}-[0-9a-f-]{27}$/);
    const [options] = world.kept.workflows.values();
    expect(options).toMatchObject({
      type: 'story',
      workflowId: `story/${started.storyId}`,
      taskQueue: 'longhaul',
      args: [{ family: 'moon', night: started.storyId.slice(5) }],
      staticSummary: 'another story for moon',
      typedSearchAttributes: [{ value: 'WRITING' }, { value: 'moon' }],
    });
    expect((await startStory(world, 'moon', undefined, NOW)).storyId).not.toBe(started.storyId);
  });

  it('of a night is made once: while it is made, and when it has been', async () => {
    expect(await startStory(world, 'moon', '2026-11-25', NOW)).toMatchObject({ outcome: 'started' });
    expect(await startStory(world, 'moon', '2026-11-25', NOW)).toMatchObject({ outcome: 'running' });
    world.kept.workflows.clear();
    world.kept.records.push(record('2026-11-25'));
    expect(await startStory(world, 'moon', '2026-11-25', NOW)).toMatchObject({
      outcome: 'existing',
      status: 'COMPLETE',
    });
    expect(world.kept.workflows.size).toBe(0);
  });

  it.each(['FAILED', 'CANCELLED', 'WRITING', 'READY'] as const)(
    'goes on with one that is %s and does not run',
    async (status) => {
      const id = '0b6ba2a1-9a52-4a2c-8d0e-0f5e6a1f2b3c';
      world.kept.records.push(record('2026-11-24', { status }), record(id, { status }));
      expect(await startStory(world, 'moon', '2026-11-24', NOW)).toMatchObject({ outcome: 'started' });
      expect(await startStory(world, 'moon', id, NOW)).toMatchObject({ outcome: 'started', storyId: `moon/${id}` });
    },
  );

  it.each([
    ['2026-11-27', 'input'],
    ['2026-11-31', 'input'],
    ['tonight', 'input'],
    ['11111111-1111-4111-8111-111111111111', 'unknown'],
  ])('is none for %s', async (night, kind) => {
    await expect(startStory(world, 'moon', night, NOW)).rejects.toMatchObject({ kind });
    expect(world.kept.workflows.size).toBe(0);
  });

  it('of tomorrow there can be where it is tomorrow already', async () => {
    await addFamily(world, 'kiwi', { timeZone: 'Pacific/Auckland' }, NOW);
    expect(await startStory(world, 'kiwi', '2026-11-27', NOW)).toMatchObject({ outcome: 'started' });
    await expect(startStory(world, 'sun', undefined, NOW)).rejects.toMatchObject({ kind: 'unknown' });
  });
});
