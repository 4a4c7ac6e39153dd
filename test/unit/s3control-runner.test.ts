/** How jobs of the stand-in for S3 Batch Operations are moved on: what S3 throttles, whose turn it is, what a kill leaves. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ObjectPort } from '../../infra/local/aws/ports.ts';
import type { Job } from '../../infra/local/aws/s3control/model.ts';
import { Runner } from '../../infra/local/aws/s3control/runner.ts';
import { JobStore } from '../../infra/local/aws/s3control/store.ts';
import { Clock } from '../../infra/local/kit/clock.ts';
import { AwsError } from '../../infra/local/kit/service.ts';

const DAY = 24 * 3_600_000;
let directory: string;
let clock: Clock;
let store: JobStore;
let runner: Runner;
let manifest: string;
let written: string[];
/** Keys that were restored, in order. */
let restored: string[];
/** So many requests S3 still takes. */
let quota: number;

const objects: ObjectPort = {
  restore({ key }) {
    if (quota === 0) throw new AwsError('SlowDown', 'Please reduce your request rate.', 503);
    quota -= 1;
    if (key.startsWith('bad')) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
    restored.push(key);
  },
  read: async () => ({ etag: 'e', bytes: Buffer.from(manifest) }),
  write: (_, key) => void written.push(key),
};

function open(): void {
  store = new JobStore({ clock, directory });
  runner = new Runner(store, objects);
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'longhaul-s3control-'));
  clock = new Clock();
  manifest = 'b,one\nb,two\nb,three\nb,four\n';
  written = [];
  restored = [];
  quota = Number.POSITIVE_INFINITY;
  open();
});
afterEach(async () => {
  await runner.close();
  store.close();
  rmSync(directory, { recursive: true });
});

function add(id: string, more: Partial<Job> = {}): void {
  store.put({
    id,
    token: id,
    fingerprint: id,
    status: 'New',
    createdAt: clock.now(),
    confirmationRequired: false,
    priority: 1,
    roleArn: 'arn:aws:iam::123456789012:role/r',
    tags: [],
    restore: { days: 1 },
    manifest: { fields: ['Bucket', 'Key'], objectArn: 'arn:aws:s3:::b/m.csv', etag: 'e' },
    report: { bucketArn: 'arn:aws:s3:::b', scope: 'FailedTasksOnly' },
    total: 0,
    succeeded: 0,
    failed: 0,
    ...more,
  });
  runner.wake();
}
const reaches = (id: string, status: string) => expect.poll(() => store.find(id)?.status).toBe(status);
const hasRun = (count: number) => expect.poll(() => restored.length).toBe(count);

it('what S3 throttles waits for the clock, and does not fail', async () => {
  quota = 3;
  add('j');
  await hasRun(3);
  expect(store.find('j')).toMatchObject({ status: 'Active', succeeded: 3, failed: 0 });

  quota = 1;
  clock.advance(100);
  await reaches('j', 'Complete');
  expect(restored).toEqual(['one', 'two', 'three', 'four']);
  expect(store.find('j')).toMatchObject({ succeeded: 4, failed: 0 });
});

it('a job goes on where it was, and reports what failed before, also from a journal that was rewritten', async () => {
  const keys = Array.from({ length: 200 }, (_, index) => `k${index}`);
  manifest = ['bad', ...keys].map((key) => `b,${key}\n`).join('');
  quota = 150;
  add('j');
  await hasRun(149);
  await runner.close();
  manifest = 'another one by now';
  // The first of the two rewrites the journal, the second reads what was written.
  for (let count = 0; count < 2; count += 1) {
    store.close();
    open();
  }
  runner.wake();
  quota = 99;
  clock.advance(100);
  await reaches('j', 'Complete');

  expect(restored).toEqual(keys);
  expect(store.find('j')).toMatchObject({ total: 201, succeeded: 200, failed: 1 });
  expect(written.map((key) => key.replace(/results\/.*/, 'results'))).toEqual(['job-j/results', 'job-j/manifest.json']);
});

it('the higher priority comes first, also where it comes later', async () => {
  quota = 1;
  add('low');
  await hasRun(1);
  manifest = 'b,urgent\n';
  add('high', { priority: 9 });
  clock.advance(100);
  await reaches('high', 'Active');
  quota = 9;
  clock.advance(100);
  await reaches('low', 'Complete');

  expect(restored).toEqual(['one', 'urgent', 'two', 'three', 'four']);
});

describe('a job that is cancelled', () => {
  it('runs no more tasks, and reports those it has run', async () => {
    manifest = 'b,bad\nb,one\nb,two\n';
    quota = 2;
    add('j');
    await hasRun(1);
    store.change('j', { status: 'Cancelling' });
    quota = 9;
    clock.advance(100);
    await reaches('j', 'Cancelled');

    expect(restored).toEqual(['one']);
    expect(written.filter((key) => key.endsWith('.csv'))).toHaveLength(1);
  });
});

it.each([
  ['b\n', 'row 1 of the manifest has 1 fields instead of 2'],
  ['b,one\nb,%zz\n', 'row 2 of the manifest has a key that is not URL-encoded'],
])('the manifest %j fails the job', async (text, reason) => {
  manifest = text;
  add('j');
  await reaches('j', 'Failed');

  expect(store.find('j')?.failure?.reason).toContain(reason);
  expect(restored).toEqual([]);
});

it('a report that cannot be written fails the job', async () => {
  const refusing = new Runner(store, {
    ...objects,
    write() {
      throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404);
    },
  });
  await runner.close();
  runner = refusing;
  add('j');
  await reaches('j', 'Failed');

  expect(store.find('j')).toMatchObject({ succeeded: 4, failure: { code: 'NoSuchBucket' } });
});

it('a task without the version that the others have fails alone', async () => {
  manifest = 'b,one,v1\nb,two,\n';
  add('j', { manifest: { fields: ['Bucket', 'Key', 'VersionId'], objectArn: 'arn:aws:s3:::b/m', etag: 'e' } });
  await reaches('j', 'Complete');

  expect(restored).toEqual(['one']);
  expect(store.find('j')).toMatchObject({ succeeded: 1, failed: 1 });
});

it('of a job that is over no manifest is kept, and after 90 days nothing', async () => {
  add('j');
  await reaches('j', 'Complete');

  expect(readdirSync(join(directory, 'manifests'))).toEqual([]);

  clock.advance(89 * DAY);
  expect(store.list()).toHaveLength(1);
  clock.advance(2 * DAY);
  expect(store.list()).toEqual([]);
  store.close();
  open();
  expect(store.list()).toEqual([]);
});
