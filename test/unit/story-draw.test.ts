/** Who is in a story: always two and a scene, always the same for the same story, and others than lately. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultCast } from '../../lib/story/cast.ts';
import type { Card, Cast } from '../../lib/story/document.ts';
import { drawCast } from '../../lib/story/draw.ts';

const AT = '2026-01-01T00:00:00.000Z';
const pool = defaultCast('moon', 'en-GB', AT);
const cards = (count: number): Card[] =>
  Array.from({ length: count }, (_, place) => ({
    family: 'moon',
    card: `c${place}`,
    name: `C${place}`,
    created_at: AT,
  }));
const nights = (count: number) => Array.from({ length: count }, (_, place) => `moon/night-${place}`);

/** One night after the other. */
function seasonOf(count: number, of: Parameters<typeof drawCast>[1]): Cast[] {
  const casts: Cast[] = [];
  for (const night of nights(count)) {
    const drawn = drawCast(night, of, casts);
    if (!drawn) throw new Error('nothing was drawn');
    casts.unshift(drawn.cast);
  }
  return casts;
}

describe('a draw', () => {
  it('is the same however the cards are ordered', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...pool.characters], { minLength: pool.characters.length }), (characters) => {
        expect(drawCast('moon/2026-11-26', { ...pool, characters }, [])).toEqual(drawCast('moon/2026-11-26', pool, []));
      }),
    );
  });

  it('has two different characters and one scene, whatever the pool and whoever was in it lately', () => {
    const small = fc.record({ characters: fc.integer({ min: 2, max: 12 }), scenes: fc.integer({ min: 1, max: 12 }) });
    fc.assert(
      fc.property(small, fc.integer({ min: 1, max: 20 }), (sizes, count) => {
        for (const cast of seasonOf(count, { characters: cards(sizes.characters), scenes: cards(sizes.scenes) })) {
          expect(new Set(cast.characters).size).toBe(2);
          expect(cast.scene).toMatch(/^c\d+$/);
        }
      }),
    );
  });

  it('of one character, or without a scene, is none', () => {
    expect(drawCast('moon/x', { characters: cards(1), scenes: cards(3) }, [])).toBeUndefined();
    expect(drawCast('moon/x', { characters: cards(3), scenes: [] }, [])).toBeUndefined();
  });
});

it('nobody comes back the next night, and no scene within a week, where the cast is large enough', () => {
  const season = seasonOf(60, pool);
  for (const [place, { scene, characters }] of season.entries()) {
    const before = season.slice(place + 1, place + 8);
    expect(before.map((cast) => cast.scene)).not.toContain(scene);
    expect(season[place + 1]?.characters ?? []).not.toContain(characters[0]);
    expect(season[place + 1]?.characters ?? []).not.toContain(characters[1]);
  }
  expect(new Set(season.map(({ scene }) => scene)).size).toBe(pool.scenes.length);
});
