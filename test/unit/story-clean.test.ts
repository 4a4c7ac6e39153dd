/** Whatever a model writes becomes plain text within bounds, and cleaning it again changes nothing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanParagraphs, cleanTitle, countWords, TEXT_LIMITS } from '../../lib/story/clean-text.ts';
import { readDraft } from '../../lib/story/draft.ts';
import { textCharacterBound } from '../../lib/story/prompt.ts';
import { cpuMs } from '../support/cpu.ts';

const NASTY = [
  '\u202e',
  '\u2066',
  '\u200b',
  '\u200d',
  '\ufeff',
  '\u00ad',
  '\u0000',
  '\u001b[31m',
  '\u0085',
  '\u2028',
  '\u2029',
  '\r\n',
  '\r',
  '\t',
  '\n\n',
  ' ',
  '\u00a0',
  '\u3000',
  '\u3164',
  '\uffff',
  '\ufdd0',
  '\ud800',
  '\udc00',
  '\u{e0041}',
  '\u{f0000}',
  '\u0301',
  '\u0344',
  '\ufb2c',
  '\u{1f468}\u200d\u{1f469}',
  '\u{1f1e9}',
  '\u1100',
  '\u1161',
  '<script>',
  '&amp;',
  '**',
  'word',
  'é',
  '中',
  'ก',
  '😀',
];
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: 'grapheme' })), { maxLength: 60 })
  .map((parts) => parts.join(''));
const long = fc
  .tuple(hostile, fc.integer({ min: 1, max: 400 }))
  .map(([text, times]) => text.repeat(times).slice(0, 12_000));

/** What no page, mail or XML may get. */
const INVISIBLE = /[\p{C}\p{Default_Ignorable_Code_Point}]/u;

describe('a title', () => {
  it('is one line of visible characters within its length, whatever it was', () => {
    fc.assert(
      fc.property(fc.oneof(hostile, long), (raw) => {
        const title = cleanTitle(raw);
        expect(title).not.toMatch(INVISIBLE);
        expect(title).not.toMatch(/[^\S ]|^ | $| {2}/);
        expect(title.length).toBeLessThanOrEqual(TEXT_LIMITS.title);
        expect(title.normalize('NFC')).toBe(title);
        expect(cleanTitle(title)).toBe(title);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['The  Owl\n and the\tLantern ', 'The Owl and the Lantern'],
    ['\u202eThe\u202c Owl\u200b', 'The Owl'],
    ['<b>The Owl</b> **sleeps**', '<b>The Owl</b> **sleeps**'],
    ['e\u0301toile', 'étoile'],
    ['\u0000\u200b', ''],
    [`Z${'\u0317'.repeat(40)}algo`, `Z${'\u0317'.repeat(4)}algo`],
  ])('%j is %j', (raw, title) => {
    expect(cleanTitle(raw)).toBe(title);
  });

  it('that is too long ends at a word, and says so', () => {
    const title = cleanTitle('sleepy owls '.repeat(30));

    expect(title).toMatch(/ owls…$|sleepy…$/);
    expect(title.length).toBeGreaterThan(100);
  });
});

describe('paragraphs', () => {
  it('are visible characters within their bounds, and stay as they are when cleaned again', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(hostile, long), { maxLength: 8 }), (raw) => {
        const paragraphs = cleanParagraphs(raw);
        expect(paragraphs.length).toBeLessThanOrEqual(TEXT_LIMITS.paragraphs);
        for (const paragraph of paragraphs) {
          expect(paragraph.length).toBeLessThanOrEqual(TEXT_LIMITS.paragraph);
          expect(paragraph).not.toBe('');
          expect(paragraph.replaceAll('\n', ' ')).not.toMatch(INVISIBLE);
          expect(paragraph).not.toMatch(/[^\S \n]|^\s|\s$| {2}| \n|\n\s/);
        }
        expect(cleanParagraphs(paragraphs)).toEqual(paragraphs);
      }),
      { numRuns: 1000 },
    );
  });

  it('lose no word that is kept to ordinary lengths', () => {
    const word = fc.stringMatching(/^[a-zäß]{1,12}$/);
    fc.assert(
      fc.property(
        fc.array(fc.array(word, { minLength: 1, maxLength: 800 }), { minLength: 1, maxLength: 5 }),
        (texts) => {
          const cleaned = cleanParagraphs(texts.map((words) => words.join(' ')));
          expect(cleaned.join(' ').split(/\s+/)).toEqual(texts.flat());
        },
      ),
    );
  });

  it('keep the lines of a verse, and are divided by blank ones', () => {
    expect(cleanParagraphs(['One  line \r\n  two\n \n\nthree', '', ' \u200b '])).toEqual(['One line\ntwo', 'three']);
  });

  it('leave markup what it is: text', () => {
    expect(cleanParagraphs(['<img src=x onerror=alert(1)> &lt; # head'])).toEqual([
      '<img src=x onerror=alert(1)> &lt; # head',
    ]);
  });

  it('are no more than their number, however many came', () => {
    expect(cleanParagraphs(Array.from({ length: 10_000 }, () => 'x'))).toHaveLength(TEXT_LIMITS.paragraphs);
  });

  it('of one endless word are cut without halving a character', () => {
    const cut = cleanParagraphs(['😀'.repeat(3000)]);

    expect(cut.join('')).toBe('😀'.repeat(3000));
    for (const paragraph of cut) expect(paragraph).not.toMatch(/\p{Cs}/u);
  });
});

