/**
 * GetObjectAttributes: what is known of an object, without its bytes.
 *
 * @module
 */
import type { AwsRequest } from '../../kit/service.ts';
import type { S3Operation } from './call.ts';
import { memberOf } from './checksums.ts';
import { versionHeader } from './describe.ts';
import { invalidArgument } from './errors.ts';
import type { ObjectVersion } from './model.ts';
import { findVersion } from './reads.ts';
import { type XmlObject, xmlResponse } from './xml.ts';

const ATTRIBUTES = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'];
const NAMES = 'x-amz-object-attributes';

export const getObjectAttributes: S3Operation = ({ store }, { request, bucket: name, key }) => {
  const bucket = store.bucket(name);
  const wanted = String(request.headers[NAMES] ?? '')
    .split(',')
    .map((one) => one.trim());
  const unknown = wanted.find((one) => !ATTRIBUTES.includes(one));
  if (unknown !== undefined) throw invalidArgument('Invalid attribute name specified.', NAMES, unknown);
  const version = findVersion(bucket, key, request.query.get('versionId'));
  const { checksum } = version;
  const all: XmlObject = {
    ETag: version.etag,
    Checksum: checksum && { [memberOf(checksum.algorithm)]: checksum.value, ChecksumType: checksum.type },
    ObjectParts: version.parts && partsOf(version, version.parts, request),
    StorageClass: version.storageClass,
    ObjectSize: version.size,
  };
  const shown = Object.fromEntries(Object.entries(all).filter(([attribute]) => wanted.includes(attribute)));
  const headers = { 'last-modified': new Date(version.at).toUTCString(), ...versionHeader(bucket, version) };
  return xmlResponse('GetObjectAttributesResponse', shown, headers);
};

/** Without checksums S3 tells how many parts there were, and no more. */
function partsOf(version: ObjectVersion, sizes: readonly number[], request: AwsRequest): XmlObject {
  const { checksum, partChecksums } = version;
  if (!checksum || !partChecksums) return { PartsCount: sizes.length };
  const limit = Math.min(number(request, 'x-amz-max-parts', 1000), 1000);
  const after = number(request, 'x-amz-part-number-marker', 0);
  const last = Math.min(sizes.length, after + limit);
  return {
    PartsCount: sizes.length,
    PartNumberMarker: after,
    NextPartNumberMarker: last,
    MaxParts: limit,
    IsTruncated: last < sizes.length,
    Part: sizes.slice(after, last).map((Size, index) => ({
      PartNumber: after + index + 1,
      Size,
      [memberOf(checksum.algorithm)]: partChecksums[after + index],
    })),
  };
}

function number(request: AwsRequest, name: string, otherwise: number): number {
  const text = request.headers[name];
  if (text === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(String(text)))
    throw invalidArgument(`Provided ${name} not an integer or within integer range`, name, String(text));
  return Number(text);
}
