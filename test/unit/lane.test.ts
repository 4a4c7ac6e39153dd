/** How lanes are run: what fails is tried once more, alone. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { packageRoot } from '../../infra/local/platform/root.ts';
// @ts-expect-error -- scripts are plain JavaScript
import { runLane } from '../../scripts/lane.mjs';

const IMPORTS = "import { existsSync, writeFileSync } from 'node:fs';\nimport { expect, it } from 'vitest';\n";
const FILES = {
  steady: "it('holds', () => {});\nit('is left out', (context) => context.skip('there is no moon'));\n",
  unsteady:
    "it('holds too', () => {});\nit('fails at first', () => { const known = existsSync('known'); writeFileSync('known', ''); expect(known).toBe(true); });\n",
  broken: "it('never holds', () => { expect(1).toBe(2); });\nit.skip('for no reason');\n",
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-lane-test-'));
  await mkdir(join(folder, 'test'));
  await symlink(join(packageRoot(), 'node_modules'), join(folder, 'node_modules'));
  await writeFile(
    join(folder, 'vitest.config.mjs'),
    "export default { test: { projects: [{ test: { name: 'lane', include: ['test/*.test.ts'] } }] } };\n",
  );
});
afterEach(() => rm(folder, { recursive: true }));

const write = async (...names: (keyof typeof FILES)[]) => {
  for (const name of names) await writeFile(join(folder, `test/${name}.test.ts`), IMPORTS + FILES[name]);
};
const run = () => runLane({ lane: 'lane', cwd: folder, output: 'ignore' });

it('passes with what passes alone, and says what was unsteady', async () => {
  await write('steady', 'unsteady');
  expect(run()).toEqual({
    passed: 3,
    failures: [],
    unsteady: [expect.stringMatching(/^test\/unsteady\.test\.ts: fails at first: expected false to be true/)],
    skipped: [{ name: 'is left out', reason: 'there is no moon' }],
  });
  // Now it holds at once.
  expect(run()).toMatchObject({ passed: 3, failures: [], unsteady: [] });
});

it('fails with what fails twice, and with what is skipped for no reason', async () => {
  await write('steady', 'unsteady', 'broken');
  expect(run()).toMatchObject({
    passed: 3,
    failures: [
      expect.stringMatching(/^test\/broken\.test\.ts: never holds: expected 1 to be 2/),
      'test/broken.test.ts: for no reason: no reason given',
    ],
    unsteady: [expect.stringContaining('fails at first')],
  });
});

it('fails where there is no test, or none can be loaded', async () => {
  expect(run()).toMatchObject({ passed: 0, failures: ['vitest failed'] });
  await writeFile(join(folder, 'test/torn.test.ts'), "import 'nowhere';\n");
  expect(run()).toMatchObject({ passed: 0, failures: [expect.stringMatching(/^test\/torn\.test\.ts: /)] });
});
