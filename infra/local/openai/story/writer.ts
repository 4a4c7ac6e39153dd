/**
 * Writes a rhyming story: an opening, as many stanzas as the words asked for need, an ending. The same prompt is the same
 * story; other names, another scene, another wording is another one.
 *
 * @module
 */
import { mulberry32 } from '../../kit/faults.ts';
import { seedOf } from '../seed.ts';
import type { Brief } from './brief.ts';
import { ENGLISH } from './english.ts';
import { GERMAN } from './german.ts';

export interface Story {
  title: string;
  /** Stanzas of four lines. */
  paragraphs: readonly string[];
  /** One sentence. */
  summary: string;
}

/** Stanzas with `{a}` and `{b}` for the names, `{s}` for the scene, `{S}` where it begins a line. */
export interface Verses {
  titles: readonly string[];
  openings: readonly string[];
  middles: readonly string[];
  endings: readonly string[];
  /** Between two rounds of the same stanzas. */
  again: readonly string[];
  summary: string;
  scene(name: string): string;
}

/** Models write a little more than they are asked for. */
const MARGIN = 1.15;

export function writeStory(brief: Brief): Story {
  const verses = brief.language === 'de' ? GERMAN : ENGLISH;
  const random = mulberry32(seedOf(JSON.stringify([brief.names, brief.scene, brief.text])));
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] as string;
  const scene = verses.scene(brief.scene);
  const [one, two] = brief.names;
  const put = (template: string, [first, second] = [one, two]) =>
    template.replaceAll(/\{([absS])\}/g, (_, key: string) =>
      key === 'a' ? first : key === 'b' ? second : key === 's' ? scene : capital(scene),
    );
  const opening = put(pick(verses.openings));
  const ending = put(pick(verses.endings));
  const title = put(pick(verses.titles));
  const middles: string[] = [];
  const wanted = brief.words * MARGIN - countWords(opening) - countWords(ending);
  for (let [round, written] = [0, 0]; written < wanted || middles.length < 2; round += 1) {
    const bank = [...(round > 0 ? [pick(verses.again)] : []), ...shuffled(verses.middles, random)];
    for (const template of bank) {
      if (written >= wanted && middles.length >= 2) break;
      // In the next round the other one does what the first did.
      const stanza = put(template, (round + middles.length) % 2 === 0 ? [one, two] : [two, one]);
      middles.push(stanza);
      written += countWords(stanza);
    }
  }
  return { title, paragraphs: [opening, ...middles, ending], summary: put(verses.summary) };
}

const countWords = (text: string): number => text.split(/\s+/u).filter((word) => /\p{L}/u.test(word)).length;

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function shuffled(list: readonly string[], random: () => number): string[] {
  return list
    .map((value) => ({ value, at: random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ value }) => value);
}
