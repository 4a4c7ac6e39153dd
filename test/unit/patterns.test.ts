/**
 * Patterns of paths, held against a matcher that backtracks letter by letter.
 *
 * @module
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { discoverPattern, hasWildcard, literalPrefix, patternToRegExp } from '../../workflows/launch/patterns.ts';

/** The definition, word for word: `*` and `?` within a name, `**` over folders, `**` and a slash also over none. */
function matches(pattern: readonly string[], path: readonly string[]): boolean {
  if (pattern.length === 0) return path.length === 0;
  const [first = '', second, third] = pattern;
  if (first === '*' && second === '*') {
    if (third === '/') {
      if (matches(pattern.slice(3), path)) return true;
      return path.some((char, index) => char === '/' && matches(pattern.slice(3), path.slice(index + 1)));
    }
    return Array.from({ length: path.length + 1 }, (_, taken) => taken).some((taken) =>
      matches(pattern.slice(2), path.slice(taken)),
    );
  }
  if (first === '*') {
    const end = path.indexOf('/');
    const most = end < 0 ? path.length : end;
    return Array.from({ length: most + 1 }, (_, taken) => taken).some((taken) =>
      matches(pattern.slice(1), path.slice(taken)),
    );
  }
  const [char] = path;
  if (char === undefined) return false;
  return (first === '?' ? char !== '/' : char === first) && matches(pattern.slice(1), path.slice(1));
}

const letters = ['a', 'b', '.', '/', '+', '\n', '🧬', '$', '('];
const path = fc.array(fc.constantFrom(...letters), { maxLength: 8 });
const pattern = fc.array(fc.constantFrom(...letters, '*', '?', '**', '**/'), { maxLength: 6 });

describe('patternToRegExp', () => {
  it('agrees with the letter-by-letter matcher', () => {
    fc.assert(
      fc.property(pattern, path, (wanted, given) => {
        const text = wanted.join('');
        // Three stars in a row have no meaning of their own.
        fc.pre(!text.includes('***'));
        expect(patternToRegExp(text).test(given.join(''))).toBe(matches([...text], given));
      }),
      { numRuns: 3000 },
    );
  });

  it('matches what it was made from', () => {
    // A path with some of its letters replaced by ? and some runs without a slash by *.
    const pair = fc
      .array(fc.tuple(fc.constantFrom(...letters), fc.constantFrom('keep', 'any', 'run')), { minLength: 1 })
      .map((chars) => ({
        path: chars.map(([char]) => char).join(''),
        pattern: chars
          .map(([char, how]) => (how === 'keep' || char === '/' ? char : how === 'any' ? '?' : '*'))
          .join('')
          .replace(/\*+/g, '*'),
      }));
    fc.assert(
      fc.property(pair, ({ path, pattern }) => {
        expect(patternToRegExp(pattern).test(path)).toBe(true);
      }),
    );
  });

  it.each([
    ['*.bam', 'a.bam', true],
    ['*.bam', 'x/a.bam', false],
    ['**/*.bam', 'a.bam', true],
    ['**/*.bam', 'x/y/a.bam', true],
    ['x/**', 'x/y/z', true],
    ['x/**', 'xy', false],
    ['?.txt', '🧬.txt', true],
    ['?.txt', '/.txt', false],
    ['a.b', 'axb', false],
  ])('%s on %s: %s', (wanted, given, expected) => expect(patternToRegExp(wanted).test(given)).toBe(expected));
});

describe('discoverPattern', () => {
  const literal = fc
    .array(fc.constantFrom('a', 'b', '.', '/', '(', '\\', '_'), { maxLength: 5 })
    .map((c) => c.join(''));
  const name = fc
    .array(fc.constantFrom('x', '.', '_', '-', '🧬'), { minLength: 1, maxLength: 5 })
    .map((c) => c.join(''));

  it('gives back the part its star stands for', () => {
    fc.assert(
      fc.property(literal, name, literal, (head, part, tail) => {
        expect(discoverPattern(`${head}*${tail}`)?.exec(head + part + tail)?.[1]).toBe(part);
        expect(discoverPattern(`${head}*${tail}`)?.exec(`${head}x/${part}${tail}`) ?? null).toBeNull();
      }),
    );
  });

  it.each(['reads/a.fq', '*/*.fq', '**.fq', 'a?*.fq', ''])('refuses %s: not exactly one star', (wanted) => {
    expect(discoverPattern(wanted)).toBeUndefined();
  });
});

describe('literalPrefix', () => {
  it('is where a listing has to start to see every match', () => {
    fc.assert(
      fc.property(pattern, path, (wanted, given) => {
        const prefix = literalPrefix(wanted.join(''));
        expect(hasWildcard(prefix)).toBe(false);
        if (patternToRegExp(wanted.join('')).test(given.join(''))) {
          expect(given.join('').startsWith(prefix)).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['s3://b/reads/a*_1.fq', 's3://b/reads/'],
    ['reads/**/x', 'reads/'],
    ['*.fq', ''],
    ['a/b.txt', 'a/b.txt'],
  ])('of %s is %s', (wanted, prefix) => expect(literalPrefix(wanted)).toBe(prefix));
});
