/** Addresses to scans and single objects: what is named is found once, and nothing else is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matcherOf } from '../../lib/restore/glob.ts';
import { matches, readSources, type Sources } from '../../lib/restore/sources.ts';
import { patternToRegExp } from '../../workflows/launch/patterns.ts';

function sourcesOf(addresses: readonly string[]): Sources {
  const read = readSources(addresses);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read;
}

/** How often a key would be looked at. */
const timesFound = ({ scans, objects }: Sources, bucket: string, key: string) =>
  scans.filter((scan) => scan.bucket === bucket && key.startsWith(scan.prefix) && matches(scan, key)).length +
  objects.filter((object) => object.bucket === bucket && object.key === key).length;

/** Few letters, so that they meet. */
const name = fc.string({ unit: fc.constantFrom('a', 'b', '.', '(', 'é'), minLength: 1, maxLength: 2 });
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const bucket = fc.constantFrom('one', 'two');
const pattern = fc
  .array(fc.constantFrom('a', 'b', 'é', '/', '*', '?', '**/', '**'), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join(''))
  .filter((text) => /[*?]/.test(text));
const source = fc.tuple(
  bucket,
  fc.oneof(
    path.map((key) => ({ key, takes: (other: string) => other === key })),
    path.map((key) => ({ key: `${key}/`, takes: (other: string) => other.startsWith(`${key}/`) })),
    pattern.map((key) => ({ key, takes: (other: string) => patternToRegExp(key).test(other) })),
    fc.constant({ key: '', takes: () => true }),
  ),
);

describe('a pattern', () => {
  const parts = fc.array(fc.constantFrom('a', 'b', '.', '/', '😀', '*', '?', '**/', '**'), { maxLength: 9 });
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '/', '\n', '😀'), maxLength: 9 });

  it('means the same however many wildcards it has', () => {
    fc.assert(
      fc.property(parts, text, (of, key) => {
        const pattern = of.join('');
        expect(matcherOf(pattern).test(key), pattern).toBe(patternToRegExp(pattern).test(key));
      }),
      { numRuns: 20_000 },
    );
  });

  it('of many wildcards takes no time, on whatever key', () => {
    const { scans } = sourcesOf([`s3://bkt/${'*a'.repeat(30)}*b`, `s3://bkt/${'**/a'.repeat(30)}b`]);
    const [scan] = scans;
    expect(scans).toHaveLength(1);
    for (const key of ['a'.repeat(1_000), 'a/'.repeat(500)]) expect(scan && matches(scan, key)).toBe(false);
    expect(scan && matches(scan, `${'a'.repeat(1_000)}b`)).toBe(true);
  });
});

describe('sources', () => {
  it('find every key that one of them takes once, and no other', () => {
    fc.assert(
      fc.property(
        fc.array(source, { minLength: 1, maxLength: 8 }),
        fc.array(fc.tuple(bucket, path), { minLength: 1, maxLength: 20 }),
        (named, keys) => {
          const read = sourcesOf(named.map(([of, { key }]) => `s3://${of}/${key}`));
          for (const [of, key] of keys) {
            const wanted = named.some(([other, { takes }]) => other === of && takes(key));
            expect(timesFound(read, of, key), `${of}/${key}`).toBe(wanted ? 1 : 0);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('list no prefix twice, and stand in the order of S3', () => {
    const { scans, objects } = sourcesOf([
      's3://bbb/x/1',
      's3://bbb/a/b/',
      's3://bbb/a/',
      's3://bbb/a/b/*.bam',
      's3://aaa/z',
      's3://bbb/a/b/c',
      's3://aaa/z',
    ]);
    expect(scans).toEqual([{ bucket: 'bbb', prefix: 'a/', patterns: [] }]);
    expect(objects.map(({ bucket: of, key }) => `${of}/${key}`)).toEqual(['aaa/z', 'bbb/x/1']);
  });

  it('keep a version beside the prefix that has its key: it may be another than the current one', () => {
    const { objects } = sourcesOf(['s3://bkt/a/', 's3://bkt/a/1?versionId=v1', 's3://bkt/a/1?versionId=v2']);
    expect(objects).toEqual([
      { bucket: 'bkt', key: 'a/1', version: 'v1' },
      { bucket: 'bkt', key: 'a/1', version: 'v2' },
    ]);
  });

  it.each([
    ['another scheme', 'https://bkt/key', 'expected s3://bucket/key'],
    ['no bucket name', 's3://B/key', 'expected s3://bucket/key'],
    ['no bucket', 's3:///key', 'expected s3://bucket/key'],
    ['nothing', '', 'expected s3://bucket/key'],
    ['too long a key', `s3://bkt/${'é'.repeat(513)}`, 'longer than 1,024 bytes'],
  ])('are refused by name: %s', (_, address, message) => {
    const read = readSources(['s3://bkt/good', address]);
    expect(read).toEqual({ problems: [{ place: address.slice(0, 200), message: expect.stringContaining(message) }] });
  });

  it('take what only looks like a pattern, a version or a line as S3 would', () => {
    const { scans, objects } = sourcesOf([
      's3://bkt/line\nbreak',
      's3://bkt/a+(b)[c]{d}.$^|\\',
      's3://bkt/../up',
      's3://bkt/a?versionId=',
      's3://bkt//double',
    ]);
    expect(objects.map(({ key }) => key)).toEqual(['../up', '/double', 'a+(b)[c]{d}.$^|\\', 'line\nbreak']);
    // A question mark stands for a letter.
    expect(scans).toHaveLength(1);
    expect(timesFound({ scans, objects }, 'bkt', 'a-versionId=')).toBe(1);
  });

  it('of more buckets than one restore may have are refused', () => {
    const addresses = Array.from({ length: 101 }, (_, nth) => `s3://bucket-${nth}/a/`);
    expect(readSources(addresses.slice(1))).toHaveProperty('scans.length', 100);
    expect(readSources(addresses)).toMatchObject({ problems: [{ place: '101 buckets' }] });
  });

  it('never throw', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string(),
            fc.string({ unit: 'binary' }).map((text) => `s3://bkt/${text}`),
          ),
        ),
        (all) => {
          expect(readSources(all)).toBeTypeOf('object');
        },
      ),
    );
  });
});
