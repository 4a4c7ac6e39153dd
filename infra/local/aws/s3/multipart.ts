/**
 * Multipart uploads: create, upload part, complete, abort.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { AwsRequest, AwsResponse } from '../../kit/service.ts';
import type { S3Context, S3Operation } from './call.ts';
import { ALGORITHMS, type Algorithm, createHasher, headerOf, memberOf } from './checksums.ts';
import { checkWrite } from './conditions.ts';
import { checkKey, describeFrom, urlEncode } from './describe.ts';
import { badDigest, invalidArgument, invalidRequest, malformedXml, noSuchUpload, S3Error } from './errors.ts';
import type { Bucket, Checksum, MultipartUpload, Part } from './model.ts';
import { takeUpload } from './upload-body.ts';
import { newVersion, writtenHeaders } from './writes.ts';
import { children, readXml, requiredText, text, xmlResponse } from './xml.ts';

const MIN_PART_BYTES = 5 * 1024 * 1024;
export const MAX_PARTS = 10_000;

const createUpload: S3Operation = ({ store }, { request, bucket: name, key }) => {
  const bucket = store.bucket(name);
  checkKey(key);
  const { headers } = request;
  const named = headers['x-amz-checksum-algorithm'];
  const algorithm = ALGORITHMS.find((one) => one === String(named).toUpperCase());
  if (named !== undefined && !algorithm) {
    throw invalidRequest(
      'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
    );
  }
  const upload: Omit<MultipartUpload, 'parts'> = {
    id: randomBytes(48).toString('base64url'),
    key,
    at: store.clock.now(),
    description: describeFrom(request),
  };
  if (algorithm) {
    upload.algorithm = algorithm;
    upload.checksumType = checksumType(algorithm, headers['x-amz-checksum-type']);
  }
  store.record({ op: 'upload', bucket: bucket.settings.name, upload });
  const described: Record<string, string> = {
    ...(algorithm && { 'x-amz-checksum-algorithm': algorithm, 'x-amz-checksum-type': upload.checksumType as string }),
    'x-amz-server-side-encryption': 'AES256',
  };
  return xmlResponse('InitiateMultipartUploadResult', { Bucket: name, Key: key, UploadId: upload.id }, described);
};

function checksumType(algorithm: Algorithm, header: string | string[] | undefined): Checksum['type'] {
  const type = header ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE');
  const possible =
    algorithm === 'CRC64NVME'
      ? ['FULL_OBJECT']
      : algorithm.startsWith('SHA')
        ? ['COMPOSITE']
        : ['FULL_OBJECT', 'COMPOSITE'];
  if (possible.includes(String(type))) return type as Checksum['type'];
  throw invalidRequest(
    `The ${String(type)} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
  );
}

export function findUpload(bucket: Bucket, key: string, id: string | null): MultipartUpload {
  const upload = bucket.uploads.get(id ?? '');
  if (upload?.key !== key) throw noSuchUpload(id ?? '');
  return upload;
}

export function partNumber(request: AwsRequest): number {
  const text = String(request.query.get('partNumber'));
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= MAX_PARTS) return number;
  throw invalidArgument(`Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`, 'partNumber', text);
}

const uploadPart: S3Operation = async ({ store }, { request, bucket: name, key }) => {
  const number = partNumber(request);
  const id = request.query.get('uploadId');
  findUpload(store.bucket(name), key, id);
  const { segments, size, md5, checksum } = await takeUpload(request, store.blobs);
  try {
    const upload = findUpload(store.bucket(name), key, id);
    if (upload.algorithm && checksum && checksum.algorithm !== upload.algorithm) {
      throw invalidRequest(
        `Checksum Type mismatch occurred, expected checksum Type: ${upload.algorithm.toLowerCase()}, actual checksum Type: ${checksum.algorithm.toLowerCase()}`,
      );
    }
    const part: Part = { size, etag: md5, at: store.clock.now(), segments, ...(checksum && { checksum }) };
    store.record({ op: 'part', bucket: name, upload: upload.id, number, part });
  } catch (error) {
    store.blobs.remove(segments);
    throw error;
  }
  const headers: Record<string, string> = { etag: `"${md5}"`, 'x-amz-server-side-encryption': 'AES256' };
  if (checksum) headers[headerOf(checksum.algorithm)] = checksum.value;
  return { status: 200, headers };
};

/** The answers to uploads completed a while ago, so that a repeated request is answered alike, as S3 does. */
const REMEMBERED = 1000;
const completed = new WeakMap<Bucket, Map<string, AwsResponse>>();

