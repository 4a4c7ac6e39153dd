/** Containers whose image is a module: on a thread inside the stand-in, but with the ends a process would have. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startModule } from '../../infra/local/aws/batch/module-container.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-modules-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Starts a module of this text; `lines` is what it has said. */
async function start(name: string, text: string, argv: string[] = []) {
  const module = join(folder, `${name}.mjs`);
  await writeFile(module, text);
  const lines: string[] = [];
  const container = await startModule({ module, argv, env: { GREETING: 'hello' }, say: (line) => lines.push(line) });
  return { container, lines };
}

describe('a container that is a module', () => {
  it('gets its arguments and variables, and has said everything when it ends', async () => {
    const text = 'export const run = async ({ argv, env, say }) => { say(env.GREETING); say(argv[0]); return 7; };';
    const { container, lines } = await start('says', text, ['world']);

    expect(await container.ended).toEqual({ exitCode: 7 });
    expect(lines).toEqual(['hello', 'world']);
  });

  it('ends with 1 when it throws, and says of what', async () => {
    const { container, lines } = await start('throws', 'export const run = () => { throw new Error("no disk"); };');

    expect(await container.ended).toEqual({ exitCode: 1 });
    expect(lines).toEqual(['Error: no disk']);
  });

  it('ends by a signal, which it is told', async () => {
    const text =
      'export const run = ({ signal, say }) => new Promise((end) => signal.addEventListener("abort", () => end(0)));';
    const stopped = await start('waits', text);
    const killed = await start('waits', text);
    stopped.container.stop();
    killed.container.kill();

    expect(await stopped.container.ended).toEqual({ exitCode: 143 });
    expect(await killed.container.ended).toEqual({ exitCode: 137 });
  });

  it('that does not load is never started', async () => {
    await expect(start('broken', 'export const run = ;')).rejects.toThrow(/^CannotStartContainerError: /);
  });

  it('that ends its thread takes those beside it along; the next one gets a new thread', async () => {
    const text = `export const run = ({ argv }) => argv[0] === 'crash'
      ? new Promise(() => setImmediate(() => process.exit(3)))
      : argv[0] === 'wait' ? new Promise(() => {}) : Promise.resolve(0);`;
    const waiting = await start('crashes', text, ['wait']);
    const crashing = await start('crashes', text, ['crash']);

    expect(await crashing.container.ended).toEqual({ exitCode: 1 });
    expect(await waiting.container.ended).toEqual({ exitCode: 1 });
    expect(await (await start('crashes', text)).container.ended).toEqual({ exitCode: 0 });
  });
});
