/** The restore workflow and its own activities against the S3 stand-in, over days that pass at once. */

import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { ApplicationFailure, type Client, WorkflowFailedError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { IndexWriter } from '../../lib/restore/index-files.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import {
  ACTIVITY_TASK_QUEUE,
  APPROVE_UPDATE,
  PROGRESS_QUERY,
  type RestoreInput,
  type RestoreProgress,
  type RestoreResult,
  restoreState,
  WORKFLOW_TYPE,
  workflowIdOf,
} from '../../workflows/restore/model.ts';
import { BUCKET, openRestoreWorld, type RestoreWorld } from '../support/restore-world.ts';
import { isSleeping, openTimeSkipping, withWorkers } from '../support/time-skipping.ts';

const HOUR = 3_600;

let env: TestWorkflowEnvironment;
let world: RestoreWorld;
let nth = 0;
beforeAll(async () => {
  env = await openTimeSkipping();
});
afterAll(() => env.teardown());
afterEach(() => world.close());

const start = (client: Client, input: Omit<RestoreInput, 'restoreId'>) => {
  nth += 1;
  const restoreId = `r${nth}`;
  return client.workflow.start<(input: RestoreInput) => Promise<RestoreResult>>(WORKFLOW_TYPE, {
    workflowId: workflowIdOf(restoreId),
    taskQueue: WORKFLOW_TASK_QUEUE,
    args: [{ restoreId, ...input }],
  });
};

const during = <T>(run: () => Promise<T>): Promise<T> =>
  withWorkers(env, { [ACTIVITY_TASK_QUEUE]: world.activities }, run);

/** Ends as the workflow did: the named error behind its failure. */
async function failureOf(result: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await result.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
  return error.cause;
}

it('restores two archives by their cheapest tiers, and is not done before the last object can be read', async () => {
  world = await openRestoreWorld({ env });
  await world.archive(['a/1', 'a/2'], 'GLACIER');
  await world.archive(['a/3'], 'DEEP_ARCHIVE');
  await world.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'a/4', Body: 'x' }));

  const { result, events } = await during(async () => {
    const handle = await start(env.client, { sources: [`s3://${BUCKET}/a/`] });
    return { result: await handle.result(), events: Number((await handle.describe()).historyLength) };
  });

  expect(result).toMatchObject({
    status: 'COMPLETE',
    objects: 3,
    bytes: 30,
    tiers: { GLACIER: 'Bulk', DEEP_ARCHIVE: 'Bulk' },
  });
  // Deep Archive by Bulk takes 36 to 48 hours at the stand-in.
  expect(result.seconds).toBeGreaterThan(36 * HOUR);
  expect(result.seconds).toBeLessThan(50 * HOUR);
  expect(events).toBeLessThan(300);
  expect(world.requests()).toHaveLength(3);
  const head = await world.s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'a/3' }));
  expect(head.Restore).toContain('ongoing-request="false"');
});

it('has nothing to wait for where nothing is archived', async () => {
  world = await openRestoreWorld({ env });
  await world.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'a/1', Body: 'x' }));
  const result = await during(async () => (await start(env.client, { sources: [`s3://${BUCKET}/a/`] })).result());
  expect(result).toMatchObject({ status: 'COMPLETE', objects: 0, usd: 0, seconds: 0 });
});

it('waits for an approval above its limit, spends nothing before, and goes on with it', async () => {
  world = await openRestoreWorld({ env });
  await world.archive(['a/1'], 'DEEP_ARCHIVE');
  const result = await during(async () => {
    const handle = await start(env.client, { sources: [`s3://${BUCKET}/a/`], wishes: { limitUsd: 0.000001 } });
    await untilStatus(handle, 'APPROVAL');
    expect(world.requests()).toEqual([]);
    expect(await handle.query<RestoreProgress>(PROGRESS_QUERY)).toMatchObject({ approval: { limitUsd: 0.000001 } });
    const answer = await handle.executeUpdate<string, [object]>(APPROVE_UPDATE, { args: [{}] });
    expect(answer).toBe('REQUESTING');
    return handle.result();
  });
  expect(result.status).toBe('COMPLETE');
});

