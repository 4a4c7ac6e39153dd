/** A launch whose inputs are archived: it waits for its restore, two days if need be, and goes on as the same launch. */
import { DeleteObjectCommand, HeadObjectCommand, RestoreObjectCommand } from '@aws-sdk/client-s3';
import { type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { IndexWriter } from '../../lib/restore/index-files.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import {
  ACTIVITY_TASK_QUEUE,
  type LaunchProgress,
  PROGRESS_QUERY,
  WORKFLOW_TYPE,
  workflowIdOf,
} from '../../workflows/launch/model.ts';
import {
  APPROVE_UPDATE,
  type Archive,
  ACTIVITY_TASK_QUEUE as RESTORE_QUEUE,
  workflowIdOf as restoreIdOf,
  restoreState,
} from '../../workflows/restore/model.ts';
import { createWorld, tell, type World, type WorldOptions } from '../support/launch-world.ts';
import { BUCKET, openRestoreWorld, type RestoreWorld } from '../support/restore-world.ts';
import { isSleeping, openTimeSkipping, withWorkers } from '../support/time-skipping.ts';

const HOUR_MS = 3_600_000;
const STEPS = [{ name: 'align', after: [], items: 1 }];

let env: TestWorkflowEnvironment;
let restores: RestoreWorld;
beforeAll(async () => {
  env = await openTimeSkipping();
});
afterAll(() => env.teardown());
afterEach(() => restores.close());

/** Archives the inputs and writes the index that finding them would have written. */
async function archive(launchId: string, objects: [string, Archive][]) {
  restores = await openRestoreWorld({ env });
  const place = restoreState(BUCKET, launchId, 'attempt-1');
  const writer = new IndexWriter(restores.s3, place);
  for (const [key, archive] of objects) {
    await restores.archive([key], archive);
    await writer.add(BUCKET, { key, size: 10, archive, state: 'archived' });
  }
  await writer.close();
  return { place, objects: objects.length };
}

function during<T>(world: World, launchId: string, run: (handle: WorkflowHandle) => Promise<T>): Promise<T> {
  return withWorkers(
    env,
    { [ACTIVITY_TASK_QUEUE]: world.activities, [RESTORE_QUEUE]: restores.activities },
    async () => {
      const handle = await env.client.workflow.start(WORKFLOW_TYPE, {
        workflowId: workflowIdOf(launchId),
        taskQueue: WORKFLOW_TASK_QUEUE,
        args: [{ launchId, configurationFile: 's3://b/k' }],
      });
      return run(handle);
    },
  );
}

const worldOf = (options: Partial<WorldOptions>) =>
  createWorld({
    steps: STEPS,
    onSubmit: (step, job) => tell(env.client.workflow, job, step, 'SUCCEEDED'),
    ...options,
  });

const progressOf = (handle: WorkflowHandle) => handle.query<LaunchProgress>(PROGRESS_QUERY);

it('waits 48 hours of Deep Archive before anything is submitted, in a moment and in few events', async () => {
  const archived = await archive('deep', [['reads/1.fq.gz', 'DEEP_ARCHIVE']]);
  let readableAtSubmission = '';
  const world = worldOf({
    archived,
    async onSubmit(step, job) {
      const head = await restores.s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'reads/1.fq.gz' }));
      readableAtSubmission = head.Restore ?? '';
      await tell(env.client.workflow, job, step, 'SUCCEEDED');
    },
  });
  const { result, events, childEvents, progress } = await during(world, 'deep', async (handle) => {
    const result = await handle.result();
    const child = env.client.workflow.getHandle(restoreIdOf('deep'));
    await child.result();
    return {
      result,
      progress: await progressOf(handle),
      events: Number((await handle.describe()).historyLength),
      childEvents: Number((await child.describe()).historyLength),
    };
  });

  expect(result).toMatchObject({ launchId: 'deep', status: 'COMPLETE', attempt: 1 });
  expect(world.statuses).toEqual(['PREPARING', 'WAITING', 'READY', 'RUNNING', 'COMPLETE']);
  expect(world.waits).toEqual(['restore']);
  expect(readableAtSubmission).toContain('ongoing-request="false"');
  const { WAITING = 0, READY = 0 } = progress.statuses;
  expect(READY - WAITING).toBeGreaterThan(36 * HOUR_MS);
  expect(READY - WAITING).toBeLessThanOrEqual(52 * HOUR_MS);
  expect(progress.restore).toMatchObject({ objects: 1, readable: 1, bytes: 10 });
  expect(events + childEvents).toBeLessThan(300);
  // The launch has ended, so nobody keeps the copies.
  expect(restores.items.get('deep')).toMatchObject({ status: 'COMPLETE', launch_id: 'deep' });
});

