/** The states of many objects in few calls: by listing where it pays, by HeadObject where that alone tells. */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
  RestoreObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { mapLimited } from '../../lib/concurrency.ts';
import { type Look, lookAt, type Wanted } from '../../lib/restore/look.ts';
import { openStandIns, type StandIns } from '../support/stand-ins.ts';

const BUCKET = 'looked-at';
const HOUR = 3_600_000;

let world: StandIns;
beforeEach(async () => {
  world = await openStandIns();
  await world.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await world.close();
});

const name = (nth: number) => `runs/${String(nth).padStart(4, '0')}`;
const names = (count: number) => Array.from({ length: count }, (_, nth) => name(nth));
const put = (keys: readonly string[], StorageClass: 'GLACIER' | 'STANDARD' | 'INTELLIGENT_TIERING' = 'GLACIER') =>
  mapLimited(keys, 32, (Key) =>
    world.s3
      .send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'x', StorageClass }))
      .then(({ VersionId }) => VersionId),
  );
const restore = (Key: string) =>
  world.s3.send(
    new RestoreObjectCommand({
      Bucket: BUCKET,
      Key,
      RestoreRequest: { Days: 1, GlacierJobParameters: { Tier: 'Standard' } },
    }),
  );
const look = (wanted: readonly Wanted[]) =>
  lookAt(world.s3, BUCKET, wanted, { beat: () => {}, now: () => world.kit.clock.now() });
const stateOf = (seen: Look) => ('code' in seen ? seen.code : seen.state);
const counted = (operation: string) => world.kit.calls.list({ service: 's3', operation }).length;

/** Archived, being restored, readable, not archived, gone. */
async function everyState(): Promise<{ keys: string[]; states: string[] }> {
  const keys = names(40);
  await put(keys);
  for (const key of keys.slice(10, 20)) await restore(key);
  world.kit.clock.advance(6 * HOUR);
  for (const key of keys.slice(20, 30)) await restore(key);
  await put(keys.slice(30, 35), 'STANDARD');
  for (const Key of keys.slice(35)) await world.s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
  const of = (state: string, times: number) => Array.from({ length: times }, () => state);
  return {
    keys,
    states: [
      ...of('archived', 10),
      ...of('readable', 10),
      ...of('restoring', 10),
      ...of('readable', 5),
      ...of('NoSuchKey', 5),
    ],
  };
}

const refuseListings = () => refuse((command) => command instanceof ListObjectsV2Command);
function refuse(which: (command: object) => boolean): void {
  const send = world.s3.send.bind(world.s3);
  vi.spyOn(world.s3, 'send').mockImplementation((async (command: Parameters<S3Client['send']>[0]) => {
    if (which(command))
      throw new S3ServiceException({
        name: 'AccessDenied',
        message: 'Access Denied',
        $fault: 'client',
        $metadata: { httpStatusCode: 403 },
      });
    return send(command as ListObjectsV2Command);
  }) as never);
}

