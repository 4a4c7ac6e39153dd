/**
 * A bucket with any number of archived objects that nobody has put: its listing is made up page by page, so a test can
 * see what millions of objects need of everything else. Small objects that are put are kept in a folder.
 *
 * @module
 */
import { mkdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  type HeadObjectCommandInput,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  NoSuchKey,
  PutObjectCommand,
  type PutObjectCommandInput,
  RestoreObjectCommand,
  type RestoreObjectCommandInput,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { expiryOf, retrievalMs } from '../../infra/local/aws/s3/archive.ts';

const PREFIX = 'runs/';
const PAGE = 1_000;
const SIZE = 1_048_576;

export interface SyntheticCounts {
  list: number;
  head: number;
  restore: number;
  put: number;
  get: number;
}

export interface SyntheticArchiveOptions {
  objects: number;
  /** For what is put: everything outside the archive. */
  directory: string;
  /** Epoch ms. */
  now(): number;
  /** Told before each page of a listing. */
  listing?(): void;
}

/** About 60 characters, in S3's order. */
const keyOf = (nth: number): string => {
  const number = String(nth).padStart(10, '0');
  return `${PREFIX}${number.slice(0, 5)}/plate-${number.slice(0, 8)}/sample-${number}.fastq.gz`;
};
const numberIn = (key: string): number => Number(/sample-(\d{10})\.fastq\.gz$/.exec(key)?.[1]);

/** The commands of S3 that restores send; `as S3Client` where one is wanted. */
export class SyntheticArchive {
  readonly bucket = 'archive';
  readonly prefix = PREFIX;
  readonly counts: SyntheticCounts = { list: 0, head: 0, restore: 0, put: 0, get: 0 };
  /** Objects that were asked for, and requests for such as were being restored already. */
  asked = 0;
  askedTwice = 0;
  /** Bytes of the largest object that was put or got. */
  largest = 0;
  readonly #objects: number;
  readonly #directory: string;
  readonly #now: () => number;
  readonly #listing: (() => void) | undefined;
  /** A bit for each object: whether it was asked for. All that grows with their number. */
  readonly #bits: Uint8Array;
  /** Of each page, epoch ms: when the first of its objects was asked for, and the tier. */
  readonly #askedAt: Float64Array;
  /** Of each page, epoch ms: when the last of its copies was extended. */
  readonly #extendedAt: Float64Array;
  #days = 1;
  #tier: 'Expedited' | 'Standard' | 'Bulk' = 'Standard';

  constructor({ objects, directory, now, listing }: SyntheticArchiveOptions) {
    this.#objects = objects;
    this.#directory = directory;
    this.#now = now;
    this.#listing = listing;
    this.#bits = new Uint8Array(Math.ceil(objects / 8));
    this.#askedAt = new Float64Array(Math.ceil(objects / PAGE));
    this.#extendedAt = new Float64Array(Math.ceil(objects / PAGE));
    mkdirSync(directory, { recursive: true });
  }

  asClient(): S3Client {
    return this as unknown as S3Client;
  }

  async send(command: object): Promise<unknown> {
    if (command instanceof RestoreObjectCommand) return this.#restore(command.input);
    if (command instanceof ListObjectsV2Command) return this.#list(command.input);
    if (command instanceof HeadObjectCommand) return this.#head(command.input);
    if (command instanceof PutObjectCommand) return this.#put(command.input);
    if (command instanceof GetObjectCommand) return this.#get(command.input);
    throw new Error(`the synthetic archive has no ${command.constructor.name}`);
  }

  #list({ Bucket, Prefix = '', StartAfter, ContinuationToken }: ListObjectsV2CommandInput) {
    this.#check(Bucket);
    this.counts.list += 1;
    this.#listing?.();
    const start =
      ContinuationToken === undefined ? (StartAfter ? numberIn(StartAfter) + 1 : 0) : Number(ContinuationToken);
    const now = this.#now();
    const Contents: object[] = [];
    let nth = start;
    for (; nth < this.#objects && Contents.length < PAGE; nth += 1) {
      const Key = keyOf(nth);
      if (!Key.startsWith(Prefix)) break;
      const at = this.#readyAt(nth);
      const listed = { Key, Size: SIZE, StorageClass: 'GLACIER', ETag: '"d41d8cd98f00b204e9800998ecf8427e"' };
      if (at === undefined) Contents.push(listed);
      else if (at > now) Contents.push({ ...listed, RestoreStatus: { IsRestoreInProgress: true } });
      else {
        const RestoreExpiryDate = this.#expiryOf(nth, at);
        Contents.push({ ...listed, RestoreStatus: { IsRestoreInProgress: false, RestoreExpiryDate } });
      }
    }
    const more = nth < this.#objects && keyOf(nth).startsWith(Prefix);
    return { Contents, IsTruncated: more, ...(more && { NextContinuationToken: String(nth) }) };
  }

  #restore({ Bucket, Key = '', RestoreRequest }: RestoreObjectCommandInput) {
    const nth = this.#numberOf(Bucket, Key);
    this.counts.restore += 1;
    const requestId = this.counts.restore.toString(16).toUpperCase().padStart(16, '0');
    const readyAt = this.#readyAt(nth);
    if (readyAt !== undefined) {
      if (readyAt <= this.#now()) {
        this.#extendedAt[Math.floor(nth / PAGE)] = this.#now();
        return { $metadata: { httpStatusCode: 200, requestId } };
      }
      this.askedTwice += 1;
      throw refusal('RestoreAlreadyInProgress', 409);
    }
    this.asked += 1;
    this.#days = RestoreRequest?.Days ?? 1;
    this.#tier = RestoreRequest?.GlacierJobParameters?.Tier ?? 'Standard';
    this.#bits[nth >> 3] = (this.#bits[nth >> 3] as number) | (1 << (nth & 7));
    this.#askedAt[Math.floor(nth / PAGE)] ||= this.#now();
    return { $metadata: { httpStatusCode: 202, requestId } };
  }

  #head({ Bucket, Key = '' }: HeadObjectCommandInput) {
    const nth = this.#numberOf(Bucket, Key);
    const at = this.#readyAt(nth);
    this.counts.head += 1;
    const found = { ContentLength: SIZE, StorageClass: 'GLACIER' };
    if (at === undefined) return found;
    if (at > this.#now()) return { ...found, Restore: 'ongoing-request="true"' };
    const expires = this.#expiryOf(nth, at).toUTCString();
    return { ...found, Restore: `ongoing-request="false", expiry-date="${expires}"` };
  }

  async #put({ Key = '', Body }: PutObjectCommandInput) {
    this.counts.put += 1;
    const bytes = Buffer.from(Body as string);
    this.largest = Math.max(this.largest, bytes.length);
    await writeFile(this.#fileOf(Key), bytes);
    return { $metadata: {} };
  }

  async #get({ Key = '' }: GetObjectCommandInput) {
    this.counts.get += 1;
    const bytes = await readFile(this.#fileOf(Key)).catch(() => undefined);
    if (!bytes)
      throw new NoSuchKey({ message: 'The specified key does not exist.', $metadata: { httpStatusCode: 404 } });
    this.largest = Math.max(this.largest, bytes.length);
    return { ContentLength: bytes.length, ETag: '"0"', Body: { transformToByteArray: async () => bytes } };
  }

  /** Undefined for what nobody has asked for. Objects take different times, and each always the same. */
  #readyAt(nth: number): number | undefined {
    if (((this.#bits[nth >> 3] as number) & (1 << (nth & 7))) === 0) return undefined;
    const place = ((nth * 2_654_435_761) % 2 ** 32) / 2 ** 32;
    return (this.#askedAt[Math.floor(nth / PAGE)] as number) + (retrievalMs('GLACIER', this.#tier, place) ?? 0);
  }

  #expiryOf(nth: number, readyAt: number): Date {
    return new Date(expiryOf(Math.max(readyAt, this.#extendedAt[Math.floor(nth / PAGE)] as number), this.#days));
  }

  #numberOf(bucket: string | undefined, key: string): number {
    this.#check(bucket);
    const nth = numberIn(key);
    if (!(nth < this.#objects)) throw refusal('NoSuchKey', 404);
    return nth;
  }

  #check(bucket: string | undefined): void {
    if (bucket !== this.bucket) throw refusal('NoSuchBucket', 404);
  }

  #fileOf(key: string): string {
    return join(this.#directory, encodeURIComponent(key));
  }
}

const refusal = (name: string, httpStatusCode: number): S3ServiceException =>
  new S3ServiceException({ name, $fault: 'client', message: name, $metadata: { httpStatusCode } });
