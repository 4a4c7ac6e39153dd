import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { speechMarks } from '../../infra/local/aws/polly/marks.ts';
import type { SpokenEvent } from '../../infra/local/aws/polly/speaker.ts';
import { plainText, type SpokenText, ssmlText } from '../../infra/local/aws/polly/spoken-text.ts';

const word = (point: number, sample: number): SpokenEvent => ({ kind: 'word', point, sample });
const end = (sample: number): SpokenEvent => ({ kind: 'end', point: 0, sample });

/** Of samples that are milliseconds. */
const marksOf = (source: string, events: SpokenEvent[], total = 1_000, spoken: SpokenText = plainText(source)) =>
  speechMarks(spoken, source, 'en-GB', events, total, (sample) => sample);
const wordsOf = (...args: Parameters<typeof marksOf>) =>
  marksOf(...args)
    .filter(({ type }) => type === 'word')
    .map(({ value, time }) => `${value} ${time}`);
const sentencesOf = (source: string) =>
  marksOf(source, [])
    .filter(({ type }) => type === 'sentence')
    .map(({ value }) => value);

describe('a word', () => {
  it('has the time at which eSpeak began it', () => {
    expect(wordsOf('Mary had one', [word(0, 10), word(5, 373), word(9, 604)])).toEqual([
      'Mary 10',
      'had 373',
      'one 604',
    ]);
  });

  it('that eSpeak spoke together with another lies between its neighbours, by its place', () => {
    expect(wordsOf('out of the wood', [word(0, 0), word(4, 100), word(11, 240)])).toEqual([
      'out 0',
      'of 100',
      'the 160',
      'wood 240',
    ]);
  });

  it('of that kind does not reach into the pause behind its clause', () => {
    expect(wordsOf('and so on. I am', [word(0, 0), word(4, 100), end(220), word(11, 800), word(13, 900)])).toEqual([
      'and 0',
      'so 100',
      'on 151',
      'I 800',
      'am 900',
    ]);
  });

  it('that eSpeak spoke as many has the time of the first', () => {
    expect(wordsOf('for 1,250.5 stars', [word(0, 0), word(4, 50), word(6, 90), word(9, 120), word(12, 200)])).toEqual([
      'for 0',
      '1,250.5 50',
      'stars 200',
    ]);
  });

  it('keeps its apostrophe, and loses its hyphen', () => {
    expect(wordsOf("don't e-mail O’Neil", []).map((one) => one.split(' ')[0])).toEqual([
      "don't",
      'e',
      'mail',
      'O’Neil',
    ]);
  });

  it('is counted in bytes of the text, whatever stands before it', () => {
    const source = '🦊 “Größe” naïve';
    const marks = marksOf(source, [word(3, 1), word(10, 2)]).filter(({ type }) => type === 'word');

    expect(marks).toEqual([
      { time: 1, type: 'word', start: 8, end: 15, value: 'Größe' },
      { time: 2, type: 'word', start: 19, end: 25, value: 'naïve' },
    ]);
  });
});

describe('a sentence', () => {
  it('begins when its first word does, and ends with its sign', () => {
    expect(marksOf('Hush! Now sleep.', [word(0, 10), word(6, 500)]).filter(({ type }) => type === 'sentence')).toEqual([
      { time: 10, type: 'sentence', start: 0, end: 5, value: 'Hush!' },
      { time: 500, type: 'sentence', start: 6, end: 16, value: 'Now sleep.' },
    ]);
  });

  it('runs over the end of a verse, but not over an empty line', () => {
    expect(sentencesOf('The Moon\n\nIn the hush of the hill,\nlived a fox.')).toEqual([
      'The Moon',
      'In the hush of the hill,\nlived a fox.',
    ]);
  });

  it('of signs alone is none', () => {
    expect(marksOf(' … — !!! 🦊', [])).toEqual([]);
  });
});

describe('any text', () => {
  it('has marks in order that are stretches of it', () => {
    const text = fc.string({ unit: fc.constantFrom(...'aBö.!? \n’-🦊\u0000\uD800<&'.split('')), maxLength: 60 });
    fc.assert(
      fc.property(text, fc.array(fc.tuple(fc.nat(60), fc.nat(900))), (source, pairs) => {
        const points = pairs.map(([point]) => point).toSorted((a, b) => a - b);
        const samples = pairs.map(([, sample]) => sample).toSorted((a, b) => a - b);
        const marks = marksOf(
          source,
          points.map((point, index) => word(point, samples[index] ?? 0)),
        );
        const bytes = Buffer.from(source);
        const times = marks.map(({ time }) => time);

        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(times.every((time) => time >= 0 && time <= 1_000)).toBe(true);
        for (const { start, end: stop, value } of marks) {
          expect(stop).toBeGreaterThan(start);
          expect(bytes.subarray(start, stop).toString('utf8')).toBe(value);
        }
      }),
    );
  });
});

describe('SSML', () => {
  it('is spoken without its tags, and marks count in what was sent', () => {
    const source = '<speak>Fish &amp; <s>chips</s></speak>';
    const spoken = ssmlText(source);

    expect(spoken.text).toBe('Fish & \n\nchips\n\n');
    expect(spoken.billed).toBe('Fish & chips'.length);
    expect(marksOf(source, [word(9, 70)], 100, spoken).at(-1)).toEqual({
      time: 70,
      type: 'word',
      start: 21,
      end: 26,
      value: 'chips',
    });
  });

  it.each([
    ['a tag that is not closed', '<speak>Hello'],
    ['another root', '<p>Hello</p>'],
    ['no root', 'Hello'],
    ['an unknown entity', '<speak>&moon;</speak>'],
    ['half of a pair of surrogates', '<speak>&#xD800;</speak>'],
    ['a tag that is not known here', '<speak><break time="1s"/></speak>'],
  ])('with %s is refused', (_, source) => {
    expect(() => ssmlText(source)).toThrow(expect.objectContaining({ code: 'InvalidSsmlException' }));
  });
});