it('copies that are there already are no long wait, but are kept while the launch runs for days', async () => {
  const archived = await archive('kept', [['reads/1.fq.gz', 'GLACIER']]);
  const RestoreRequest = { Days: 1, GlacierJobParameters: { Tier: 'Expedited' as const } };
  await restores.s3.send(new RestoreObjectCommand({ Bucket: BUCKET, Key: 'reads/1.fq.gz', RestoreRequest }));
  restores.kit.clock.advance(HOUR_MS);
  const world = createWorld({ steps: STEPS, archived, restore: { days: 1 } });
  const readable = await during(world, 'kept', async (handle) => {
    const job = await world.submission('align');
    // Time that is skipped while an activity runs makes it late.
    await expect.poll(() => world.statuses.at(-1)).toBe('RUNNING');
    await expect.poll(async () => (await handle.describe()).raw.pendingActivities?.length ?? 0).toBe(0);
    // The job takes a week, of which a copy lives one or two days.
    await env.sleep('7 days');
    const head = await restores.s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'reads/1.fq.gz' }));
    await tell(env.client.workflow, job, 'align', 'SUCCEEDED');
    await handle.result();
    return head.Restore;
  });
  expect(readable).toContain('ongoing-request="false"');
  expect(restores.requests().filter(({ status }) => status === 202)).toHaveLength(1);
  expect(restores.requests().filter(({ status }) => status === 200).length).toBeGreaterThan(3);
});

it('above the limit it waits for an approval, on the launch itself', async () => {
  const archived = await archive('dear', [['reads/1.fq.gz', 'DEEP_ARCHIVE']]);
  const world = worldOf({ archived, restore: { limitUsd: 0.0000001 } });
  await during(world, 'dear', async (handle) => {
    await expect.poll(async () => (await progressOf(handle)).waitingFor).toBe('approval');
    expect((await progressOf(handle)).restore).toMatchObject({ limitUsd: 0.0000001 });
    expect(restores.requests()).toEqual([]);
    expect(await handle.executeUpdate<string, [object]>(APPROVE_UPDATE, { args: [{}] })).toBe('WAITING');
    await handle.result();
  });
  expect(world.waits).toEqual(['restore', 'approval', 'restore']);
  expect(world.statuses.at(-1)).toBe('COMPLETE');
});

it('a refused approval fails the launch by its name', async () => {
  const archived = await archive('refused', [['reads/1.fq.gz', 'DEEP_ARCHIVE']]);
  const world = worldOf({ archived, restore: { limitUsd: 0 } });
  await during(world, 'refused', async (handle) => {
    await expect.poll(async () => (await progressOf(handle)).waitingFor).toBe('approval');
    expect(await handle.executeUpdate<string, [object]>(APPROVE_UPDATE, { args: [{ refuse: true }] })).toBe('FAILED');
    await expect(handle.result()).rejects.toThrow();
  });
  expect(world.errors).toEqual([expect.objectContaining({ type: 'ApprovalRefusedError' })]);
  expect(world.submitted).toEqual([]);
});

it('fails with the list of objects that cannot be restored, before it has waited for the others', async () => {
  const archived = await archive('broken', [
    ['reads/1.fq.gz', 'DEEP_ARCHIVE'],
    ['reads/2.fq.gz', 'GLACIER'],
  ]);
  await restores.s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'reads/2.fq.gz' }));
  const world = worldOf({ archived });
  await during(world, 'broken', async (handle) => {
    await expect(handle.result()).rejects.toThrow();
  });
  const [error] = world.errors;
  expect(error?.type).toBe('ObjectsNotRestorableError');
  expect(error?.message).toContain('reads/2.fq.gz: there is no such object any more');
  expect(world.statuses).toEqual(['PREPARING', 'WAITING', 'FAILED']);
});

it('a restore that somebody cancels by itself fails its launch, and does not hang it', async () => {
  const archived = await archive('ended', [['reads/1.fq.gz', 'DEEP_ARCHIVE']]);
  const world = worldOf({ archived });
  await during(world, 'ended', async (handle) => {
    const child = env.client.workflow.getHandle(restoreIdOf('ended'));
    await expect.poll(() => isSleeping(child)).toBe(true);
    await child.cancel();
    await expect(handle.result()).rejects.toThrow();
  });
  expect(world.errors).toEqual([expect.objectContaining({ type: 'RestoreCancelledError' })]);
  expect(world.statuses.at(-1)).toBe('FAILED');
});

it('a cancelled launch ends its restore, and stays CANCELLED', async () => {
  const archived = await archive('cancelled', [['reads/1.fq.gz', 'DEEP_ARCHIVE']]);
  const world = worldOf({ archived });
  await during(world, 'cancelled', async (handle) => {
    const child = env.client.workflow.getHandle(restoreIdOf('cancelled'));
    await expect.poll(() => isSleeping(child)).toBe(true);
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    await expect(child.result()).rejects.toThrow();
  });
  expect(world.statuses).toEqual(['PREPARING', 'WAITING', 'CANCELLED']);
  expect(restores.items.get('cancelled')?.status).toBe('CANCELLED');
});
