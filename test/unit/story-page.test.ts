/** What the page of a story is made of: where words are, which is spoken when, languages, documents that nothing breaks out of. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bookDocument, noticeDocument, type PageData, storyDocument } from '../../clients/story-page/render.tsx';
import { preferredLanguage, timeOf, wordsFor } from '../../clients/story-page/view/words.ts';
import { legalText, plainText } from '../../lib/story/characters.ts';
import type { WordMark } from '../../lib/story/document.ts';
import { directionOf, languageOf } from '../../lib/story/language.ts';
import { piecesOf, spokenWords, TITLE, wordAt } from '../../lib/story/words.ts';
import { ENGLISH, HOSTILE } from '../support/stories.ts';
import { marksFor } from '../support/story-sound.ts';

const ASSETS = { script: 'main.js', style: 'style.css', icon: 'icon.svg', base: '../' };
const number = () => fc.oneof(fc.integer({ min: -3, max: 60 }), fc.double());
const anyMark: fc.Arbitrary<WordMark> = fc.record({
  start: number(),
  end: number(),
  paragraph: fc.integer({ min: -2, max: 4 }),
  from: number(),
  to: number(),
});

const dataOf = (title: string, paragraphs: readonly string[]): PageData => ({
  story: {
    storyId: 'otters/2026-01-01',
    status: 'READY',
    title,
    paragraphs,
    language: 'en',
    createdAt: '2026-01-01T19:15:00.000Z',
    expiresAt: '2026-01-03T19:15:00.000Z',
    image: { state: 'READY', url: 'http://bucket/"><script>x</script>', alt: '"><script>alt</script>' },
    audio: { state: 'PENDING' },
  },
  links: { epub: 'story.epub', book: 'book' },
});

describe('words', () => {
  it('are found in their text, which stays whole around them', () => {
    const { words } = marksFor(ENGLISH.title, ENGLISH.paragraphs);
    const pieces = piecesOf(ENGLISH.title, TITLE, words);

    expect(pieces.filter(({ word }) => word !== undefined).map(({ text }) => text)).toEqual([
      'Mia',
      'Oskar',
      'and',
      'the',
      'Lantern',
      'Moon',
    ]);
    expect(pieces.map(({ text }) => text).join('')).toBe(ENGLISH.title);
  });

  it('never change a text, overlap or go backwards, whatever marks say', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.array(fc.string(), { maxLength: 3 }),
        fc.array(anyMark),
        (title, paragraphs, words) => {
          const spoken = spokenWords({ title, paragraphs }, { words });
          for (const [place, text] of [title, ...paragraphs].entries())
            expect(
              piecesOf(text, place + TITLE, spoken)
                .map((piece) => piece.text)
                .join(''),
            ).toBe(text);
          const starts = spoken.map(({ start }) => start);
          expect(starts).toEqual([...new Set(starts)].sort((one, other) => one - other));
        },
      ),
    );
  });

  it('are lit from their begin until the next begins, and not through a long pause', () => {
    const mark = (start: number, end: number): WordMark => ({ start, end, paragraph: 0, from: 0, to: 1 });
    const words = [mark(100, 200), mark(400, 500), mark(3_000, 3_200)];

    const lit = [0, 99, 100, 250, 399, 400, 1_099, 1_101, 2_999, 3_000, 3_200, 3_201].map((at) => wordAt(words, at));

    expect(lit).toEqual([-1, -1, 0, 0, 0, 1, 1, -1, -1, 2, 2, -1]);
    expect(wordAt([], 5)).toBe(-1);
  });
});

describe('a document', () => {
  it('has no element that its text has asked for', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string(), { minLength: 1, maxLength: 3 }), (title, paragraphs) => {
        for (const evil of [
          '',
          '</script><script>evil()</script>',
          '<img src=x onerror=evil()>',
          ']]><svg/onload=evil()>',
        ]) {
          const html = storyDocument(dataOf(evil + title, [evil, ...paragraphs]), ASSETS);
          expect(html.match(/<script\b/g)).toHaveLength(2);
          expect(html.match(/<img\b/g)).toHaveLength(1);
          expect(html.match(/<svg\b/g)).toHaveLength(1);
        }
      }),
    );
  });

  it('shows the title in a window without what would turn it', () => {
    const html = storyDocument(dataOf(HOSTILE.title, HOSTILE.paragraphs), ASSETS);

    expect(/<title>(.*)<\/title>/.exec(html)?.[1]).toBe(
      '&lt;/title>&lt;script>globalThis.harmed = 1&lt;/script> &quot;Moon&quot; &amp; elttil ]]>',
    );
  });

  it('says what there is to say in the language of its reader', () => {
    expect(noticeDocument('gone', 'de', ASSETS)).toContain('Diese Geschichte ist schlafen gegangen');
    expect(noticeDocument('gone', 'xx', ASSETS)).toContain('lang="en"');
    expect(bookDocument([], 'de-AT', ASSETS)).toContain('Noch gibt es keine Geschichten.');
    expect(noticeDocument('gone', 'en', ASSETS, 'book?t=1')).toContain('href="book?t=1"');
    expect(noticeDocument('gone', 'en', ASSETS)).not.toContain('href="book');
  });
});

describe('languages', () => {
  it('have a direction, and what is none has an ordinary one', () => {
    const directions = ['ar', 'he-IL', 'fa', 'ur', 'az-Arab', 'en', 'de-DE', 'az', 'no such language!', ''].map(
      directionOf,
    );

    expect(directions).toEqual(['rtl', 'rtl', 'rtl', 'rtl', 'rtl', 'ltr', 'ltr', 'ltr', 'ltr', 'ltr']);
    expect(languageOf('en-gb')).toBe('en-GB');
    expect(languageOf('"><script>')).toBe('und');
  });

  it('are those the page has its own words in, or English', () => {
    expect(wordsFor('de-AT')).toMatchObject({ language: 'de', locale: 'de-AT' });
    expect(wordsFor('pt-BR')).toMatchObject({ language: 'en', locale: 'en' });
    expect(wordsFor('constructor')).toMatchObject({ language: 'en' });
    expect(['pt,de;q=0.5', 'fr-CA,de', undefined, 'tlh', '*', 'en-US'].map(preferredLanguage)).toEqual([
      'de',
      'fr',
      'en',
      'en',
      'en',
      'en',
    ]);
  });

  it.each(['de', 'es', 'fr', 'it', 'nl'])('say the page’s words as books print them: %s', (language) => {
    const { words } = wordsFor(language);
    const spoken: string[] = Object.values(words);

    for (const text of spoken) expect(text).toMatch(/^\p{L}|^10 /u);
    expect(spoken.filter((text) => /['"]|\s{2}|\.\.\.|\s$/.test(text))).toEqual([]);
    const same = Object.entries(wordsFor('en').words).filter(
      ([name, text]) => words[name as keyof typeof words] === text,
    );
    expect(same.map(([name]) => name).filter((name) => name !== 'pause')).toEqual([]);
  });

  it('write times as minutes and seconds', () => {
    expect([0, 5.9, 65, 3_599].map(timeOf)).toEqual(['0:00', '0:05', '1:05', '59:59']);
  });
});

describe('text', () => {
  it('loses what XML cannot have, and nothing else', () => {
    expect(legalText('a\u0000\u0008\u000b\ufffe\uffff\ud83d b\t\n🌙\u00a0')).toBe('a b\t\n🌙\u00a0');
    expect(plainText('  a\u202Eb\u2066\nc\u0007 ')).toBe('ab c');
  });
});
