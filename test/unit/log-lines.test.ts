/**
 * Which log lines are whose, and in which order they come.
 *
 * @module
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Attempt,
  inChunks,
  inOrder,
  isSelected,
  lastOfEach,
  mergeByTime,
  nearest,
  parseDuration,
  parseStart,
  streamsOf,
  toLine,
} from '../../clients/launch/log-lines.ts';
import { checkNames } from '../../clients/launch/log-steps.ts';
import { taskStreams } from '../../jobs/log-streams.ts';
import { all } from '../support/log-world.ts';

const attempt = (item: string, more: Partial<Attempt> = {}): Attempt => ({
  step: 'align',
  item,
  jobId: 'job-1',
  attempt: 1,
  group: 'g',
  streams: { stage: `${item}/s`, main: `${item}/m` },
  ...more,
});

describe('the key of a start record', () => {
  const folder = 'launches/run-1/starts/';
  const id = '29c2ee23-475e-434b-a91c-0160636ea420';

  it('tells of a single job', () => {
    expect(parseStart(`${folder}call/all/${id}-2.json`, folder)).toEqual({
      key: `${folder}call/all/${id}-2.json`,
      step: 'call',
      item: 'all',
      jobId: id,
      attempt: 2,
    });
  });

  it('tells of the child of an array job', () => {
    expect(parseStart(`${folder}align/NA12878,chr-1/${id}_107-1.json`, folder)).toMatchObject({
      item: 'NA12878,chr-1',
      jobId: `${id}:107`,
      index: 107,
      attempt: 1,
    });
  });

  it.each(['align', 'align/a', 'align/a/x.json', 'align/a/x-1.txt', 'align/a/b/x-1.json'])('is not %s', (rest) => {
    expect(parseStart(folder + rest, folder)).toBeUndefined();
    expect(parseStart(`elsewhere/${rest}`, folder)).toBeUndefined();
  });
});

describe('the streams of a task', () => {
  it.each(['stage', 'main', 'publish'] as const)('follow from that of %s', (container) => {
    expect(taskStreams(container, `a/tools-${container}/0a`)).toEqual({
      stage: 'a/tools-stage/0a',
      main: 'a/tools-main/0a',
      publish: 'a/tools-publish/0a',
    });
  });

  it('do not follow from a name of another form', () => {
    expect(taskStreams('stage', 'tools/main/0a')).toBeUndefined();
    expect(taskStreams('stage', 'tools/backstage/0a')).toBeUndefined();
    expect(taskStreams('stage', 'stage')).toBeUndefined();
  });
});

describe('attempts', () => {
  it('are chosen by item and number', () => {
    const two = attempt('a', { attempt: 2 });
    expect(isSelected({}, two)).toBe(true);
    expect(isSelected({ items: ['b'] }, two)).toBe(false);
    expect(isSelected({ items: ['a', 'b'], attempt: 1 }, two)).toBe(false);
    expect(isSelected({ attempt: 2 }, two)).toBe(true);
  });

  it('stand in the order of the plan, then of their starts', () => {
    const early = { startedAt: '2026-01-01T00:00:00Z' };
    const late = { startedAt: '2026-01-02T00:00:00Z' };
    const list = [
      attempt('b', { ...early }),
      attempt('a', { ...late, attempt: 1 }),
      attempt('a', { ...early, attempt: 2 }),
    ];
    expect(inOrder([...list, attempt('unplanned')], ['a', 'b']).map((one) => `${one.item}${one.attempt}`)).toEqual([
      'a2',
      'a1',
      'b1',
      'unplanned1',
    ]);
  });

  it('have the streams of the containers that were asked for, in the order these run in', () => {
    const streams = streamsOf([attempt('a'), attempt('b')], ['publish', 'main', 'stage']);
    expect(streams.map(({ name }) => name)).toEqual(['a/s', 'a/m', 'b/s', 'b/m']);
    expect(streamsOf([attempt('a')], ['main']).map(({ name }) => name)).toEqual(['a/m']);
  });

  it('give lines their names', () => {
    const [, main] = streamsOf([attempt('a', { index: 3, generation: 2 })], ['stage', 'main']);
    const event = { time: 1_000, message: 'x', stream: 'a/m' };
    expect(main && toLine(main, event)).toEqual({
      at: '1970-01-01T00:00:01.000Z',
      step: 'align',
      item: 'a',
      index: 3,
      attempt: 1,
      generation: 2,
      container: 'main',
      message: 'x',
    });
  });
});

it('chunks hold streams of one group only', () => {
  const streams = ['a', 'a', 'b', 'a'].map((group, index) => ({ group, index }));
  expect(inChunks(streams, 2).map((chunk) => chunk.map(({ index }) => index))).toEqual([[0, 1], [3], [2]]);
});

describe('merging', () => {
  it('gives every event once, by time, of equal times the earlier source first, a page at a time', async () => {
    const pages = fc.array(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 4 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(pages, { maxLength: 5 }), async (sources) => {
        const given = sources.map((list, source) => {
          const times = list.flat().toSorted((a, b) => a - b);
          let from = 0;
          return list.map(({ length }) => {
            from += length;
            return times.slice(from - length, from).map((time, nth) => ({ time, source, nth: from - length + nth }));
          });
        });
        const merged = await all(
          mergeByTime(
            given.map((list) => {
              const left = [...list];
              return async () => left.shift() ?? [];
            }),
          ),
        );
        const expected = given.flat(2).toSorted((a, b) => a.time - b.time || a.source - b.source || a.nth - b.nth);
        expect(merged).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });
});

it('the last of each stream stay in their order', () => {
  const events = ['a1', 'b1', 'a2', 'a3', 'b2'].map((name) => ({ stream: name.charAt(0), name }));
  expect(lastOfEach(events, 2).map(({ name }) => name)).toEqual(['b1', 'a2', 'a3', 'b2']);
  expect(lastOfEach(events, 1).map(({ name }) => name)).toEqual(['a3', 'b2']);
});

describe('names', () => {
  it.each([
    ['algin', ['align', 'sort', 'call'], ['align']],
    ['NA1287', ['NA12878', 'NA12879', 'HG002'], ['NA12878', 'NA12879']],
    ['ALIGN', ['align'], ['align']],
    ['zzz', ['align'], []],
  ])('near %s are found', (name, names, near) => {
    expect(nearest(name, names)).toEqual(near);
  });

  it('that are not there are refused, with what was probably meant', () => {
    const steps = [
      { launchId: 'r', name: 'align', items: ['sa', 'sb'] },
      { launchId: 'r', name: 'call', items: ['all'] },
    ];
    const refusal = (names: Parameters<typeof checkNames>[1]) => () => checkNames(steps, names);
    expect(refusal({ step: 'aling' })).toThrow('there is no step called aling; did you mean align?');
    expect(refusal({ step: 'report' })).toThrow('there is no step called report; there are: align, call');
    expect(refusal({ step: 'align', items: ['sa', 'all'] })).toThrow('there is no item of align called all');
    expect(refusal({ items: ['nobody'] })).toThrow(
      'there is no item of any step called nobody; there are: sa, sb, all',
    );
    expect(refusal({ items: ['all', 'sb'] })).not.toThrow();
  });
});

it.each([
  ['90s', 90_000],
  ['10m', 600_000],
  ['2h', 7_200_000],
  ['1d', 86_400_000],
  ['10', undefined],
  ['m', undefined],
  ['-1m', undefined],
  ['1w', undefined],
])('a duration of %s is %s ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});
