/**
 * What a message of the queue of restores says. Pure; every form is a fixture in test/events.
 *
 * @module
 */
import { isObject, text } from './json.ts';

export type Completions = { objects: { bucket: string; key: string }[] } | { poison: string };

/** Other events than completions, and S3's test event, hold no objects. */
export function parseCompletions(body: string): Completions {
  let message: unknown;
  try {
    message = JSON.parse(body);
  } catch {
    return { poison: 'the message is not JSON' };
  }
  if (!isObject(message)) return { poison: 'the message is not a JSON object' };
  if (message.Event === 's3:TestEvent') return { objects: [] };
  if (Array.isArray(message.Records)) {
    const objects = message.Records.map((record: unknown) => fromRecord(record));
    const poison = objects.find((object) => typeof object === 'string');
    if (typeof poison === 'string') return { poison };
    return { objects: objects.filter((object) => typeof object === 'object') };
  }
  if (message.source !== 'aws.s3') return { poison: 'neither an S3 notification nor an event of S3' };
  if (message['detail-type'] !== 'Object Restore Completed') return { objects: [] };
  if (!isObject(message.detail)) return { poison: 'an event without detail' };
  const bucket = text(message.detail.bucket, 'name');
  const key = text(message.detail.object, 'key');
  return bucket && key ? { objects: [{ bucket, key }] } : { poison: 'an S3 event without bucket or key' };
}

/** Sent by S3 itself: its key is URL-encoded, with + for a space. */
function fromRecord(record: unknown): { bucket: string; key: string } | string | undefined {
  if (!isObject(record) || !isObject(record.s3)) return 'a record without s3';
  if (record.eventName !== 'ObjectRestore:Completed') return undefined;
  const bucket = text(record.s3.bucket, 'name');
  const encoded = text(record.s3.object, 'key');
  if (!bucket || !encoded) return 'a record without bucket or key';
  try {
    return { bucket, key: decodeURIComponent(encoded.replaceAll('+', ' ')) };
  } catch {
    return 'a record whose key is not URL-encoded';
  }
}
