/**
 * `npm run bench -- <name> [options]`: measures. Benches are no tests: what they print is compared within one run.
 *
 *   npm run bench -- launch --json
 *
 * `--built`: dist/ is as it should be, and perhaps in use.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const SHARED = ['report'];
const names = readdirSync('test/bench').flatMap((file) => /^(.*)\.ts$/.exec(file)?.[1] ?? []);
const [name, ...given] = process.argv.slice(2);
const BUILT = '--built';
const options = given.filter((option) => option !== BUILT);
const known = names.filter((candidate) => !SHARED.includes(candidate));
if (!name || !known.includes(name)) {
  console.error(`usage: npm run bench -- <name> [options]; there are: ${known.join(', ')}`);
  process.exit(2);
}
if (!given.includes(BUILT)) {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}
await build({
  entryPoints: [`test/bench/${name}.ts`],
  outfile: `dist/bench-${name}.js`,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  logLevel: 'warning',
  define: { LONGHAUL_BUILT: 'true' },
  banner: { js: "process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';" },
});
const run = spawnSync(process.execPath, [`dist/bench-${name}.js`, ...options], { stdio: 'inherit' });
process.exit(run.status ?? 1);
