/** Our own drawing: the same for the same story, another for another, and nothing in it but shapes. */

import fc from 'fast-check';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { drawStockArt } from '../../lib/story/stock-art.ts';

const ELEMENTS = ['svg', 'defs', 'linearGradient', 'radialGradient', 'stop', 'g', 'path', 'rect', 'circle', 'ellipse'];

const elementsOf = (svg: string): Set<string> => new Set([...svg.matchAll(/<([\w:]+)/g)].map(([, name = '']) => name));

describe('the drawing', () => {
  it('is an SVG of 1024 by 1024 that any reader takes', () => {
    const svg = drawStockArt('moon/2026-11-01', 'haunted woods');

    expect(XMLValidator.validate(svg)).toBe(true);
    expect(new XMLParser({ ignoreAttributes: false }).parse(svg).svg).toMatchObject({
      '@_xmlns': 'http://www.w3.org/2000/svg',
      '@_viewBox': '0 0 1024 1024',
    });
  });

  it('is the same for the same story, and another for another', () => {
    const nights = Array.from({ length: 30 }, (_, nth) => drawStockArt(`moon/2026-11-${nth}`, 'haunted woods'));

    expect(drawStockArt('moon/2026-11-0', 'haunted woods')).toBe(nights[0]);
    expect(new Set(nights).size).toBe(30);
  });

  it('holds shapes only, well-formed and small, whatever the scene is', () => {
    const scene = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('"/><script>alert(1)</script>', '</svg>', 'wood sea castle space snow town', '&x;'),
    );
    fc.assert(
      fc.property(fc.string(), scene, (seed, words) => {
        const svg = drawStockArt(seed, words);
        expect(XMLValidator.validate(svg)).toBe(true);
        expect([...elementsOf(svg)].filter((name) => !ELEMENTS.includes(name))).toEqual([]);
        expect(svg).not.toMatch(/\bon\w+=|href|NaN|undefined|Infinity|\burl\((?!#(sky|glow)\))/i);
        expect(Buffer.byteLength(svg)).toBeLessThan(20_000);
      }),
    );
  });

  it.each([
    ['haunted woods', 'a castle'],
    ['beneath the sea', 'a space station'],
    ['ein verschneites Dorf im Schnee', 'the big city'],
  ])('tells %s from %s', (one, other) => {
    expect(drawStockArt('same', one)).not.toBe(drawStockArt('same', other));
  });
});
