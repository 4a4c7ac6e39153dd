/** What OpenAI's stand-in reads out of a prompt, and what it writes: rhymes of the length and the language asked for. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { categoriesOf } from '../../infra/local/openai/moderations/words.ts';
import { type Brief, readBrief } from '../../infra/local/openai/story/brief.ts';
import { writeStory } from '../../infra/local/openai/story/writer.ts';
import { countTokens, tokensOf } from '../../infra/local/openai/tokens.ts';
import { cpuMs } from '../support/cpu.ts';

const read = (...texts: string[]) => {
  const { names, scene, words, language } = readBrief(texts.map((text) => ({ text })));
  return [...names, scene, words, language];
};

const countWords = (paragraphs: readonly string[]) =>
  paragraphs
    .join(' ')
    .split(/\s+/)
    .filter((word) => /\p{L}/u.test(word)).length;

describe('a prompt', () => {
  it.each([
    [
      "is read as the sample's own",
      'Write a title and a rhyming story on 2 main characters called Parker and Jackson. The story needs to be set within the scene haunted woods and be at least 200 words long',
      ['Parker', 'Jackson', 'haunted woods', 200, 'en'],
    ],
    [
      'has names and scene in quotation marks, and a language',
      'A rhyming story on 2 main characters called "Dr. Owl, the 2nd" and "Mia and Bo". The story needs to be set within the scene "a city, made of paper" and be at least 350 words long.\nWrite about 438 words, in the language de-DE (German).\nWhat they look like: [{"name":"Mia and Bo","looks":"green"}]',
      ['Dr. Owl, the 2nd', 'Mia and Bo', 'a city, made of paper', 350, 'de'],
    ],
    [
      'has members of JSON',
      'Use this: {"characters": [{"name": "Pia"}, {"name": "Tom"}], "scene": "the lighthouse", "min_words": 120, "language": "de"}',
      ['Pia', 'Tom', 'the lighthouse', 120, 'de'],
    ],
    [
      'has tags',
      'At least 90 words. <character>Pia</character><character id="2">Tom</character><scene>old mill</scene>',
      ['Pia', 'Tom', 'old mill', 90, 'en'],
    ],
    [
      'is in German',
      'Schreibe auf Deutsch von zwei Hauptfiguren namens Mia und Käpt’n Bo. Szene: Hafen. Mindestens 300 Wörter.',
      ['Mia', 'Käpt’n Bo', 'Hafen', 300, 'de'],
    ],
    ['asks for nothing', 'Hello', ['Pip', 'Luna', 'a quiet valley', 200, 'en']],
    [
      'is set in Germany, and in English all the same',
      'Two friends in Germany called A and B.',
      ['A', 'B', 'a quiet valley', 200, 'en'],
    ],
    ['asks for more than anybody reads', 'at least 999999 words', ['Pip', 'Luna', 'a quiet valley', 5000, 'en']],
  ])('%s', (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it('is looked for in the last message first', () => {
    expect(read('called Ada and Bob.', 'called Cleo and Dan.').slice(0, 2)).toEqual(['Cleo', 'Dan']);
  });

  it('may be anything', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 80 }), { minLength: 1, maxLength: 3 }), (texts) => {
        const { names, words } = readBrief(texts.map((text) => ({ text })));
        expect(names).toHaveLength(2);
        expect(words).toBeGreaterThan(0);
      }),
    );
  });

  it('of a hundred thousand characters is read at once', () => {
    for (const part of ['called ', 'scene: "', '{"a": [', '<scene>', 'in the scene ']) {
      expect(cpuMs(() => read(part.repeat(100_000 / part.length)))).toBeLessThan(5_000);
    }
  });
});

describe('a story', () => {
  const name = fc.constantFrom('Parker', 'Jackson', 'Mia Sofie', 'Käpt’n Bo', '李雷', '$& {a} \\1');
  const brief: fc.Arbitrary<Brief> = fc.record({
    names: fc.tuple(name, name),
    scene: fc.constantFrom('haunted woods', 'the sea', 'a house', 'Bäckerei'),
    words: fc.integer({ min: 1, max: 1500 }),
    language: fc.constantFrom('en' as const, 'de' as const),
    text: fc.string(),
  });

  it('has the words that were asked for, the names and the scene, and nothing that the moderation flags', () => {
    fc.assert(
      fc.property(brief, (asked) => {
        const { title, paragraphs, summary } = writeStory(asked);
        const text = [title, ...paragraphs, summary].join('\n');

        expect(countWords(paragraphs)).toBeGreaterThanOrEqual(asked.words);
        expect(countWords(paragraphs)).toBeLessThan(asked.words * 1.4 + 200);
        for (const one of asked.names) expect(text.split(one).length).toBeGreaterThan(3);
        expect(text).toContain(asked.scene.replace(/^(a|the) /, ''));
        if (!asked.names.some((one) => one.includes('{'))) expect(text).not.toMatch(/[{}]/);
        expect(categoriesOf(text)).toEqual([]);
        expect(writeStory(asked)).toEqual({ title, paragraphs, summary });
      }),
      { numRuns: 60 },
    );
  });

  it('rhymes: stanzas of four lines', () => {
    const { paragraphs } = writeStory({ names: ['Mia', 'Bo'], scene: 'sea', words: 400, language: 'en', text: '' });

    expect(paragraphs.every((stanza) => stanza.split('\n').length === 4)).toBe(true);
    expect(new Set(paragraphs).size).toBe(paragraphs.length);
  });
});

describe('tokens', () => {
  it('put together are the text again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(tokensOf(text).join('')).toBe(text);
      }),
    );
  });

  it('are about one for four characters of a text', () => {
    const text = 'The moon had come up like a coin in the sky, and Parker said to Jackson, I can hear an owl cry.';

    expect(text.length / countTokens(text)).toBeGreaterThan(3);
    expect(text.length / countTokens(text)).toBeLessThan(5);
  });
});
