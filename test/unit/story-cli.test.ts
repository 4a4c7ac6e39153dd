/** The commands about stories: what they take, and how families and stories look as text. */
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addStoryCommands } from '../../clients/cli/story.ts';
import {
  drawBook,
  drawDetail,
  drawFamilies,
  drawFollowed,
  drawSchedule,
  followedLine,
} from '../../clients/cli/story-picture.ts';
import { parseStoryId } from '../../clients/cli/story-world.ts';
import type { BookRow, FamilyView, StoryDetail } from '../../clients/live/stories.ts';
import { familyView } from '../support/family-view.ts';

const program = (): Command => {
  const root = new Command('longhaul').exitOverride();
  addStoryCommands(root);
  return root;
};
const leaves = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}`.trim() : '';
const plain = (lines: readonly string[]): string => lines.join('\n').replaceAll(/\u001b\[\d+m/g, '');

const row = (more: Partial<BookRow> = {}): BookRow => ({
  storyId: 'moon/2026-11-26',
  night: '2026-11-26',
  workflowId: 'story/moon/2026-11-26',
  createdAt: '2026-11-26T18:15:00.000Z',
  status: 'COMPLETE',
  title: 'The Fox',
  words: 220,
  parts: { image: 'STOCK', audio: 'READY', mail: 'NONE', event: 'READY' },
  cost: '0.0431',
  flagged: false,
  readable: true,
  ...more,
});

describe('the commands', () => {
  it('are these, each with --json', () => {
    const all = leaves(program());
    expect(all.map(pathOf)).toEqual([
      'story new',
      'story list',
      'story show',
      'story cancel',
      'story families list',
      'story families show',
      'story families add',
      'story families set',
      'story families remove',
      'story families subscribe',
      'story families schedule',
      'story families pause',
      'story families resume',
      'story families backfill',
      'story characters',
      'story scenes',
    ]);
    for (const command of all) {
      expect(command.description(), pathOf(command)).not.toBe('');
      expect(
        command.options.map(({ long }) => long),
        pathOf(command),
      ).toContain('--json');
    }
  });

  it.each([
    [['story', 'families', 'add', 'moon'], 'commander.missingMandatoryOptionValue'],
    [['story', 'families', 'add', 'moon', '--time-zone', 'UTC', '--min-words', 'many'], 'commander.invalidArgument'],
    [['story', 'families', 'add', 'moon', '--time-zone', 'UTC', '--engine', 'generative'], 'commander.invalidArgument'],
    [['story', 'families', 'backfill', 'moon', '--from', '2026-11-01'], 'commander.missingMandatoryOptionValue'],
    [['story', 'characters', 'moon', 'rename', 'x'], 'commander.invalidArgument'],
    [['story', 'characters'], 'commander.missingArgument'],
    [['story', 'list', '--limit', '0'], 'commander.invalidArgument'],
    [['story', 'new'], 'commander.missingArgument'],
    [['story', 'cancel'], 'commander.missingArgument'],
  ])('refuse %j by themselves', async (given, code) => {
    const root = program();
    for (const command of [root, ...leaves(root)]) command.exitOverride().configureOutput({ writeErr: () => {} });
    await expect(root.parseAsync(given, { from: 'user' })).rejects.toMatchObject({ code });
  });

  it('remove a family only by a second word', async () => {
    const root = program();
    await expect(root.parseAsync(['story', 'families', 'remove', 'moon'], { from: 'user' })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('--yes'),
    });
  });
});

describe('the name of a story', () => {
  it.each(['moon/2026-11-26', 'story/moon/2026-11-26'])('is %s', (text) =>
    expect(parseStoryId(text)).toEqual({ family: 'moon', night: '2026-11-26' }),
  );

  it.each(['moon', 'moon/', 'moon/today', 'moon/2026-11-26/x', 'Moon/2026-11-26', '/2026-11-26'])('is not %s', (text) =>
    expect(() => parseStoryId(text)).toThrow(expect.objectContaining({ kind: 'input' }) as Error),
  );
});

describe('as text', () => {
  const next = ['2026-10-24T17:15:00.000Z', '2026-10-25T18:15:00.000Z'];
  const family = familyView('moon', { state: 'active', next });

  it('nights are told by the clocks there, over a change of them too', () => {
    expect(plain(drawSchedule(family))).toBe(
      '2026-10-24 19:15  Europe/Berlin, 2026-10-24T17:15Z\n2026-10-25 19:15  Europe/Berlin, 2026-10-25T18:15Z',
    );
    expect(plain(drawFamilies([family]))).toContain('2026-10-24 19:15');
    const at = (schedule: FamilyView['schedule']) => plain(drawFamilies([{ ...family, schedule }]));
    expect(at({ state: 'paused', next: [] })).toMatch(/paused$/);
    expect(at({ state: 'active', next: ['2027-01-04T18:15:00.000Z'], until: '2027-01-04' })).toContain(
      '(paused until then)',
    );
    expect(at({ state: 'missing', next: [] })).toMatch(/missing$/);
    expect(plain(drawFamilies([]))).toContain('longhaul story families add');
  });

  it('the book says what there is, and what has gone', () => {
    const { title: _, cost: _cost, parts: _parts, ...failed } = row({ storyId: 'moon/2026-11-25', status: 'FAILED' });
    const text = plain(drawBook('moon', { stories: [row(), { ...failed, readable: false, flagged: true }] }));
    expect(text).toMatch(/moon\/2026-11-26 +COMPLETE +picture voice event +0.0431 USD +readable +The Fox/);
    expect(text).toMatch(/moon\/2026-11-25 +FAILED +– +– +gone +– \(something was flagged\)/);
    expect(plain(drawBook('moon', { stories: [] }))).toContain('longhaul story new moon');
  });

  it('a story says why a part is missing, what was paid for, and what was looked at', () => {
    const detail: StoryDetail = {
      ...row({ parts: { image: 'STOCK', audio: 'FAILED', mail: 'UNCERTAIN', event: 'READY' } }),
      family: 'moon',
      attempt: 1,
      expiresAt: '2026-11-28T18:15:00.000Z',
      cast: { characters: ['parker', 'jackson'], scene: 'haunted-woods' },
      details: {
        image: { state: 'STOCK' },
        audio: { state: 'FAILED', reason: 'Polly: throttled' },
        mail: { state: 'UNCERTAIN' },
        event: { state: 'READY' },
      },
      verdicts: { image: { model: 'omni', flagged: true, categories: ['violence'], hash: 'h', at: 'x' } },
      usage: { 'text-1': { service: 'openai', model: 'gpt', at: 'x', hash: 'h', inputTokens: 120, outputTokens: 400 } },
      unpriced: ['image-1'],
      links: [{ what: 'temporal', label: 'Temporal Web UI', href: 'http://ui/x' }],
    };
    const text = plain(drawDetail(detail, 'https://stories.example/stories/moon/2026-11-26?t=abc'));
    expect(text).toContain('220 words, readable until 2026-11-28T18:15:00.000Z');
    expect(text).toContain('picture  one of our own drawings');
    expect(text).toContain('voice    given up, Polly: throttled');
    expect(text).toContain('event    sent');
    expect(text).toMatch(/text-1 +openai gpt +120 input tokens, 400 output tokens/);
    expect(text).toContain('0.0431 USD, without image-1: no price is known');
    expect(text).toMatch(/image +omni +flagged: violence/);
    expect(text).toContain('?t=abc');
    expect(plain(drawDetail(detail))).not.toContain('?t=');
  });

  it('one that is watched is one line for each thing, and one line where nothing can be redrawn', () => {
    const picture = {
      storyId: 'moon/2026-11-26',
      status: 'READY',
      words: 220,
      parts: { image: 'PENDING', audio: 'READY', mail: 'READY', event: 'READY' },
      begun: 0,
    } as const;
    expect(plain(drawFollowed(picture, 12_000)).split('\n')).toEqual([
      'moon/2026-11-26  READY  12.0 s',
      '  text     220 words',
      '  picture  under way',
      '  voice    there',
      '  mail     sent',
      '  event    sent',
    ]);
    expect(followedLine(picture)).toBe('READY | 220 words | picture pending | voice ready | mail ready | event ready');
  });
});
