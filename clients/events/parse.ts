/**
 * What a message of the events queue says. Pure: no clock, no network; every form S3, EventBridge, Batch and the
 * pipe of the table send is a fixture in test/events.
 *
 * @module
 */
import {
  isEnded,
  JOB_ENVIRONMENT,
  JOB_STATUSES,
  type JobChange,
  LAUNCH_ID_PATTERN,
  LAUNCH_STATUSES,
  parseSubmission,
  RETRY_REQUEST,
} from '../../workflows/launch/model.ts';
import { isObject, type Json, text } from './json.ts';

export type Event =
  | { kind: 'sheet'; bucket: string; key: string; version?: string; etag: string }
  /** A request file was uploaded: what to restore. */
  | { kind: 'restore'; bucket: string; key: string; version?: string; etag: string; consumer: string }
  | { kind: 'job'; workflowId: string; change: JobChange }
  /** A person has set `status = RETRY`; `before` is what it was, `attempt` the one that is to be followed by another. */
  | { kind: 'retry'; launchId: string; before: string; attempt?: number }
  /** A launch has ended, and has no cost yet. */
  | { kind: 'ended'; launchId: string }
  /** Understood, and not for us. */
  | { kind: 'ignored'; reason: string }
  /** Not understood: left to the dead-letter queue. */
  | { kind: 'poison'; reason: string };

export const SHEET_PREFIX = 'sheets/';
export const REQUEST_PREFIX = 'restore-requests/';

/** One message may hold several events (S3 sends Records). */
export function parseMessage(body: string, ownBucket: string): Event[] {
  let message: unknown;
  try {
    message = JSON.parse(body);
  } catch {
    return [{ kind: 'poison', reason: 'the message is not JSON' }];
  }
  if (!isObject(message)) return [{ kind: 'poison', reason: 'the message is not a JSON object' }];
  if (message.Event === 's3:TestEvent') return [{ kind: 'ignored', reason: 'the test event of S3' }];
  if (Array.isArray(message.Records)) return message.Records.map((record) => fromRecord(record, ownBucket));
  if (message.eventSource === 'aws:dynamodb') return [fromTableChange(message)];
  const detail = message.detail;
  if (message.source === 'aws.s3' && isObject(detail)) return [fromObjectEvent(message, detail, ownBucket)];
  if (message.source === 'aws.batch' && isObject(detail)) return [fromJobEvent(message, detail)];
  if (message.source === 'aws.s3' || message.source === 'aws.batch')
    return [{ kind: 'poison', reason: 'an event without detail' }];
  if (typeof message.source === 'string')
    return [{ kind: 'ignored', reason: `events of ${message.source.slice(0, 60)} mean nothing here` }];
  return [{ kind: 'poison', reason: 'neither an S3 notification, an EventBridge event nor a change of a table' }];
}

/** An S3 notification sent directly: its key is URL-encoded, with + for a space. */
function fromRecord(record: unknown, ownBucket: string): Event {
  if (!isObject(record) || !isObject(record.s3)) return { kind: 'poison', reason: 'a record without s3' };
  const name = record.eventName;
  if (typeof name !== 'string' || !name.startsWith('ObjectCreated:'))
    return { kind: 'ignored', reason: 'not the creation of an object' };
  const bucket = text(record.s3.bucket, 'name');
  const encoded = text(record.s3.object, 'key');
  if (!bucket || !encoded) return { kind: 'poison', reason: 'a record without bucket or key' };
  let key: string;
  try {
    key = decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return { kind: 'poison', reason: 'a record whose key is not URL-encoded' };
  }
  return sheetEvent(ownBucket, bucket, key, text(record.s3.object, 'versionId'), text(record.s3.object, 'eTag'));
}

/** The same through EventBridge: its key is plain. */
function fromObjectEvent(message: Json, detail: Json, ownBucket: string): Event {
  if (message['detail-type'] !== 'Object Created') return { kind: 'ignored', reason: 'not the creation of an object' };
  const bucket = text(detail.bucket, 'name');
  const key = text(detail.object, 'key');
  if (!bucket || !key) return { kind: 'poison', reason: 'an S3 event without bucket or key' };
  return sheetEvent(ownBucket, bucket, key, text(detail.object, 'version-id'), text(detail.object, 'etag'));
}

function sheetEvent(ownBucket: string, bucket: string, key: string, version?: string, etag = ''): Event {
  if (bucket !== ownBucket) return { kind: 'ignored', reason: 'another bucket' };
  if (key.startsWith(REQUEST_PREFIX)) return requestEvent({ bucket, key, etag, ...(version && { version }) });
  if (!key.startsWith(SHEET_PREFIX) || key.split('/').length < 3)
    return { kind: 'ignored', reason: 'not below sheets/<consumer>/' };
  if (!/\.(ya?ml|json)$/i.test(key)) return { kind: 'ignored', reason: 'neither .yaml, .yml nor .json' };
  return { kind: 'sheet', bucket, key, etag, ...(version && { version }) };
}

