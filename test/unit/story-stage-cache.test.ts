/** What was paid for is kept once and found again, whoever was first and however often S3 has to be asked. */
import { CreateBucketCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openStageCache, type StageCache } from '../../lib/story/stage-cache.ts';
import { openStandIns, type StandIns } from '../support/stand-ins.ts';

const BUCKET = 'longhaul';
let standIns: StandIns;
let cache: StageCache;
let key: string;
let nth = 0;
let before = 0;

beforeAll(async () => {
  standIns = await openStandIns();
  await standIns.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
afterAll(() => standIns.close());
beforeEach(() => {
  standIns.kit.faults.set([]);
  nth += 1;
  before = standIns.kit.calls.lastSeq;
  key = `stories/moon/2026-11-01/text-${nth}.json`;
  cache = openStageCache(standIns.s3, BUCKET, { pauseMs: 1 });
});

const puts = () => standIns.kit.calls.list({ service: 's3', operation: 'PutObject', afterSeq: before });

it('finds nothing where nothing was kept', async () => {
  await expect(cache.find(key)).resolves.toBeUndefined();
});

it('finds what was kept, with its type and what was noted with it', async () => {
  const kept = await cache.keep(key, Buffer.from('once'), 'text/plain', { usage: '{"pictures":1}' });

  const expected = { bytes: Buffer.from('once'), contentType: 'text/plain', metadata: { usage: '{"pictures":1}' } };
  expect(kept).toEqual(expected);
  await expect(cache.find(key)).resolves.toEqual(expected);
});

it('keeps the first of two, and gives it to the second', async () => {
  await cache.keep(key, Buffer.from('first'), 'text/plain');

  const second = await cache.keep(key, Buffer.from('second'), 'text/html');

  expect(second).toMatchObject({ bytes: Buffer.from('first'), contentType: 'text/plain' });
});

it('gives all who come at the same moment the same', async () => {
  const all = await Promise.all(['a', 'b', 'c', 'd'].map((text) => cache.keep(key, Buffer.from(text), 'text/plain')));

  expect(new Set(all.map(({ bytes }) => bytes.toString())).size).toBe(1);
});

it('keeps it though S3 fails beyond the patience of its client', async () => {
  standIns.kit.faults.set([
    { service: 's3', operation: 'PutObject', times: 4, effect: 'error', status: 503, code: 'ServiceUnavailable' },
  ]);

  await cache.keep(key, Buffer.from('paid'), 'text/plain');

  expect(puts().length).toBeGreaterThan(4);
  await expect(cache.find(key)).resolves.toMatchObject({ bytes: Buffer.from('paid') });
});

it('takes what it put itself when the answer was lost', async () => {
  standIns.kit.faults.set([{ service: 's3', operation: 'PutObject', when: 'after', effect: 'reset' }]);

  const kept = await cache.keep(key, Buffer.from('paid'), 'text/plain');

  expect(kept.bytes.toString()).toBe('paid');
});

it('says at once what no patience will mend', async () => {
  const nowhere = openStageCache(standIns.s3, 'no-such-bucket', { pauseMs: 1 });

  await expect(nowhere.keep(key, Buffer.from('x'), 'text/plain')).rejects.toThrow(/bucket/i);
  expect(puts()).toHaveLength(1);
});

it('removes what is there, and does not mind when it is not', async () => {
  await cache.keep(key, Buffer.from('x'), 'text/plain');

  await cache.remove(key);
  await cache.remove(key);

  await expect(standIns.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }))).rejects.toThrow();
});
