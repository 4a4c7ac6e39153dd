/**
 * Where the words of a story are, in its text and in its sound. Runs in browsers too.
 *
 * @module
 */
import type { SpeechMarks, WordMark } from './document.ts';

/** A part of a title or paragraph: a word that is spoken, by its place among {@link spokenWords}, or what is between. */
export interface Piece {
  text: string;
  word?: number;
}

export const TITLE = -1;

/**
 * The marks that can be followed: within the text, one after the other in text and sound. Others would light what is not
 * spoken.
 */
export function spokenWords(
  { title, paragraphs }: { title: string; paragraphs: readonly string[] },
  marks: Pick<SpeechMarks, 'words'>,
): WordMark[] {
  const kept: WordMark[] = [];
  for (const mark of marks.words) {
    const text = mark.paragraph === TITLE ? title : paragraphs[mark.paragraph];
    const last = kept.at(-1);
    const within =
      text !== undefined &&
      Number.isInteger(mark.from) &&
      mark.from >= 0 &&
      mark.from < mark.to &&
      mark.to <= text.length;
    const timed = Number.isFinite(mark.start) && mark.start >= 0 && mark.end >= mark.start;
    if (!within || !timed || !Number.isInteger(mark.to)) continue;
    if (last && !(mark.start > last.start && isAfter(mark, last))) continue;
    kept.push(mark);
  }
  return kept;
}

const isAfter = (mark: WordMark, last: WordMark): boolean =>
  mark.paragraph > last.paragraph || (mark.paragraph === last.paragraph && mark.from >= last.to);

/** @param paragraph its index, or {@link TITLE} */
export function piecesOf(text: string, paragraph: number, words: readonly WordMark[]): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const [word, mark] of words.entries()) {
    if (mark.paragraph !== paragraph) continue;
    if (mark.from > at) pieces.push({ text: text.slice(at, mark.from) });
    pieces.push({ text: text.slice(mark.from, mark.to), word });
    at = mark.to;
  }
  if (at < text.length) pieces.push({ text: text.slice(at) });
  return pieces;
}

/** A pause in which no word is lit, ms; in a shorter one the last word stays so, or it would flicker. */
const PAUSE_MS = 600;

/**
 * @param at ms from the begin of the sound
 * @returns the place of the word that is being spoken; -1: none
 */
export function wordAt(words: readonly WordMark[], at: number): number {
  let low = 0;
  let high = words.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((words[middle] as WordMark).start <= at) low = middle + 1;
    else high = middle;
  }
  const word = words[low - 1];
  if (!word || at > Math.max(word.end, Math.min(words[low]?.start ?? 0, word.end + PAUSE_MS))) return -1;
  return low - 1;
}
