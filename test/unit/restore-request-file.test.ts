/** Files that say what to restore: what is read of them, and what is said of those that cannot be used. */
import { gzipSync } from 'node:zlib';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LONGEST_ROW } from '../../lib/restore/csv.ts';
import { parseRequest, RequestFileError, readRequestFile } from '../../lib/restore/request-file.ts';
import { type Row, readInventoryFile, readList } from '../../lib/restore/rows.ts';
import { openStandIns, type StandIns } from '../support/stand-ins.ts';

let world: StandIns;
let nth = 0;
beforeAll(async () => {
  world = await openStandIns();
  await world.s3.send(new CreateBucketCommand({ Bucket: 'files' }));
});
afterAll(() => world.close());

async function put(body: string | Buffer, ending = '.txt'): Promise<string> {
  nth += 1;
  const Key = `file-${nth}${ending}`;
  await world.s3.send(new PutObjectCommand({ Bucket: 'files', Key, Body: body }));
  return `s3://files/${Key}`;
}

async function all(rows: AsyncIterable<Row>): Promise<Row[]> {
  const found: Row[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

/** What the message says, less the address, which it begins with. */
async function wrong(address: string, run: Promise<unknown> | (() => unknown)): Promise<string> {
  const error = await Promise.resolve()
    .then(() => (typeof run === 'function' ? run() : run))
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  expect(error).toBeInstanceOf(RequestFileError);
  const { message } = error as Error;
  expect(message.startsWith(address), message).toBe(true);
  return message.slice(address.length);
}

describe('a request', () => {
  const parsed = (value: object) => parseRequest(JSON.stringify(value), 's3://b/r.json');

  it('is read with its wishes', () => {
    const request = {
      launchId: 'run-7',
      urls: ['s3://bkt/a/'],
      tier: 'Bulk',
      deadline: '1.5h',
      days: 7,
      limitUsd: 12.5,
    };
    expect(parsed(request)).toEqual({
      kind: 'request',
      request,
      wishes: { tier: 'Bulk', deadlineSeconds: 5_400, days: 7, limitUsd: 12.5 },
    });
    expect(parsed({ urls: ['s3://bkt'] })).toHaveProperty('wishes', {});
  });

  it.each([
    ['not valid JSON', '{"urls": ['],
    ['the file: must be object', '[]'],
    ['the file: must be object', 'null'],
    ["the file: must have required property 'urls'", '{}'],
    ['urls: must NOT have fewer than 1 items', '{"urls": []}'],
    ['urls.1: must match pattern', '{"urls": ["s3://bkt/a", "bkt/a"]}'],
    ['the file: must NOT have additional properties: uris', '{"urls": ["s3://bkt/a"], "uris": []}'],
    ['tier: must be equal to one of the allowed values', '{"urls": ["s3://bkt/a"], "tier": "Slow"}'],
    ['days: must be <= 3650', '{"urls": ["s3://bkt/a"], "days": 4000}'],
    ['deadline: must match pattern', '{"urls": ["s3://bkt/a"], "deadline": "soon"}'],
    ['restoreId: must match pattern', '{"urls": ["s3://bkt/a"], "restoreId": "../x"}'],
  ])('is refused: %s', async (message, text) => {
    expect(await wrong('s3://b/r.json', () => parseRequest(text, 's3://b/r.json'))).toContain(message);
  });

  it('that is no JSON is not quoted: it may be anything', async () => {
    const text = '"secret words" and more';
    expect(await wrong('s3://b/r.json', () => parseRequest(text, 's3://b/r.json'))).not.toContain('secret');
  });

  it('is named by every problem it has at once', async () => {
    const message = await wrong('s3://b/r.json', () => parsed({ urls: [], days: 0, tier: 'Slow' }));
    expect(message.split('\n')).toHaveLength(4);
  });

  it('that is not there, or of another kind, is refused', async () => {
    const gone = 's3://files/gone.json';
    expect(await wrong(gone, readRequestFile(world.s3, gone))).toBe(': there is no such object');
    const bam = 's3://files/reads.bam';
    expect(await wrong(bam, readRequestFile(world.s3, bam))).toContain('expected a .json file');
    expect(await readRequestFile(world.s3, 's3://files/x.csv.gz')).toEqual({
      kind: 'list',
      address: 's3://files/x.csv.gz',
    });
  });
});

describe('the manifest of an S3 Inventory', () => {
  const manifest = {
    destinationBucket: 'arn:aws:s3:::reports',
    fileFormat: 'CSV',
    fileSchema: 'Bucket, Key, VersionId, IsLatest, IsDeleteMarker, StorageClass',
    files: [{ key: 'data/1.csv.gz' }, { key: 'data/2.csv.gz' }],
  };
  const parsed = (more: object) => parseRequest(JSON.stringify({ ...manifest, ...more }), 's3://b/manifest.json');

  it('names its files and columns', () => {
    expect(parsed({})).toEqual({
      kind: 'inventory',
      files: ['s3://reports/data/1.csv.gz', 's3://reports/data/2.csv.gz'],
      columns: ['Bucket', 'Key', 'VersionId', 'IsLatest', 'IsDeleteMarker', 'StorageClass'],
    });
  });

  it.each([
    ['in ORC: only CSV is read', { fileFormat: 'ORC' }],
    ['no column Key', { fileSchema: 'Bucket, VersionId' }],
    ['names no files', { files: [] }],
    ['names no files', { files: 'data/1.csv.gz' }],
    ['has no key', { files: [{ key: '' }] }],
    ['has no key', { files: [null] }],
  ])('is refused: %s', async (message, more) => {
    expect(await wrong('s3://b/manifest.json', () => parsed(more))).toContain(message);
  });
});

describe('a list', () => {
  const text =
    '# what was asked for\r\ns3://bkt/a,b\r\n\r\n"s3://bkt/c d"\r\n  s3://bkt/é?versionId=v1  \ns3://bkt/last';
  const rows = [
    { line: 2, bucket: 'bkt', key: 'a,b' },
    { line: 4, bucket: 'bkt', key: 'c d' },
    { line: 5, bucket: 'bkt', key: 'é', version: 'v1' },
    { line: 6, bucket: 'bkt', key: 'last' },
  ];

  it.each([
    ['plain', '.txt', Buffer.from(text)],
    ['compressed', '.csv.gz', gzipSync(text)],
  ])('is read line by line, %s', async (_, ending, body) => {
    expect(await all(readList(world.s3, await put(body, ending), 0))).toEqual(rows);
  });

  it('goes on after any of its lines', async () => {
    const address = await put(text);
    for (const [at, { line }] of rows.entries())
      expect(await all(readList(world.s3, address, line))).toEqual(rows.slice(at + 1));
  });

  it.each([
    [', line 2: expected s3://bucket/key', 's3://bkt/a\nhttps://bkt/b\n'],
    [', line 2: a list holds objects', 's3://bkt/a\ns3://bkt/b/\n'],
    [', line 1: a list holds objects', 's3://bkt/a*\n'],
    [', line 2: longer than 65536 characters', `s3://bkt/a\n${'x'.repeat(3_000_000)}`],
  ])('is refused: %s', async (message, body) => {
    const address = await put(body);
    expect(await wrong(address, all(readList(world.s3, address, 0)))).toContain(message);
  });

  it('that is not there, or only called .gz, is refused', async () => {
    const gone = 's3://files/gone.txt';
    expect(await wrong(gone, all(readList(world.s3, gone, 0)))).toBe(': there is no such object');
    const plain = await put(text, '.txt.gz');
    expect(await wrong(plain, all(readList(world.s3, plain, 0)))).toContain(': is called .gz and is not gzip');
  });
});

describe('a file of an S3 Inventory', () => {
  const columns = ['Bucket', 'Key', 'VersionId', 'IsLatest', 'IsDeleteMarker', 'StorageClass'];
  const quoted = (cells: readonly string[]) => `${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')}\n`;
  const encoded = (key: string) => encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/');

  it('gives back every key, whatever it is, and goes on after any row', async () => {
    const key = fc
      .string({ unit: fc.constantFrom(...'a/,"\'\n\r%+ ;=&é漢😀41'), minLength: 1, maxLength: 12 })
      .filter((text) => text.trim() !== '');
    await fc.assert(
      fc.asyncProperty(fc.array(key, { minLength: 1, maxLength: 6 }), fc.nat(6), async (keys, after) => {
        const body = keys.map((name) => quoted(['bkt', encoded(name), 'v,1', 'true', 'false', 'GLACIER'])).join('');
        const address = await put(gzipSync(body), '.csv.gz');
        const found = await all(readInventoryFile(world.s3, address, columns, after));
        expect(found).toEqual(
          keys.map((name, at) => ({ line: at + 1, bucket: 'bkt', key: name, version: 'v,1' })).slice(after),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('leaves out what needs no restore', async () => {
    const rows = [
      ['bkt', 'old', 'v1', 'false', 'false', 'GLACIER'],
      ['bkt', 'marker', 'v1', 'true', 'true', ''],
      ['bkt', 'standard', 'v1', 'true', 'false', 'STANDARD'],
      ['bkt', 'instant', 'v1', 'true', 'false', 'GLACIER_IR'],
      ['bkt', 'deep', 'null', 'true', 'false', 'DEEP_ARCHIVE'],
      ['bkt', 'tiering', '', 'true', 'false', 'INTELLIGENT_TIERING'],
      ['bkt', 'untold', '', 'true', 'false', ''],
    ];
    const address = await put(rows.map(quoted).join(''), '.csv');
    const found = await all(readInventoryFile(world.s3, address, columns, 0));
    expect(found).toEqual(['deep', 'tiering', 'untold'].map((key, at) => ({ line: 5 + at, bucket: 'bkt', key })));
  });

  it.each([
    ['row 2: 3 fields, where the manifest names 6 columns', `${quoted(['b', 'k', '', '', '', ''])}b,k,v\n`],
    ['row 1: no bucket or no key', quoted(['', 'k', '', 'true', 'false', 'GLACIER'])],
    ['row 1: no bucket or no key', quoted(['b', '', '', 'true', 'false', 'GLACIER'])],
    ['row 2: longer than', `${quoted(['b', 'k', '', '', '', ''])}"${'x'.repeat(LONGEST_ROW + 1)}"`],
  ])('is refused: %s', async (message, body) => {
    const address = await put(body, '.csv');
    expect(await wrong(address, all(readInventoryFile(world.s3, address, columns, 0)))).toContain(`, ${message}`);
  });
});
