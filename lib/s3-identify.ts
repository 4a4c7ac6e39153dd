/**
 * Which version of many objects is there, in few calls: objects of one folder by listing it, others by HEAD.
 *
 * @module
 */
import { HeadObjectCommand, ListObjectVersionsCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { mapLimited } from './concurrency.ts';
import { formatS3Address, parseS3Address } from './s3-address.ts';
import { unreadableReason } from './s3-objects.ts';
import { commonPrefix, compareKeys } from './s3-order.ts';

export interface ObjectIdentity {
  etag: string;
  /** Bytes. */
  size: number;
  /** Absent in a bucket that never had versioning. */
  version?: string;
  /** Absent: STANDARD. */
  storageClass?: string;
}

/** `reason`: why it cannot be read, for the user. */
export type Identified = ObjectIdentity | { reason: string };

/** Fewer objects of a folder than this are asked for one by one. */
const WORTH_LISTING = 12;
/** A listing brings 1,000 keys; one that brings fewer wanted ones than this a page is given up. */
const WANTED_PER_PAGE = 8;
const ASKING = 32;

/**
 * @param onCall called before each request, for heartbeats
 * @returns one entry for each address
 */
export async function identify(
  s3: S3Client,
  addresses: Iterable<string>,
  onCall: () => void = () => {},
): Promise<Map<string, Identified>> {
  const found = new Map<string, Identified>();
  const folders = new Map<string, string[]>();
  for (const address of new Set(addresses)) {
    const folder = address.slice(0, address.lastIndexOf('/') + 1);
    const group = folders.get(folder);
    if (group) group.push(address);
    else folders.set(folder, [address]);
  }
  const single: string[] = [];
  for (const group of folders.values()) {
    if (group.length >= WORTH_LISTING) await listGroup(s3, group, found, onCall);
    single.push(...group.filter((address) => !found.has(address)));
  }
  await mapLimited(single, ASKING, async (address) => {
    onCall();
    found.set(address, await head(s3, address));
  });
  return found;
}

/** Walks through the folder from the first wanted key to the last; gives up where too much else lies in between. */
async function listGroup(
  s3: S3Client,
  group: readonly string[],
  found: Map<string, Identified>,
  onCall: () => void,
): Promise<void> {
  const wanted = group.map((address) => parseS3Address(address)).toSorted((a, b) => compareKeys(a.key, b.key));
  const [first, last] = [wanted[0], wanted.at(-1)];
  if (!first || !last) return;
  const keys = new Set(wanted.map(({ key }) => key));
  const prefix = commonPrefix(first.key, last.key);
  let marker: { KeyMarker?: string; VersionIdMarker?: string } = {};
  for (;;) {
    onCall();
    const before = keys.size;
    let answer;
    try {
      answer = await s3.send(new ListObjectVersionsCommand({ Bucket: first.bucket, Prefix: prefix, ...marker }));
    } catch (error) {
      // Listing may be forbidden where reading is not, and a missing bucket is told better by each HEAD.
      if (error instanceof S3ServiceException && [403, 404].includes(error.$metadata.httpStatusCode ?? 0)) return;
      throw error;
    }
    for (const { Key, IsLatest, ETag, Size, VersionId, StorageClass } of answer.Versions ?? []) {
      if (!IsLatest || Key === undefined || !keys.delete(Key)) continue;
      found.set(formatS3Address({ bucket: first.bucket, key: Key }), identity({ ETag, Size, VersionId, StorageClass }));
    }
    const { NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = answer;
    if (!answer.IsTruncated || KeyMarker === undefined || keys.size === 0) return;
    if (before - keys.size < WANTED_PER_PAGE) return;
    marker = { KeyMarker, ...(VersionIdMarker && { VersionIdMarker }) };
  }
}

async function head(s3: S3Client, address: string): Promise<Identified> {
  const { bucket, key } = parseS3Address(address);
  try {
    const answer = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return identity({ ...answer, Size: answer.ContentLength });
  } catch (error) {
    const reason = unreadableReason(error);
    if (reason === undefined) throw error;
    return { reason };
  }
}

function identity(answer: {
  ETag?: string | undefined;
  Size?: number | undefined;
  VersionId?: string | undefined;
  StorageClass?: string | undefined;
}): ObjectIdentity {
  return {
    etag: answer.ETag ?? '',
    size: answer.Size ?? 0,
    // S3 calls the version of an object without versioning "null".
    ...(answer.VersionId && answer.VersionId !== 'null' && { version: answer.VersionId }),
    ...(answer.StorageClass && answer.StorageClass !== 'STANDARD' && { storageClass: answer.StorageClass }),
  };
}
