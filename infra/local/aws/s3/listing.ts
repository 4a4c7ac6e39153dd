/**
 * ListObjectsV2, ListObjects and ListObjectVersions.
 *
 * @module
 */
import type { Clock } from '../../kit/clock.ts';
import type { AwsRequest } from '../../kit/service.ts';
import { restoreStatus } from './archive.ts';
import type { S3Operation } from './call.ts';
import { queryNumber, urlEncode } from './describe.ts';
import { invalidArgument } from './errors.ts';
import { compareUtf8 } from './keys.ts';
import type { Bucket, ObjectVersion } from './model.ts';
import { escapeXml, toXml, type XmlObject, xmlResponse } from './xml.ts';

const MAX_KEYS = 1000;
/** Sorts behind every key with the prefix it is put behind: more of the last code point than a key can hold. */
const LAST = '\u{10FFFF}'.repeat(256);

/** One line of a listing: a common prefix, or a key with its versions (newest last). */
type Line = { prefix: string } | { key: string; versions: ObjectVersion[] };

/** Walks keys in order, folding those with the delimiter behind the prefix into one line. */
function* walk(bucket: Bucket, prefix: string, delimiter: string, start: string): Generator<Line> {
  const keys = bucket.keys.from(start);
  let step = keys.next();
  while (!step.done) {
    const key = step.value;
    if (!key.startsWith(prefix)) return;
    const versions = bucket.versions.get(key) as ObjectVersion[];
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (cut < 0) {
      yield { key, versions };
      step = keys.next();
      continue;
    }
    const folded = key.slice(0, cut + delimiter.length);
    yield { prefix: folded };
    step = keys.next(folded + LAST);
  }
}

const later = (one: string, other: string) => (compareUtf8(one, other) > 0 ? one : other);

/** Folds of which only delete markers are left must not show. */
function hasCurrent(bucket: Bucket, prefix: string): boolean {
  for (const key of bucket.keys.from(prefix)) {
    if (!key.startsWith(prefix)) return false;
    if (!bucket.versions.get(key)?.at(-1)?.deleteMarker) return true;
  }
  return false;
}

interface Arguments {
  prefix: string;
  delimiter: string;
  maxKeys: number;
  encode(text: string): string;
  encodingType: string | undefined;
}

function argumentsOf(request: AwsRequest): Arguments {
  const encodingType = request.query.get('encoding-type') ?? undefined;
  if (encodingType !== undefined && encodingType !== 'url') {
    throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', encodingType);
  }
  return {
    prefix: request.query.get('prefix') ?? '',
    delimiter: request.query.get('delimiter') ?? '',
    maxKeys: queryNumber(request, 'max-keys', MAX_KEYS, MAX_KEYS),
    encode: encodingType === 'url' ? urlEncode : (text) => text,
    encodingType,
  };
}

interface Page {
  contents: ObjectVersion[];
  prefixes: string[];
  /** The last line of the page when there is more. */
  last: string | undefined;
}

/** @param after only lines behind this one, key or common prefix */
function page(bucket: Bucket, { prefix, delimiter, maxKeys }: Arguments, after: string): Page {
  const contents: ObjectVersion[] = [];
  const prefixes: string[] = [];
  let last: string | undefined;
  if (maxKeys === 0) return { contents, prefixes, last };
  // Behind a common prefix given out before, the whole of it is passed over; behind a key, only the key.
  const folded = delimiter !== '' && after.startsWith(prefix) && after.indexOf(delimiter, prefix.length) >= 0;
  const ended = folded && after.indexOf(delimiter, prefix.length) + delimiter.length === after.length;
  const start = after === '' ? prefix : later(prefix, after + (ended ? LAST : '\0'));
  for (const line of walk(bucket, prefix, delimiter, start)) {
    const isPrefix = 'prefix' in line;
    if (!isPrefix && line.versions.at(-1)?.deleteMarker) continue;
    if (isPrefix && !hasCurrent(bucket, line.prefix)) continue;
    if (contents.length + prefixes.length === maxKeys) return { contents, prefixes, last };
    last = isPrefix ? line.prefix : line.key;
    if (isPrefix) prefixes.push(line.prefix);
    else contents.push(line.versions.at(-1) as ObjectVersion);
  }
  return { contents, prefixes, last: undefined };
}

