/** Finding what is archived: cut off anywhere and gone on with, it loses nothing and has nothing twice. */
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  count,
  type Entry,
  IndexWriter,
  type RestoreIndex,
  readIndex,
  readShard,
} from '../../lib/restore/index-files.ts';
import { readSources } from '../../lib/restore/sources.ts';
import { partsOf, survey } from '../../lib/restore/survey.ts';
import { compareKeys } from '../../lib/s3-order.ts';
import type { Totals } from '../../workflows/restore/model.ts';

const PLACE = 's3://state/restores/r/run/';
const PAGE = 3;
/** The index is kept every 5 seconds; the clock goes so much on with a request, or not at all. */
const STEP_MS = 6_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const failure = (name: string, httpStatusCode: number) =>
  new S3ServiceException({ name, message: name, $fault: 'server', $metadata: { httpStatusCode } });

/** S3 in memory: what the survey reads, in pages of three, and what it writes. */
class MemoryS3 {
  readonly client = new S3Client({ region: 'us-east-1' });
  readonly written = new Map<string, Buffer>();
  readonly objects: Map<string, string>;
  calls = 0;
  /** Told before each call; what it throws is the answer. */
  before: (call: number, command: object) => Promise<void> | void = () => {};

  /** @param objects by `bucket/key`: their class */
  constructor(objects: Map<string, string> = new Map()) {
    this.objects = objects;
    vi.spyOn(this.client, 'send').mockImplementation((async (command: object) => {
      this.calls += 1;
      await this.before(this.calls, command);
      return this.#answer(command);
    }) as never);
  }

  #answer(command: object): object {
    if (command instanceof PutObjectCommand) {
      const { Bucket, Key, Body } = command.input;
      this.written.set(`${Bucket}/${Key}`, Buffer.from(Body as string | Buffer));
      return {};
    }
    if (command instanceof GetObjectCommand) {
      const bytes = this.written.get(`${command.input.Bucket}/${command.input.Key}`);
      if (!bytes) throw failure('NoSuchKey', 404);
      return { Body: { transformToByteArray: async () => bytes } };
    }
    if (command instanceof HeadObjectCommand) {
      const StorageClass = this.objects.get(`${command.input.Bucket}/${command.input.Key}`);
      if (StorageClass === undefined) throw failure('NotFound', 404);
      // Of Intelligent-Tiering every one that ends so is archived.
      const archived = StorageClass === 'INTELLIGENT_TIERING' && command.input.Key?.endsWith('a');
      return { ContentLength: 10, StorageClass, ...(archived && { ArchiveStatus: 'ARCHIVE_ACCESS' }) };
    }
    if (command instanceof ListObjectsV2Command) {
      const { Bucket, Prefix = '', StartAfter = '', ContinuationToken } = command.input;
      const after = ContinuationToken ?? StartAfter;
      const keys = [...this.objects.keys()]
        .filter((name) => name.startsWith(`${Bucket}/${Prefix}`))
        .map((name) => name.slice(`${Bucket}/`.length))
        .filter((key) => compareKeys(key, after) > 0)
        .toSorted(compareKeys);
      const page = keys.slice(0, PAGE);
      const Contents = page.map((Key) => ({ Key, Size: 10, StorageClass: this.objects.get(`${Bucket}/${Key}`) }));
      return { Contents, ...(keys.length > PAGE && { IsTruncated: true, NextContinuationToken: page.at(-1) }) };
    }
    throw new Error(`nobody should send ${command.constructor.name}`);
  }
}

async function entriesOf(s3: S3Client, { shards }: RestoreIndex): Promise<(Entry & { bucket: string })[]> {
  const read = await Promise.all(shards.map((_, shard) => readShard(s3, PLACE, shard)));
  return read.flatMap((entries, shard) => entries.map((entry) => ({ ...entry, bucket: shards[shard]?.bucket ?? '' })));
}

function totalsOf(entries: readonly Entry[]): Totals {
  const totals: Totals = {};
  for (const entry of entries) count(totals, entry);
  return totals;
}

const entry = fc.record({
  key: fc.string({ unit: fc.constantFrom('a', '/', '"', '\n', 'é', '😀'), minLength: 1, maxLength: 6 }),
  size: fc.nat(1_000),
  archive: fc.constantFrom('GLACIER' as const, 'DEEP_ARCHIVE' as const),
  state: fc.constantFrom('archived' as const, 'restoring' as const, 'readable' as const),
});

