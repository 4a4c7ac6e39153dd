/**
 * Reading, writing and listing small objects in S3.
 *
 * @module
 */
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { parseS3Address } from './s3-address.ts';

/** An object that is not there, or may not be read; `reason` is for the user. */
export class UnreadableObjectError extends Error {
  override readonly name = 'UnreadableObjectError';
  readonly reason: string;

  constructor(address: string, reason: string) {
    super(`${address}: ${reason}`);
    this.reason = reason;
  }
}

export interface ReadObject {
  bytes: Buffer;
  version?: string;
  etag: string;
  /** The user's own metadata of the object. */
  metadata: Readonly<Record<string, string>>;
}

/** @throws UnreadableObjectError when the object is missing, refused, archived, or larger than `limit` bytes */
export async function readObject(
  s3: S3Client,
  address: string,
  options: { limit: number; version?: string },
): Promise<ReadObject> {
  const { bucket, key } = parseS3Address(address);
  try {
    const answer = await s3.send(
      new GetObjectCommand({ Bucket: bucket, Key: key, ...(options.version && { VersionId: options.version }) }),
    );
    if ((answer.ContentLength ?? 0) > options.limit) {
      (answer.Body as { destroy?(): void } | undefined)?.destroy?.();
      throw new UnreadableObjectError(address, `is larger than ${options.limit} bytes`);
    }
    const bytes = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
    return {
      bytes,
      etag: answer.ETag ?? '',
      metadata: answer.Metadata ?? {},
      ...(answer.VersionId && answer.VersionId !== 'null' && { version: answer.VersionId }),
    };
  } catch (error) {
    throw unreadable(address, error);
  }
}

export async function putJson(s3: S3Client, address: string, value: unknown): Promise<void> {
  await putText(s3, address, JSON.stringify(value), 'application/json');
}

export async function putText(s3: S3Client, address: string, text: string, type: string): Promise<void> {
  const { bucket, key } = parseS3Address(address);
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType: type }));
}

/**
 * Puts an object that is not there yet.
 * @returns what is there instead, when somebody was first; also when that was an earlier try of ours
 */
export async function putFirst<T>(s3: S3Client, address: string, value: T): Promise<T | undefined> {
  const { bucket, key } = parseS3Address(address);
  const put = { Bucket: bucket, Key: key, Body: JSON.stringify(value), ContentType: 'application/json' };
  try {
    await s3.send(new PutObjectCommand({ ...put, IfNoneMatch: '*' }));
    return undefined;
  } catch (error) {
    if (!isRefused(error)) throw error;
    const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return JSON.parse((await answer.Body?.transformToString()) ?? '{}') as T;
  }
}

/** @throws UnreadableObjectError as {@link readObject} does */
export async function readJson<T>(s3: S3Client, address: string, limit: number): Promise<T> {
  const { bytes } = await readObject(s3, address, { limit });
  return JSON.parse(bytes.toString('utf8')) as T;
}

export interface ListedObject {
  key: string;
  bytes: number;
  /** Epoch ms. */
  modifiedAt: number;
}

/** Every key under a prefix, page by page, in S3's order. */
export async function* listKeys(s3: S3Client, prefix: string): AsyncGenerator<string[]> {
  for await (const page of listObjects(s3, prefix)) yield page.map(({ key }) => key);
}

/** The same, with what else a listing tells. */
export async function* listObjects(s3: S3Client, prefix: string): AsyncGenerator<ListedObject[]> {
  const { bucket, key } = parseS3Address(prefix);
  let token: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: key, ...(token && { ContinuationToken: token }) }),
    );
    yield (page.Contents ?? []).flatMap(({ Key: name, Size: bytes = 0, LastModified }) =>
      name === undefined ? [] : [{ key: name, bytes, modifiedAt: LastModified?.getTime() ?? 0 }],
    );
    token = page.NextContinuationToken;
  } while (token);
}

/** Errors of access become words for the user; all others stay what they are and are retried. */
function unreadable(address: string, error: unknown): unknown {
  const reason = unreadableReason(error);
  return reason === undefined ? error : new UnreadableObjectError(address, reason);
}

/** @returns undefined for an error that says nothing of the object itself */
export function unreadableReason(error: unknown): string | undefined {
  if (!(error instanceof S3ServiceException)) return undefined;
  const status = error.$metadata.httpStatusCode;
  if (error.name === 'NoSuchBucket') return 'there is no such bucket';
  if (error.name === 'InvalidObjectState') return 'is archived and must be restored first';
  if (status === 404) return 'there is no such object';
  return status === 403 ? 'may not be read (access denied)' : undefined;
}

/** 412: the object is there. 409: somebody is writing it at this moment, so it is as good as there. */
const isRefused = (error: unknown): boolean =>
  error instanceof S3ServiceException && [409, 412].includes(error.$metadata.httpStatusCode ?? 0);
