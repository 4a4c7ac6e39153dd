/**
 * Objects whose paths match a pattern.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { literalPrefix, patternToRegExp } from '../workflows/launch/patterns.ts';
import { listKeys } from './s3-objects.ts';

export interface Match {
  /** `s3://bucket/key` */
  address: string;
  /** Path below the folder the pattern starts from. */
  path: string;
  /** Path below the pattern's own literal part: what its wildcards stand for, folders included. */
  name: string;
}

/**
 * @param base `s3://bucket/prefix/`; its own characters are literal, also `*` and `?`
 * @param pattern relative to `base`, or an `s3://` address of its own
 */
export async function* listMatches(s3: S3Client, base: string, pattern: string): AsyncGenerator<Match> {
  const own = /^s3:\/\/[^/]+\//.exec(pattern)?.[0];
  const root = own ?? base;
  const wanted = own === undefined ? pattern : pattern.slice(own.length);
  const folder = literalPrefix(wanted);
  const regExp = patternToRegExp(wanted);
  const skipped = root.replace(/^s3:\/\/[^/]+\//, '').length;
  for await (const keys of listKeys(s3, `${root}${folder}`)) {
    for (const key of keys) {
      const path = key.slice(skipped);
      if (regExp.test(path)) yield { address: `${root}${path}`, path, name: path.slice(folder.length) };
    }
  }
}
