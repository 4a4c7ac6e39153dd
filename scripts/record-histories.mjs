/**
 * `npm run record-histories`: runs each kind of launch once on an embedded platform of its own and keeps the
 * histories for the replay lane. Do this when a change of workflow code is meant to break replay of what was running
 * before (which, with pinned builds, only endless workflows and unversioned workers feel), or with a new SDK.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
if (build.status !== 0) process.exit(1);
const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'record'];
process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1);
