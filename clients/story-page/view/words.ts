/**
 * The page's own words, in the languages it has them in.
 *
 * @module
 */
import { knownLanguage, languageOf } from '../../../lib/story/language.ts';
import { de } from './words/de.ts';
import { en, type Words } from './words/en.ts';
import { es } from './words/es.ts';
import { fr } from './words/fr.ts';
import { it } from './words/it.ts';
import { nl } from './words/nl.ts';

const ALL: Readonly<Record<string, Words>> = { de, en, es, fr, it, nl };

export interface Spoken {
  /** Of the page's own words; its script is written from left to right. */
  language: string;
  /** For dates and times. */
  locale: string;
  words: Words;
}

/** In the story's language, where the page has it. */
export function wordsFor(language: string): Spoken {
  const known = knownLanguage(ALL, language) ?? '';
  const words = ALL[known];
  return words ? { language: known, locale: languageOf(language), words } : { language: 'en', locale: 'en', words: en };
}

/** @param header `Accept-Language`: its order is taken as it is */
export function preferredLanguage(header: string | undefined): string {
  const wanted = (header ?? '')
    .slice(0, 200)
    .split(',')
    .map((part) => part.trim().slice(0, 2).toLowerCase());
  return wanted.find((primary) => Object.hasOwn(ALL, primary)) ?? 'en';
}

/** `1:05` */
export const timeOf = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
