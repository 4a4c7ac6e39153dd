/**
 * The states of many known objects of one bucket in few calls: by listing where they lie close together, by HeadObject
 * elsewhere, and of Intelligent-Tiering always.
 *
 * @module
 */
import {
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { mapLimited } from '../concurrency.ts';
import { commonPrefix, compareKeys } from '../s3-order.ts';
import { patiently } from './patience.ts';
import { type Seen, seenByHead, seenInListing, UNTOLD } from './state.ts';

export interface Wanted {
  key: string;
  /** Without it the current one. */
  version?: string;
  /** Only HeadObject tells of it. */
  untold?: boolean;
}

/** What is seen of it; or that it is not there or may not be looked at, with S3's code. */
export type Look = Seen | { code: string };

export interface LookOptions {
  /** Called before each request. */
  beat(): void;
  /** Epoch ms. */
  now(): number;
}

/** Fewer than this are asked for one by one. */
const WORTH_LISTING = 12;
/** A page of a listing brings 1,000 keys; after one with fewer wanted ones than this some are asked for one by one. */
const WANTED_PER_PAGE = 8;
const ASKED_BETWEEN = 64;
const ASKING = 32;

/** @returns one for each wanted object, in their order */
export async function lookAt(
  s3: S3Client,
  bucket: string,
  wanted: readonly Wanted[],
  options: LookOptions,
): Promise<Look[]> {
  const looks = Array.from<Look | undefined>({ length: wanted.length });
  const places = wanted.map((_, place) => place);
  const listed = places.filter((place) => !wanted[place]?.untold);
  listed.sort((a, b) => compareKeys(wanted[a]?.key ?? '', wanted[b]?.key ?? ''));
  await new Lister(s3, bucket, wanted, looks, options).look(listed);
  const left = places.filter((place) => looks[place] === undefined);
  await mapLimited(left, ASKING, async (place) => {
    looks[place] = await head(s3, bucket, wanted[place] as Wanted, options);
  });
  return looks as Look[];
}

/** Leaves those undefined which it is not worth listing for, or which a listing does not show. */
class Lister {
  readonly #s3: S3Client;
  readonly #bucket: string;
  readonly #wanted: readonly Wanted[];
  readonly #looks: (Look | undefined)[];
  readonly #options: LookOptions;

  constructor(
    s3: S3Client,
    bucket: string,
    wanted: readonly Wanted[],
    looks: (Look | undefined)[],
    options: LookOptions,
  ) {
    this.#s3 = s3;
    this.#bucket = bucket;
    this.#wanted = wanted;
    this.#looks = looks;
    this.#options = options;
  }

  /** @param places in the order of their keys */
  async look(places: readonly number[]): Promise<void> {
    // A listing starts after a key, so the first is left out of it.
    for (let next = 1; places.length - next >= WORTH_LISTING; ) {
      const end = await this.#listFrom(places, next);
      if (end === undefined) return;
      next = end + ASKED_BETWEEN;
    }
  }

  /** @returns the place at which listing was given up; undefined at the end, or where listing is not allowed */
  async #listFrom(places: readonly number[], start: number): Promise<number | undefined> {
    const keyAt = (place: number) => this.#wanted[places[place] as number]?.key ?? '';
    const versions = places.some((place) => this.#wanted[place]?.version !== undefined);
    const after = keyAt(start - 1);
    const prefix = commonPrefix(after, keyAt(places.length - 1));
    let next = start;
    for await (const page of versions ? this.#versionPages(prefix, after) : this.#pages(prefix, after)) {
      if (!page) return undefined;
      const before = next;
      let doubted = false;
      for (; next < places.length; next += 1) {
        if (page.last !== undefined && compareKeys(keyAt(next), page.last) >= 0 && !page.objects.has(keyAt(next)))
          break;
        const place = places[next] as number;
        const { key, version } = this.#wanted[place] as Wanted;
        const seen = page.objects.get(version === undefined ? key : `${key}\0${version}`);
        if (seen === undefined || seen === UNTOLD) continue;
        // Some emulators leave RestoreStatus out of listings: one question a page tells.
        if (seen.state === 'archived' && !doubted) {
          doubted = true;
          const look = await head(this.#s3, this.#bucket, this.#wanted[place] as Wanted, this.#options);
          if ('state' in look && look.state !== 'archived') return undefined;
        }
        this.#looks[place] = seen;
      }
      if (page.last === undefined || next >= places.length) return undefined;
      if (next - before < WANTED_PER_PAGE) return next;
    }
    return undefined;
  }

  async *#pages(prefix: string, after: string): AsyncGenerator<Page | undefined> {
    let token: string | undefined;
    do {
      const answer = await this.#allowed(() =>
        this.#s3.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: prefix,
            OptionalObjectAttributes: ['RestoreStatus'],
            ...(token === undefined ? { StartAfter: after } : { ContinuationToken: token }),
          }),
        ),
      );
      if (!answer) return yield undefined;
      token = answer.IsTruncated ? answer.NextContinuationToken : undefined;
      const objects = new Map<string, Seen | typeof UNTOLD>();
      for (const object of answer.Contents ?? []) objects.set(object.Key ?? '', this.#see(object));
      yield { objects, last: token === undefined ? undefined : answer.Contents?.at(-1)?.Key };
    } while (token !== undefined);
  }

  async *#versionPages(prefix: string, after: string): AsyncGenerator<Page | undefined> {
    let marker: VersionMarker | undefined = { KeyMarker: after };
    while (marker) {
      const from: VersionMarker = marker;
      const answer = await this.#allowed(() =>
        this.#s3.send(
          new ListObjectVersionsCommand({
            Bucket: this.#bucket,
            Prefix: prefix,
            OptionalObjectAttributes: ['RestoreStatus'],
            ...from,
          }),
        ),
      );
      if (!answer) return yield undefined;
      const objects = new Map<string, Seen | typeof UNTOLD>();
      for (const version of answer.Versions ?? []) {
        const seen = this.#see(version);
        objects.set(`${version.Key}\0${version.VersionId}`, seen);
        if (version.IsLatest) objects.set(version.Key ?? '', seen);
      }
      const { NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = answer;
      marker =
        answer.IsTruncated && KeyMarker !== undefined
          ? { KeyMarker, ...(VersionIdMarker && { VersionIdMarker }) }
          : undefined;
      yield { objects, last: marker?.KeyMarker };
    }
  }

  #see(object: Parameters<typeof seenInListing>[0]): Seen | typeof UNTOLD {
    return object.StorageClass === UNTOLD ? UNTOLD : seenInListing(object, this.#options.now());
  }

  /** Listing may be forbidden where looking at each is not; what HeadObject then says is better. */
  async #allowed<T>(list: () => Promise<T>): Promise<T | undefined> {
    try {
      return await patiently(this.#options.beat, list);
    } catch (error) {
      if (error instanceof S3ServiceException && [403, 404].includes(error.$metadata.httpStatusCode ?? 0))
        return undefined;
      throw error;
    }
  }
}

interface VersionMarker {
  KeyMarker: string;
  VersionIdMarker?: string;
}

interface Page {
  objects: Map<string, Seen | typeof UNTOLD>;
  /** Up to which key it goes; undefined for the last page. */
  last: string | undefined;
}

async function head(s3: S3Client, bucket: string, { key, version }: Wanted, { beat, now }: LookOptions): Promise<Look> {
  const object = { Bucket: bucket, Key: key, ...(version !== undefined && { VersionId: version }) };
  try {
    const answer = await patiently(beat, () => s3.send(new HeadObjectCommand(object)));
    return seenByHead(answer, now());
  } catch (error) {
    const code = lookRefused(error);
    if (code === undefined) throw error;
    return { code };
  }
}

/** An answer to HEAD has no body, so its status is all there is. */
function lookRefused(error: unknown): string | undefined {
  if (!(error instanceof S3ServiceException)) return undefined;
  const status = error.$metadata.httpStatusCode;
  if (status === 404) return 'NoSuchKey';
  if (status === 403) return 'AccessDenied';
  // Of a delete marker, named by its version.
  if (status === 405) return 'MethodNotAllowed';
  return status === 400 ? 'BadRequest' : undefined;
}
