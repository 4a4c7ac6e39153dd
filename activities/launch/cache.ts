/**
 * Looking up items that have been done before, by another launch of the same consumer. docs/job-contract.md specifies
 * entries and what counts as a hit.
 *
 * @module
 */

import type { S3Client } from '@aws-sdk/client-s3';
import { heartbeat, log } from '@temporalio/activity';
import { type Commit, outputsDigest } from '../../jobs/commit.ts';
import { mapLimited } from '../../lib/concurrency.ts';
import { identify } from '../../lib/s3-identify.ts';
import { listKeys, readJson, UnreadableObjectError } from '../../lib/s3-objects.ts';
import { commitAddress } from '../../workflows/launch/manifest.ts';
import { cacheGroup, launchState } from '../../workflows/launch/places.ts';
import type { DoneItem } from './step-files.ts';

const COMMIT_LIMIT = 64 * 1024 * 1024;
/** Fewer keys than this are looked up one by one, more by listing the whole group. */
const WORTH_LISTING = 12;
const READING = 24;
/** Objects in these cannot be read at once (Amazon S3 User Guide, "Storage classes for rarely accessed objects"). */
const ARCHIVED = ['GLACIER', 'DEEP_ARCHIVE'];

interface Entry {
  key: string;
  digest: string;
  launch: string;
  step: string;
  item: string;
}

/**
 * @param keys of the items that are wanted, by place in the plan
 * @returns hits, by place in the plan
 */
export async function lookUp(
  s3: S3Client,
  place: { bucket: string; consumer: string; stepKey: string },
  keys: ReadonlyMap<number, string>,
): Promise<Map<number, DoneItem>> {
  const group = cacheGroup(place.bucket, place.consumer, place.stepKey);
  const entries = await findEntries(s3, place.bucket, group, new Set(keys.values()));
  if (entries.size === 0) return new Map();
  const hits = await verify(s3, place.bucket, entries);
  const found = new Map<number, DoneItem>();
  for (const [index, key] of keys) {
    const hit = hits.get(key);
    if (!hit) continue;
    const { launch, step, item, digest } = hit;
    found.set(index, { how: 'cached', launch, step, item, digest });
  }
  return found;
}

/** One entry a key: the last of S3's order, which of several that are all good does not matter. */
async function findEntries(
  s3: S3Client,
  bucket: string,
  group: string,
  wanted: ReadonlySet<string>,
): Promise<Map<string, Entry>> {
  const prefixes = wanted.size < WORTH_LISTING ? [...wanted].map((key) => `${group}${key}/`) : [group];
  const start = group.length - `s3://${bucket}/`.length;
  const entries = new Map<string, Entry>();
  await mapLimited(prefixes, READING, async (prefix) => {
    for await (const page of listKeys(s3, prefix)) {
      heartbeat();
      for (const name of page) {
        const [key = '', digest, launch, step, item, more] = name.slice(start).split('/');
        if (wanted.has(key) && digest && launch && step && item && more === undefined)
          entries.set(key, { key, digest, launch, step, item });
      }
    }
  });
  return entries;
}

/** A hit counts only if its commit says the same and all of its files are still there to be read. */
async function verify(s3: S3Client, bucket: string, entries: ReadonlyMap<string, Entry>): Promise<Map<string, Entry>> {
  const commits = new Map<string, Commit>();
  await mapLimited([...entries.values()], READING, async (entry) => {
    heartbeat();
    const address = commitAddress(launchState(bucket, entry.launch), entry.step, entry.item, entry.key);
    try {
      const commit = await readJson<Commit>(s3, address, COMMIT_LIMIT);
      if (commit.key === entry.key && outputsDigest(commit.outputs) === entry.digest) commits.set(entry.key, commit);
    } catch (error) {
      // Removed by a life-cycle rule or a person: no hit, and no trouble.
      if (!(error instanceof UnreadableObjectError)) throw error;
    }
  });
  const files = [...commits.values()].flatMap((commit) => Object.values(commit.outputs).flat());
  const there = await identify(
    s3,
    files.map(({ address }) => address),
    heartbeat,
  );
  const whole = (commit: Commit) =>
    Object.values(commit.outputs)
      .flat()
      .every(({ address, bytes }) => {
        const found = there.get(address);
        return found && 'size' in found && found.size === bytes && !ARCHIVED.includes(found.storageClass ?? '');
      });
  const hits = new Map<string, Entry>();
  for (const [key, commit] of commits) {
    const entry = entries.get(key);
    if (entry && whole(commit)) hits.set(key, entry);
    else log.info('a cached result is not usable any more', { launchId: entry?.launch, step: entry?.step });
  }
  return hits;
}
