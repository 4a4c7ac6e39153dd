/**
 * `npm run verify`: format, lint, types, unused code. Runs all of them and says what each found.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const checks = {
  format: ['biome', 'check', '--error-on-warnings', '.'],
  lint: ['oxlint', '--type-aware', '--deny-warnings', '.'],
  types: ['tsc'],
  console: ['tsc', '-p', 'clients/console'],
  stories: ['tsc', '-p', 'clients/story-page'],
  samples: ['tsc', '-p', 'examples'],
  unused: ['knip', '--no-progress', '--treat-config-hints-as-errors'],
};

let failed = 0;
for (const [name, [command, ...args]] of Object.entries(checks)) {
  const begun = Date.now();
  const { code, output } = await run(`node_modules/.bin/${command}`, args);
  console.log(
    `verify ${name.padEnd(7)} ${code === 0 ? 'ok' : 'FAILED'}  ${((Date.now() - begun) / 1000).toFixed(1)} s`,
  );
  if (code !== 0) {
    failed += 1;
    console.log(output);
  }
}
process.exit(failed === 0 ? 0 : 1);

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (output += data));
    child.on('close', (code) => resolve({ code, output }));
  });
}
