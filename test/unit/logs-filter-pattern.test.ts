import { describe, expect, it } from 'vitest';
import { parseFilterPattern } from '../../infra/local/aws/logs/filter-pattern.ts';

describe('a filter pattern', () => {
  it.each([
    ['', 'anything', true],
    ['ERROR', 'an ERROR here', true],
    ['ERROR', 'an error here', false],
    ['ERROR disk', 'disk ERROR', true],
    ['ERROR disk', 'net ERROR', false],
    ['"disk full"', 'the disk full', true],
    ['"disk full"', 'full disk', false],
    ['"say \\"hi\\""', 'they say "hi"', true],
    ['?ERROR ?WARN', 'a WARN', true],
    ['?ERROR ?WARN', 'an INFO', false],
    ['ERROR -disk', 'ERROR net', true],
    ['ERROR -disk', 'ERROR disk', false],
    ['-"disk full" ERROR', 'ERROR disk full', false],
    ['ERROR ?disk', 'ERROR net', true],
    ['a-b', 'x a-b y', true],
  ])('%s on "%s" is %s', (pattern, line, expected) => {
    expect(parseFilterPattern(pattern)(line)).toBe(expected);
  });

  it.each(['{ $.level = "ERROR" }', '[ip, user]', '%regex%', '"unclosed', 'a"b'])('%s is refused', (pattern) => {
    expect(() => parseFilterPattern(pattern)).toThrow(expect.objectContaining({ name: 'FilterPatternError' }));
  });
});
