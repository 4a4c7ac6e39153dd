/** Each word is lit where it stands and while it is spoken, or not at all. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeMarks, unitsByByte } from '../../lib/story/marks.ts';
import { type Passage, type SpeechPart, speakable, speechParts } from '../../lib/story/sentences.ts';

interface Word {
  time: number;
  /** UTF-16 units of the part's text. */
  from: number;
  to: number;
}

const markOf = (text: string, { time, from, to }: Word) => ({
  time,
  type: 'word',
  start: Buffer.byteLength(text.slice(0, from)),
  end: Buffer.byteLength(text.slice(0, to)),
  value: text.slice(from, to),
});
const linesOf = (marks: readonly object[]) => marks.map((mark) => `${JSON.stringify(mark)}\n`).join('');
const passages = (...texts: string[]): Passage[] => texts.map((text, index) => ({ paragraph: index - 1, text }));

/** One part of a title and a paragraph: "Öwl" from 0 and "she flew" from 5. */
const [PART] = speechParts(passages('Öwl', 'she flew'), 'en') as [SpeechPart];
const WORDS: Word[] = [
  { time: 50, from: 0, to: 3 },
  { time: 700, from: 5, to: 8 },
  { time: 900, from: 9, to: 13 },
];
const GOOD = WORDS.map((word) => markOf(PART.text, word));

const place = (marks: readonly object[], milliseconds = 3_000) =>
  placeMarks([{ part: PART, marks: linesOf(marks), milliseconds }]);

