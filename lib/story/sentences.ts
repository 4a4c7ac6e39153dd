/**
 * A story in parts that Polly takes, cut where a reader pauses: between paragraphs, else between sentences, else between
 * words; inside a word only where it is longer than a part.
 *
 * @module
 */

/**
 * Polly takes 3,000 billed characters a call. A third of that: a story of an ordinary length is spoken in parts beside each
 * other, and no part comes near the ten minutes of sound after which Polly stops. UTF-16 units, of which a text never has
 * fewer than characters.
 */
export const PART_LENGTH = 1_000;
/** Plain text takes a line that is empty for the end of a paragraph. */
const GAP = '\n\n';

/** Title or paragraph, in the order they are read. */
export interface Passage {
  /** -1: the title. */
  paragraph: number;
  text: string;
}

/** A stretch of a passage within a part. Offsets and lengths are UTF-16 units. */
export interface Piece {
  paragraph: number;
  /** Where it begins in its passage. */
  from: number;
  /** Where it begins in the part's text. */
  at: number;
  length: number;
}

/** What one call speaks. */
export interface SpeechPart {
  text: string;
  /** In order; between them there is nothing but gaps. */
  pieces: readonly Piece[];
}

/**
 * What no voice can say (control characters, halves of surrogate pairs) is a space of the same length, so that offsets of
 * what is spoken are those of what is read. Ends of lines stay: verse is read by them.
 */
export const speakable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cs}]/gu, (unit) => (unit === '\n' ? unit : ' '));

/**
 * @param language BCP 47
 * @param limit of a part's text, at least 4
 * @throws RangeError for a language that is none
 */
export function speechParts(passages: readonly Passage[], language: string, limit = PART_LENGTH): SpeechPart[] {
  const cut = cutter(language, limit);
  const parts: { text: string; pieces: Piece[] }[] = [];
  for (const passage of passages) {
    let from = 0;
    for (const text of cut(speakable(passage.text))) {
      // Of blanks alone Polly makes nothing, and refuses them when they come alone.
      if (text.trim() !== '') place(text, passage.paragraph, from);
      from += text.length;
    }
  }
  return parts;

  function place(text: string, paragraph: number, from: number): void {
    const open = parts.at(-1);
    const before = open?.pieces.at(-1);
    const gap = before?.paragraph === paragraph ? '' : GAP;
    if (!open || open.text.length + gap.length + text.length > limit) {
      parts.push({ text, pieces: [{ paragraph, from, at: 0, length: text.length }] });
      return;
    }
    open.text += gap;
    open.pieces.push({ paragraph, from, at: open.text.length, length: text.length });
    open.text += text;
  }
}

type Grain = (text: string) => string[];

/** @returns cuts a text into stretches of at most `limit` that give it back when they are joined */
function cutter(language: string, limit: number): (text: string) => string[] {
  const by = (granularity: 'sentence' | 'word' | 'grapheme'): Grain => {
    const segmenter = new Intl.Segmenter(language, { granularity });
    return (text) => Array.from(segmenter.segment(text), ({ segment }) => segment);
  };
  const grains: readonly Grain[] = [
    by('sentence'),
    // Behind blanks, so that no part begins with a comma; by the segmenter only where a language has no blanks.
    (text) => text.split(/(?<=\s)(?=\S)/u),
    by('word'),
    by('grapheme'),
    // A letter under a thousand accents.
    (text) => Array.from(text),
  ];
  const cut = (text: string, level: number): string[] => {
    const grain = grains[level];
    if (text.length <= limit || !grain) return text === '' ? [] : [text];
    return joined(grain(text).flatMap((stretch) => cut(stretch, level + 1)));
  };
  /** As long as they may be. */
  const joined = (stretches: readonly string[]): string[] => {
    const whole: string[] = [];
    for (const stretch of stretches) {
      const last = whole.at(-1);
      if (last !== undefined && last.length + stretch.length <= limit) whole[whole.length - 1] = last + stretch;
      else whole.push(stretch);
    }
    return whole;
  };
  return (text) => cut(text, 0);
}
