/**
 * `s3://` addresses: parsed, written, resolved.
 *
 * @module
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatS3Address, parseS3Address, resolveS3Address } from '../../lib/s3-address.ts';

const bucket = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/);
const key = fc.string({ unit: 'grapheme' });

describe('an address', () => {
  it('is read back as it was written, whatever the key holds', () => {
    fc.assert(
      fc.property(bucket, key, (name, path) => {
        expect(parseS3Address(formatS3Address({ bucket: name, key: path }))).toEqual({ bucket: name, key: path });
      }),
    );
  });

  it('may be a whole bucket', () => expect(parseS3Address('s3://abc')).toEqual({ bucket: 'abc', key: '' }));

  it('keeps slashes, dots, question marks and line ends of its key', () => {
    expect(parseS3Address('s3://abc//a/../b?x#y\nz').key).toBe('/a/../b?x#y\nz');
  });

  it.each([
    '',
    'abc/x',
    's3:/abc/x',
    's3://',
    's3://ab/x',
    's3://A_b/x',
    's3://-abc/x',
    's3://abc-/x',
    'https://abc/x',
  ])('is not %j', (text) => expect(() => parseS3Address(text)).toThrow(TypeError));
});

describe('resolving', () => {
  it('joins a relative path and keeps an address of its own', () => {
    expect(resolveS3Address('s3://abc/x/', 'y/z')).toBe('s3://abc/x/y/z');
    expect(resolveS3Address('s3://abc/x/', 's3://other/y')).toBe('s3://other/y');
  });
});
