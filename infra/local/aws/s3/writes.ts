/**
 * PutObject, CopyObject and object tagging.
 *
 * @module
 */
import type { Readable } from 'node:stream';
import type { AwsResponse } from '../../kit/service.ts';
import type { S3Context, S3Operation } from './call.ts';
import { type Algorithm, createHasher, memberOf } from './checksums.ts';
import { checkRead, checkWrite } from './conditions.ts';
import { checkKey, checksumHeaders, describeFrom, tagsFromXml, versionHeader } from './describe.ts';
import { invalidArgument, invalidRequest } from './errors.ts';
import { expirationHeader } from './lifecycle-rules.ts';
import type { Bucket, Checksum, ObjectVersion } from './model.ts';
import { checkReadable, findVersion } from './reads.ts';
import { decode } from './route.ts';
import { announcedAlgorithm, takeUpload } from './upload-body.ts';
import { readXml, xmlResponse } from './xml.ts';

export const MAX_COPY_BYTES = 5 * 1024 ** 3;

/** What every new version has, whoever makes it. */
export function newVersion(
  context: S3Context,
  bucket: Bucket,
  given: Omit<ObjectVersion, 'id' | 'at' | 'sequencer'>,
): ObjectVersion {
  const { store } = context;
  return { ...given, id: store.newVersionId(bucket), at: store.clock.now(), sequencer: store.newSequencer() };
}

const putObject: S3Operation = async (context, { request, bucket: name, key }) => {
  const { store, notifier } = context;
  checkKey(key);
  const description = describeFrom(request);
  // Refused before the body is read, and once more when it is in: another writer may have been faster.
  checkWrite(request.headers, key, store.current(store.bucket(name), key));
  const { segments, size, md5, checksum } = await takeUpload(request, store.blobs);
  let version: ObjectVersion;
  try {
    const bucket = store.bucket(name);
    checkWrite(request.headers, key, store.current(bucket, key));
    version = newVersion(context, bucket, { key, size, etag: md5, segments, ...description });
    if (checksum) version.checksum = { ...checksum, type: 'FULL_OBJECT' };
    store.record({ op: 'put', bucket: name, version });
  } catch (error) {
    store.blobs.remove(segments);
    throw error;
  }
  const bucket = store.bucket(name);
  notifier.tell(bucket, 'ObjectCreated:Put', version, request);
  return written(bucket, version);
};

export function writtenHeaders(bucket: Bucket, version: ObjectVersion): Record<string, string> {
  return {
    'x-amz-server-side-encryption': 'AES256',
    ...versionHeader(bucket, version),
    ...expirationHeader(bucket.settings.lifecycle, version),
  };
}

function written(bucket: Bucket, version: ObjectVersion): AwsResponse {
  const etag = `"${version.etag}"`;
  return { status: 200, headers: { etag, ...writtenHeaders(bucket, version), ...checksumHeaders(version.checksum) } };
}

