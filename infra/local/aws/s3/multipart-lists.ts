/**
 * ListParts and ListMultipartUploads.
 *
 * @module
 */
import type { S3Operation } from './call.ts';
import { memberOf } from './checksums.ts';
import { queryNumber, urlEncode } from './describe.ts';
import { invalidRequest } from './errors.ts';
import { compareUtf8 } from './keys.ts';
import { findUpload, MAX_PARTS } from './multipart.ts';
import { type XmlObject, xmlResponse } from './xml.ts';

const listParts: S3Operation = ({ store, place }, { request, bucket: name, key }) => {
  const upload = findUpload(store.bucket(name), key, request.query.get('uploadId'));
  const limit = queryNumber(request, 'max-parts', 1000, 1000);
  const after = queryNumber(request, 'part-number-marker', MAX_PARTS, 0);
  const all = [...upload.parts].filter(([number]) => number > after).sort(([a], [b]) => a - b);
  const page = all.slice(0, limit);
  const more = all.length > page.length;
  return xmlResponse('ListPartsResult', {
    Bucket: name,
    Key: key,
    UploadId: upload.id,
    Owner: { ID: place.accountId },
    Initiator: { ID: place.accountId },
    StorageClass: upload.description.storageClass,
    PartNumberMarker: after,
    NextPartNumberMarker: more ? page.at(-1)?.[0] : undefined,
    MaxParts: limit,
    IsTruncated: more,
    ChecksumAlgorithm: upload.algorithm,
    ChecksumType: upload.checksumType,
    Part: page.map(
      ([number, part]): XmlObject => ({
        PartNumber: number,
        LastModified: new Date(part.at).toISOString(),
        ETag: `"${part.etag}"`,
        Size: part.size,
        ...(part.checksum && { [memberOf(part.checksum.algorithm)]: part.checksum.value }),
      }),
    ),
  });
};

const listUploads: S3Operation = ({ store, place }, { request, bucket: name }) => {
  const bucket = store.bucket(name);
  const limit = queryNumber(request, 'max-uploads', 1000, 1000);
  const prefix = request.query.get('prefix') ?? '';
  const keyMarker = request.query.get('key-marker') ?? '';
  const idMarker = request.query.get('upload-id-marker') ?? '';
  const encodingType = request.query.get('encoding-type') ?? undefined;
  const encode = encodingType === 'url' ? urlEncode : (one: string) => one;
  if (request.query.has('delimiter')) throw invalidRequest('this stand-in lists uploads without a delimiter');
  const sorted = [...bucket.uploads.values()]
    .filter((upload) => upload.key.startsWith(prefix))
    .sort((a, b) => compareUtf8(a.key, b.key) || a.at - b.at || compareUtf8(a.id, b.id));
  const marked = sorted.findIndex((upload) => upload.key === keyMarker && upload.id === idMarker);
  const rest =
    marked >= 0 ? sorted.slice(marked + 1) : sorted.filter((upload) => compareUtf8(upload.key, keyMarker) > 0);
  const page = rest.slice(0, limit);
  const last = rest.length > page.length ? page.at(-1) : undefined;
  return xmlResponse('ListMultipartUploadsResult', {
    Bucket: name,
    KeyMarker: encode(keyMarker),
    UploadIdMarker: idMarker,
    NextKeyMarker: last && encode(last.key),
    NextUploadIdMarker: last?.id,
    Prefix: encode(prefix),
    EncodingType: encodingType,
    MaxUploads: limit,
    IsTruncated: last !== undefined,
    Upload: page.map((upload) => ({
      Key: encode(upload.key),
      UploadId: upload.id,
      Initiator: { ID: place.accountId },
      Owner: { ID: place.accountId },
      StorageClass: upload.description.storageClass,
      Initiated: new Date(upload.at).toISOString(),
      ChecksumAlgorithm: upload.algorithm,
      ChecksumType: upload.checksumType,
    })),
  });
};

export const multipartListOperations: Readonly<Record<string, S3Operation>> = {
  ListParts: listParts,
  ListMultipartUploads: listUploads,
};
