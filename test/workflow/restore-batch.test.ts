/** Restores through S3 Batch Operations: jobs ask for everything, and what they leave is asked for by the looks. */
import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { ListJobsCommand } from '@aws-sdk/client-s3-control';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { LOCAL_PLACE } from '../../infra/local/aws/ports.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import {
  ACTIVITY_TASK_QUEUE,
  PROGRESS_QUERY,
  type RestoreInput,
  type RestoreProgress,
  type RestoreResult,
  WORKFLOW_TYPE,
  workflowIdOf,
} from '../../workflows/restore/model.ts';
import { BUCKET, openRestoreWorld, type RestoreWorld } from '../support/restore-world.ts';
import { openTimeSkipping, withWorkers } from '../support/time-skipping.ts';

const HOUR = 3_600;

let env: TestWorkflowEnvironment;
let world: RestoreWorld;
let nth = 0;
beforeAll(async () => {
  env = await openTimeSkipping();
});
afterAll(() => env.teardown());
afterEach(() => world.close());

async function run(input: Omit<RestoreInput, 'restoreId'>) {
  nth += 1;
  const restoreId = `batch-${nth}`;
  return withWorkers(env, { [ACTIVITY_TASK_QUEUE]: world.activities }, async () => {
    const handle = await env.client.workflow.start<(input: RestoreInput) => Promise<RestoreResult>>(WORKFLOW_TYPE, {
      workflowId: workflowIdOf(restoreId),
      taskQueue: WORKFLOW_TASK_QUEUE,
      args: [{ restoreId, ...input }],
    });
    const result = await handle.result();
    return { result, progress: await handle.query<RestoreProgress>(PROGRESS_QUERY) };
  });
}

async function jobs() {
  const { Jobs = [] } = await world.s3control.send(new ListJobsCommand({ AccountId: LOCAL_PLACE.accountId }));
  return Jobs.toReversed();
}

async function text(key: string): Promise<string> {
  const { Body } = await world.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  return (await Body?.transformToString()) ?? '';
}

const restoreOf = async (Key: string) => (await world.s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key }))).Restore;

it('one job for each kind asks for everything; when all are complete nothing can be read yet, and it waits', async () => {
  world = await openRestoreWorld({ env, batchFrom: 3 });
  await world.archive(['a/1', 'a/2 +%é'], 'GLACIER');
  await world.archive(['a/3'], 'DEEP_ARCHIVE');
  await world.archive(['a/4'], 'DEEP_ARCHIVE_ACCESS');
  let whenAsked: (string | undefined)[] = [];
  const { requestByBatchOperations } = world.activities;
  world.activities.requestByBatchOperations = async (input) => {
    const done = await requestByBatchOperations(input);
    expect((await jobs()).map(({ Status }) => Status)).toEqual(['Complete', 'Complete', 'Complete']);
    whenAsked = await Promise.all(['a/1', 'a/3'].map(restoreOf));
    return done;
  };

  const { result, progress } = await run({ sources: [`s3://${BUCKET}/a/`] });

  expect(whenAsked).toEqual(['ongoing-request="true"', 'ongoing-request="true"']);
  expect(result).toMatchObject({ status: 'COMPLETE', objects: 4 });
  // Deep Archive by Bulk takes 36 to 48 hours.
  expect(result.seconds).toBeGreaterThan(36 * HOUR);
  expect(progress.counts).toMatchObject({ requested: 4, readable: 4 });
  for (const key of ['a/1', 'a/2 +%é', 'a/3']) expect(await restoreOf(key)).toContain('ongoing-request="false"');
  // Nothing was asked for by a request of its own.
  expect(world.requests()).toEqual([]);
  expect((await jobs()).map(({ ProgressSummary }) => ProgressSummary?.NumberOfTasksSucceeded)).toEqual([2, 1, 1]);
});

