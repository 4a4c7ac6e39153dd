/**
 * What a model has written, made into plain text that any page, mail, voice or e-book can take. Markup stays what it is:
 * text, which whoever shows it has to escape. Cleaning what is clean changes nothing.
 *
 * @module
 */

export const TEXT_LIMITS = {
  /** UTF-16 code units. */
  title: 120,
  paragraph: 2_000,
  paragraphs: 60,
  /** Marks on one letter: no script needs more, and a pile of them covers the lines around it. */
  marks: 4,
} as const;

/**
 * Control, format (bidirectional, zero-width, tags), private and unassigned characters, lone surrogates; and what shows nothing
 * though it counts as a letter or a mark (fillers of Hangul, variation selectors). XML allows some of them in no way.
 */
const INVISIBLE = /[\p{C}\p{Default_Ignorable_Code_Point}]/gu;
const LINE_BREAKS = /\r\n?|[\n\v\f\u0085\u2028\u2029]/g;
const PILED = new RegExp(`(\\p{M}{${TEXT_LIMITS.marks}})\\p{M}+`, 'gu');
const ELLIPSIS = '…';

/** One line. */
export const cleanTitle = (raw: string): string => {
  const title = visible(raw).replace(/\s+/g, ' ').trim();
  if (title.length <= TEXT_LIMITS.title) return title;
  return `${cut(title, TEXT_LIMITS.title - ELLIPSIS.length).trimEnd()}${ELLIPSIS}`;
};

/**
 * Paragraphs with the line breaks of their verses; blank lines divide paragraphs. One that is too long becomes several; those
 * beyond the limit are left out.
 */
export function cleanParagraphs(raw: readonly string[]): string[] {
  const paragraphs: string[] = [];
  for (const text of raw) {
    for (const paragraph of visible(text).split(/\n\s*\n/)) {
      let rest = folded(paragraph);
      while (rest !== '' && paragraphs.length < TEXT_LIMITS.paragraphs) {
        const piece = cut(rest, TEXT_LIMITS.paragraph);
        paragraphs.push(piece.trimEnd());
        rest = rest.slice(piece.length).trimStart();
      }
    }
  }
  return paragraphs;
}

/** Segmenting takes the square of a text's length in V8 (200,000 characters: 14 s), so it gets pieces, cut at spaces. */
const PIECES = /[^]{1,1000}(?=\s|$)|[^]{1,1000}/g;

/** Words as the language has them: also where it writes none of them apart. @param language BCP 47 */
export function countWords(texts: readonly string[], language: string): number {
  const segmenter = new Intl.Segmenter(language, { granularity: 'word' });
  let words = 0;
  for (const text of texts)
    for (const piece of text.match(PIECES) ?? [])
      for (const { isWordLike } of segmenter.segment(piece)) if (isWordLike) words += 1;
  return words;
}

/** In NFC, with `\n` for every line break. */
function visible(raw: string): string {
  return raw
    .replace(LINE_BREAKS, '\n')
    .replaceAll('\t', ' ')
    .split('\n')
    .map((line) => line.normalize('NFC').replace(INVISIBLE, '').normalize('NFC').replace(PILED, '$1'))
    .join('\n');
}

const folded = (text: string): string =>
  text
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .trim();

/** At a space where there is one in the second half, else between two characters as people see them. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const space = text.slice(0, most + 1).search(/\s\S*$/);
  if (space > most / 2) return text.slice(0, space);
  let end = 0;
  for (const { index, segment } of new Intl.Segmenter('en').segment(text.slice(0, most + TEXT_LIMITS.marks))) {
    if (index + segment.length > most) break;
    end = index + segment.length;
  }
  // One such character may be a whole chain of emoji or of regional indicators.
  return text.slice(0, end || most).replace(/[\uD800-\uDBFF]$/, '');
}
