/**
 * The tools' cache: complete or absent, one maker at a time, healed after a kill.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cacheDirectory, makeOnce } from '../../infra/local/tools/cache.ts';
import { identityOf, isAlive, ownIdentity } from '../../infra/local/tools/identity.ts';
import { withLock } from '../../infra/local/tools/lock.ts';
import { silent, type ToolEvent } from '../../infra/local/tools/progress.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longhaul-cache-'));
  vi.stubEnv('LONGHAUL_CACHE_DIR', directory);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

describe('cacheDirectory', () => {
  it.each([
    [{ LONGHAUL_CACHE_DIR: '/a' }, '/a'],
    [{ XDG_CACHE_HOME: '/b' }, '/b/longhaul'],
  ])('with %o is %s', (env, expected) => {
    expect(cacheDirectory(env)).toBe(expected);
  });

  it('is under the home directory otherwise', () => {
    expect(cacheDirectory({})).toMatch(/\/\.cache\/longhaul$/);
  });
});

describe('makeOnce', () => {
  const fill = async (part: string) => writeFile(join(part, 'tool'), 'made');

  it('makes the folder, and returns it the second time without making it', async () => {
    const first = await makeOnce('tool', 'tool-1', silent, fill);
    const second = await makeOnce('tool', 'tool-1', silent, () => Promise.reject(new Error('made again')));
    expect(second).toBe(first);
    expect(await readFile(join(first, 'tool'), 'utf8')).toBe('made');
  });

  it('makes it once when several ask at the same time', async () => {
    const make = vi.fn(fill);
    const folders = await Promise.all([1, 2, 3].map(() => makeOnce('tool', 'tool-1', silent, make)));
    expect(make).toHaveBeenCalledTimes(1);
    expect(new Set(folders).size).toBe(1);
  });

  it('leaves nothing behind when making fails, so that the next try makes it', async () => {
    const broken = makeOnce('tool', 'tool-1', silent, async (part) => {
      await fill(part);
      throw new Error('no network');
    });
    await expect(broken).rejects.toThrow('no network');
    expect(await readdir(directory)).toEqual([]);
    expect(existsSync(await makeOnce('tool', 'tool-1', silent, fill))).toBe(true);
  });

  it('clears away what a killed run left, of this tool only', async () => {
    await mkdir(join(directory, 'tool-1.dead.part'));
    await mkdir(join(directory, 'other-1.dead.part'));
    await makeOnce('tool', 'tool-1', silent, fill);
    expect((await readdir(directory)).sort()).toEqual(['other-1.dead.part', 'tool-1']);
  });

  it('does not show the folder before it is complete', async () => {
    await makeOnce('tool', 'tool-1', silent, async (part, final) => {
      await fill(part);
      expect(existsSync(final)).toBe(false);
    });
  });

  it('waits for another process that is making it, and says for whom', async () => {
    const lock = join(directory, 'tool-1.lock');
    const holder = identityOf(process.ppid);
    await writeFile(lock, JSON.stringify(holder));
    const events: ToolEvent[] = [];
    const making = makeOnce('tool', 'tool-1', (event) => events.push(event), fill);
    await vi.waitFor(() => expect(events).not.toEqual([]), { timeout: 60_000 });
    await rm(lock);
    await making;
    expect(events[0]?.detail).toContain(`pid ${process.ppid}`);
  });
});

describe('withLock', () => {
  it.each([
    ['a process that is gone', { pid: 2 ** 22 + 1, startTime: 'x' }],
    ['a process whose pid was reused', { pid: process.ppid, startTime: 'another boot:1' }],
  ])('takes over the lock of %s', async (_what, holder) => {
    const lock = join(directory, 'lock');
    await writeFile(lock, JSON.stringify(holder));
    await expect(
      withLock(
        lock,
        () => {},
        async () => 'done',
      ),
    ).resolves.toBe('done');
    expect(await readdir(directory)).toEqual([]);
  });

  it('lets one in at a time', async () => {
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    };
    await Promise.all([1, 2, 3, 4].map(() => withLock(join(directory, 'lock'), () => {}, work)));
    expect(most).toBe(1);
  });

  it('is free again after an error', async () => {
    const lock = join(directory, 'lock');
    await expect(
      withLock(
        lock,
        () => {},
        () => Promise.reject(new Error('no')),
      ),
    ).rejects.toThrow('no');
    await expect(
      withLock(
        lock,
        () => {},
        async () => 1,
      ),
    ).resolves.toBe(1);
  });

  it('gives up after its time, naming the holder', async () => {
    const lock = join(directory, 'lock');
    await writeFile(lock, JSON.stringify(identityOf(process.ppid)));
    await expect(
      withLock(
        lock,
        () => {},
        async () => 1,
        150,
      ),
    ).rejects.toThrow(`process ${process.ppid} still holds`);
  });
});

describe('process identity', () => {
  it('knows this process', () => {
    expect(isAlive(ownIdentity())).toBe(true);
  });

  it('does not take another start time for the same process', () => {
    expect(isAlive({ ...ownIdentity(), startTime: 'other' })).toBe(false);
  });

  it.each([0, -1, Number.NaN, 2 ** 22 + 1])('has none for pid %s', (pid) => {
    expect(identityOf(pid)).toBeUndefined();
  });
});
