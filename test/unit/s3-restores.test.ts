/** Restores of the S3 stand-in in number: the account's quota, and one timer for all of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ObjectVersion } from '../../infra/local/aws/s3/model.ts';
import { Restores } from '../../infra/local/aws/s3/restores.ts';
import { S3Store } from '../../infra/local/aws/s3/store.ts';
import { Clock } from '../../infra/local/kit/clock.ts';

const HOUR = 3_600_000;
let directory: string;
let clock: Clock;
let store: S3Store;
let restores: Restores;
let told: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'longhaul-restores-'));
  clock = new Clock();
  store = new S3Store({ clock, directory });
  told = [];
  const notifier = {
    configure: () => ({ queues: [], eventBridge: false }),
    tell: (_: unknown, kind: string) => void told.push(kind),
  };
  restores = new Restores({ store, notifier });
  store.record({ op: 'bucket', settings: { name: 'b', createdAt: 0 } });
});
afterEach(() => {
  restores.close();
  store.close();
  rmSync(directory, { recursive: true });
});

function archived(key: string): ObjectVersion {
  const version: ObjectVersion = {
    key,
    id: 'null',
    at: 0,
    sequencer: store.newSequencer(),
    size: 0,
    etag: 'e',
    segments: [],
    storageClass: 'GLACIER',
    headers: {},
    metadata: {},
    tags: {},
  };
  store.record({ op: 'put', bucket: 'b', version });
  return version;
}

it('are taken a thousand a second, and no more', () => {
  const bucket = store.bucket('b');
  const versions = Array.from({ length: 2_500 }, (_, index) => archived(`k${index}`));
  const begun = performance.now();
  let taken = 0;
  let refused = 0;
  for (const version of versions) {
    try {
      restores.request(bucket, version, { tier: 'Bulk', days: 1 });
      taken += 1;
    } catch (error) {
      expect(error).toMatchObject({ code: 'SlowDown', status: 503 });
      refused += 1;
    }
  }
  const seconds = (performance.now() - begun) / 1000;
  expect(taken + refused).toBe(2_500);
  expect(taken).toBeGreaterThanOrEqual(1_000);
  expect(taken).toBeLessThanOrEqual(1_000 + Math.ceil(seconds * 1_000) + 1);
  clock.advance(1_000);
  expect(() =>
    restores.request(bucket, versions.at(-1) as ObjectVersion, { tier: 'Expedited', days: 1 }),
  ).not.toThrow();
});

it('come true one after the other, each is told of once', () => {
  const bucket = store.bucket('b');
  for (let index = 0; index < 500; index += 1)
    restores.request(bucket, archived(`k${index}`), { tier: 'Bulk', days: 1 });
  clock.advance(5 * HOUR - 60_000);
  expect(told).toEqual([]);
  clock.advance(3 * HOUR);
  expect(told.length).toBeGreaterThan(0);
  expect(told.length).toBeLessThan(500);
  clock.advance(5 * HOUR);
  expect(told).toEqual(Array.from({ length: 500 }, () => 'ObjectRestore:Completed'));
  clock.advance(72 * HOUR);
  expect(told.slice(500)).toEqual(Array.from({ length: 500 }, () => 'ObjectRestore:Delete'));
});

it('that Batch Operations asks for change what is going on only for as many days', () => {
  const bucket = store.bucket('b');
  const version = archived('k');
  restores.request(bucket, version, { tier: 'Bulk', days: 1 });

  expect(() => restores.request(bucket, version, { tier: 'Standard', days: 2, byBatch: true })).toThrow(
    'Object restore is already in progress',
  );
  restores.request(bucket, version, { tier: 'Standard', days: 1, byBatch: true });
  expect(version.restore).toMatchObject({ tier: 'Standard', days: 1 });
});
