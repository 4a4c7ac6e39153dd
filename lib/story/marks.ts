/**
 * When each word is spoken. Polly marks words of a part by bytes of its text and milliseconds of its sound; readers need
 * UTF-16 units of a paragraph and milliseconds of the whole.
 *
 * @module
 */
import type { SpeechMarks, WordMark } from './document.ts';
import type { Piece, SpeechPart } from './sentences.ts';

export interface SpokenPart {
  part: SpeechPart;
  /** As Polly answers: a JSON object a line. */
  marks: string;
  /** Of its sound. */
  milliseconds: number;
}

/** How long a word is lit at most, where a pause follows: slow speech with time to spare. */
const WORD_MS = 400;
const CHARACTER_MS = 120;

/**
 * Marks that cannot be true (of another text, outside of text or sound, backwards) are left out: nothing is lit wrongly.
 * @returns how many were left out, too
 */
export function placeMarks(parts: readonly SpokenPart[]): { marks: SpeechMarks; dropped: number } {
  const words: WordMark[] = [];
  let dropped = 0;
  let begin = 0;
  for (const { part, marks, milliseconds } of parts) {
    const read = readMarks(marks, part, milliseconds);
    dropped += read.dropped;
    words.push(...toWords(read.words, begin, milliseconds));
    begin += milliseconds;
  }
  return { marks: { version: 1, seconds: Math.round(begin) / 1000, words }, dropped };
}

interface Placed {
  /** ms of the part. */
  time: number;
  piece: Piece;
  /** UTF-16 units of the part's text. */
  from: number;
  to: number;
}

function readMarks(lines: string, { text, pieces }: SpeechPart, milliseconds: number) {
  const unitOf = unitsByByte(text);
  const words: Placed[] = [];
  let dropped = 0;
  for (const line of lines.split('\n')) {
    if (line.trim() === '') continue;
    const mark = parseMark(line);
    if (mark?.type !== undefined && mark.type !== 'word') continue;
    const placed = mark && place(mark);
    if (placed) words.push(placed);
    else dropped += 1;
  }
  return { words, dropped };

  function place({ time, start, end, value }: Mark): Placed | undefined {
    const [from, to] = [unitOf(start), unitOf(end)];
    if (from === undefined || to === undefined || to <= from) return undefined;
    if (text.slice(from, to).normalize() !== value.normalize()) return undefined;
    const piece = pieces.find(({ at, length }) => from >= at && to <= at + length);
    const last = words.at(-1);
    const inTime = time >= (last?.time ?? 0) && time <= milliseconds;
    return piece && inTime && from >= (last?.to ?? 0) ? { time, piece, from, to } : undefined;
  }
}

interface Mark {
  type?: string;
  time: number;
  /** UTF-8 bytes of the text. */
  start: number;
  end: number;
  value: string;
}

function parseMark(line: string): Mark | undefined {
  try {
    const mark = JSON.parse(line) as Partial<Mark> | null;
    const { time, start, end, value } = mark ?? {};
    const numbers = [time, start, end].every((number) => typeof number === 'number' && Number.isFinite(number));
    return numbers && typeof value === 'string' ? (mark as Mark) : undefined;
  } catch {
    return undefined;
  }
}

/** @returns the UTF-16 unit that begins at a byte; undefined inside a character, and beyond the text */
export function unitsByByte(text: string): (byte: number) => number | undefined {
  const units = new Int32Array(Buffer.byteLength(text) + 1).fill(-1);
  let byte = 0;
  let unit = 0;
  for (const character of text) {
    units[byte] = unit;
    byte += Buffer.byteLength(character);
    unit += character.length;
  }
  units[byte] = unit;
  return (at) => {
    const found = units[at] ?? -1;
    return found < 0 ? undefined : found;
  };
}

function toWords(words: readonly Placed[], begin: number, milliseconds: number): WordMark[] {
  return words.map(({ time, piece, from, to }, index) => {
    const next = words[index + 1]?.time ?? milliseconds;
    const end = Math.min(next, time + WORD_MS + CHARACTER_MS * (to - from));
    const shift = piece.from - piece.at;
    return {
      start: Math.round(begin + time),
      end: Math.round(begin + end),
      paragraph: piece.paragraph,
      from: from + shift,
      to: to + shift,
    };
  });
}
