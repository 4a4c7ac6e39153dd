/**
 * Names of characters and scenes, checked on entry: what gets into a prompt, a page and a mail is a few plain words, whatever
 * somebody typed. An instruction to a model, HTML, or text that runs backwards does not fit into that.
 *
 * @module
 */
import type { CardKind } from '../store/families.ts';

export class InvalidNameError extends Error {
  override readonly name = 'InvalidNameError';
}

/** Letters of any script with their marks, joined by a hyphen, an apostrophe or one space; digits nowhere. */
const WORDS = /^\p{L}[\p{L}\p{M}]*(?:[ '’-]\p{L}[\p{L}\p{M}]*)*$/u;
const LOOKS = /^[\p{L}\p{M}\p{N} ,.'’()-]*$/u;
/** What counts as a letter or a mark and shows nothing (fillers of Hangul), and marks piled up over the lines around. */
const UNSEEN = /\p{Default_Ignorable_Code_Point}|\p{M}{5}/u;
export const LIMITS = { nameLength: 40, words: { characters: 3, scenes: 6 }, looksLength: 200 } as const;
/** Shows nothing by itself, or moves what is around it. */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** A name is quoted in errors this far. */
const QUOTED = 60;

/** @returns the name in NFC, without spaces around @throws InvalidNameError */
export function checkName(kind: CardKind, raw: unknown): string {
  const of = kind === 'characters' ? 'the name of a character' : 'the name of a scene';
  const most = LIMITS.words[kind];
  const remedy = `use up to ${most} words of letters, ${LIMITS.nameLength} characters at most, such as ${kind === 'characters' ? 'Parker or Little Moon' : 'haunted woods'}`;
  if (typeof raw !== 'string') throw new InvalidNameError(`${of} is a text: ${remedy}`);
  // Before anything is done with it: normalising a huge text takes its time.
  if (raw.length > 4 * LIMITS.nameLength) throw new InvalidNameError(`${of} has ${raw.length} characters: ${remedy}`);
  const name = raw.normalize('NFC').trim();
  if (name === '') throw new InvalidNameError(`${of} is empty: ${remedy}`);
  const fits =
    name.length <= LIMITS.nameLength && WORDS.test(name) && !UNSEEN.test(name) && name.split(' ').length <= most;
  if (!fits) throw new InvalidNameError(`${quote(name)} cannot be ${of}: ${remedy}`);
  return name;
}

/** How a character or scene looks. @throws InvalidNameError */
export function checkLooks(raw: unknown): string {
  const remedy = `use up to ${LIMITS.looksLength} letters, digits, commas and full stops, such as "a small red fox with a scarf"`;
  if (typeof raw !== 'string') throw new InvalidNameError(`looks are a text: ${remedy}`);
  if (raw.length > 4 * LIMITS.looksLength) throw new InvalidNameError(`looks have ${raw.length} characters: ${remedy}`);
  const looks = raw.normalize('NFC').trim();
  if (looks.length > LIMITS.looksLength || !LOOKS.test(looks) || UNSEEN.test(looks))
    throw new InvalidNameError(`${quote(looks)} cannot be how somebody looks: ${remedy}`);
  return looks;
}

/** `little-moon`: what a card is called by in commands and addresses. */
export const cardIdOf = (name: string): string => name.normalize('NFC').toLowerCase().replace(/[ '’]/gu, '-');

/** Whatever it holds, it shows as one harmless line. */
const quote = (text: string): string => {
  const shown = Array.from(text.slice(0, 4 * QUOTED), (character) =>
    HIDDEN.test(character) ? `\\u{${character.codePointAt(0)?.toString(16)}}` : character,
  );
  return JSON.stringify(shown.length > QUOTED ? `${shown.slice(0, QUOTED).join('')}…` : shown.join(''));
};
