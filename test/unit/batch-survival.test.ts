/** What is left of jobs when the stand-in goes away, gently or not. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Harness, IMAGES, openHarness } from './batch-harness.ts';

let directory: string;
let open: Harness | undefined;
let child: ChildProcess | undefined;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longhaul-batch-'));
});
afterEach(async () => {
  child?.kill('SIGKILL');
  child = undefined;
  await open?.close();
  open = undefined;
  await rm(directory, { recursive: true, force: true });
});

const FOREVER = 'setInterval(() => {}, 1000)';

it('ends every job process when it closes, and takes the work up again', async () => {
  const first = await openHarness();
  const lost = await first.submit(`console.log(process.pid); ${FOREVER}`, { retryStrategy: { attempts: 2 } });
  const final = await first.submit(FOREVER);
  const waiting = await first.submit('', { dependsOn: [{ jobId: lost }] });
  const array = await first.submit('process.exit(process.env.AWS_BATCH_JOB_ARRAY_INDEX)', {
    arrayProperties: { size: 3 },
  });
  await first.over(array);
  await Promise.all([lost, final].map((id) => first.until(id, ({ status }) => status === 'RUNNING')));
  const instance = first.batch.instanceIds()[0] ?? '';
  await expect.poll(() => first.lines.length).toBe(1);
  await first.close();
  expect(isRunning(Number(first.lines[0]?.message))).toBe(false);

  open = await openHarness({ directory: first.directory });
  const again = await open.until(lost, ({ status }) => status === 'RUNNING');
  expect(again.attempts).toMatchObject([{ statusReason: `Host EC2 (instance ${instance}) terminated.` }]);
  expect(await open.over(final)).toMatchObject({ status: 'FAILED', attempts: [{}] });
  expect((await open.job(waiting))?.status).toBe('PENDING');
  expect(await open.job(array)).toMatchObject({
    status: 'FAILED',
    arrayProperties: { statusSummary: { SUCCEEDED: 1, FAILED: 2 } },
  });
  await open.close();
  open = undefined;
  await first.remove();
});

it('takes its jobs along when it is killed, also those in a session of their own', async () => {
  const setup = await openHarness();
  const marks = join(directory, 'pids');
  const id = await setup.submit(
    `const far = require('node:child_process').spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
     require('node:fs').writeFileSync(${JSON.stringify(marks)} + process.env.AWS_BATCH_JOB_ATTEMPT, process.pid + ' ' + far.pid); ${FOREVER}`,
    { retryStrategy: { attempts: 2 } },
  );
  await setup.until(id, ({ status }) => status === 'RUNNING');
  await setup.close();
  // The same state directory, now served by a process of its own, which can be killed.
  const script = join(directory, 'serve.mts');
  const root = join(import.meta.dirname, '../..');
  await writeFile(join(directory, 'images.json'), JSON.stringify(IMAGES));
  await writeFile(script, servingScript(root, setup.directory, join(directory, 'images.json')));
  const bundle = join(directory, 'serve.mjs');
  const built = spawnSync(join(root, 'node_modules/.bin/esbuild'), [
    script,
    '--bundle',
    '--platform=node',
    '--format=esm',
    `--outfile=${bundle}`,
  ]);
  expect(built.status).toBe(0);
  child = spawn(process.execPath, [bundle], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  await expect.poll(() => readFile(`${marks}2`, 'utf8').catch(() => '')).toMatch(/^\d+ \d+$/);
  const pids = (await readFile(`${marks}2`, 'utf8')).split(' ').map(Number);
  expect(pids.map(isRunning)).toEqual([true, true]);

  child.kill('SIGKILL');

  for (const pid of pids) await expect.poll(() => isRunning(pid)).toBe(false);
  open = await openHarness({ directory: setup.directory });
  expect(await open.over(id)).toMatchObject({
    status: 'FAILED',
    statusReason: expect.stringMatching(/^Host EC2 \(instance i-/),
  });
  await open.close();
  open = undefined;
  await setup.remove();
});

function servingScript(root: string, state: string, imagesFile: string): string {
  const at = (path: string) => JSON.stringify(join(root, 'infra/local', path));
  return `
    import { createBatch } from ${at('aws/batch/service.ts')};
    import { LOCAL_PLACE } from ${at('aws/ports.ts')};
    import { createKit, openFrontDoor } from ${at('kit/front-door.ts')};
    const kit = createKit();
    const batch = await createBatch({
      kit, place: LOCAL_PLACE, directory: ${JSON.stringify(state)}, imagesFile: ${JSON.stringify(imagesFile)},
      events: { emit() {} }, logs: { append() {} },
    });
    const door = await openFrontDoor(kit, [batch.service]);
    await batch.start({ endpointUrl: door.url });
    console.log(door.url);`;
}

/** A zombie waits for whoever inherited it; it runs no more. */
function isRunning(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
}