describe('placeMarks', () => {
  it('turns bytes of a part into units of title and paragraphs', () => {
    expect(GOOD[1]).toMatchObject({ start: 6, end: 9 });
    expect(place(GOOD)).toEqual({
      dropped: 0,
      marks: {
        version: 1,
        seconds: 3,
        words: [
          { start: 50, end: 700, paragraph: -1, from: 0, to: 3 },
          { start: 700, end: 900, paragraph: 0, from: 0, to: 3 },
          { start: 900, end: 900 + 400 + 4 * 120, paragraph: 0, from: 4, to: 8 },
        ],
      },
    });
  });

  it('puts a word out with the next one, the end of the sound, or after as long as anybody takes to say it', () => {
    const ends = (milliseconds: number) => place(GOOD, milliseconds).marks.words.map(({ end }) => end);
    expect(ends(1_000)).toEqual([700, 900, 1_000]);
    expect(place([GOOD[0] as object], 60_000).marks.words[0]?.end).toBe(50 + 400 + 3 * 120);
  });

  it('begins a part where the sound of those before it ends, to less than a millisecond however many there are', () => {
    const parts = Array.from({ length: 301 }, () => ({
      part: PART,
      marks: linesOf(GOOD),
      milliseconds: 1000 / 3 + 1_000,
    }));

    const { marks } = placeMarks(parts);

    expect(marks.seconds).toBe(Math.round((301 * 4_000) / 3) / 1000);
    expect(marks.words.at(-3)?.start).toBe(400_000 + 50);
  });

  it('takes the words that are cut apart by parts into their own paragraphs', () => {
    const parts = speechParts(passages('One.', 'Two two. Three three.'), 'en', 12);
    expect(parts.map(({ text }) => text)).toEqual(['One.', 'Two two. ', 'Three three.'].slice(0, parts.length));

    const { marks } = placeMarks(
      parts.map((part) => ({
        part,
        marks: linesOf([markOf(part.text, { time: 10, from: 0, to: 3 })]),
        milliseconds: 100,
      })),
    );

    expect(marks.words.map(({ paragraph, from }) => [paragraph, from])).toEqual([
      [-1, 0],
      [0, 0],
      [0, 9],
    ]);
  });

  const [first, second, third] = GOOD as [object, object, object];
  it.each<[string, object]>([
    ['of another text', { ...second, value: 'her' }],
    ['that ends inside a letter', { ...first, end: 1, value: '�' }],
    ['behind the text', { ...second, start: 90, end: 93 }],
    ['of nothing', { ...second, end: 6, value: '' }],
    ['over the gap between paragraphs', { ...first, end: 9, value: 'Öwl\n\nshe' }],
    ['behind the sound', { ...second, time: 3_001 }],
    ['without a time', { ...second, time: null }],
    ['before the begin', { ...second, time: -1 }],
    ['of a time that is no number', { ...second, time: '700' }],
  ])('drops a mark %s, and lights the others', (_, bad) => {
    const { marks, dropped } = place([bad, third]);

    expect(dropped).toBe(1);
    expect(marks.words).toEqual([expect.objectContaining({ start: 900, from: 4 })]);
  });

  it('drops what goes back in time or in the text', () => {
    expect(place([second, { ...third, time: 600 }])).toMatchObject({ dropped: 1, marks: { words: [{ start: 700 }] } });
    expect(place([second, { ...first, time: 800 }])).toMatchObject({ dropped: 1, marks: { words: [{ start: 700 }] } });
    expect(place([second, second])).toMatchObject({ dropped: 1 });
  });

  it('drops lines that are no marks, and leaves marks of sentences alone', () => {
    const sentence = { ...first, type: 'sentence' };
    const marks = `${JSON.stringify(sentence)}\n\n{"time":\nnull\n[]\n"x"\n${linesOf([first])}`;

    expect(placeMarks([{ part: PART, marks, milliseconds: 3_000 }])).toMatchObject({
      dropped: 4,
      marks: { words: [{ start: 50 }] },
    });
  });

  const texts = fc.array(
    fc
      .array(
        fc.constantFrom(
          'owl ',
          'Ü',
          'e\u0301 ',
          'שלום ',
          'مرحبا. ',
          '月',
          '😀 ',
          '👩‍👩‍👧‍👦',
          '“no” ',
          '! ',
          '\n',
          '\ud83d',
          'zzzz',
          '\u202e',
        ),
        { maxLength: 40 },
      )
      .map((some) => some.join('')),
    { maxLength: 6 },
  );

  it('lights every word at its place, whatever letters it is made of', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 12, max: 80 }), (some, limit) => {
        const source = passages(...some);
        const parts = speechParts(source, 'en', limit);
        const spoken = parts.map((part) => {
          const words = [...part.text.matchAll(/\S+/gu)].map((found, index) => ({
            time: 10 * index,
            from: found.index,
            to: found.index + found[0].length,
          }));
          return {
            part,
            words,
            marks: linesOf(words.map((word) => markOf(part.text, word))),
            milliseconds: 10 * words.length,
          };
        });

        const { marks, dropped } = placeMarks(spoken);

        expect(dropped).toBe(0);
        const expected = spoken.flatMap(({ part, words }) => words.map(({ from, to }) => part.text.slice(from, to)));
        const lit = marks.words.map(({ paragraph, from, to }) =>
          speakable(source[paragraph + 1]?.text ?? '').slice(from, to),
        );
        expect(lit).toEqual(expected);
        marks.words.forEach(({ start, end }, index) => {
          expect(start).toBe(10 * index);
          expect(end).toBe(10 * (index + 1));
        });
      }),
      { numRuns: 300 },
    );
  });
});

it('knows of every byte which unit begins there', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
      const unitOf = unitsByByte(text);
      const begins = new Map<number, number>();
      for (let unit = 0; unit <= text.length; unit += 1) {
        if (unit > 0 && /[\ud800-\udbff]/.test(text.charAt(unit - 1)) && /[\udc00-\udfff]/.test(text.charAt(unit)))
          continue;
        begins.set(Buffer.byteLength(text.slice(0, unit)), unit);
      }
      for (let byte = -1; byte <= Buffer.byteLength(text) + 2; byte += 1) expect(unitOf(byte)).toBe(begins.get(byte));
      expect(unitOf(0.5)).toBeUndefined();
    }),
  );
});