it('fails by name where the approval is refused', async () => {
  world = await openRestoreWorld({ env });
  await world.archive(['a/1'], 'DEEP_ARCHIVE');
  const failure = await during(async () => {
    const handle = await start(env.client, { sources: [`s3://${BUCKET}/a/`], wishes: { limitUsd: 0 } });
    await untilStatus(handle, 'APPROVAL');
    const answer = await handle.executeUpdate<string, [object]>(APPROVE_UPDATE, { args: [{ refuse: true }] });
    expect(answer).toBe('FAILED');
    return failureOf(handle.result());
  });
  expect(failure.type).toBe('ApprovalRefusedError');
  expect(world.requests()).toEqual([]);
});

it('restores the others, then fails with those that are not there', async () => {
  world = await openRestoreWorld({ env });
  await world.archive(['a/1'], 'GLACIER');
  const failure = await during(async () => {
    const handle = await start(env.client, { sources: [`s3://${BUCKET}/a/1`, `s3://${BUCKET}/a/gone`] });
    return failureOf(handle.result());
  });
  expect(failure.type).toBe('ObjectsNotRestorableError');
  expect(failure.message).toContain(`s3://${BUCKET}/a/gone: there is no such object`);
  const head = await world.s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'a/1' }));
  expect(head.Restore).toContain('ongoing-request="false"');
});

it('two restores of one object ask once, both learn of it, and cancelling one does the other no harm', async () => {
  world = await openRestoreWorld({ env });
  await world.archive(['a/1'], 'DEEP_ARCHIVE');
  const result = await during(async () => {
    const [one, other] = [
      await start(env.client, { sources: [`s3://${BUCKET}/a/1`] }),
      await start(env.client, { sources: [`s3://${BUCKET}/a/`] }),
    ];
    await untilStatus(one, 'RESTORING');
    await untilStatus(other, 'RESTORING');
    await expect.poll(() => isSleeping(one)).toBe(true);
    await one.cancel();
    await expect(one.result()).rejects.toThrow();
    return other.result();
  });
  expect(result.status).toBe('COMPLETE');
  expect(world.requests().filter(({ status }) => status === 202)).toHaveLength(1);
});

it('a deadline chooses the cheapest tier that makes it; one that nothing makes is refused before anything is spent', async () => {
  world = await openRestoreWorld({ env });
  await world.archive(['a/1'], 'DEEP_ARCHIVE');
  const [result, failure] = await during(async () => {
    const quick = await start(env.client, { sources: [`s3://${BUCKET}/a/1`], wishes: { deadlineSeconds: 2 * 3600 } });
    const failed = await failureOf(quick.result());
    const handle = await start(env.client, { sources: [`s3://${BUCKET}/a/1`], wishes: { deadlineSeconds: 13 * 3600 } });
    return [await handle.result(), failed] as const;
  });
  expect(failure).toMatchObject({ type: 'DeadlineMissedError' });
  expect(failure.message).toContain('12 h');
  expect(result.tiers).toEqual({ DEEP_ARCHIVE: 'Standard' });
  expect(result.seconds).toBeLessThanOrEqual(12 * 3600 + 3600);
});

it('extends a copy that would go before the last object is there', async () => {
  world = await openRestoreWorld({ env });
  await world.archive(['a/1'], 'GLACIER');
  await world.archive(['a/2'], 'DEEP_ARCHIVE');
  const result = await during(async () =>
    (await start(env.client, { sources: [`s3://${BUCKET}/a/`], wishes: { days: 1 } })).result(),
  );
  expect(result.status).toBe('COMPLETE');
  expect(world.requests().filter(({ status }) => status === 200).length).toBeGreaterThan(0);
  expect(world.requests().filter(({ status }) => status === 202)).toHaveLength(2);
});

