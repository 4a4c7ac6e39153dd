/**
 * The stand-in for S3 over its own XML protocol, path-style addresses only.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { Kit } from '../../kit/front-door.ts';
import type { AwsError, AwsRequest, AwsResponse, AwsService } from '../../kit/service.ts';
import type { EventPort, ObjectPort, Place, QueuePort } from '../ports.ts';
import { getObjectAttributes } from './attributes.ts';
import { bucketOperations } from './buckets.ts';
import type { S3Context, S3Operation } from './call.ts';
import { deleteOperations } from './deletes.ts';
import { S3Error } from './errors.ts';
import { Lifecycle, lifecycleOperations } from './lifecycle.ts';
import { listOperations } from './listing.ts';
import type { ObjectVersion } from './model.ts';
import { multipartOperations } from './multipart.ts';
import { multipartListOperations } from './multipart-lists.ts';
import { createNotifier } from './notifications.ts';
import { createObjectPort } from './object-port.ts';
import { uploadPartCopy } from './part-copy.ts';
import { readOperations } from './reads.ts';
import { Restores, restoreObject } from './restores.ts';
import { checkPresigned, routeOf } from './route.ts';
import { S3Store } from './store.ts';
import { writeOperations } from './writes.ts';
import { toXml } from './xml.ts';

const OPERATIONS: Readonly<Record<string, S3Operation>> = {
  ...bucketOperations,
  ...lifecycleOperations,
  ...readOperations,
  ...writeOperations,
  ...deleteOperations,
  ...listOperations,
  ...multipartOperations,
  ...multipartListOperations,
  UploadPartCopy: uploadPartCopy,
  GetObjectAttributes: getObjectAttributes,
};

export async function createS3(options: {
  kit: Kit;
  place: Place;
  directory: string;
  queues: QueuePort;
  events: EventPort;
}): Promise<{ service: AwsService; port: ObjectPort }> {
  const { place, queues, events } = options;
  const { clock } = options.kit;
  const store = new S3Store({ clock, directory: options.directory });
  const context: S3Context = { store, place, notifier: createNotifier({ clock, place, queues, events }) };
  const restores = new Restores(context);
  const lifecycle = new Lifecycle(context);
  const operations: Readonly<Record<string, S3Operation>> = { ...OPERATIONS, RestoreObject: restoreObject(restores) };
  addActions(options.kit, store, restores);
  return {
    port: createObjectPort(context, restores),
    service: {
      names: ['s3'],
      async prepare(request) {
        const route = routeOf(request);
        checkPresigned(request, clock.now());
        const operation = operations[route.operation] as S3Operation;
        return {
          operation: route.operation,
          subject: route.key === '' ? route.bucket : `${route.bucket}/${route.key}`,
          run: async () => {
            const response = await operation(context, { request, bucket: route.bucket, key: route.key });
            return { ...response, headers: { ...requestIds(), ...response.headers } };
          },
        };
      },
      renderError,
      async close() {
        restores.close();
        lifecycle.close();
        store.close();
      },
    },
  };
}

/** What S3 does by rules that move objects to archives, and how fast time goes for restores. */
function addActions(kit: Kit, store: S3Store, restores: Restores): void {
  kit.actions.set('POST archive', ({ bucket: name, prefix = '', storageClass, archiveStatus }) => {
    const bucket = store.bucket(String(name));
    const to = archiveTo(storageClass, archiveStatus);
    let archived = 0;
    for (const key of bucket.keys.from(String(prefix))) {
      if (!key.startsWith(String(prefix))) break;
      const version = store.current(bucket, key);
      if (!version || version.deleteMarker) continue;
      store.record({ op: 'archive', bucket: String(name), key, id: version.id, to });
      archived += 1;
    }
    return { archived };
  });
  kit.actions.set('POST restore-time', ({ scale }) => {
    if (typeof scale !== 'number' || !(scale > 0 && scale <= 1)) throw new Error('scale: a number above 0, at most 1');
    restores.timeScale = scale;
    return { scale };
  });
}

function archiveTo(storageClass: unknown, status: unknown): Pick<ObjectVersion, 'storageClass' | 'archiveStatus'> {
  if (status === 'ARCHIVE_ACCESS' || status === 'DEEP_ARCHIVE_ACCESS')
    return { storageClass: 'INTELLIGENT_TIERING', archiveStatus: status };
  if (storageClass === 'GLACIER' || storageClass === 'DEEP_ARCHIVE') return { storageClass };
  throw new Error('storageClass: GLACIER or DEEP_ARCHIVE; or archiveStatus: ARCHIVE_ACCESS or DEEP_ARCHIVE_ACCESS');
}

function requestIds(): Record<string, string> {
  return { server: 'AmazonS3', 'x-amz-request-id': randomBytes(8).toString('hex').toUpperCase() };
}

function renderError(error: AwsError, request: AwsRequest): AwsResponse {
  const ids = requestIds();
  const headers = { ...ids, ...(error instanceof S3Error && error.headers) };
  // An answer to HEAD has no body, nor has "not modified": all there is to read is the status.
  if (request.method === 'HEAD' || error.status === 304) return { status: error.status, headers };
  const content = { Code: error.code, Message: error.message, ...error.fields, RequestId: ids['x-amz-request-id'] };
  return {
    status: error.status,
    headers: { ...headers, 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${toXml(content)}</Error>`,
  };
}