/** Built as text: a thousand entries a page, hundreds of pages, make the objects between felt. */
function contentsXml(
  versions: readonly ObjectVersion[],
  encode: (text: string) => string,
  owner: string,
  restoresAt: number | undefined,
): string {
  let xml = '';
  for (const version of versions) {
    xml += `<Contents><Key>${escapeXml(encode(version.key))}</Key><LastModified>${wholeSeconds(version.at)}</LastModified>`;
    xml += `<ETag>&quot;${version.etag}&quot;</ETag><Size>${version.size}</Size>`;
    if (version.checksum) {
      xml += `<ChecksumAlgorithm>${version.checksum.algorithm}</ChecksumAlgorithm><ChecksumType>${version.checksum.type}</ChecksumType>`;
    }
    const status = restoresAt === undefined ? undefined : restoreStatus(version, restoresAt);
    const restore = status ? `<RestoreStatus>${toXml(status)}</RestoreStatus>` : '';
    xml += `${owner}<StorageClass>${version.storageClass}</StorageClass>${restore}</Contents>`;
  }
  return xml;
}

/** @returns the time by which restores are told of; undefined where nobody asks for them */
function restoresAt(request: AwsRequest, clock: Clock): number | undefined {
  const wanted = request.headers['x-amz-optional-object-attributes'];
  if (wanted === undefined) return undefined;
  if (wanted !== 'RestoreStatus')
    throw invalidArgument('Invalid attribute name specified', 'x-amz-optional-object-attributes', String(wanted));
  return clock.now();
}

function wholeSeconds(milliseconds: number): string {
  return new Date(Math.floor(milliseconds / 1000) * 1000).toISOString();
}

function listResponse(name: string, content: XmlObject, contents: string) {
  const response = xmlResponse(name, content);
  return { ...response, body: String(response.body).replace(`</${name}>`, () => `${contents}</${name}>`) };
}

const listObjectsV2: S3Operation = ({ store, place }, { request, bucket: name }) => {
  const bucket = store.bucket(name);
  const given = argumentsOf(request);
  const token = request.query.get('continuation-token');
  const startAfter = request.query.get('start-after') ?? '';
  const after = token === null ? startAfter : parseToken(token);
  const { contents, prefixes, last } = page(bucket, given, after);
  const owner = request.query.get('fetch-owner') === 'true' ? `<Owner><ID>${place.accountId}</ID></Owner>` : '';
  return listResponse(
    'ListBucketResult',
    {
      Name: name,
      Prefix: given.encode(given.prefix),
      ContinuationToken: token ?? undefined,
      StartAfter: startAfter === '' ? undefined : given.encode(startAfter),
      Delimiter: given.delimiter === '' ? undefined : given.encode(given.delimiter),
      KeyCount: contents.length + prefixes.length,
      MaxKeys: given.maxKeys,
      EncodingType: given.encodingType,
      IsTruncated: last !== undefined,
      NextContinuationToken: last === undefined ? undefined : `1${Buffer.from(last).toString('base64')}`,
      CommonPrefixes: prefixes.map((prefix) => ({ Prefix: given.encode(prefix) })),
    },
    contentsXml(contents, given.encode, owner, restoresAt(request, store.clock)),
  );
};

function parseToken(token: string): string {
  if (!/^1[A-Za-z0-9+/]+={0,2}$/.test(token)) {
    throw invalidArgument('The continuation token provided is incorrect', 'continuation-token', token);
  }
  return Buffer.from(token.slice(1), 'base64').toString();
}

