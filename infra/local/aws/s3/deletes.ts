/**
 * DeleteObject and DeleteObjects: real deletes, and delete markers where the bucket is versioned.
 *
 * @module
 */
import { AwsError, type AwsRequest } from '../../kit/service.ts';
import type { S3Context, S3Operation } from './call.ts';
import { checkWrite } from './conditions.ts';
import { checkKey, versionHeader } from './describe.ts';
import { invalidArgument, malformedXml } from './errors.ts';
import type { Bucket, ObjectVersion } from './model.ts';
import type { S3Store } from './store.ts';
import { children, readXml, requiredText, text, type XmlObject, xmlResponse } from './xml.ts';

const MAX_KEYS = 1000;

interface Deleted {
  /** The delete marker that was made or removed, or the version that was removed. */
  version?: ObjectVersion;
  marker: boolean;
}

/** Deletes the present version, or the one named; what is not there is deleted already. */
function deleteOne(
  context: S3Context,
  bucket: Bucket,
  key: string,
  id: string | undefined,
  caller: AwsRequest,
): Deleted {
  const { store, notifier } = context;
  const { name, versioning } = bucket.settings;
  checkKey(key);
  if (id !== undefined && !/^(null|[\w-]{32})$/.test(id)) {
    throw invalidArgument('Invalid version id specified', 'versionId', id);
  }
  if (id !== undefined || versioning === undefined) {
    const versions = bucket.versions.get(key) ?? [];
    const version = versions.find((one) => one.id === (id ?? 'null'));
    if (!version) return { marker: false };
    store.record({ op: 'delete', bucket: name, key, id: version.id });
    // A removed marker is told as a plain delete too, but without its own mark.
    const { deleteMarker: _, ...told } = version;
    notifier.tell(bucket, 'ObjectRemoved:Delete', { ...told, sequencer: store.newSequencer() }, caller);
    return { version, marker: version.deleteMarker === true };
  }
  const version = newDeleteMarker(store, bucket, key, store.clock.now());
  store.record({ op: 'put', bucket: name, version });
  notifier.tell(bucket, 'ObjectRemoved:DeleteMarkerCreated', version, caller);
  return { version, marker: true };
}

/** What hides an object whose versions are kept. */
export function newDeleteMarker(store: S3Store, bucket: Bucket, key: string, at: number): ObjectVersion {
  return {
    key,
    id: store.newVersionId(bucket),
    at,
    sequencer: store.newSequencer(),
    size: 0,
    etag: 'd41d8cd98f00b204e9800998ecf8427e',
    segments: [],
    storageClass: 'STANDARD',
    headers: {},
    metadata: {},
    tags: {},
    deleteMarker: true,
  };
}

const deleteObject: S3Operation = (context, { request, bucket: name, key }) => {
  const bucket = context.store.bucket(name);
  if (request.headers['if-match'] !== undefined) checkWrite(request.headers, key, context.store.current(bucket, key));
  const { version, marker } = deleteOne(context, bucket, key, request.query.get('versionId') ?? undefined, request);
  return {
    status: 204,
    headers: { ...(version && versionHeader(bucket, version)), ...(marker && { 'x-amz-delete-marker': 'true' }) },
  };
};

const deleteObjects: S3Operation = async (context, { request, bucket: name }) => {
  context.store.bucket(name);
  const root = await readXml(request, 'Delete');
  const objects = children(root, 'Object');
  if (objects.length === 0 || objects.length > MAX_KEYS) throw malformedXml();
  const quiet = text(root, 'Quiet') === 'true';
  const bucket = context.store.bucket(name);
  const deleted: XmlObject[] = [];
  const errors: XmlObject[] = [];
  for (const object of objects) {
    const key = requiredText(object, 'Key');
    const id = text(object, 'VersionId');
    const etag = text(object, 'ETag');
    try {
      if (etag !== undefined) checkWrite({ 'if-match': etag }, key, context.store.current(bucket, key));
      const { version, marker } = deleteOne(context, bucket, key, id, request);
      const markerFields = marker ? { DeleteMarker: true, DeleteMarkerVersionId: version?.id } : {};
      if (!quiet) deleted.push({ Key: key, VersionId: id, ...markerFields });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      errors.push({ Key: key, VersionId: id, Code: error.code, Message: error.message });
    }
  }
  return xmlResponse('DeleteResult', { Deleted: deleted, Error: errors });
};

export const deleteOperations: Readonly<Record<string, S3Operation>> = {
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
};
