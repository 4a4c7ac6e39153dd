/** A workflow that reports its progress, under time skipping: what its watchers see, what it costs, what cannot hurt it. */
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import { ACTIVITY_TASK_QUEUE } from '../../workflows/progress/model.ts';
import type { Batch } from '../../workflows/progress/outbox.ts';
import type { teller, Work } from '../support/progress-workflows.ts';
import { createStoredLog, type StoredLog } from '../support/stored-log.ts';
import { openTimeSkipping, withWorkers, workflowBundle } from '../support/time-skipping.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await openTimeSkipping();
});
afterAll(() => env.teardown());

let nth = 0;

interface Ran {
  run: string;
  log: StoredLog;
  ended: unknown;
  handle: WorkflowHandle;
  history: number;
  markers: number;
  composed: Batch[];
}

async function runOrder(
  input: Work,
  log = createStoredLog(),
  { attempts = 1, whenEnded }: { attempts?: number; whenEnded?(): void } = {},
): Promise<Ran> {
  nth += 1;
  const run = `order/${nth}`;
  const composed: Batch[] = [];
  const failures = new Map<string, number>();
  const work = {
    async work(step: string) {
      const times = (failures.get(step) ?? 0) + 1;
      failures.set(step, times);
      if (step === input.fails && times === 1) throw ApplicationFailure.nonRetryable('sold out', 'SoldOutError');
    },
    async composed(batch: Batch) {
      composed.push(batch);
      const reports = batch.reports.map((report) => ({
        ...report,
        message: `${report.message ?? 'Order'}, with love`,
      }));
      await log.store.append(batch.run, batch.facts, reports);
    },
  };
  const queues = { [WORKFLOW_TASK_QUEUE]: log.activities, [ACTIVITY_TASK_QUEUE]: log.activities, work };
  return withWorkers(
    env,
    queues,
    async () => {
      const handle = await env.client.workflow.start('order', {
        workflowId: run,
        taskQueue: WORKFLOW_TASK_QUEUE,
        args: [input],
        retry: { maximumAttempts: attempts },
      });
      const ended: unknown = await handle.result().catch((error: Error) => error);
      whenEnded?.();
      const { events } = await handle.fetchHistory();
      const markers = events?.filter(({ markerRecordedEventAttributes: marker }) => marker != null).length ?? 0;
      expect(events?.filter(({ workflowTaskFailedEventAttributes: failed }) => failed != null)).toEqual([]);
      return { run, log, ended, handle, history: events?.length ?? 0, markers, composed };
    },
    workflowBundle('test/support/progress-workflows.ts'),
  );
}

it('one line a step tells of the plan before it, of beginning, percent and end of each, and how the run ended', async () => {
  const { log, run } = await runOrder({ steps: ['inventory', 'payment'], says: 2 });

  const events = await log.events(run);
  const picture = await log.picture(run);
  expect(events[0]).toMatchObject({ seq: 1, kind: 'status', status: 'RUNNING' });
  expect(events[1]?.steps).toMatchObject([
    { name: 'inventory', weight: 1 },
    { name: 'payment', state: 'PENDING', after: ['inventory'], weight: 2 },
  ]);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(new Set(events.map(({ source }) => `${source.name}/${source.attempt}`))).toEqual(new Set(['workflow/1']));
  expect(picture).toMatchObject({
    domain: 'order',
    consumer: 'lab-a',
    status: 'COMPLETE',
    percent: 100,
    steps: [
      { name: 'inventory', state: 'SUCCEEDED', attempt: 1 },
      { name: 'payment', state: 'SUCCEEDED', attempt: 1, after: ['inventory'] },
    ],
  });
  expect(picture.endedAt).toBeGreaterThanOrEqual(picture.steps[1]?.endedAt ?? Number.POSITIVE_INFINITY);
  const said = events.flatMap(({ steps = [] }) => steps).filter(({ percent }) => percent === 50);
  expect(said.map(({ name }) => name)).toEqual(['inventory', 'payment']);
});

it('a step that fails, and with it the run, is told of with its cause; what never began is cancelled', async () => {
  const { log, run, ended } = await runOrder({ steps: ['inventory', 'payment', 'parcel'], fails: 'payment' });

  expect(ended).toBeInstanceOf(Error);
  expect(await log.picture(run)).toMatchObject({
    status: 'FAILED',
    error: { type: 'SoldOutError', message: 'sold out' },
    steps: [{ state: 'SUCCEEDED' }, { state: 'FAILED', cause: 'sold out' }, { state: 'CANCELLED' }],
  });
});

it('another attempt supersedes what the one before has said, also where that says it late', async () => {
  const { log, run, ended } = await runOrder({ steps: ['inventory', 'payment'], fails: 'payment' }, undefined, {
    attempts: 2,
  });
  const [late] = log.batches.at(1)?.reports ?? [];
  if (!late) throw new Error('nothing was told');
  const stale = { ...late, localSeq: late.localSeq + 1e9, status: 'LATE' };
  const { refused } = await log.store.append(run, { domain: 'order' }, [stale]);

  expect(ended).not.toBeInstanceOf(Error);
  expect(refused).toBe(1);
  const picture = await log.picture(run);
  expect(picture).toMatchObject({ attempt: 2, status: 'COMPLETE', percent: 100 });
  expect(picture.error).toBeUndefined();
  expect(picture.statuses.map(({ status, attempt }) => [status, attempt])).toEqual([
    ['RUNNING', 1],
    ['FAILED', 1],
    ['RUNNING', 2],
    ['COMPLETE', 2],
  ]);
});