describe('a look', () => {
  it('sees every state, in the order it was asked in, by one listing', async () => {
    const { keys, states } = await everyState();
    const heads = counted('HeadObject');

    expect((await look(keys.map((key) => ({ key })))).map(stateOf)).toEqual(states);
    const shuffled = keys.map((_, at) => (at * 7) % keys.length);
    expect((await look(shuffled.map((at) => ({ key: keys[at] ?? '' })))).map(stateOf)).toEqual(
      shuffled.map((at) => states[at]),
    );

    expect(counted('ListObjectsV2')).toBe(2);
    // Those that are gone, the first, which a listing starts after, and one that the listing is checked by.
    expect(counted('HeadObject') - heads).toBeLessThanOrEqual(2 * 7);
  });

  it('sees the same where it may not list', async () => {
    const { keys, states } = await everyState();
    refuseListings();

    expect((await look(keys.map((key) => ({ key })))).map(stateOf)).toEqual(states);
  });

  it('sees the same where listings leave out what is being restored, as some emulators do', async () => {
    const { keys, states } = await everyState();
    const send = world.s3.send.bind(world.s3);
    vi.spyOn(world.s3, 'send').mockImplementation((async (command: ListObjectsV2Command) => {
      const answer = await send(command);
      for (const object of answer.Contents ?? []) delete object.RestoreStatus;
      return answer;
    }) as never);
    // Here the first a listing shows as archived is one that is not.
    const some = keys.map((key, at) => ({ key, at })).slice(9);

    expect((await look(some)).map(stateOf)).toEqual(some.map(({ at }) => states[at]));
  });

  it('goes over the ends of pages; of few objects, or of some far apart among others, it does not list them all', async () => {
    const keys = names(2_600);
    await put(keys);
    await restore(name(999));
    await restore(name(1_000));

    const looks = await look(keys.map((key) => ({ key })));
    expect(looks.flatMap((seen, at) => (stateOf(seen) === 'archived' ? [] : [[at, stateOf(seen)]]))).toEqual([
      [999, 'restoring'],
      [1_000, 'restoring'],
    ]);
    expect(counted('ListObjectsV2')).toBe(3);

    const few = await look(names(12).map((key) => ({ key })));
    expect(few.map(stateOf)).toEqual(few.map(() => 'archived'));
    expect(counted('ListObjectsV2')).toBe(3);

    // One in 200: five on a page, after the first of which it gives up.
    const sparse = Array.from({ length: 13 }, (_, nth) => ({ key: name(nth * 200 + 1) }));
    expect((await look(sparse)).map(stateOf)).toEqual(sparse.map(() => 'archived'));
    expect(counted('ListObjectsV2')).toBe(4);
  });

  it('asks of Intelligent-Tiering one by one: a listing does not tell', async () => {
    await put(names(20), 'INTELLIGENT_TIERING');
    await world.kit.actions.get('POST archive')?.({ bucket: BUCKET, prefix: name(3), archiveStatus: 'ARCHIVE_ACCESS' });
    const expected = names(20).map((_, at) => (at === 3 ? 'archived' : 'readable'));

    expect((await look(names(20).map((key) => ({ key, untold: true })))).map(stateOf)).toEqual(expected);
    expect(counted('ListObjectsV2')).toBe(0);
    // Also where nobody has said that it is one.
    expect((await look(names(20).map((key) => ({ key })))).map(stateOf)).toEqual(expected);
  });

  it('tells versions of one key apart, and names delete markers', async () => {
    await world.s3.send(
      new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration: { Status: 'Enabled' } }),
    );
    const keys = names(20);
    const first = await put(keys);
    const second = await put(keys, 'STANDARD');
    const markers = await mapLimited(keys.slice(0, 2), 1, (Key) =>
      world.s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key })).then(({ VersionId }) => VersionId),
    );
    const of = (versions: readonly (string | undefined)[]) =>
      versions.map((version, at) => ({ key: keys[at] ?? '', version: version ?? '' }));
    const wanted = [...of(first), ...of(second), ...of(markers), ...keys.map((key) => ({ key }))];
    const expected = [
      ...first.map(() => 'archived'),
      ...second.map(() => 'readable'),
      ...markers.map(() => 'MethodNotAllowed'),
      ...keys.map((_, at) => (at < 2 ? 'NoSuchKey' : 'readable')),
    ];

    expect((await look(wanted)).map(stateOf)).toEqual(expected);
    expect(counted('ListObjectVersions')).toBeGreaterThan(0);
    // A version that never was.
    expect((await look([{ key: name(5), version: 'f'.repeat(32) }])).map(stateOf)).toEqual(['NoSuchKey']);
  });

  it('says which may not be looked at', async () => {
    await put(names(3));
    refuse(() => true);

    expect((await look(names(3).map((key) => ({ key })))).map(stateOf)).toEqual(names(3).map(() => 'AccessDenied'));
  });

  it('ends at once when its caller is to end', async () => {
    await put(names(40));
    const stop = new Error('cancelled');
    const beat = vi.fn(() => {
      throw stop;
    });

    const looking = lookAt(
      world.s3,
      BUCKET,
      names(40).map((key) => ({ key })),
      { beat, now: Date.now },
    );

    await expect(looking).rejects.toBe(stop);
    expect(counted('ListObjectsV2') + counted('HeadObject')).toBe(0);
  });
});