const copyObject: S3Operation = async (context, { request, bucket: name, key }) => {
  const { store, notifier } = context;
  checkKey(key);
  store.bucket(name);
  const source = parseSource(String(request.headers['x-amz-copy-source']));
  const sourceBucket = store.bucket(source.bucket);
  const original = findVersion(sourceBucket, source.key, source.versionId);
  checkRead(request.headers, original, 'x-amz-copy-source-');
  checkReadable(original, store.clock.now());
  if (original.size > MAX_COPY_BYTES) {
    throw invalidRequest(
      `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_COPY_BYTES}`,
    );
  }
  const directive = directiveOf(request.headers['x-amz-metadata-directive'], 'metadata');
  const tagging = directiveOf(request.headers['x-amz-tagging-directive'], 'tagging');
  const given = describeFrom(request);
  const onItself = source.bucket === name && source.key === key && source.versionId === undefined;
  if (onItself && directive === 'COPY' && request.headers['x-amz-storage-class'] === undefined) {
    throw invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  checkWrite(request.headers, key, store.current(store.bucket(name), key));
  const segments = store.blobs.duplicate(original.segments);
  let version: ObjectVersion;
  try {
    const algorithm = announcedAlgorithm(request) ?? requestedAlgorithm(request.headers['x-amz-checksum-algorithm']);
    const sums = await sumsOfCopy(context, original, segments, algorithm);
    const bucket = store.bucket(name);
    checkWrite(request.headers, key, store.current(bucket, key));
    version = newVersion(context, bucket, {
      key,
      size: original.size,
      segments,
      storageClass: given.storageClass,
      headers: directive === 'COPY' ? original.headers : given.headers,
      metadata: directive === 'COPY' ? original.metadata : given.metadata,
      tags: tagging === 'COPY' ? original.tags : given.tags,
      ...sums,
    });
    store.record({ op: 'put', bucket: name, version });
  } catch (error) {
    store.blobs.remove(segments);
    throw error;
  }
  const bucket = store.bucket(name);
  notifier.tell(bucket, 'ObjectCreated:Copy', version, request);
  const copied = {
    LastModified: new Date(version.at).toISOString(),
    ETag: `"${version.etag}"`,
    ...(version.checksum && {
      ChecksumType: version.checksum.type,
      [memberOf(version.checksum.algorithm)]: version.checksum.value,
    }),
  };
  const sourceVersion = sourceBucket.settings.versioning ? { 'x-amz-copy-source-version-id': original.id } : {};
  return xmlResponse('CopyObjectResult', copied, { ...writtenHeaders(bucket, version), ...sourceVersion });
};

function requestedAlgorithm(header: string | string[] | undefined): Algorithm | undefined {
  return header === undefined ? undefined : (String(header).toUpperCase() as Algorithm);
}

/** A copy is one whole object: what was a sum over parts is reckoned anew, which needs the bytes. */
async function sumsOfCopy(
  { store }: S3Context,
  original: ObjectVersion,
  segments: ObjectVersion['segments'],
  algorithm: Algorithm | undefined,
): Promise<{ etag: string; checksum?: Checksum }> {
  const wanted = algorithm ?? original.checksum?.algorithm;
  const known = original.checksum?.algorithm === wanted && original.checksum?.type !== 'COMPOSITE';
  if (!original.etag.includes('-') && known) {
    return { etag: original.etag, ...(original.checksum && { checksum: original.checksum }) };
  }
  const md5 = createHasher('MD5');
  const hasher = wanted && createHasher(wanted);
  const body = store.blobs.read(segments, 0, original.size - 1);
  for await (const piece of Buffer.isBuffer(body) ? [body] : (body as Readable)) {
    md5.update(piece as Buffer);
    hasher?.update(piece as Buffer);
  }
  const etag = md5.digest().toString('hex');
  if (!wanted || !hasher) return { etag };
  return { etag, checksum: { algorithm: wanted, value: hasher.digest().toString('base64'), type: 'FULL_OBJECT' } };
}

function directiveOf(header: string | string[] | undefined, what: string): 'COPY' | 'REPLACE' {
  const value = String(header ?? 'COPY');
  if (value === 'COPY' || value === 'REPLACE') return value;
  throw invalidArgument(`Unknown ${what} directive.`, `x-amz-${what}-directive`, value);
}

export function parseSource(header: string): { bucket: string; key: string; versionId: string | undefined } {
  const mark = header.indexOf('?versionId=');
  const path = decode(mark < 0 ? header : header.slice(0, mark)).replace(/^\//, '');
  const slash = path.indexOf('/');
  if (slash < 1 || slash === path.length - 1) {
    throw invalidArgument(
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
      'x-amz-copy-source',
      header,
    );
  }
  const versionId = mark < 0 ? undefined : decode(header.slice(mark + '?versionId='.length));
  return { bucket: path.slice(0, slash), key: path.slice(slash + 1), versionId };
}

const getTagging: S3Operation = ({ store }, { request, bucket: name, key }) => {
  const bucket = store.bucket(name);
  const version = findVersion(bucket, key, request.query.get('versionId'));
  const Tag = Object.entries(version.tags).map(([Key, Value]) => ({ Key, Value }));
  return xmlResponse('Tagging', { TagSet: { Tag } }, versionHeader(bucket, version));
};

const putTagging: S3Operation = async ({ store }, { request, bucket: name, key }) => {
  const tags = tagsFromXml(await readXml(request, 'Tagging'));
  const bucket = store.bucket(name);
  const version = findVersion(bucket, key, request.query.get('versionId'));
  store.record({ op: 'tags', bucket: name, key, id: version.id, tags });
  return { status: 200, headers: versionHeader(bucket, version) };
};

const deleteTagging: S3Operation = ({ store }, { request, bucket: name, key }) => {
  const bucket = store.bucket(name);
  const version = findVersion(bucket, key, request.query.get('versionId'));
  store.record({ op: 'tags', bucket: name, key, id: version.id, tags: {} });
  return { status: 204, headers: versionHeader(bucket, version) };
};

export const writeOperations: Readonly<Record<string, S3Operation>> = {
  PutObject: putObject,
  CopyObject: copyObject,
  GetObjectTagging: getTagging,
  PutObjectTagging: putTagging,
  DeleteObjectTagging: deleteTagging,
};
