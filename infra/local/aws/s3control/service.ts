/**
 * The stand-in for S3 Batch Operations, jobs that restore objects, over the REST-XML protocol of the S3 Control API.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { Kit } from '../../kit/front-door.ts';
import { AwsError, type AwsRequest, type AwsResponse, type AwsService, type PreparedCall } from '../../kit/service.ts';
import { toXml, type XmlObject } from '../../kit/xml.ts';
import type { ObjectPort, Place } from '../ports.ts';
import { readXml } from '../s3/xml.ts';
import { notImplemented } from './errors.ts';
import { readCreateJob } from './input.ts';
import { JobOperations } from './operations.ts';
import { Runner } from './runner.ts';
import { JobStore } from './store.ts';

const NAMESPACE = 'http://awss3control.amazonaws.com/doc/2018-08-20/';
const ACCOUNT = 'x-amz-account-id';
const PATH = /^\/v20180820\/jobs(?:\/([^/]+)(?:\/(status|priority|tagging))?)?$/;

export function createS3Control(options: { kit: Kit; place: Place; directory: string; objects: ObjectPort }): {
  service: AwsService;
} {
  const { place, objects } = options;
  const store = new JobStore({ clock: options.kit.clock, directory: options.directory });
  const runner = new Runner(store, objects);
  const operations = new JobOperations(store, place, () => runner.wake());
  // Jobs of the last process go on.
  runner.wake();
  return {
    service: {
      names: ['s3control'],
      signedAs: { name: 's3', header: ACCOUNT },
      async prepare(request) {
        if (request.headers[ACCOUNT] !== place.accountId) throw new AwsError('AccessDenied', 'Access Denied', 403);
        return prepare(operations, request);
      },
      renderError,
      async close() {
        await runner.close();
        store.close();
      },
    },
  };
}

async function prepare(operations: JobOperations, request: AwsRequest): Promise<PreparedCall> {
  const { method, path, query } = request;
  const [matched, id = '', part = ''] = PATH.exec(path) ?? [];
  const call = (operation: string, subject: string, run: () => XmlObject): PreparedCall => ({
    operation,
    subject,
    run: async () => xml(200, `${operation}Result`, run()),
  });
  switch (matched === undefined ? undefined : `${method} ${id === '' ? 'jobs' : `job ${part}`}`) {
    case 'POST jobs': {
      const input = readCreateJob(await readXml(request, 'CreateJobRequest'));
      return call('CreateJob', input.request.description ?? '', () => operations.create(input));
    }
    case 'GET jobs':
      return call('ListJobs', '', () => operations.list(query));
    case 'GET job ':
      return call('DescribeJob', id, () => operations.describe(id));
    case 'POST job status':
      return call('UpdateJobStatus', id, () => operations.updateStatus(id, query));
    case 'POST job priority':
      return call('UpdateJobPriority', id, () => operations.updatePriority(id, query));
    case 'GET job tagging':
      return call('GetJobTagging', id, () => operations.tagging(id));
    default:
      throw notImplemented(`${method} ${path}`);
  }
}

function xml(status: number, root: string, content: XmlObject): AwsResponse {
  return {
    status,
    headers: {
      server: 'AmazonS3',
      'content-type': 'application/xml',
      'x-amz-request-id': randomBytes(8).toString('hex').toUpperCase(),
    },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${toXml(content)}</${root}>`,
  };
}

const renderError = (error: AwsError): AwsResponse =>
  xml(error.status, 'ErrorResponse', { Error: { Code: error.code, Message: error.message, ...error.fields } });
