/** The working folder of a head job, kept and brought back: only what is whole, whatever the engine does meanwhile. */
import { mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../jobs/job.ts';
import { restoreState, StateKeeper } from '../../jobs/state.ts';
import type { StateRules } from '../../workflows/launch/model.ts';
import { openStandIns, type StandIns } from '../support/stand-ins.ts';

let standIns: StandIns;
let s3: S3Client;
const folders: string[] = [];
beforeAll(async () => {
  standIns = await openStandIns();
  ({ s3 } = standIns);
  await s3.send(new CreateBucketCommand({ Bucket: 'longhaul' }));
});
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});
afterAll(() => standIns.close());

async function folder(files: Record<string, string> = {}): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'longhaul-state-'));
  folders.push(path);
  for (const [name, text] of Object.entries(files)) await put(path, name, text);
  return path;
}
async function put(top: string, name: string, text: string): Promise<void> {
  await mkdir(dirname(join(top, name)), { recursive: true });
  await writeFile(join(top, name), text);
}

let count = 0;
/** State of a head of its own, and jobs that work on it. */
function head(rules: Partial<StateRules> = {}) {
  count += 1;
  const state = { keep: ['**'], leave: [], markers: [], ...rules, prefix: `s3://longhaul/heads/${count}/` };
  const job = (attempt: number) =>
    ({ row: { item: 'all', state }, launchAttempt: 1, generation: 1, attempt, id: 'job', say() {} }) as unknown as Job;
  return {
    state,
    keeper: (attempt: number, top: string, client = s3) => new StateKeeper(client, job(attempt), state, top),
    restore: async (attempt: number, top: string) => restoreState(s3, job(attempt), state, top),
  };
}

describe('a kept folder', () => {
  it('comes back with contents, times, modes and links', async () => {
    const { keeper, restore } = head();
    const from = await folder({ 'a.txt': 'a', 'deep/b.txt': '', 'deep/run.sh': 'echo' });
    await symlink('b.txt', join(from, 'deep/link'));
    const { chmod, stat, utimes } = await import('node:fs/promises');
    await chmod(join(from, 'deep/run.sh'), 0o755);
    await utimes(join(from, 'a.txt'), 1_700_000_000, 1_700_000_000);

    expect(await keeper(1, from).save()).toBe(4);
    const to = await folder();
    await restore(2, to);

    expect(await readFile(join(to, 'a.txt'), 'utf8')).toBe('a');
    expect((await stat(join(to, 'a.txt'))).mtimeMs).toBe(1_700_000_000_000);
    expect((await stat(join(to, 'deep/run.sh'))).mode & 0o777).toBe(0o755);
    expect(await readFile(join(to, 'deep/b.txt'), 'utf8')).toBe('');
    expect(await readlink(join(to, 'deep/link'))).toBe('b.txt');
  });

  it('is stored again only where it has changed, and what is gone is forgotten', async () => {
    const { keeper, restore, state } = head();
    const from = await folder({ a: '1', b: '2' });
    const kept = keeper(1, from);

    expect(await kept.save()).toBe(2);
    expect(await kept.save()).toBeUndefined();
    await rm(join(from, 'b'));
    await put(from, 'a', 'changed');
    expect(await kept.save()).toBe(1);

    const { Contents = [] } = await s3.send(
      new ListObjectsV2Command({ Bucket: 'longhaul', Prefix: `${state.prefix.slice('s3://longhaul/'.length)}files/` }),
    );
    expect(Contents).toHaveLength(2);
    const to = await folder();
    await restore(2, to);
    expect(await readFile(join(to, 'a'), 'utf8')).toBe('changed');
  });

  it('leaves out what the rules leave out', async () => {
    const { keeper, restore } = head({ keep: ['work/**', 'x'], leave: ['work/tmp/**'] });
    const from = await folder({ 'work/a': '', 'work/tmp/b': '', x: '', y: '' });
    await keeper(1, from).save();
    const to = await folder();

    expect(await restore(2, to)).toEqual({ files: 2, bytes: 0 });
  });

  it('is empty for a first head', async () => {
    expect(await head().restore(1, await folder())).toEqual({ files: 0, bytes: 0 });
  });

  it('of a later head counts more than what a zombie still writes', async () => {
    const { keeper, restore } = head();
    const [old, young] = [await folder({ a: 'old' }), await folder({ a: 'young' })];
    await keeper(2, young).save();
    await keeper(1, old).save();
    const to = await folder();
    await restore(3, to);

    expect(await readFile(join(to, 'a'), 'utf8')).toBe('young');
  });

  it('is refused when an object is not what was kept', async () => {
    const { keeper, restore, state } = head();
    const from = await folder({ a: 'right' });
    await keeper(1, from).save();
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    const Prefix = `${state.prefix.slice('s3://longhaul/'.length)}files/`;
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'longhaul', Prefix }));
    await s3.send(new PutObjectCommand({ Bucket: 'longhaul', Key: Contents[0]?.Key ?? '', Body: 'wrong' }));

    await expect(restore(2, await folder())).rejects.toThrow('is not what was kept of a');
  });

  it('is not restored without an object it names', async () => {
    const { keeper, restore, state } = head();
    await keeper(1, await folder({ a: '1' })).save();
    const Prefix = `${state.prefix.slice('s3://longhaul/'.length)}files/`;
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'longhaul', Prefix }));
    await s3.send(new DeleteObjectCommand({ Bucket: 'longhaul', Key: Contents[0]?.Key ?? '' }));

    await expect(restore(2, await folder())).rejects.toThrow();
  });

  it('has what only grows as far as it had come', async () => {
    const { keeper, restore } = head({ growing: ['db/**'] });
    const from = await folder({ 'db/log': 'one\n', done: 'x' });
    // It grows with every request, as a database of a running engine does.
    const client = new S3Client(clientConfig());
    client.middlewareStack.add(
      (next) => async (request) => {
        await writeFile(join(from, 'db/log'), 'more\n', { flag: 'a' });
        return next(request);
      },
      { step: 'initialize' },
    );
    expect(await keeper(1, from, client).save()).toBe(2);
    client.destroy();
    const to = await folder();
    await restore(2, to);

    expect(await readFile(join(to, 'db/log'), 'utf8')).toBe('one\n');
  });
});

