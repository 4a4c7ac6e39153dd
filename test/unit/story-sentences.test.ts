/** A story is cut where a reader pauses, whatever stands in it, and nothing of it gets lost. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PART_LENGTH, type Passage, speakable, speechParts } from '../../lib/story/sentences.ts';

const passages = (...texts: string[]): Passage[] => texts.map((text, index) => ({ paragraph: index - 1, text }));
const texts = (cut: readonly { text: string }[]) => cut.map(({ text }) => text);

describe('speechParts', () => {
  it('keeps paragraphs together as far as they fit, with an empty line between them', () => {
    const parts = speechParts(passages('The Owl', 'She flew.', 'She sang.', 'She slept.'), 'en', 30);

    expect(texts(parts)).toEqual(['The Owl\n\nShe flew.\n\nShe sang.', 'She slept.']);
    expect(parts[0]?.pieces).toEqual([
      { paragraph: -1, from: 0, at: 0, length: 7 },
      { paragraph: 0, from: 0, at: 9, length: 9 },
      { paragraph: 1, from: 0, at: 20, length: 9 },
    ]);
  });

  it('cuts a long paragraph between sentences, by the rules of its language', () => {
    const parts = speechParts(passages('Good night! She flew far. She sang.'), 'en', 26);
    expect(texts(parts)).toEqual(['Good night! She flew far. ', 'She sang.']);

    expect(texts(speechParts(passages('月が出た。星も出た。おやすみ。'), 'ja', 10))).toEqual([
      '月が出た。星も出た。',
      'おやすみ。',
    ]);
  });

  it('cuts a sentence that is too long between words, and never before a comma', () => {
    expect(texts(speechParts(passages('one two three, four five'), 'en', 14))).toEqual([
      'one two ',
      'three, four ',
      'five',
    ]);
  });

  it('cuts a word that is too long, and nothing that is one letter to a reader', () => {
    const family = '👩‍👩‍👧‍👦';
    expect(texts(speechParts(passages(family.repeat(3)), 'en', family.length + 3))).toEqual([family, family, family]);
    expect(texts(speechParts(passages('e\u0301'.repeat(5)), 'en', 5))).toEqual([
      'e\u0301e\u0301',
      'e\u0301e\u0301',
      'e\u0301',
    ]);
  });

  it('leaves out what is blank', () => {
    expect(texts(speechParts(passages('Title', '', '   ', '\n', 'End.'), 'en'))).toEqual(['Title\n\nEnd.']);
    expect(speechParts(passages('', ' '), 'en')).toEqual([]);
  });

  it('turns what no voice can say into spaces of the same length', () => {
    expect(speakable('a\u0000b\ud800c\r\nd\u0085')).toBe('a b c \nd ');
  });

  it('takes fifty thousand characters, and one word of as many', () => {
    const story = 'The moon was up, and all the owls were out. '.repeat(1_200);
    const parts = speechParts(passages('Long', story), 'en-GB');
    expect(parts.length).toBeLessThan(60);
    expect(Math.max(...parts.map(({ text }) => text.length))).toBeLessThanOrEqual(PART_LENGTH);

    expect(speechParts(passages('z'.repeat(50_000)), 'en')).toHaveLength(50);
  });

  const letters = fc.constantFrom(
    ...['a', 'Z', '7', ' ', ' ', '\n', '.', '! ', '? ', ',', '…', '’', '–', 'ß', 'é', 'e\u0301', '\u0300', 'ﷺ'],
    ...[
      'שלום',
      'مرحبا',
      '\u202e',
      '\u200d',
      '月',
      'です。',
      '😀',
      '👩‍👩‍👧‍👦',
      '🇩🇪',
      '\u0000',
      '\ud83d',
      '\udc00',
      '\t',
      '𝒜',
    ],
  );
  const paragraphs = fc.array(
    fc
      .array(fc.oneof(letters, fc.string({ maxLength: 6, unit: 'binary' })), { maxLength: 60 })
      .map((some) => some.join('')),
    { maxLength: 8 },
  );

  it('gives the text back but for blanks, in order, and keeps every part under the limit', () => {
    fc.assert(
      fc.property(
        paragraphs,
        fc.integer({ min: 4, max: 90 }),
        fc.constantFrom('en-GB', 'de', 'ja', 'ar', 'th'),
        (texts, limit, language) => {
          const source = passages(...texts);
          const parts = speechParts(source, language, limit);
          const read = source.map(({ text }) => ({ text: speakable(text), to: 0 }));
          let paragraph = -1;
          for (const { text, pieces } of parts) {
            expect(text.length).toBeLessThanOrEqual(limit);
            expect(text.trim()).not.toBe('');
            expect(text).not.toMatch(/\p{Cs}/u);
            let end = 0;
            for (const piece of pieces) {
              const of = read[piece.paragraph + 1];
              if (!of) throw new Error('no such paragraph');
              expect(piece.paragraph).toBeGreaterThanOrEqual(paragraph);
              paragraph = piece.paragraph;
              expect(piece.from).toBeGreaterThanOrEqual(of.to);
              expect(of.text.slice(of.to, piece.from).trim()).toBe('');
              expect(text.slice(piece.at, piece.at + piece.length)).toBe(
                of.text.slice(piece.from, piece.from + piece.length),
              );
              expect(text.slice(end, piece.at).trim()).toBe('');
              of.to = piece.from + piece.length;
              end = piece.at + piece.length;
            }
            expect(end).toBe(text.length);
          }
          for (const { text, to } of read) expect(text.slice(to).trim()).toBe('');
        },
      ),
      { numRuns: 300 },
    );
  });
});
