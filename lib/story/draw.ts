/**
 * Who is in a story: drawn at random, but always the same for the same story and cast, so that a night that is begun again
 * tells the same story. Who was in a story lately comes last, as far as the cast is large enough.
 *
 * @module
 */
import { compare, digestOf } from '../digest.ts';
import type { Card, Cast, Draw } from './document.ts';

/** Main characters of a story. */
const CHARACTERS = 2;
const SCENES = 1;
/** Nights nobody comes back in, where there are enough others. */
const MOST_NIGHTS = 7;

export interface Pool {
  characters: readonly Card[];
  scenes: readonly Card[];
}

/**
 * @param recent of stories before, the newest first
 * @returns undefined when there are fewer than two characters or no scene
 */
export function drawCast(storyId: string, pool: Pool, recent: readonly Cast[]): { draw: Draw; cast: Cast } | undefined {
  const characters = pick(
    storyId,
    pool.characters,
    CHARACTERS,
    recent.map((cast) => cast.characters),
  );
  const [scene] = pick(
    storyId,
    pool.scenes,
    SCENES,
    recent.map((cast) => [cast.scene]),
  );
  if (characters.length < CHARACTERS || !scene) return undefined;
  return {
    draw: { characters: characters.map(shown), scene: shown(scene) },
    cast: { characters: characters.map(({ card }) => card), scene: scene.card },
  };
}

function pick(storyId: string, cards: readonly Card[], count: number, recent: readonly (readonly string[])[]): Card[] {
  const nights = Math.min(MOST_NIGHTS, Math.max(0, Math.floor(cards.length / count) - 1));
  const tired = new Set(recent.slice(0, nights).flat());
  const ranked = cards.map((card) => ({ card, tired: tired.has(card.card), lot: digestOf([storyId, card.card]) }));
  return ranked
    .toSorted((a, b) => Number(a.tired) - Number(b.tired) || compare(a.lot, b.lot))
    .slice(0, count)
    .map(({ card }) => card);
}

const shown = ({ name, looks }: Card) => ({ name, ...(looks !== undefined && { looks }) });
