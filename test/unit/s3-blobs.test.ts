/** Small bodies stand in the journal, large ones in files: who reads them sees no difference. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Blobs } from '../../infra/local/aws/s3/blobs.ts';

let folder: string;
let blobs: Blobs;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-blobs-'));
  blobs = new Blobs(folder);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const fileCount = async () =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;

async function text(body: Buffer | Readable): Promise<string> {
  if (!(body instanceof Readable)) return body.toString('utf8');
  return Buffer.concat((await body.toArray()) as Buffer[]).toString('utf8');
}

it('a small body makes no file, and is read whole or in part', async () => {
  const segments = blobs.put(Buffer.from('0123456789'));

  expect(await fileCount()).toBe(0);
  expect(await text(blobs.read(segments, 0, 9))).toBe('0123456789');
  expect(await text(blobs.read(segments, 3, 5))).toBe('345');
});

it('parts of both kinds are read as one, over their borders', async () => {
  const large = 'x'.repeat(10_000);
  const segments = [
    ...blobs.put(Buffer.from('head')),
    ...blobs.put(Buffer.from(large)),
    ...blobs.put(Buffer.from('tail')),
  ];
  const size = large.length + 8;

  expect(await fileCount()).toBe(1);
  expect(await text(blobs.read(segments, 0, size - 1))).toBe(`head${large}tail`);
  expect(await text(blobs.read(segments, 2, 5))).toBe('adxx');
  expect(await text(blobs.read(segments, size - 3, size - 1))).toBe('ail');
});

it('a copy stands when the original is removed', async () => {
  const segments = [...blobs.put(Buffer.from('small')), ...blobs.put(Buffer.alloc(5000, 'y'))];
  const copy = blobs.duplicate(segments);
  blobs.remove(segments);

  expect(await text(blobs.read(copy, 0, 5004))).toBe(`small${'y'.repeat(5000)}`);
});