const listObjects: S3Operation = ({ store, place }, { request, bucket: name }) => {
  const bucket = store.bucket(name);
  const given = argumentsOf(request);
  const marker = request.query.get('marker') ?? '';
  const { contents, prefixes, last } = page(bucket, given, marker);
  return listResponse(
    'ListBucketResult',
    {
      Name: name,
      Prefix: given.encode(given.prefix),
      Marker: given.encode(marker),
      Delimiter: given.delimiter === '' ? undefined : given.encode(given.delimiter),
      MaxKeys: given.maxKeys,
      EncodingType: given.encodingType,
      IsTruncated: last !== undefined,
      NextMarker: last === undefined || given.delimiter === '' ? undefined : given.encode(last),
      CommonPrefixes: prefixes.map((prefix) => ({ Prefix: given.encode(prefix) })),
    },
    contentsXml(contents, given.encode, `<Owner><ID>${place.accountId}</ID></Owner>`, restoresAt(request, store.clock)),
  );
};

const listVersions: S3Operation = ({ store, place }, { request, bucket: name }) => {
  const bucket = store.bucket(name);
  const given = argumentsOf(request);
  const keyMarker = request.query.get('key-marker') ?? '';
  const at = restoresAt(request, store.clock);
  const idMarker = request.query.get('version-id-marker') ?? undefined;
  if (idMarker !== undefined && keyMarker === '') {
    throw invalidArgument(
      'A version-id marker cannot be specified without a key marker.',
      'version-id-marker',
      idMarker,
    );
  }
  const lines: { key: string; id?: string; xml: XmlObject; kind: 'Version' | 'DeleteMarker' | 'CommonPrefixes' }[] = [];
  const folded =
    given.delimiter !== '' && keyMarker.endsWith(given.delimiter) && keyMarker.length > given.prefix.length;
  const start = folded ? keyMarker + LAST : keyMarker;
  collect: for (const line of walk(bucket, given.prefix, given.delimiter, later(given.prefix, start))) {
    if ('prefix' in line) {
      lines.push({ key: line.prefix, xml: { Prefix: given.encode(line.prefix) }, kind: 'CommonPrefixes' });
      if (lines.length > given.maxKeys) break;
      continue;
    }
    if (line.key === keyMarker && idMarker === undefined) continue;
    const newestFirst = [...line.versions].reverse();
    const passed = line.key === keyMarker ? newestFirst.findIndex(({ id }) => id === idMarker) + 1 : 0;
    for (const version of newestFirst.slice(passed)) {
      lines.push({
        key: line.key,
        id: version.id,
        xml: versionXml(version, version === newestFirst[0], given.encode, place.accountId, at),
        kind: version.deleteMarker ? 'DeleteMarker' : 'Version',
      });
      if (lines.length > given.maxKeys) break collect;
    }
  }
  const shown = lines.slice(0, given.maxKeys);
  const last = lines.length > given.maxKeys ? shown.at(-1) : undefined;
  const of = (kind: string) => shown.filter((line) => line.kind === kind).map(({ xml }) => xml);
  return xmlResponse('ListVersionsResult', {
    Name: name,
    Prefix: given.encode(given.prefix),
    KeyMarker: given.encode(keyMarker),
    VersionIdMarker: idMarker ?? '',
    Delimiter: given.delimiter === '' ? undefined : given.encode(given.delimiter),
    MaxKeys: given.maxKeys,
    EncodingType: given.encodingType,
    IsTruncated: last !== undefined,
    NextKeyMarker: last && given.encode(last.key),
    NextVersionIdMarker: last?.id,
    Version: of('Version'),
    DeleteMarker: of('DeleteMarker'),
    CommonPrefixes: of('CommonPrefixes'),
  });
};

function versionXml(
  version: ObjectVersion,
  latest: boolean,
  encode: (text: string) => string,
  owner: string,
  at: number | undefined,
): XmlObject {
  const common = {
    Key: encode(version.key),
    VersionId: version.id,
    IsLatest: latest,
    LastModified: wholeSeconds(version.at),
    Owner: { ID: owner },
  };
  if (version.deleteMarker) return common;
  const RestoreStatus = at === undefined ? undefined : restoreStatus(version, at);
  const { etag, size: Size, storageClass: StorageClass } = version;
  return { ...common, ETag: `"${etag}"`, Size, StorageClass, ...(RestoreStatus && { RestoreStatus }) };
}

export const listOperations: Readonly<Record<string, S3Operation>> = {
  ListObjectsV2: listObjectsV2,
  ListObjects: listObjects,
  ListObjectVersions: listVersions,
};
