/**
 * What a request says about an object (storage class, headers, metadata, tags), and the headers that say it back.
 *
 * @module
 */
import type { AwsRequest } from '../../kit/service.ts';
import { headerOf } from './checksums.ts';
import { invalidArgument, S3Error } from './errors.ts';
import { type Bucket, type Checksum, type Description, type ObjectVersion, STORAGE_CLASSES } from './model.ts';
import { children, requiredText, type XmlNode } from './xml.ts';

const KEPT_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];
const META = 'x-amz-meta-';
const MAX_METADATA_BYTES = 2048;

export function describeFrom(request: AwsRequest): Description {
  const { headers } = request;
  const storageClass = String(headers['x-amz-storage-class'] ?? 'STANDARD');
  if (!STORAGE_CLASSES.includes(storageClass)) {
    throw new S3Error('InvalidStorageClass', 'The storage class you specified is not valid', 400, {
      fields: { StorageClassRequested: storageClass },
    });
  }
  const kept: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = headers[name];
    if (typeof value !== 'string') continue;
    // The encoding of the transfer is not the object's.
    const own = name === 'content-encoding' ? withoutChunked(value) : value;
    if (own !== '') kept[name] = own;
  }
  const metadata: Record<string, string> = {};
  let size = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(META)) continue;
    metadata[name.slice(META.length)] = String(value);
    size += name.length - META.length + Buffer.byteLength(String(value), 'latin1');
  }
  if (size > MAX_METADATA_BYTES) {
    throw new S3Error('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', 400, {
      fields: { Size: String(size), MaxSizeAllowed: String(MAX_METADATA_BYTES) },
    });
  }
  const tagging = new URLSearchParams(String(headers['x-amz-tagging'] ?? ''));
  return { storageClass, headers: kept, metadata, tags: checkTags([...tagging]) };
}

function withoutChunked(encoding: string): string {
  const parts = encoding.split(',').map((part) => part.trim());
  return parts.filter((part) => part !== 'aws-chunked').join(', ');
}

function checkTags(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  if (pairs.length > 10) throw new S3Error('BadRequest', 'Object tags cannot be greater than 10');
  const tags: Record<string, string> = Object.create(null);
  for (const [key, value] of pairs) {
    if (key === '' || key.length > 128 || key.startsWith('aws:')) {
      throw new S3Error('InvalidTag', 'The TagKey you have provided is invalid', 400, { fields: { TagKey: key } });
    }
    if (value.length > 256) {
      throw new S3Error('InvalidTag', 'The TagValue you have provided is invalid', 400, {
        fields: { TagValue: value },
      });
    }
    if (key in tags)
      throw new S3Error('InvalidTag', 'Cannot provide multiple Tags with the same key', 400, {
        fields: { TagKey: key },
      });
    tags[key] = value;
  }
  return { ...tags };
}

export function tagsFromXml(root: XmlNode): Record<string, string> {
  const [set] = children(root, 'TagSet');
  return checkTags(
    children(set ?? {}, 'Tag').map((tag) => [requiredText(tag, 'Key'), requiredText(tag, 'Value')] as const),
  );
}

/** Only buckets that have had versioning name versions. */
export function versionHeader(bucket: Bucket, version: { id: string }): Record<string, string> {
  return bucket.settings.versioning === undefined ? {} : { 'x-amz-version-id': version.id };
}

export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  return checksum ? { [headerOf(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type } : {};
}

/** The headers of GetObject and HeadObject, but for length and range. */
export function objectHeaders(bucket: Bucket, version: ObjectVersion): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'binary/octet-stream',
    ...version.headers,
    'accept-ranges': 'bytes',
    etag: `"${version.etag}"`,
    'last-modified': new Date(version.at).toUTCString(),
    'x-amz-server-side-encryption': 'AES256',
    ...versionHeader(bucket, version),
  };
  if (version.storageClass !== 'STANDARD') headers['x-amz-storage-class'] = version.storageClass;
  const tagCount = Object.keys(version.tags).length;
  if (tagCount > 0) headers['x-amz-tagging-count'] = String(tagCount);
  for (const [name, value] of Object.entries(version.metadata)) headers[`${META}${name}`] = value;
  return headers;
}

const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

export function checkBucketName(name: string): void {
  const isAddress = /^\d{1,3}(\.\d{1,3}){3}$/.test(name);
  const isReserved = /^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name);
  if (!BUCKET_NAME.test(name) || name.includes('..') || isAddress || isReserved) {
    throw new S3Error('InvalidBucketName', 'The specified bucket is not valid.', 400, { fields: { BucketName: name } });
  }
}

export function checkKey(key: string): void {
  const size = Buffer.byteLength(key);
  if (size > 1024) {
    throw new S3Error('KeyTooLongError', 'Your key is too long', 400, {
      fields: { Size: String(size), MaxSizeAllowed: '1024' },
    });
  }
}

/** A whole number in a query, such as max-keys. */
export function queryNumber(request: AwsRequest, name: string, most: number, otherwise: number): number {
  const text = request.query.get(name);
  if (text === null) return otherwise;
  if (!/^\d{1,10}$/.test(text))
    throw invalidArgument(`Provided ${name} not an integer or within integer range`, name, text);
  return Math.min(Number(text), most);
}

/** URL encoding as S3 does it in event messages and with encoding-type=url: blank as `+`, slash as itself. */
export function urlEncode(key: string): string {
  return encodeURIComponent(key)
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%20/g, '+')
    .replace(/%2F/g, '/');
}
