/**
 * What the `discover` patterns of a sheet find.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { LIMITS } from '../../workflows/launch/model.ts';
import { discoverPattern } from '../../workflows/launch/patterns.ts';
import type { Sheet } from '../../workflows/launch/sheet/sheet.ts';
import { listMatches } from '../s3-patterns.ts';

/**
 * @param beat called while it goes on
 * @returns names by dimension; one name more than a launch may have items is enough to know that there are too many
 */
export async function discover(s3: S3Client, sheet: Sheet, beat: () => void): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const [dimension, source] of Object.entries(sheet.scatter ?? {})) {
    if (Array.isArray(source)) continue;
    const pattern = discoverPattern(source.discover);
    if (!pattern) continue;
    const base = sheet.dataPath.endsWith('/') ? sheet.dataPath : `${sheet.dataPath}/`;
    const names = new Set<string>();
    for await (const { path } of listMatches(s3, base, source.discover)) {
      beat();
      const name = pattern.exec(path)?.[1];
      if (name) names.add(name);
      if (names.size > LIMITS.items) break;
    }
    found[dimension] = [...names];
  }
  return found;
}
