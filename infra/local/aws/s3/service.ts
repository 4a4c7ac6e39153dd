/**
 * The stand-in for S3 over its own XML protocol, path-style addresses only.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { Kit } from '../../kit/front-door.ts';
import type { AwsError, AwsRequest, AwsResponse, AwsService } from '../../kit/service.ts';
import type { EventPort, Place, QueuePort } from '../ports.ts';
import { getObjectAttributes } from './attributes.ts';
import { bucketOperations } from './buckets.ts';
import type { S3Context, S3Operation } from './call.ts';
import { deleteOperations } from './deletes.ts';
import { S3Error } from './errors.ts';
import { listOperations } from './listing.ts';
import { multipartOperations } from './multipart.ts';
import { multipartListOperations } from './multipart-lists.ts';
import { createNotifier } from './notifications.ts';
import { uploadPartCopy } from './part-copy.ts';
import { readOperations } from './reads.ts';
import { checkPresigned, routeOf } from './route.ts';
import { S3Store } from './store.ts';
import { writeOperations } from './writes.ts';
import { toXml } from './xml.ts';

const OPERATIONS: Readonly<Record<string, S3Operation>> = {
  ...bucketOperations,
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
}): Promise<{ service: AwsService }> {
  const { place, queues, events } = options;
  const { clock } = options.kit;
  const store = new S3Store({ clock, directory: options.directory });
  const context: S3Context = { store, place, notifier: createNotifier({ clock, place, queues, events }) };
  return {
    service: {
      names: ['s3'],
      async prepare(request) {
        const route = routeOf(request);
        checkPresigned(request, clock.now());
        const operation = OPERATIONS[route.operation] as S3Operation;
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
      close: async () => store.close(),
    },
  };
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
