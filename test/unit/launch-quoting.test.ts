/**
 * Values put into a command by ${{ }} reach the program as one argument each, whatever they hold: tried on the shells
 * of this machine.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manifestRow } from '../../workflows/launch/manifest.ts';
import { itemsOf, type PlannedStep } from '../../workflows/launch/plan.ts';
import { planOf, sheetOf } from '../support/sheets.ts';

const PIECES = [
  `' " \\ $ $( ) \` $HOME \${X} * ? [a] ~ ! # ; & | < > <<EOF -- -n = {a,b} é 日本 🧬 %s \${{ }} a 1`.split(' '),
  [' ', '\n', '\t', '\r'],
].flat();

/** What goes wrong in shells, glued together at random. No NUL: no argument of a program can hold one. */
const nasty = fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((pieces) => pieces.join(''));
const values = fc.array(
  fc.oneof(
    nasty,
    fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
  ),
  {
    minLength: 40,
    maxLength: 40,
  },
);

const SHELLS = ['/bin/sh', '/bin/dash', '/bin/bash', '/bin/busybox'].filter((path) => existsSync(path));

let work: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "longhaul quoting'$x-"));
  await mkdir(join(work, 'outputs'));
});
afterAll(() => rm(work, { recursive: true, force: true }));

/** Runs a script as the job would, and gives back what its calls of `show` got. */
async function run(shell: string, script: string): Promise<string[][]> {
  const file = join(work, 'command.sh');
  await writeFile(file, script);
  const args = shell.endsWith('busybox') ? ['sh', file] : [file];
  const done = spawnSync(shell, args, { env: { LONGHAUL_WORK: work, PATH: '/usr/bin:/bin' }, encoding: 'utf8' });
  expect(done.stderr).toBe('');
  expect(done.status).toBe(0);
  const calls: string[][] = [];
  const words = done.stdout.split('\0');
  for (let at = 0; at < words.length - 1; ) {
    const count = Number(words[at]);
    calls.push(words.slice(at + 1, at + 1 + count));
    at += 1 + count;
  }
  return calls;
}

/** Prints the number of its arguments and each of them, ended by NUL. */
const SHOW = `show() { printf '%s\\0' "$#" "$@"; }\n`;

describe.each(SHELLS)('in %s', (shell) => {
  it('a parameter is one argument, alone and inside a word', async () => {
    await fc.assert(
      fc.asyncProperty(values, async (texts) => {
        const parameters = Object.fromEntries(texts.map((text, index) => [`p${index}`, text]));
        const places = texts.map((_, index) => `show \${{ parameters.p${index} }} x=\${{ parameters.p${index} }}.y`);
        const command = `${SHOW}${places.join('\n')}\nshow "$(show \${{ parameters.p0 }} | tr '\\0' ' ')"\n`;
        const plan = planOf(sheetOf({ work: { image: 'i', command } }, { parameters }));
        const step = plan.steps[0] as PlannedStep;
        const [item] = itemsOf(plan, step);
        const { script } = manifestRow(
          plan,
          step,
          item as never,
          {},
          { launchState: 's3://b/', attempt: 1, generation: 1, key: 'k1' },
        );
        const calls = await run(shell, script ?? '');
        expect(calls.slice(0, -1)).toEqual(texts.map((text) => [text, `x=${text}.y`]));
      }),
      { numRuns: 6 },
    );
  });

  it('each file of an input is one argument, whatever its name', async () => {
    const names = fc.array(
      nasty.filter((name) => name !== '' && !name.includes('/')),
      { minLength: 30, maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(names, async (files) => {
        const command = `${SHOW}show \${{ inputs.files }}\n`;
        const plan = planOf(sheetOf({ work: { image: 'i', command, inputs: { files: 'reads/*' } } }));
        const step = plan.steps[0] as PlannedStep;
        const sources = { files: files.map((name) => ({ from: `s3://data/${name}`, name })) };
        const [item] = itemsOf(plan, step);
        const { script } = manifestRow(plan, step, item as never, sources, {
          launchState: 's3://b/',
          attempt: 1,
          generation: 1,
          key: 'k1',
        });
        const [arguments_] = await run(shell, script ?? '');
        expect(arguments_).toEqual(files.map((name) => `${work}/inputs/files/${name}`));
      }),
      { numRuns: 4 },
    );
  });

  it('a script ends at the first command that fails', async () => {
    const plan = planOf(sheetOf({ work: { image: 'i', command: 'false\necho still here' } }));
    const step = plan.steps[0] as PlannedStep;
    const [item] = itemsOf(plan, step);
    const { script } = manifestRow(
      plan,
      step,
      item as never,
      {},
      { launchState: 's3://b/', attempt: 1, generation: 1, key: 'k1' },
    );
    const done = spawnSync(shell, [...(shell.endsWith('busybox') ? ['sh'] : []), '-c', script ?? ''], {
      env: { LONGHAUL_WORK: work },
      encoding: 'utf8',
    });
    expect(done.status).toBe(1);
    expect(done.stdout).toBe('');
  });
});
