/**
 * What a message of the events queue says: every form that S3, EventBridge, Batch and the pipe send, and what is
 * none.
 *
 * @module
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Event, parseMessage } from '../../clients/events/parse.ts';
import { eventBody, eventNames } from '../support/event-fixtures.ts';

const VERSION = 'pJwq3NQ4UkTaLKcPyFyqUyHyUk2ZkA1d';
const ETAG = '0f343b0931126a20f133d67c2b018a3b';
const ODD_KEY = 'sheets/lab-a/Probe 7+8 ü日🧬 100%.yaml';
const sheet = (key = 'sheets/lab-a/cohort-7.yaml', more: { version?: string; etag?: string } = {}): Event => ({
  kind: 'sheet',
  bucket: 'longhaul',
  key,
  etag: ETAG,
  ...more,
});
const JOB_ID = '4c7599ae-0a82-49aa-ba5a-4727fcce14a8';
const blocked = (stuck: string): Event => {
  const of = { attempt: 1, step: 'align', generation: 1, shard: 0, jobId: JOB_ID };
  return { kind: 'job', workflowId: 'launch/cohort-7', change: { ...of, status: 'RUNNABLE', attempts: 0, stuck } };
};
const job = (status: string, attempts = 0): Event =>
  ({
    kind: 'job',
    workflowId: 'launch/cohort-7',
    change: { attempt: 1, step: 'align', generation: 1, shard: 0, jobId: JOB_ID, status, attempts },
  }) as Event;
const ignored = (reason: string): Event => ({ kind: 'ignored', reason });
const poison = (reason: string): Event => ({ kind: 'poison', reason });

const EXPECTED: Readonly<Record<string, readonly Event[]>> = {
  's3-put.direct': [sheet(undefined, { version: VERSION })],
  's3-put-unversioned.direct': [sheet('sheets/lab-a/cohort-7.json')],
  's3-multipart-complete.direct': [sheet(undefined, { etag: '9b2cf535f27731c974343645a3985328-2' })],
  's3-two-records.direct': [sheet('sheets/lab-a/one.yaml'), sheet('sheets/lab-b/two.yml')],
  's3-encoded-key.direct': [sheet(ODD_KEY)],
  's3-other-bucket.direct': [ignored('another bucket')],
  's3-not-a-sheet.direct': [ignored('neither .yaml, .yml nor .json')],
  's3-not-below-sheets.direct': [ignored('not below sheets/<consumer>/')],
  's3-not-below-a-consumer.direct': [ignored('not below sheets/<consumer>/')],
  's3-removed-object.direct': [ignored('not the creation of an object')],
  's3-test-event': [ignored('the test event of S3')],
  's3-put.eventbridge': [sheet(undefined, { version: VERSION })],
  's3-multipart-complete.eventbridge': [sheet()],
  's3-plain-key.eventbridge': [sheet(ODD_KEY)],
  's3-other-bucket.eventbridge': [ignored('another bucket')],
  's3-removed-object.eventbridge': [ignored('not the creation of an object')],
  'batch-submitted': [job('SUBMITTED')],
  'batch-running': [job('RUNNING')],
  'batch-runnable-again': [job('RUNNABLE', 1)],
  'batch-succeeded': [job('SUCCEEDED', 1)],
  'batch-failed': [job('FAILED', 1)],
  'batch-array-parent': [job('PENDING')],
  'batch-single-container': [job('RUNNING')],
  'batch-array-child': [ignored('a child of an array')],
  'batch-foreign-job': [ignored("not one of Longhaul's jobs")],
  'batch-foreign-submission': [ignored("not one of Longhaul's jobs")],
  'batch-queue-blocked': [
    blocked(
      'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement (vCPU/memory/GPU) is higher than that can be met by the CE(s) attached to the job queue.',
    ),
  ],
  'other-service.eventbridge': [ignored('events of aws.ec2 mean nothing here')],
  'table-retry': [{ kind: 'retry', launchId: 'cohort-7', before: 'FAILED', attempt: 1 }],
  'table-retry-there-before': [ignored('the request to retry was there before')],
  'table-retry-new-item': [ignored('a launch that was never launched')],
  'table-other-status': [ignored('neither the end of a launch nor a request to retry')],
  'table-removed-item': [ignored('neither the end of a launch nor a request to retry')],
  'table-ended': [{ kind: 'ended', launchId: 'cohort-7' }],
  'table-cancelled': [{ kind: 'ended', launchId: 'cohort-7' }],
  'table-priced': [ignored('a launch that has its cost')],
  'poison-table-without-change': [poison('a record of a table without its change')],
  'poison-table-without-launch-id': [poison('a change without launch_id')],
  'poison-table-odd-launch-id': [poison('a change without launch_id')],
  'poison-not-json': [poison('the message is not JSON')],
  'poison-text': [poison('the message is not a JSON object')],
  'poison-null': [poison('the message is not a JSON object')],
  'poison-array': [poison('the message is not a JSON object')],
  'poison-no-records': [poison('neither an S3 notification, an EventBridge event nor a change of a table')],
  'poison-records-no-list': [poison('neither an S3 notification, an EventBridge event nor a change of a table')],
  'restore-completed.direct': [
    ignored('not the creation of an object'),
    ignored('not the creation of an object'),
    ignored('not the creation of an object'),
  ],
  'restore-completed.eventbridge': [ignored('not the creation of an object')],
  'restore-initiated.eventbridge': [ignored('not the creation of an object')],
  'poison-restore-key-not-encoded': [ignored('not the creation of an object')],
  'poison-record-without-s3': [poison('a record without s3')],
  'poison-record-without-key': [poison('a record without bucket or key')],
  'poison-key-not-encoded': [poison('a record whose key is not URL-encoded')],
  'poison-s3-without-bucket.eventbridge': [poison('an S3 event without bucket or key')],
  'poison-batch-unknown-status': [poison('a job event without status or job id')],
  'poison-batch-without-job-id': [poison('a job event without status or job id')],
  'poison-detail-no-object': [poison('an event without detail')],
};

describe('a message', () => {
  it.each(Object.entries(EXPECTED))('%s', (name, events) => {
    expect(parseMessage(eventBody(name), 'longhaul')).toEqual(events);
  });

  it('is tried for every fixture there is', () => {
    expect(eventNames()).toEqual(Object.keys(EXPECTED).sort());
  });

  it('never makes the parser fail, whatever it is', () => {
    const names = eventNames().filter((name) => !/poison-(not-json|text|null)/.test(name));
    // A real event with one of its values replaced by anything.
    const mutated = fc.tuple(fc.constantFrom(...names), fc.nat(), fc.jsonValue()).map(([name, pick, value]) => {
      const paths: (readonly [Record<string, unknown>, string])[] = [];
      const root = { body: JSON.parse(eventBody(name)) as unknown };
      const walk = (node: Record<string, unknown>) => {
        for (const [key, child] of Object.entries(node)) {
          paths.push([node, key]);
          if (typeof child === 'object' && child !== null) walk(child as Record<string, unknown>);
        }
      };
      walk(root);
      const [holder, key] = paths[pick % paths.length] ?? [root, 'body'];
      (holder as Record<string, unknown>)[key] = value;
      return JSON.stringify(root.body);
    });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.json(), fc.string()), (body) => {
        for (const event of parseMessage(body, 'longhaul'))
          expect(['sheet', 'job', 'retry', 'ended', 'ignored', 'poison']).toContain(event.kind);
      }),
      { numRuns: 1000 },
    );
  });
});