describe('an index', () => {
  it('cut off anywhere and gone on with has every entry once, in order', async () => {
    const found = fc.array(fc.tuple(fc.constantFrom('one', 'two'), entry), { maxLength: 25 });
    // At which of its writes each try is cut off, before it has its effect or after.
    const cuts = fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.boolean()), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(found, cuts, fc.infiniteStream(fc.boolean()), async (entries, crashes, keeps) => {
        const s3 = new MemoryS3();
        const write = async (cut?: readonly [number, boolean]): Promise<RestoreIndex> => {
          let writes = 0;
          const written = new Map(s3.written);
          s3.before = (_, command) => {
            if (!(command instanceof PutObjectCommand) || !cut) return;
            writes += 1;
            if (writes < cut[0]) return;
            if (cut[1])
              s3.written.set(`${command.input.Bucket}/${command.input.Key}`, Buffer.from(command.input.Body as string));
            throw failure('Gone', 400);
          };
          const before = await readIndex(s3.client, PLACE);
          if (before?.complete) return before;
          expect(written.size).toBeGreaterThanOrEqual(before?.shards.length ?? 0);
          const writer = new IndexWriter(s3.client, PLACE, before, 3);
          for (let at = Number(before?.cursor?.after ?? 0); at < entries.length; at += 1) {
            const [bucket, one] = entries[at] as (typeof entries)[number];
            await writer.add(bucket, one);
            if (keeps.next().value) vi.setSystemTime(Date.now() + STEP_MS);
            await writer.reached({ part: 0, after: String(at + 1) });
          }
          return writer.close();
        };
        for (const cut of crashes) await write(cut).catch(() => {});
        const index = await write();
        s3.before = () => {};

        expect(index.complete).toBe(true);
        expect(await entriesOf(s3.client, index)).toEqual(entries.map(([bucket, one]) => ({ ...one, bucket })));
        expect(index.totals).toEqual(totalsOf(entries.map(([, one]) => one)));
        for (const [bucket, { key }] of entries)
          expect(index.roots.some((root) => root.bucket === bucket && key.startsWith(root.prefix))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('has few roots however many shards, that cover all of them', async () => {
    const s3 = new MemoryS3();
    const writer = new IndexWriter(s3.client, PLACE, undefined, 1);
    const keys = Array.from({ length: 200 }, (_, nth) => `${nth % 2 === 0 ? 'x' : 'y'}${nth}/reads.bam`);
    for (const key of keys) await writer.add('one', { key, size: 1, archive: 'GLACIER', state: 'archived' });
    const { roots } = await writer.close();

    expect(roots.length).toBeLessThanOrEqual(20);
    for (const key of keys)
      expect(
        roots.some(({ prefix }) => key.startsWith(prefix)),
        key,
      ).toBe(true);
  });
});

describe('a survey', () => {
  const options = { beat: () => {}, now: () => Date.now(), shardObjects: 4 };
  const partsFor = (addresses: readonly string[]) => {
    const read = readSources(addresses);
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    return partsOf(read);
  };

  it('cut off at any request and gone on with finds every archived object once', async () => {
    const key = fc.string({ unit: fc.constantFrom('a', 'b', '/'), minLength: 1, maxLength: 4 });
    const classes = fc.constantFrom('GLACIER', 'DEEP_ARCHIVE', 'STANDARD', 'INTELLIGENT_TIERING');
    const objects = fc.uniqueArray(fc.tuple(key, classes), { selector: ([name]) => name, maxLength: 25 });
    const sources = fc.uniqueArray(fc.constantFrom('', 'a/', 'b/', 'a*', '*b', 'aa', 'ab', 'b'), {
      minLength: 1,
      maxLength: 5,
    });
    const cuts = fc.array(fc.integer({ min: 1, max: 25 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        objects,
        sources,
        cuts,
        fc.infiniteStream(fc.boolean()),
        async (there, named, crashes, keeps) => {
          const s3 = new MemoryS3(new Map(there.map(([name, of]) => [`bkt/${name}`, of])));
          const parts = partsFor(named.map((name) => `s3://bkt/${name}`));
          const run = (cut?: number) => {
            const from = s3.calls;
            s3.before = (call) => {
              if (keeps.next().value) vi.setSystemTime(Date.now() + STEP_MS);
              if (cut !== undefined && call - from >= cut) throw failure('Gone', 400);
            };
            return survey(s3.client, PLACE, parts, options);
          };
          for (const cut of crashes) await run(cut).catch(() => {});
          const index = await run();
          s3.before = () => {};

          const found = (await entriesOf(s3.client, index)).map((one) => one.key).toSorted();
          const takes = (name: string) => named.some((source) => isNamed(source, name));
          const wanted = there.filter(([name, of]) => isArchived(name, of) && takes(name));
          expect(found).toEqual(wanted.map(([name]) => name).toSorted());
          const others = there.filter(([name, of]) => !isArchived(name, of) && takes(name));
          expect(index.readable.objects).toBe(others.length);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('goes on between short parts: each is listed once, though the last fails', async () => {
    const s3 = new MemoryS3(new Map(['a/1', 'b/1', 'c/1'].map((name) => [`bkt/${name}`, 'GLACIER'])));
    const listed: string[] = [];
    let fails = true;
    s3.before = (_, command) => {
      if (!(command instanceof ListObjectsV2Command)) return;
      vi.setSystemTime(Date.now() + STEP_MS);
      listed.push(command.input.Prefix ?? '');
      if (fails && command.input.Prefix === 'c/') throw failure('Gone', 400);
    };
    const run = () => survey(s3.client, PLACE, partsFor(['s3://bkt/a/', 's3://bkt/b/', 's3://bkt/c/']), options);
    await expect(run()).rejects.toThrow('Gone');
    fails = false;
    await run();

    expect(listed).toEqual(['a/', 'b/', 'c/', 'c/']);
  });

  it('makes a listing that fails in passing again, in place', async () => {
    const s3 = new MemoryS3(new Map(['a/1', 'a/2', 'a/3', 'a/4'].map((name) => [`bkt/${name}`, 'GLACIER'])));
    let listings = 0;
    s3.before = (_, command) => {
      if (!(command instanceof ListObjectsV2Command)) return;
      listings += 1;
      if (listings === 2) throw failure('InternalError', 500);
    };
    const index = await survey(s3.client, PLACE, partsFor(['s3://bkt/a/']), options);

    expect(index.shards.map(({ objects }) => objects)).toEqual([4]);
    expect(listings).toBe(3);
  });

  it('fails as itself when a page fetched ahead has failed before it is needed', async () => {
    const s3 = new MemoryS3(
      new Map(['a/1', 'a/2', 'a/3', 'a/4'].map((name) => [`bkt/${name}`, 'INTELLIGENT_TIERING'])),
    );
    let ahead: (value?: unknown) => void = () => {};
    const failedAhead = new Promise((resolve) => {
      ahead = resolve;
    });
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    s3.before = async (_, command) => {
      if (command instanceof ListObjectsV2Command && command.input.ContinuationToken !== undefined) {
        setImmediate(ahead);
        throw failure('Ahead', 400);
      }
      if (!(command instanceof HeadObjectCommand)) return;
      await failedAhead;
      // Once Node has had time to see a rejection that nobody handles.
      await new Promise((resolve) => setImmediate(resolve));
    };
    const running = survey(s3.client, PLACE, partsFor(['s3://bkt/a/']), options);
    await expect(running).rejects.toThrow('Ahead');
    process.off('unhandledRejection', note);

    expect(unhandled).toEqual([]);
  });

  it('names what may not be listed and what is not there, and finds the rest', async () => {
    const s3 = new MemoryS3(new Map([['bkt/a/1', 'GLACIER']]));
    s3.before = (_, command) => {
      if (command instanceof ListObjectsV2Command && command.input.Bucket === 'locked')
        throw failure('AccessDenied', 403);
    };
    const { missing, shards } = await survey(
      s3.client,
      PLACE,
      partsFor(['s3://bkt/a/', 's3://locked/x/', 's3://bkt/gone']),
      options,
    );

    expect(shards).toEqual([{ bucket: 'bkt', objects: 1, bytes: 10 }]);
    expect(missing.first.map(({ address, code }) => [address, code])).toEqual([
      ['s3://locked/x/', 'AccessDenied'],
      ['s3://bkt/gone', 'NoSuchKey'],
    ]);
    expect(missing.count).toBe(2);
  });
});

const isArchived = (name: string, of: string) =>
  of === 'GLACIER' || of === 'DEEP_ARCHIVE' || (of === 'INTELLIGENT_TIERING' && name.endsWith('a'));

function isNamed(source: string, name: string): boolean {
  if (source === 'a*') return /^a[^/]*$/.test(name);
  if (source === '*b') return /^[^/]*b$/.test(name);
  return source === '' || source.endsWith('/') ? name.startsWith(source) : name === source;
}
