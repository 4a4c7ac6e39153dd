/** The process that starts containers' processes: output and ends arrive, however short the process; a dead launcher is replaced. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Launcher } from '../../infra/local/aws/batch/launcher.ts';
import { leashed } from '../../infra/local/aws/batch/leash.ts';
import { writeLines } from '../../infra/local/aws/batch/log-lines.ts';

let launcher: Launcher;
beforeEach(() => {
  launcher = new Launcher();
});
afterEach(() => launcher.close());

async function start(script: string) {
  const lines: string[] = [];
  const logged: Promise<void>[] = [];
  const message = { id: randomUUID(), argv: ['/bin/sh', '-c', script], env: { GREETING: 'good day' }, cwd: tmpdir() };
  const launched = await launcher.start(leashed(message), (stream: Readable) =>
    logged.push(writeLines(stream, (some) => lines.push(...some))),
  );
  return { ...launched, lines, ended: launched.exited.then((end) => Promise.all(logged).then(() => end)) };
}

it('hands on what a process writes and how it ended', async () => {
  const { ended, lines } = await start('echo "$GREETING"; echo trouble >&2; exit 7');

  expect(await ended).toEqual({ code: 7, signal: null });
  expect(lines.toSorted()).toEqual(['good day', 'trouble']);
});

it('loses none of many that end at once, silent ones neither', async () => {
  const all = await Promise.all(Array.from({ length: 40 }, (_, index) => start(index % 2 ? ':' : `echo ${index}`)));

  expect(await Promise.all(all.map(({ ended }) => ended))).toEqual(all.map(() => ({ code: 0, signal: null })));
  expect(all.flatMap(({ lines }) => lines)).toHaveLength(20);
});

it('says why a process cannot be started', async () => {
  const message = { id: randomUUID(), argv: ['/nowhere/at/all'], env: {}, cwd: tmpdir() };

  await expect(launcher.start(message, () => {})).rejects.toThrow('ENOENT');
});

it('takes its processes along when it dies, and is replaced', async () => {
  const { ended, lines } = await start('echo "$PPID"; sleep 60');
  await vi.waitFor(() => expect(lines).toHaveLength(1));
  // The parent of a process is who started it.
  process.kill(Number(lines[0]), 'SIGKILL');

  // Once nobody holds its output any more.
  expect(await ended).toEqual({ code: null, signal: 'SIGKILL' });
  expect(await (await start('exit 3')).ended).toEqual({ code: 3, signal: null });
});
