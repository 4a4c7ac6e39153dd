/**
 * A Node 22 for the lanes that run on both: this one if it is, else the binary from npm, kept in the cache outside
 * the tree.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const VERSION = '22.23.3';

/** @returns the path of a Node 22 */
export async function node22() {
  if (process.versions.node.startsWith('22.')) return process.execPath;
  const cache =
    process.env.LONGHAUL_CACHE_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'longhaul');
  const folder = join(cache, `node-${VERSION}`);
  const name = `node-${process.platform}-${process.arch}`;
  const binary = join(folder, 'node_modules', name, 'bin/node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    console.log(`fetching Node ${VERSION} (${name} from npm)`);
    const args = [
      'install',
      '--prefix',
      folder,
      '--no-save',
      '--no-package-lock',
      '--ignore-scripts',
      '--engine-strict=false',
      `${name}@${VERSION}`,
    ];
    const { status } = spawnSync('npm', args, { stdio: 'inherit' });
    if (status !== 0) throw new Error(`Node ${VERSION} could not be fetched: npm ${args.join(' ')}`);
  }
  return binary;
}
