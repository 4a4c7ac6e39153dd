/**
 * The operations by method and path, as the service model names them.
 *
 * @module
 */
import { deregisterJobDefinition, describeJobDefinitions, registerJobDefinition } from './definitions.ts';
import type { Engine } from './engine.ts';
import {
  createComputeEnvironment,
  deleteComputeEnvironment,
  describeComputeEnvironments,
  updateComputeEnvironment,
} from './environments.ts';
import { refused } from './errors.ts';
import { type Json, requiredString } from './input.ts';
import { describeJobs, findJob, listJobs, readReason } from './queries.ts';
import { createJobQueue, deleteJobQueue, describeJobQueues, updateJobQueue } from './queues.ts';
import type { Store } from './store.ts';
import { readSubmission } from './submit.ts';
import { listTagsForResource, tagResource, untagResource } from './tags.ts';

/** AWS Batch's quota "Maximum job payload size". */
const LARGEST_JOB_BYTES = 30 * 1024;

export interface CallContext {
  store: Store;
  engine: Engine;
  bodyBytes: number;
  query: URLSearchParams;
}

export interface Operation {
  name: string;
  subject(input: Json): string;
  run(context: CallContext, input: Json): Json;
}

interface Row {
  name: string;
  /** The member that names what is acted on. */
  subject: string;
  run(context: CallContext, input: Json): Json;
}

/** `POST /v1/<name in lower case>` */
const OPERATIONS: readonly Row[] = [
  {
    name: 'CreateComputeEnvironment',
    subject: 'computeEnvironmentName',
    run: ({ store }, input) => createComputeEnvironment(store, input),
  },
  {
    name: 'DescribeComputeEnvironments',
    subject: 'computeEnvironments',
    run: ({ store }, input) => describeComputeEnvironments(store, input),
  },
  { name: 'UpdateComputeEnvironment', subject: 'computeEnvironment', run: changing(updateComputeEnvironment) },
  { name: 'DeleteComputeEnvironment', subject: 'computeEnvironment', run: changing(deleteComputeEnvironment) },
  { name: 'CreateJobQueue', subject: 'jobQueueName', run: ({ store }, input) => createJobQueue(store, input) },
  { name: 'DescribeJobQueues', subject: 'jobQueues', run: ({ store }, input) => describeJobQueues(store, input) },
  { name: 'UpdateJobQueue', subject: 'jobQueue', run: changing(updateJobQueue) },
  { name: 'DeleteJobQueue', subject: 'jobQueue', run: deleteQueue },
  {
    name: 'RegisterJobDefinition',
    subject: 'jobDefinitionName',
    run: ({ store }, input) => registerJobDefinition(store, input),
  },
  {
    name: 'DescribeJobDefinitions',
    subject: 'jobDefinitionName',
    run: ({ store }, input) => describeJobDefinitions(store, input),
  },
  {
    name: 'DeregisterJobDefinition',
    subject: 'jobDefinition',
    run: ({ store }, input) => deregisterJobDefinition(store, input),
  },
  { name: 'SubmitJob', subject: 'jobName', run: submitJob },
  { name: 'DescribeJobs', subject: 'jobs', run: ({ store }, input) => describeJobs(store, input) },
  { name: 'ListJobs', subject: 'jobQueue', run: ({ store }, input) => listJobs(store, input) },
  { name: 'CancelJob', subject: 'jobId', run: ending('cancel') },
  { name: 'TerminateJob', subject: 'jobId', run: ending('terminate') },
];

const BY_PATH = new Map(OPERATIONS.map((row) => [`POST /v1/${row.name.toLowerCase()}`, row]));

export function operationOf(method: string, path: string): Operation | undefined {
  const row = BY_PATH.get(`${method} ${path}`);
  if (row) return { name: row.name, subject: (input) => subjectOf(input[row.subject]), run: row.run };
  const encoded = /^\/v1\/tags\/(.+)$/.exec(path)?.[1];
  return encoded === undefined ? undefined : tagOperation(method, decodeURIComponent(encoded));
}

function tagOperation(method: string, arn: string): Operation | undefined {
  const subject = () => arn;
  if (method === 'GET') {
    return { name: 'ListTagsForResource', subject, run: ({ store }) => listTagsForResource(store, arn) };
  }
  if (method === 'POST')
    return { name: 'TagResource', subject, run: ({ store }, input) => tagResource(store, arn, input) };
  if (method === 'DELETE') {
    return {
      name: 'UntagResource',
      subject,
      run: ({ store, query }) => untagResource(store, arn, query.getAll('tagKeys')),
    };
  }
  return undefined;
}

function subjectOf(value: unknown): string {
  return Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : '';
}

/** A change that may give waiting jobs room. */
function changing(run: (store: Store, input: Json) => Json): Row['run'] {
  return ({ store, engine }, input) => {
    const output = run(store, input);
    engine.scheduler.kick();
    return output;
  };
}

function deleteQueue({ store, engine }: CallContext, input: Json): Json {
  return deleteJobQueue(store, input, (queueArn) => {
    for (const job of store.jobs.values()) {
      if (job.spec.queueArn === queueArn) engine.terminate(job, 'JobQueue deleted');
    }
  });
}

function submitJob({ store, engine, bodyBytes }: CallContext, input: Json): Json {
  if (bodyBytes > LARGEST_JOB_BYTES)
    throw refused(`Job payload exceeds the maximum size of ${LARGEST_JOB_BYTES} bytes`);
  const spec = readSubmission(store, input);
  engine.submit(spec);
  return { jobArn: spec.jobArn, jobName: spec.jobName, jobId: spec.jobId };
}

/** A job nobody knows, or one that is over, is left alone; the call succeeds. */
function ending(how: 'cancel' | 'terminate'): Row['run'] {
  return ({ store, engine }, input) => {
    const reference = requiredString(input, 'jobId');
    const reason = readReason(input);
    const job = findJob(store, reference);
    if (job) engine[how](job, reason);
    return {};
  };
}