it('objects of Intelligent-Tiering move back, without days', async () => {
  world = await openRestoreWorld({ env });
  await world.archive(['a/1'], 'ARCHIVE_ACCESS');
  await world.archive(['a/2'], 'DEEP_ARCHIVE_ACCESS');
  const result = await during(async () => (await start(env.client, { sources: [`s3://${BUCKET}/a/*`] })).result());
  // Both tiers are free there, so the faster one.
  expect(result).toMatchObject({
    objects: 2,
    usd: 0,
    tiers: { ARCHIVE_ACCESS: 'Standard', DEEP_ARCHIVE_ACCESS: 'Standard' },
  });
  const head = await world.s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'a/2' }));
  expect(head.ArchiveStatus).toBeUndefined();
});

it('a run that goes on from another keeps the copies as that did', async () => {
  world = await openRestoreWorld({ env });
  await world.archive(['a/1'], 'GLACIER');
  const input = { sources: [`s3://${BUCKET}/a/`], wishes: { days: 1 } };
  const place = await during(async () => {
    const handle = await start(env.client, input);
    await expect.poll(() => isSleeping(handle)).toBe(true);
    // Not by its result: time may run away then, and the copy with it.
    await env.sleep('13 hours');
    await untilStatus(handle, 'COMPLETE');
    return world.items.get(`r${nth}`)?.place ?? '';
  });
  const item = world.items.get(`r${nth}`);
  if (!item?.plan || !item.counts) throw new Error('the restore is not written down');
  const began = await env.currentTimeMs();
  const carried = {
    status: 'READY' as const,
    statuses: {},
    plan: item.plan,
    counts: item.counts,
    requestedAt: began,
    sequence: 9,
    sweeps: 3,
    pollSeconds: 0,
    beganAt: began,
    place,
  };
  const launch = { launchId: 'nobody', attempt: 1, workflowId: 'launch/nobody', place };
  const head = await during(async () => {
    const handle = await start(env.client, { ...input, launch, carried });
    await expect.poll(() => isSleeping(handle)).toBe(true);
    await env.sleep('7 days');
    await expect.poll(() => isSleeping(handle)).toBe(true);
    const seen = await world.s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'a/1' }));
    await handle.cancel();
    expect(await handle.result()).toMatchObject({ status: 'COMPLETE' });
    return seen;
  });
  expect(head.Restore).toContain('ongoing-request="false"');
  expect(world.requests().filter(({ status }) => status === 202)).toHaveLength(1);
});

it('a copy that has gone while nobody looked is restored again for the launch that needs it', async () => {
  world = await openRestoreWorld({ env });
  await world.archive(['a/1'], 'GLACIER');
  const place = restoreState(BUCKET, 'gone', 'r');
  const writer = new IndexWriter(world.s3, place);
  await writer.add(BUCKET, { key: 'a/1', size: 10, archive: 'GLACIER', state: 'archived' });
  await writer.close();
  const began = await env.currentTimeMs();
  const carried = {
    status: 'READY' as const,
    statuses: {},
    plan: {
      days: 1,
      tiers: { GLACIER: 'Bulk' as const },
      objects: 1,
      bytes: 10,
      seconds: 43_200,
      soonestSeconds: 18_000,
    },
    counts: { total: 1, bytes: 10, requested: 1, readable: 1, readableBytes: 10, restoring: 0, failed: 0 },
    requestedAt: began,
    sequence: 9,
    sweeps: 3,
    pollSeconds: 0,
    beganAt: began,
    place,
  };
  const launch = { launchId: 'nobody', attempt: 1, workflowId: 'launch/nobody', place };
  const head = await during(async () => {
    const handle = await start(env.client, { launch, carried });
    await expect.poll(() => isSleeping(handle)).toBe(true);
    await env.sleep('7 days');
    await expect.poll(() => isSleeping(handle)).toBe(true);
    const seen = await world.s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'a/1' }));
    await handle.cancel();
    await handle.result();
    return seen;
  });
  expect(head.Restore).toContain('ongoing-request="false"');
  expect(world.requests().filter(({ status }) => status === 200).length).toBeGreaterThan(3);
});

async function untilStatus(
  handle: Awaited<ReturnType<typeof start>>,
  status: RestoreProgress['status'],
): Promise<void> {
  await expect
    .poll(async () => (await handle.query<RestoreProgress>(PROGRESS_QUERY)).status, { interval: 20 })
    .toBe(status);
}
