/**
 * `npm test`: builds, verifies, and runs every lane; in CI workflows of each type and replays on Node 22 as well. A lane that ran no
 * test has failed. The last line says `N passed, N failed, N skipped`.
 *
 *   npm test                             everything
 *   npm test -- unit workflow            only these lanes
 *   npm test -- --node22 unit workflow   these on Node 22 (npm run test:node22: all that need nothing but Node)
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runLane } from './lane.mjs';
import { node22 } from './node22.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
/** Nothing but Node: it runs while the tools are still being fetched. */
const WITHOUT_TOOLS = 'unit';
const LANES = ['unit', 'workflow', 'replay', 'contract', 'integration', 'browser', 'faults'];
/** What a Node may change first: the sandbox of workflows. Of the workflow lane what each type does, in CI. */
const NEXT_NODE_LANES = {
  workflow: ['workflow/launch.test', 'workflow/restore.test', 'workflow/poller.test'],
  replay: [],
};

const flags = process.argv.slice(2);
const onNext = flags.includes('--node22');
const wanted = flags.filter((word) => word !== '--node22');
const unknown = wanted.filter((lane) => !LANES.includes(lane));
if (unknown.length > 0) {
  console.error(`there is no lane ${unknown.join(', ')}; there are: ${LANES.join(', ')}`);
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), 'longhaul-test-'));
const total = { passed: 0, failed: 0, skipped: 0 };
const rows = [];
const notes = [];
const failedTests = [];

step('build', () => spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' }).status === 0);
const tools = fetchTools();
if (wanted.length === 0) {
  step('verify', () => spawnSync(process.execPath, ['scripts/verify.mjs'], { stdio: 'inherit' }).status === 0);
}
const node = onNext ? await node22() : process.execPath;
for (const lane of wanted.length > 0 ? wanted : LANES) {
  if (lane !== WITHOUT_TOOLS) await tools();
  testLane(lane, node, onNext ? ' (Node 22)' : '');
}
await tools();
if (process.env.CI && wanted.length === 0) {
  const next = await node22();
  for (const [lane, files] of Object.entries(NEXT_NODE_LANES)) testLane(lane, next, ' (Node 22)', files);
}
rmSync(scratch, { recursive: true, force: true });

// What failed stands last: whoever reads only the tail of a log learns of it.
console.log(`\n${[...rows, ...notes, ...failedTests].join('\n')}\n`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 ? 0 : 1);

/** A build among them takes minutes on a fresh machine, and gives way to the tests. @returns waits for its end, once */
function fetchTools() {
  const begun = Date.now();
  const log = join(scratch, 'tools.log');
  const output = openSync(log, 'w');
  const nice = process.platform === 'win32' ? [] : ['nice', '-n', '10'];
  const [command, ...args] = [...nice, process.execPath, 'dist/tools.js'];
  const child = spawn(command, args, { stdio: ['ignore', output, output] });
  const ended = once(child, 'close');
  let told = false;
  return async () => {
    const [code] = await ended;
    if (told) return;
    told = true;
    closeSync(output);
    process.stdout.write(readFileSync(log, 'utf8'));
    if (code !== 0) total.failed += 1;
    rows.push(`${'tools'.padEnd(22)} ${code === 0 ? 'ok' : 'FAILED'}${seconds(begun)}`);
  };
}

function step(name, run) {
  const begun = Date.now();
  const good = run();
  if (!good) total.failed += 1;
  rows.push(`${name.padEnd(22)} ${good ? 'ok' : 'FAILED'}${seconds(begun)}`);
  return good;
}

function testLane(lane, node, suffix, files = []) {
  const begun = Date.now();
  const name = `${lane}${suffix}`;
  const { passed, failures, unsteady, skipped } = runLane({ lane, node, files });
  total.passed += passed;
  total.failed += failures.length;
  total.skipped += skipped.length;
  const counts = `${passed} passed, ${failures.length} failed, ${skipped.length} skipped`;
  rows.push(`${name.padEnd(22)} ${counts}${passed === 0 ? ' – the lane ran no test' : ''}${seconds(begun)}`);
  for (const reason of new Set(skipped.map((test) => test.reason))) {
    const names = skipped.filter((test) => test.reason === reason).map((test) => test.name);
    rows.push(`  skipped ${names.length}, such as ${names[0]}: ${reason}`);
  }
  notes.push(...unsteady.map((line) => `unsteady in ${name}, passed alone: ${line}`));
  failedTests.push(...failures.map((line) => `FAILED in ${name}: ${line}`));
}

function seconds(begun) {
  return `  ${((Date.now() - begun) / 1000).toFixed(1)} s`;
}
