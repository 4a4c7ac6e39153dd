/**
 * Where the package is, and with it the compiled entries. Found by looking upwards, because this code runs from
 * its source and from a bundle alike.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Package {
  name: string;
  version: string;
}

/** The folder of Longhaul's own package.json. */
export function packageRoot(): string {
  return ownPackage().root;
}

export function packageVersion(): string {
  return ownPackage().version;
}

function ownPackage(): { root: string; version: string } {
  const begin = dirname(fileURLToPath(import.meta.url));
  for (let directory = begin; ; directory = dirname(directory)) {
    const file = join(directory, 'package.json');
    const description = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Package>) : undefined;
    if (description?.name === 'longhaul') return { root: directory, version: description.version ?? 'unknown' };
    if (directory === dirname(directory)) throw new Error(`no package.json of longhaul above ${begin}`);
  }
}

/** A compiled entry: an absolute path as it is, a name as `dist/<name>.js`. */
export function entryFile(entry: string): string {
  return isAbsolute(entry) ? entry : join(packageRoot(), 'dist', `${entry}.js`);
}
