/**
 * The cast a family begins with: made-up characters and where they meet. Names stay as they are in every language; scenes are
 * in the family's own, where there are words for it here.
 *
 * @module
 */
import type { CardKind } from '../store/families.ts';
import type { Card } from './document.ts';
import { cardIdOf } from './names.ts';

interface Part {
  name: string;
  looks: string;
}

const CHARACTERS: readonly Part[] = [
  { name: 'Parker', looks: 'a small red fox with a yellow scarf' },
  { name: 'Jackson', looks: 'a round brown bear cub with a blue cap' },
  { name: 'Little Moon', looks: 'a white kitten with a silver star on its forehead' },
  { name: 'Captain Pepper', looks: 'a grey mouse in a green coat with brass buttons' },
  { name: 'Willow', looks: 'a tall girl with a long red plait and rubber boots' },
  { name: 'Barnaby', looks: 'an old tortoise with moss on its shell and round glasses' },
  { name: 'Tilda', looks: 'a tiny owl with very large amber eyes' },
  { name: 'Rumble', looks: 'a friendly purple dragon, no bigger than a dog' },
  { name: 'Pip', looks: 'a boy with curly black hair and striped pyjamas' },
  { name: 'Marigold', looks: 'an orange snail with a flower painted on its shell' },
  { name: 'Otto', looks: 'a copper robot with one wheel and a lamp for a nose' },
  { name: 'Saffi', looks: 'a spotted pony with ribbons in its mane' },
  { name: 'Grandmother Frost', looks: 'a kind old woman with a cloak of snowflakes' },
  { name: 'Juniper', looks: 'a hedgehog with a rucksack and a paper map' },
];

/** English name, German name, looks. */
const SCENES: readonly (readonly [string, string, string])[] = [
  ['haunted woods', 'Spukwald', 'crooked trees in blue moonlight, with friendly little ghosts'],
  ['lighthouse by the sea', 'Leuchtturm am Meer', 'a white lighthouse on a rock, waves and stars'],
  ['castle in the clouds', 'Schloss in den Wolken', 'towers of pink cloud above a sleeping land'],
  ['garden of giant flowers', 'Garten der Riesenblumen', 'flowers as high as houses, with dew like lanterns'],
  [
    'library under the ground',
    'Bibliothek unter der Erde',
    'shelves between the roots of an old tree, lit by fireflies',
  ],
  ['frozen lake', 'gefrorener See', 'green northern lights above smooth ice'],
  ['night train', 'Nachtzug', 'a little steam train with warm windows, crossing a valley'],
  ['island of whales', 'Insel der Wale', 'a round green island with palm trees and whales singing around it'],
  ['bakery on the corner', 'Backstube an der Ecke', 'a warm bakery before dawn, with bread on every shelf'],
  ['desert of singing sand', 'Wüste des singenden Sandes', 'golden dunes below a huge yellow moon'],
  ['attic full of clocks', 'Dachboden voller Uhren', 'a dusty attic with hundreds of ticking clocks'],
  ['harbour of paper boats', 'Hafen der Papierboote', 'a harbour full of folded paper boats with candles'],
  ['mountain of echoes', 'Berg der Echos', 'a steep mountain with caves, at sunset'],
];

/** @param language BCP 47 @param at ISO 8601 */
export function defaultCast(family: string, language: string, at: string): Readonly<Record<CardKind, readonly Card[]>> {
  const german = new Intl.Locale(language).language === 'de';
  const card = ({ name, looks }: Part): Card => ({ family, card: cardIdOf(name), name, looks, created_at: at });
  return {
    characters: CHARACTERS.map(card),
    scenes: SCENES.map(([english, own, looks]) => card({ name: german ? own : english, looks })),
  };
}
