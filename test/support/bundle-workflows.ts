/**
 * Makes the workflow bundle before a lane that runs workflows, once for all its files: webpack takes seconds of both cores.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLE_VARIABLE, bundleOf, WORKFLOWS } from './time-skipping.ts';

export default async function setup(): Promise<() => void> {
  const directory = mkdtempSync(join(tmpdir(), 'longhaul-bundle-'));
  const file = join(directory, 'workflows.js');
  const { code } = await bundleOf(WORKFLOWS);
  writeFileSync(file, code);
  process.env[BUNDLE_VARIABLE] = file;
  return () => {
    delete process.env[BUNDLE_VARIABLE];
    rmSync(directory, { recursive: true, force: true });
  };
}