it('fewer objects than that, or only what is wished Expedited, are asked for one by one', async () => {
  world = await openRestoreWorld({ env, batchFrom: 2 });
  await world.archive(['a/1', 'b/1', 'b/2'], 'GLACIER');

  await run({ sources: [`s3://${BUCKET}/a/`] });
  await run({ sources: [`s3://${BUCKET}/b/`], wishes: { tier: 'Expedited' } });

  expect(await jobs()).toEqual([]);
  expect(world.requests()).toHaveLength(3);
});

it('what a job refuses or does not take is asked for by the looks, also what is Expedited', async () => {
  world = await openRestoreWorld({ env, batchFrom: 2 });
  await world.archive(['a/1', 'a/2', 'a/3'], 'DEEP_ARCHIVE');
  await world.archive(['a/4'], 'GLACIER');
  const { requestByBatchOperations } = world.activities;
  world.activities.requestByBatchOperations = async (input) => {
    // It is archived anew between the plan and the job, so that the job has refused it when it is.
    await world.s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'a/2' }));
    const done = await requestByBatchOperations(input);
    await world.archive(['a/2'], 'DEEP_ARCHIVE');
    return done;
  };

  const { result, progress } = await run({ sources: [`s3://${BUCKET}/a/`], wishes: { tier: 'Expedited' } });

  expect(result).toMatchObject({ status: 'COMPLETE', tiers: { DEEP_ARCHIVE: 'Standard', GLACIER: 'Expedited' } });
  const [job, ...others] = await jobs();
  expect(others).toEqual([]);
  expect(job?.ProgressSummary).toMatchObject({ NumberOfTasksSucceeded: 2, NumberOfTasksFailed: 1 });
  expect(world.requests()).toEqual([
    { subject: `${BUCKET}/a/2`, status: 202 },
    { subject: `${BUCKET}/a/4`, status: 202 },
  ]);
  expect(progress.counts).toMatchObject({ requested: 4, readable: 4 });
});

it('a job that fails as a whole leaves everything to the looks', async () => {
  world = await openRestoreWorld({ env, batchFrom: 1 });
  await world.archive(['a/1', 'a/2'], 'GLACIER');
  const { requestByBatchOperations } = world.activities;
  world.activities.requestByBatchOperations = async (input) => {
    // There is a manifest already, which is none.
    const Key = `${input.place.slice(`s3://${BUCKET}/`.length)}batch/0-GLACIER.csv`;
    await world.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'a,b,c,d\n' }));
    return requestByBatchOperations(input);
  };

  const { result } = await run({ sources: [`s3://${BUCKET}/a/`] });

  expect(result.status).toBe('COMPLETE');
  expect((await jobs()).map(({ Status }) => Status)).toEqual(['Failed']);
  expect(world.requests().map(({ status }) => status)).toEqual([202, 202]);
});

it('an answer to CreateJob that is lost makes no second job, and the manifest stays what it was', async () => {
  world = await openRestoreWorld({ env, batchFrom: 1, versioned: true });
  await world.archive(['a/1', 'a/2'], 'GLACIER');
  const { requestByBatchOperations } = world.activities;
  const places: string[] = [];
  world.activities.requestByBatchOperations = async (input) => {
    places.push(input.place);
    return requestByBatchOperations(input);
  };
  // Of the first try all that the SDK makes of it.
  world.kit.faults.set([
    { service: 's3control', operation: 'CreateJob', effect: 'reset', when: 'after', nth: 1, times: 3 },
  ]);

  const { result } = await run({ sources: [`s3://${BUCKET}/a/`] });

  expect(result).toMatchObject({ status: 'COMPLETE', objects: 2 });
  expect(places.length).toBeGreaterThan(1);
  expect(await jobs()).toHaveLength(1);
  expect(world.requests()).toEqual([]);
  const key = `${places[0]?.slice(`s3://${BUCKET}/`.length)}batch/0-GLACIER.csv`;
  expect(await text(key)).toBe(`${BUCKET},a/1\n${BUCKET},a/2\n`);
  const puts = world.kit.calls.list({ service: 's3', operation: 'PutObject' });
  expect(puts.filter(({ subject }) => subject === `${BUCKET}/${key}`)).toHaveLength(1);
});