const completeUpload: S3Operation = async (context, { request, bucket: name, key }) => {
  const { store, notifier } = context;
  const id = request.query.get('uploadId') ?? '';
  const wanted = children(await readXml(request, 'CompleteMultipartUpload'), 'Part');
  const bucket = store.bucket(name);
  const before = completed.get(bucket)?.get(`${key}\0${id}`);
  if (before) return before;
  const upload = findUpload(bucket, key, id);
  checkWrite(request.headers, key, store.current(bucket, key));
  const parts = chosenParts(upload, wanted);
  const checksum = await checksumOf(context, upload, parts);
  const given = upload.algorithm && request.headers[headerOf(upload.algorithm)];
  if (given !== undefined && checksum && given !== checksum.value) throw badDigest(checksum.algorithm);
  // The checksum may have taken a while: another request may have completed or aborted it.
  findUpload(bucket, key, id);
  checkWrite(request.headers, key, store.current(bucket, key));
  const md5 = createHasher('MD5');
  for (const part of parts) md5.update(Buffer.from(part.etag, 'hex'));
  const version = newVersion(context, bucket, {
    key,
    size: parts.reduce((sum, part) => sum + part.size, 0),
    etag: `${md5.digest().toString('hex')}-${parts.length}`,
    segments: parts.flatMap((part) => part.segments),
    parts: parts.map((part) => part.size),
    ...(checksum && { partChecksums: parts.map((part) => part.checksum?.value ?? '') }),
    ...upload.description,
    ...(checksum && { checksum }),
  });
  store.record({ op: 'complete', bucket: name, upload: id, version });
  notifier.tell(bucket, 'ObjectCreated:CompleteMultipartUpload', version, request);
  const response = xmlResponse(
    'CompleteMultipartUploadResult',
    {
      Location: `http://${request.headers.host ?? ''}/${name}/${urlEncode(key)}`,
      Bucket: name,
      Key: key,
      ETag: `"${version.etag}"`,
      ...(checksum && { [memberOf(checksum.algorithm)]: checksum.value, ChecksumType: checksum.type }),
    },
    writtenHeaders(bucket, version),
  );
  remember(bucket, `${key}\0${id}`, response);
  return response;
};

function remember(bucket: Bucket, upload: string, response: AwsResponse): void {
  const known = completed.get(bucket) ?? new Map<string, AwsResponse>();
  completed.set(bucket, known);
  known.set(upload, response);
  const [oldest] = known.keys();
  if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
}

/** @throws S3Error InvalidPartOrder, InvalidPart, EntityTooSmall, MalformedXML */
function chosenParts(upload: MultipartUpload, wanted: readonly Record<string, unknown>[]): Part[] {
  if (wanted.length === 0 || wanted.length > MAX_PARTS) throw malformedXml();
  let previous = 0;
  const parts = wanted.map((one) => {
    const number = Number(requiredText(one, 'PartNumber'));
    if (!(number > previous)) {
      throw new S3Error(
        'InvalidPartOrder',
        'The list of parts was not in ascending order. The parts list must be specified in order by part number.',
      );
    }
    previous = number;
    const etag = requiredText(one, 'ETag')
      .trim()
      .replace(/^"(.*)"$/, '$1');
    const part = upload.parts.get(number);
    const checksum = part?.checksum;
    const claimed = checksum && text(one, memberOf(checksum.algorithm));
    if (!part || part.etag !== etag || (claimed !== undefined && claimed !== checksum?.value)) {
      throw new S3Error(
        'InvalidPart',
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        400,
        { fields: { UploadId: upload.id, PartNumber: String(number), ETag: etag } },
      );
    }
    return part;
  });
  for (const [index, part] of parts.slice(0, -1).entries()) {
    if (part.size >= MIN_PART_BYTES) continue;
    throw new S3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', 400, {
      fields: {
        ProposedSize: String(part.size),
        MinSizeAllowed: String(MIN_PART_BYTES),
        PartNumber: requiredText(wanted[index] as Record<string, unknown>, 'PartNumber'),
        ETag: part.etag,
      },
    });
  }
  return parts;
}

async function checksumOf(
  { store }: S3Context,
  upload: MultipartUpload,
  parts: readonly Part[],
): Promise<Checksum | undefined> {
  const { algorithm, checksumType: type } = upload;
  if (!algorithm || !type) return undefined;
  const hasher = createHasher(algorithm);
  if (type === 'FULL_OBJECT') {
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    const body = store.blobs.read(
      parts.flatMap((part) => part.segments),
      0,
      size - 1,
    );
    for await (const piece of Buffer.isBuffer(body) ? [body] : (body as Readable)) hasher.update(piece as Buffer);
    return { algorithm, value: hasher.digest().toString('base64'), type };
  }
  for (const part of parts) {
    if (part.checksum?.algorithm !== algorithm) {
      throw invalidRequest(
        `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part.`,
      );
    }
    hasher.update(Buffer.from(part.checksum.value, 'base64'));
  }
  return { algorithm, value: `${hasher.digest().toString('base64')}-${parts.length}`, type };
}

const abortUpload: S3Operation = ({ store }, { request, bucket: name, key }) => {
  const upload = findUpload(store.bucket(name), key, request.query.get('uploadId'));
  store.record({ op: 'abort', bucket: name, upload: upload.id });
  return { status: 204 };
};

export const multipartOperations: Readonly<Record<string, S3Operation>> = {
  CreateMultipartUpload: createUpload,
  UploadPart: uploadPart,
  CompleteMultipartUpload: completeUpload,
  AbortMultipartUpload: abortUpload,
};