function requestEvent(object: { bucket: string; key: string; version?: string; etag: string }): Event {
  const [, consumer, ...name] = object.key.split('/');
  if (!consumer || name.length === 0) return { kind: 'ignored', reason: 'not below restore-requests/<consumer>/' };
  if (!/\.(json|txt|csv|list)(\.gz)?$/i.test(object.key))
    return { kind: 'ignored', reason: 'neither a request (.json) nor a list (.txt, .csv)' };
  return { kind: 'restore', ...object, consumer };
}

/** A record of the stream of `Launches`, as EventBridge Pipes puts it into a queue. */
function fromTableChange(message: Json): Event {
  const change = message.dynamodb;
  if (!isObject(change)) return { kind: 'poison', reason: 'a record of a table without its change' };
  const [before, now] = [change.OldImage, change.NewImage];
  const wanted = isObject(now) ? attribute(now, 'status') : undefined;
  const ended = LAUNCH_STATUSES.some((known) => known === wanted && isEnded(known));
  if (!isObject(now) || (wanted !== RETRY_REQUEST && !ended))
    return { kind: 'ignored', reason: 'neither the end of a launch nor a request to retry' };
  const launchId = attribute(now, 'launch_id');
  const status = isObject(before) ? attribute(before, 'status') : undefined;
  if (!launchId || !LAUNCH_ID_PATTERN.test(launchId)) return { kind: 'poison', reason: 'a change without launch_id' };
  // Writing the cost is a change of an ended launch too: it must not start pricing again.
  if (ended)
    return now.total_cost === undefined
      ? { kind: 'ended', launchId }
      : { kind: 'ignored', reason: 'a launch that has its cost' };
  if (status === undefined) return { kind: 'ignored', reason: 'a launch that was never launched' };
  if (status === RETRY_REQUEST) return { kind: 'ignored', reason: 'the request to retry was there before' };
  const attempt = Number(isObject(now.attempt) ? now.attempt.N : undefined);
  return { kind: 'retry', launchId, before: status, ...(Number.isInteger(attempt) && { attempt }) };
}

/** The value of a string attribute in DynamoDB's JSON. */
function attribute(image: Json, name: string): string | undefined {
  const value = image[name];
  return isObject(value) && typeof value.S === 'string' ? value.S : undefined;
}

/** Batch's own "Batch Job State Change"; the submission key in the job's environment tells whose it is. */
function fromJobEvent(message: Json, detail: Json): Event {
  const blocked = message['detail-type'] === 'Batch Job Queue Blocked';
  if (message['detail-type'] !== 'Batch Job State Change' && !blocked)
    return { kind: 'ignored', reason: 'not a state change of a job' };
  const status = JOB_STATUSES.find((known) => known === detail.status);
  const jobId = detail.jobId;
  if (!status || typeof jobId !== 'string') return { kind: 'poison', reason: 'a job event without status or job id' };
  // Children are counted, not followed one by one; the rule filters them out, but rules are edited by people.
  const child = isObject(detail.arrayProperties) && detail.arrayProperties.index !== undefined;
  if (child && !blocked) return { kind: 'ignored', reason: 'a child of an array' };
  const key = submissionOf(detail);
  const submission = key === undefined ? undefined : parseSubmission(key);
  if (!submission) return { kind: 'ignored', reason: "not one of Longhaul's jobs" };
  const { workflowId, ...of } = submission;
  if (blocked) {
    const stuck = text(detail, 'statusReason') ?? '';
    // The job that blocks may be a child; its array is what the launch knows. It waits, whatever attempt it is at.
    const [parent = ''] = jobId.split(':');
    return { kind: 'job', workflowId, change: { ...of, jobId: parent, status: 'RUNNABLE', attempts: 0, stuck } };
  }
  const attempts = Array.isArray(detail.attempts) ? detail.attempts.length : 0;
  return { kind: 'job', workflowId, change: { ...of, jobId, status, attempts } };
}

function submissionOf(detail: Json): string | undefined {
  const tasks =
    isObject(detail.ecsProperties) && Array.isArray(detail.ecsProperties.taskProperties)
      ? detail.ecsProperties.taskProperties
      : [];
  const containers = tasks.flatMap((task: unknown) =>
    isObject(task) && Array.isArray(task.containers) ? (task.containers as unknown[]) : [],
  );
  for (const container of [...containers, detail.container]) {
    if (!isObject(container) || !Array.isArray(container.environment)) continue;
    const found = container.environment.find(
      (entry: unknown) => isObject(entry) && entry.name === JOB_ENVIRONMENT.submission,
    );
    if (isObject(found) && typeof found.value === 'string') return found.value;
  }
  return undefined;
}