describe('words', () => {
  it.each([
    [['One two, three!', "It's four…"], 'en-GB', 5],
    [['<b>one</b>'], 'en', 3],
    [['你好世界'], 'zh', 2],
    [['', '…'], 'en', 0],
    [['one\ntwo  three'], 'en', 3],
  ])('of %j in %s are %i', (texts, language, words) => {
    expect(countWords(texts, language)).toBe(words);
  });
});

it('are counted of a long text as of its parts, and soon', () => {
  const text = 'It was a dark night. '.repeat(10_000);

  const took = cpuMs(() => {
    expect(countWords([text], 'en')).toBe(50_000);
    expect(countWords(['a'.repeat(100_000), '字'.repeat(3000)], 'zh')).toBeGreaterThan(0);
  });
  // The square of it would be a quarter of a minute.
  expect(took).toBeLessThan(8_000);
});

describe('a draft', () => {
  const asked = { minWords: 3, language: 'en' };
  const answer = (content: string) => readDraft({ content, refusal: '', finish: 'stop' }, asked);

  it('is a story or a problem, whatever has come', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          hostile,
          fc.json(),
          fc.jsonValue().map((paragraphs) => JSON.stringify({ title: 'x', paragraphs })),
        ),
        (content) => {
          const draft = answer(content);
          expect(typeof draft === 'string' || draft.words >= asked.minWords).toBe(true);
        },
      ),
    );
  });

  it.each([
    ['null', 'MALFORMED'],
    ['[]', 'MALFORMED'],
    ['{"title":"a","paragraphs":[1]}', 'MALFORMED'],
    ['{"title":"a","paragraphs":[]}', 'MALFORMED'],
    ['{"title":"a","paragraphs":["b c"]}', 'TOO_SHORT'],
    ['{"title":"four words of title","paragraphs":["b"]}', 'TOO_SHORT'],
  ])('%s is %s', (content, problem) => {
    expect(answer(content)).toBe(problem);
  });

  it.each([
    ['as long as it may be', 0, undefined],
    ['one character longer', 1, 'TOO_LONG'],
  ])('%s', (_, more, problem) => {
    const most = textCharacterBound(asked.minWords);
    const content = JSON.stringify({ title: 'A', paragraphs: [`one two ${'x'.repeat(most - 9 + more)}`] });

    const draft = answer(content);

    expect(typeof draft === 'string' ? draft : undefined).toBe(problem);
  });

  it('is what was asked for', () => {
    expect(answer('{"title":" A ","paragraphs":["b c","d"]}')).toEqual({
      title: 'A',
      paragraphs: ['b c', 'd'],
      words: 3,
    });
  });
});
