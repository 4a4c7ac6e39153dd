/**
 * What is to be restored, as the user names it: objects, prefixes and patterns become scans, each a prefix that is listed
 * once, and single objects. Pure.
 *
 * @module
 */
import { hasWildcard, literalPrefix } from '../../workflows/launch/patterns.ts';
import { LIMITS } from '../../workflows/restore/model.ts';
import { parseS3Address } from '../s3-address.ts';
import { compareKeys } from '../s3-order.ts';
import { type Matcher, matcherOf } from './glob.ts';

/** One listing: every key below the prefix that one of the patterns takes; without patterns all of them. */
export interface Scan {
  bucket: string;
  prefix: string;
  patterns: Matcher[];
}

export interface ObjectName {
  bucket: string;
  key: string;
  version?: string;
}

export interface Sources {
  scans: Scan[];
  objects: ObjectName[];
}

/** `place`: which of the sources, by what the user wrote. */
export interface SourceProblem {
  place: string;
  message: string;
}

/**
 * @returns scans that do not overlap and objects that none of them covers, in S3's order; or every problem
 */
export function readSources(addresses: readonly string[]): Sources | { problems: SourceProblem[] } {
  const problems: SourceProblem[] = [];
  const scans: Scan[] = [];
  const objects = new Map<string, ObjectName>();
  for (const address of new Set(addresses)) {
    const read = readSource(address);
    if ('message' in read) problems.push(read);
    else if ('patterns' in read) scans.push(read);
    else objects.set(`${read.bucket}/${read.key}\0${read.version ?? ''}`, read);
  }
  const buckets = new Set([...scans, ...objects.values()].map(({ bucket }) => bucket));
  if (buckets.size > LIMITS.buckets)
    problems.push({
      place: `${buckets.size} buckets`,
      message: `at most ${LIMITS.buckets} in one restore: make several of it`,
    });
  if (problems.length > 0) return { problems };
  const merged = merge(scans);
  const covered = ({ bucket, key, version }: ObjectName) =>
    version === undefined &&
    merged.some((scan) => scan.bucket === bucket && key.startsWith(scan.prefix) && matches(scan, key));
  return {
    scans: merged,
    objects: [...objects.values()]
      .filter((object) => !covered(object))
      .toSorted((a, b) => compareKeys(a.bucket, b.bucket) || compareKeys(a.key, b.key)),
  };
}

export const matches = ({ patterns }: Scan, key: string): boolean =>
  patterns.length === 0 || patterns.some((pattern) => pattern.test(key));

function readSource(address: string): Scan | ObjectName | SourceProblem {
  const [, plain = '', version] = /^(.*?)(?:\?versionId=([A-Za-z0-9._-]{1,1024}))?$/s.exec(address) ?? [];
  let bucket: string;
  let key: string;
  try {
    ({ bucket, key } = parseS3Address(plain));
  } catch {
    return {
      place: address.slice(0, 200),
      message: 'expected s3://bucket/key, s3://bucket/prefix/ or a pattern with *',
    };
  }
  if (Buffer.byteLength(key) > 1024)
    return { place: address.slice(0, 200), message: 'the key is longer than 1,024 bytes' };
  if (version !== undefined) return { bucket, key, version };
  if (hasWildcard(key)) return { bucket, prefix: literalPrefix(key), patterns: [matcherOf(key)] };
  return key === '' || key.endsWith('/') ? { bucket, prefix: key, patterns: [] } : { bucket, key };
}

/** Scans of which one lies in the other become one, so that no object is listed twice. */
function merge(scans: readonly Scan[]): Scan[] {
  const merged: Scan[] = [];
  const order = scans.toSorted((a, b) => compareKeys(a.bucket, b.bucket) || compareKeys(a.prefix, b.prefix));
  for (const scan of order) {
    const last = merged.at(-1);
    if (!last || last.bucket !== scan.bucket || !scan.prefix.startsWith(last.prefix)) {
      merged.push({ ...scan, patterns: [...scan.patterns] });
      continue;
    }
    if (last.patterns.length === 0) continue;
    if (scan.patterns.length > 0) last.patterns.push(...scan.patterns);
    else if (scan.prefix === last.prefix) last.patterns = [];
    else last.patterns.push({ test: (key) => key.startsWith(scan.prefix) });
  }
  return merged;
}
