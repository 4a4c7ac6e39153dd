/**
 * Names the operation of a request: from the method, from whether there is a key, and from the sub-resource in the
 * query.
 *
 * @module
 */
import type { AwsRequest } from '../../kit/service.ts';
import { notImplemented, S3Error } from './errors.ts';

export interface Route {
  operation: string;
  bucket: string;
  key: string;
}

/** `<method> <bucket|object> <sub-resources, sorted>`. */
const OPERATIONS: Readonly<Record<string, string>> = {
  'PUT bucket ': 'CreateBucket',
  'HEAD bucket ': 'HeadBucket',
  'DELETE bucket ': 'DeleteBucket',
  'GET bucket ': 'ListObjects',
  'GET bucket list-type': 'ListObjectsV2',
  'GET bucket lifecycle': 'GetBucketLifecycleConfiguration',
  'PUT bucket lifecycle': 'PutBucketLifecycleConfiguration',
  'DELETE bucket lifecycle': 'DeleteBucketLifecycle',
  'GET bucket location': 'GetBucketLocation',
  'GET bucket notification': 'GetBucketNotificationConfiguration',
  'PUT bucket notification': 'PutBucketNotificationConfiguration',
  'GET bucket uploads': 'ListMultipartUploads',
  'GET bucket versioning': 'GetBucketVersioning',
  'PUT bucket versioning': 'PutBucketVersioning',
  'GET bucket versions': 'ListObjectVersions',
  'POST bucket delete': 'DeleteObjects',
  'PUT object ': 'PutObject',
  'GET object ': 'GetObject',
  'GET object attributes': 'GetObjectAttributes',
  'GET object partNumber': 'GetObject',
  'HEAD object ': 'HeadObject',
  'HEAD object partNumber': 'HeadObject',
  'DELETE object ': 'DeleteObject',
  'GET object tagging': 'GetObjectTagging',
  'PUT object tagging': 'PutObjectTagging',
  'DELETE object tagging': 'DeleteObjectTagging',
  'POST object restore': 'RestoreObject',
  'POST object uploads': 'CreateMultipartUpload',
  'PUT object partNumber,uploadId': 'UploadPart',
  'GET object uploadId': 'ListParts',
  'POST object uploadId': 'CompleteMultipartUpload',
  'DELETE object uploadId': 'AbortMultipartUpload',
};

/** What an operation is when its bytes come from another object. */
const COPIES: Readonly<Record<string, string>> = { PutObject: 'CopyObject', UploadPart: 'UploadPartCopy' };

/** Query parameters that make it another operation; all others are arguments. */
const SUB_RESOURCES = new Set(
  `accelerate acl analytics attributes cors delete encryption intelligent-tiering inventory legal-hold lifecycle
  list-type location logging metadataTable metrics notification object-lock ownershipControls partNumber policy
  policyStatus publicAccessBlock replication requestPayment restore retention select session tagging torrent uploadId
  uploads versioning versions website`.split(/\s+/),
);

export function routeOf(request: AwsRequest): Route {
  const path = request.path.replace(/^\//, '');
  const slash = path.indexOf('/');
  const bucket = decode(slash < 0 ? path : path.slice(0, slash));
  const key = slash < 0 ? '' : decode(path.slice(slash + 1));
  if (bucket === '') {
    if (request.method === 'GET') return { operation: 'ListBuckets', bucket, key };
    throw new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405);
  }
  const named = [...new Set(request.query.keys())].filter((name) => SUB_RESOURCES.has(name)).sort();
  const operation = OPERATIONS[`${request.method} ${key === '' ? 'bucket' : 'object'} ${named.join()}`];
  if (operation === undefined) {
    if (named.length > 0) throw notImplemented(named.join());
    throw new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405);
  }
  if (request.headers['x-amz-copy-source'] === undefined) return { operation, bucket, key };
  return { operation: COPIES[operation] ?? operation, bucket, key };
}

/** `+` is itself in a path, unlike in a query. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidURI', "Couldn't parse the specified URI.", 400, { fields: { URI: text } });
  }
}

/** Refuses a presigned URL that has expired or says nothing sensible about when it does. */
export function checkPresigned(request: AwsRequest, now: number): void {
  const { query } = request;
  if (!query.has('X-Amz-Credential')) return;
  const expires = Number(query.get('X-Amz-Expires'));
  const date = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get('X-Amz-Date') ?? '');
  if (!date || !query.has('X-Amz-Signature') || query.get('X-Amz-Expires') === null) {
    throw queryError(
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    );
  }
  if (!Number.isInteger(expires) || expires < 1) throw queryError('X-Amz-Expires must be a number greater than 0');
  if (expires > 604_800)
    throw queryError(
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    );
  const [, year, month, day, hour, minute, second] = date;
  const end = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) + expires * 1000;
  if (now <= end) return;
  const fields = {
    'X-Amz-Expires': String(expires),
    Expires: new Date(end).toISOString(),
    ServerTime: new Date(now).toISOString(),
  };
  throw new S3Error('AccessDenied', 'Request has expired', 403, { fields });
}

const queryError = (message: string) => new S3Error('AuthorizationQueryParametersError', message);