it('a log that cannot be written for a while stops nobody; all that was to be told is told after it', async () => {
  const log = createStoredLog();
  log.before = ({ reports }) => {
    if (reports.every(({ kind }) => kind === 'progress') && log.batches.length < 5)
      throw new Error('the table is gone');
  };
  const { run, ended } = await runOrder({ steps: ['a', 'b', 'c'], seconds: 30 }, log);

  expect(ended).not.toBeInstanceOf(Error);
  expect(log.batches.length).toBeGreaterThanOrEqual(5);
  expect(await log.picture(run)).toMatchObject({
    status: 'COMPLETE',
    steps: [{ state: 'SUCCEEDED' }, { state: 'SUCCEEDED' }, { state: 'SUCCEEDED' }],
  });
});

it('a log that never answers does not keep a workflow from its end, which is given up in the end', async () => {
  const log = createStoredLog();
  const hanging: (() => void)[] = [];
  log.before = ({ reports }) => {
    if (reports.some(({ kind }) => kind === 'end')) throw new Error('the table is gone');
    if (reports.some(({ kind }) => kind === 'status')) return undefined;
    return new Promise((resolve) => hanging.push(resolve));
  };
  const { ended, run } = await runOrder({ steps: ['a', 'b'], seconds: 3_600 }, log, {
    // Or the worker would wait for them when it is shut down.
    whenEnded: () => {
      for (const resolve of hanging) resolve();
    },
  });

  expect(ended).not.toBeInstanceOf(Error);
  // Of each step the end; the beginning of the second comes too soon after a failure.
  expect(hanging.length).toBe(3);
  expect((await log.picture(run)).status).toBe('RUNNING');
});

it('costs one event a report, and six for each status; no more than its bound', async () => {
  const quiet = await runOrder({ steps: ['a'], says: 10, most: 0 });
  const loud = await runOrder({ steps: ['a'], says: 10 });
  const bounded = await runOrder({ steps: ['a'], says: 60, most: 10 });

  expect(quiet.markers).toBe(0);
  expect(loud.history - quiet.history).toBe(loud.markers);
  expect(loud.markers).toBeGreaterThanOrEqual(10);
  expect(bounded.markers).toBeLessThanOrEqual(10);
  // What the bound kept back goes with the end.
  for (const { log, run } of [quiet, bounded])
    expect(await log.picture(run)).toMatchObject({ status: 'COMPLETE', percent: 100, steps: [{ state: 'SUCCEEDED' }] });
});

it('goes on numbering, and in the same picture, when it continues as new', async () => {
  const { log, run } = await runOrder({ steps: ['a', 'b'], seconds: 1, again: 2 });

  const events = await log.events(run);
  expect(events.filter(({ begins }) => begins)).toHaveLength(0);
  expect(events.filter(({ kind }) => kind === 'end')).toHaveLength(1);
  expect(events.filter(({ status }) => status === 'RUNNING')).toHaveLength(1);
  const begun = events
    .flatMap(({ steps = [] }) => steps)
    .filter(({ name, state }) => name === 'a' && state === 'RUNNING');
  expect(begun).toHaveLength(3);
  expect(await log.picture(run)).toMatchObject({ status: 'COMPLETE', percent: 100 });
});

it('data is told one by one, in order', async () => {
  const log = createStoredLog();
  const run = 'teller/1';
  const queues = { [WORKFLOW_TASK_QUEUE]: log.activities, [ACTIVITY_TASK_QUEUE]: log.activities };
  await withWorkers(
    env,
    queues,
    () =>
      env.client.workflow.execute<typeof teller>('teller', {
        workflowId: run,
        taskQueue: WORKFLOW_TASK_QUEUE,
        args: ['Longhaul'],
      }),
    workflowBundle('test/support/progress-workflows.ts'),
  );

  const events = await log.events(run);
  expect(events.flatMap(({ kind, data }) => (kind === 'data' ? [data] : []))).toEqual([...'Longhaul']);
  expect((await log.picture(run)).statuses.map(({ status, waitingFor }) => [status, waitingFor])).toEqual([
    ['RUNNING', undefined],
    ['WAITING', 'more'],
    ['COMPLETE', undefined],
  ]);
});

it('an activity of the domain composes what is told, by its own route', async () => {
  const { log, run, composed } = await runOrder({ steps: ['a'], route: 'activity' });

  expect(composed.length).toBeGreaterThan(1);
  expect(log.batches).toEqual([]);
  expect(await log.picture(run)).toMatchObject({ status: 'COMPLETE', message: 'Order, with love' });
});
