import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches, parsePattern } from '../../infra/local/aws/events/pattern.ts';

const matched = (pattern: unknown, event: unknown) => matches(parsePattern(JSON.stringify(pattern)), event);

describe('a pattern', () => {
  it.each([
    ['one of the values', { a: [1, 'x'] }, { a: 'x' }, true],
    ['a value of another type', { a: ['1'] }, { a: 1 }, false],
    ['null', { a: [null] }, { a: null }, true],
    ['an absent field is not null', { a: [null] }, {}, false],
    ['every field must match', { a: [1], b: [2] }, { a: 1, b: 3 }, false],
    ['nested', { a: { b: { c: [true] } } }, { a: { b: { c: true } } }, true],
    ['an array by any element', { a: ['x'] }, { a: ['y', 'x'] }, true],
    [
      'objects in an array by the same object',
      { a: { b: [1], c: [2] } },
      {
        a: [
          { b: 1, c: 3 },
          { b: 0, c: 2 },
        ],
      },
      false,
    ],
    ['objects in an array', { a: { b: [1], c: [2] } }, { a: [{ b: 0 }, { b: 1, c: 2 }] }, true],
    ['prefix', { a: [{ prefix: 'ab' }] }, { a: 'abc' }, true],
    ['prefix, case ignored', { a: [{ prefix: { 'equals-ignore-case': 'AB' } }] }, { a: 'abc' }, true],
    ['suffix', { a: [{ suffix: '.csv' }] }, { a: 'x.csv' }, true],
    ['suffix not at the end', { a: [{ suffix: '.csv' }] }, { a: 'x.csv.gz' }, false],
    ['equals-ignore-case', { a: [{ 'equals-ignore-case': 'AbC' }] }, { a: 'aBc' }, true],
    ['anything-but a value', { a: [{ 'anything-but': 'x' }] }, { a: 'y' }, true],
    ['anything-but a list', { a: [{ 'anything-but': ['x', 'y'] }] }, { a: 'y' }, false],
    ['anything-but numbers', { a: [{ 'anything-but': [1, 2] }] }, { a: 3 }, true],
    ['anything-but a prefix', { a: [{ 'anything-but': { prefix: 'ab' } }] }, { a: 'abc' }, false],
    ['anything-but a suffix', { a: [{ 'anything-but': { suffix: '.tmp' } }] }, { a: 'x.csv' }, true],
    ['anything-but needs the field', { a: [{ 'anything-but': 'x' }] }, {}, false],
    ['exists', { a: [{ exists: true }] }, { a: 0 }, true],
    ['exists is about leaves', { a: [{ exists: true }] }, { a: { b: 1 } }, false],
    ['exists false', { a: { b: [{ exists: false }] } }, { c: 1 }, true],
    ['exists false or a value', { a: [{ exists: false }, 'x'] }, { a: 'x' }, true],
    ['numeric =', { a: [{ numeric: ['=', 300] }] }, { a: 3e2 }, true],
    ['numeric range', { a: [{ numeric: ['>', 0, '<=', 5] }] }, { a: 5 }, true],
    ['numeric range, outside', { a: [{ numeric: ['>', 0, '<=', 5] }] }, { a: 0 }, false],
    ['numeric of a text', { a: [{ numeric: ['>', 0] }] }, { a: '5' }, false],
    ['wildcard', { a: [{ wildcard: 'dir/*/x.*' }] }, { a: 'dir/a/b/x.csv' }, true],
    ['wildcard, a dot is a dot', { a: [{ wildcard: 'a.c*' }] }, { a: 'abc' }, false],
    ['wildcard, escaped', { a: [{ wildcard: 'a\\*b' }] }, { a: 'a*b' }, true],
    ['$or', { $or: [{ a: [1] }, { b: [2] }], c: [3] }, { b: 2, c: 3 }, true],
    ['$or, none', { $or: [{ a: [1] }, { b: [2] }] }, { a: 2, b: 1 }, false],
    ['$or, nested', { d: { $or: [{ a: [1] }, { b: [2] }] } }, { d: { b: 2 } }, true],
    ['an own field only', { toString: [{ exists: false }] }, {}, true],
  ])('%s', (_, pattern, event, expected) => {
    expect(matched(pattern, event)).toBe(expected);
  });

  it.each([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['nothing asked', '{}'],
    ['a bare value', '{"a":"x"}'],
    ['an empty list', '{"a":[]}'],
    ['an unknown match type', '{"a":[{"regex":"x"}]}'],
    ['two match types in one', '{"a":[{"prefix":"x","suffix":"y"}]}'],
    ['a list in a list', '{"a":[["x"]]}'],
    ['an upside-down range', '{"a":[{"numeric":[">",5,"<",1]}]}'],
    ['an odd range', '{"a":[{"numeric":["<",5,">",1]}]}'],
    ['a range without a number', '{"a":[{"numeric":["="]}]}'],
    ['exists of a text', '{"a":[{"exists":"yes"}]}'],
    ['a mixed anything-but', '{"a":[{"anything-but":["x",1]}]}'],
    ['two wildcards in a row', '{"a":[{"wildcard":"a**"}]}'],
  ])('is refused with %s', (_, pattern) => {
    expect(() => parsePattern(pattern)).toThrow(expect.objectContaining({ name: 'PatternError' }));
  });

  it('made of the values of an event matches it, and no longer when one value is another', () => {
    const name = fc.string({ minLength: 1 }).filter((text) => text !== '$or' && text !== '__proto__');
    const leaf = fc.oneof(fc.string(), fc.boolean(), fc.integer(), fc.constant(null));
    fc.assert(
      fc.property(fc.dictionary(name, leaf, { minKeys: 1 }), fc.nat(), (event, pick) => {
        const fields = Object.keys(event);
        const pattern = Object.fromEntries(fields.map((field) => [field, [event[field]]]));
        const changed = fields[pick % fields.length] as string;

        expect(matched(pattern, event)).toBe(true);
        expect(matched(pattern, { ...event, [changed]: 'something else entirely, not by chance' })).toBe(false);
      }),
    );
  });

  it('with prefix, suffix and wildcard agrees with startsWith, endsWith and both', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '$', '[') });
    fc.assert(
      fc.property(text, text, text, (start, end, value) => {
        expect(matched({ a: [{ prefix: start }] }, { a: value })).toBe(value.startsWith(start));
        expect(matched({ a: [{ suffix: end }] }, { a: value })).toBe(value.endsWith(end));
        const both = value.length >= start.length + end.length && value.startsWith(start) && value.endsWith(end);
        expect(matched({ a: [{ wildcard: `${start}*${end}` }] }, { a: value })).toBe(both);
        expect(matched({ a: [{ 'anything-but': { prefix: start } }] }, { a: value })).toBe(!value.startsWith(start));
      }),
    );
  });
});