/** Settings of the client of the stand-ins, for one with a middleware of its own. */
const clientConfig = () => {
  const { region, endpoint, credentials } = s3.config;
  return { region, endpoint, credentials } as unknown as S3ClientConfig;
};

describe('a snapshot', () => {
  /** What an engine does between any two requests of the keeper: `n` names the task. */
  type Act = { act: 'start' | 'write' | 'finish'; n: number };
  const acts: fc.Arbitrary<Act[][]> = fc.array(
    fc.array(
      fc.record({ act: fc.constantFrom('start', 'write', 'finish'), n: fc.nat({ max: 2 }) }) as fc.Arbitrary<Act>,
      {
        maxLength: 4,
      },
    ),
    { minLength: 1, maxLength: 14 },
  );

  it('never holds a half-written file that nothing calls unfinished', async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (moments) => {
        const { keeper, restore } = head({ markers: ['incomplete/**'] });
        const top = await folder();
        await mkdir(join(top, 'incomplete'));
        const running = new Set<number>();
        const perform = async ({ act, n }: Act) => {
          const [marker, file] = [join(top, `incomplete/${n}`), join(top, `out-${n}`)];
          if (act === 'start' && !running.has(n)) {
            // As Snakemake does: the marker first, and the old output goes.
            await writeFile(marker, '');
            await rm(file, { force: true });
            running.add(n);
          } else if (act === 'write' && running.has(n)) await writeFile(file, 'half');
          else if (act === 'finish' && running.has(n)) {
            await writeFile(file, 'whole');
            await rm(marker);
            running.delete(n);
          }
        };
        const left = [...moments];
        // One after the other, however many requests are on their way: an engine does not race itself.
        let acting = Promise.resolve();
        const go = () => {
          const acts = left.shift() ?? [];
          acting = acting.then(async () => {
            for (const act of acts) await perform(act);
          });
          return acting;
        };
        const client = new S3Client(clientConfig());
        client.middlewareStack.add(
          (next) => async (request) => {
            await go();
            return next(request);
          },
          { step: 'initialize' },
        );
        const kept = keeper(1, top, client);
        await go();
        await kept.save();
        await kept.save();
        client.destroy();

        const to = await folder();
        await restore(2, to);
        for (const n of [0, 1, 2]) {
          const text = await readFile(join(to, `out-${n}`), 'utf8').catch(() => undefined);
          const unfinished = await readFile(join(to, `incomplete/${n}`), 'utf8').then(
            () => true,
            () => false,
          );
          if (text !== undefined && !unfinished) expect(text).toBe('whole');
        }
      }),
      { numRuns: 60 },
    );
  });
});
