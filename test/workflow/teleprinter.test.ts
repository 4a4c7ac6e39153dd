/** The sample teleprinter: each character once and in order, however often the reader goes, and whatever dies. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import {
  ACTIVITY_TASK_QUEUE,
  PAUSE_SIGNAL,
  type PauseInput,
  READ_UPDATE,
  type ReadInput,
  type Reading,
  SOURCE,
  type TeleprinterInput,
  type TeleprinterResult,
  workflowIdOf,
} from '../../workflows/teleprinter/model.ts';
import { createSampleWorld, typed } from '../support/sample-world.ts';
import { openTimeSkipping, withWorkers } from '../support/time-skipping.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await openTimeSkipping();
});
afterAll(() => env.teardown());

/** Its typing hears of a pause at once. */
async function withReader<T>(world: ReturnType<typeof createSampleWorld>, run: () => Promise<T>): Promise<T> {
  const { [ACTIVITY_TASK_QUEUE]: activities, ...others } = world.queues;
  return withWorkers(env, others, async () => {
    const worker = await Worker.create({
      connection: env.nativeConnection,
      namespace: env.namespace ?? 'default',
      taskQueue: ACTIVITY_TASK_QUEUE,
      activities,
      maxHeartbeatThrottleInterval: '100 milliseconds',
    });
    return worker.runUntil(run);
  });
}

type Teleprinter = (input: TeleprinterInput) => Promise<TeleprinterResult>;

/** Starts it for a reader of that name, and is that reader. */
async function open(userId: string, characterMs: number) {
  const run = workflowIdOf(userId);
  const start = () =>
    env.client.workflow.start<Teleprinter>('teleprinter', {
      workflowId: run,
      taskQueue: WORKFLOW_TASK_QUEUE,
      args: [{ userId, characterMs }],
    });
  const handle = await start();
  return {
    run,
    handle,
    start,
    read: (cursor?: ReadInput['cursor'], askedAt = 1) =>
      env.client.workflow
        .getHandle(run)
        .executeUpdate<Reading, [ReadInput]>(READ_UPDATE, { args: [{ askedAt, ...(cursor && { cursor }) }] }),
    pause: (since = 1) => env.client.workflow.getHandle(run).signal<[PauseInput]>(PAUSE_SIGNAL, { since }),
  };
}

const ARTICLE = 'Typed, one by one: naïve 🥁 drums.';

describe('a reader', () => {
  it('gets each character once and in order, and the run ends with the article', async () => {
    const world = createSampleWorld(ARTICLE);
    await withReader(world, async () => {
      const { run, handle, read } = await open('reader-of-everything', 1);
      expect(await read()).toMatchObject({ reading: 1, at: 0, total: [...ARTICLE].length });
      expect(await handle.result()).toEqual({ reading: 1, at: [...ARTICLE].length });
      const told = await world.events(run);
      const characters = typed(told);
      expect(characters.map(({ text }) => text).join('')).toBe(ARTICLE);
      let next = 0;
      for (const { at, text } of characters) {
        expect(at).toBe(next);
        next += [...text].length;
      }
      expect(await world.log.snapshot(run)).toMatchObject({ domain: 'teleprinter', status: 'COMPLETE', percent: 100 });
    });
  });

  it('who pauses and reads on gets what comes after what was typed, and the log what was not acknowledged', async () => {
    const world = createSampleWorld('x'.repeat(1_000));
    await withReader(world, async () => {
      const { run, read, pause, handle } = await open('reader-with-pauses', 10);
      await read();
      await expect.poll(async () => typed(await world.events(run)).length).toBeGreaterThan(20);
      await pause();
      await expect.poll(async () => (await world.log.snapshot(run))?.status).toBe('PAUSED');
      const told = await world.events(run);
      const count = typed(told).reduce((sum, { text }) => sum + text.length, 0);
      const seen = told.filter(({ kind }) => kind === 'data')[10];
      const cursor = { epoch: (await world.log.head(run))?.epoch ?? '', seq: seen?.seq ?? 0 };

      expect(await read(cursor)).toEqual({ reading: 1, at: count, total: 1_000, after: cursor });
      // While it types it goes on, and answers with what was acknowledged since.
      const later = { ...cursor, seq: cursor.seq + 1 };
      expect(await read(later)).toEqual({ reading: 1, at: count, total: 1_000, after: later });
      await handle.result();
      expect(
        typed(await world.events(run))
          .map(({ text }) => text)
          .join(''),
      ).toHaveLength(1_000);
    });
  });

  it('whose cursor is gone begins anew, after what was told before', async () => {
    const world = createSampleWorld('abcdefghij');
    await withReader(world, async () => {
      const { run, start, read, handle } = await open('reader-who-was-away', 1);
      await read();
      await handle.result();
      const head = await world.log.head(run);
      const again = await start();
      const reading = await read();
      expect(reading).toMatchObject({ reading: 2, at: 0, after: { epoch: head?.epoch } });
      expect(reading.after?.seq).toBeGreaterThanOrEqual(head?.seq ?? Number.NaN);
      expect(await again.result()).toEqual({ reading: 2, at: 10 });
      expect(
        typed(await world.events(run))
          .map(({ text }) => text)
          .join(''),
      ).toBe('abcdefghijabcdefghij');
    });
  });

  it('who stays away lets it end', async () => {
    const world = createSampleWorld('x'.repeat(5_000));
    await withReader(world, async () => {
      const { run, handle, read, pause } = await open('reader-who-left', 5);
      await read();
      await expect.poll(async () => typed(await world.events(run)).length).toBeGreaterThan(2);
      await pause();
      const { at } = await handle.result();
      expect(at).toBeLessThan(5_000);
      expect(await world.log.snapshot(run)).toMatchObject({ status: 'PAUSED', message: 'nobody reads any more' });
    });
  });
});

it('that a reader has gone is nothing when the reader is back before it is told', async () => {
  const world = createSampleWorld('x'.repeat(100));
  await withReader(world, async () => {
    const { run, handle, read, pause } = await open('reader-who-is-quick', 5);
    await read(undefined, 1_000);
    await expect.poll(async () => typed(await world.events(run)).length).toBeGreaterThan(2);
    await pause(999);
    expect(await handle.result()).toEqual({ reading: 1, at: 100 });
    const { statuses } = (await world.log.snapshot(run)) ?? {};
    expect(statuses?.map(({ status }) => status)).toEqual(['WAITING', 'TYPING', 'COMPLETE']);
  });
});

it('what a worker that died has typed is not typed again', async () => {
  const world = createSampleWorld('abcdefghij');
  const userId = 'reader-of-two-workers';
  const run = workflowIdOf(userId);
  // Its heartbeat was lost with it.
  const facts = { domain: 'teleprinter', owner: userId };
  const report = { kind: 'data' as const, source: { name: SOURCE, attempt: 1 }, at: 1 };
  await world.log.append(run, facts, [{ ...report, localSeq: 4, data: { at: 0, text: 'abcd' } }]);
  await withReader(world, async () => {
    const { read, handle } = await open(userId, 1);
    const cursor = { epoch: (await world.log.head(run))?.epoch ?? '', seq: 1 };
    expect(await read(cursor)).toMatchObject({ reading: 1, at: 4, after: cursor });
    // A try of the dead one that was still on its way.
    const late = await world.log.append(run, facts, [{ ...report, localSeq: 3, data: { at: 2, text: 'c' } }]);
    expect(late.refused).toBe(1);
    await handle.result();
    expect(
      typed(await world.events(run))
        .map(({ text }) => text)
        .join(''),
    ).toBe('abcdefghij');
  });
});

describe('a history', () => {
  /** Of the first run, once another has taken its place: its events, and how many updates and signals it took. */
  async function firstRun(run: string, runId: string) {
    const { events } = await env.client.workflow.getHandle(run, runId).fetchHistory();
    const all = events ?? [];
    expect(all.at(-1)?.workflowExecutionContinuedAsNewEventAttributes).toBeTruthy();
    const calls = all.filter(
      ({ workflowExecutionUpdateAcceptedEventAttributes: update, workflowExecutionSignaledEventAttributes: signal }) =>
        update ?? signal,
    ).length;
    return { length: all.length, calls };
  }
  const isBounded = ({ length, calls }: { length: number; calls: number }) => {
    expect(calls).toBeGreaterThanOrEqual(100);
    // Of a reading that is paused there are two.
    expect(length / calls).toBeLessThan(20);
  };
  const current = async (run: string) => (await env.client.workflow.getHandle(run).describe()).runId;

  it('is bounded while the reader comes and goes', async () => {
    const world = createSampleWorld('x'.repeat(100_000));
    await withReader(world, async () => {
      const { run, read, pause, handle } = await open('reader-without-rest', 2);
      const runId = handle.firstExecutionRunId;
      for (let count = 0; count < 150 && (await current(run)) === runId; count += 1) {
        const head = await world.log.head(run);
        await read(head && { epoch: head.epoch, seq: head.seq });
        // As dear as a reading gets: typed, and paused.
        await expect.poll(async () => (await world.events(run)).at(-1)?.kind, { interval: 5 }).toBe('data');
        await pause();
        await expect.poll(async () => (await world.log.snapshot(run))?.status, { interval: 5 }).toBe('PAUSED');
      }
      isBounded(await firstRun(run, runId));
      // What a run that was continued has not read to its end is told to be paused all the same.
      const { reading } = await handle.result();
      expect(reading).toBe(1);
      expect(await world.log.snapshot(run)).toMatchObject({ status: 'PAUSED', endedAt: expect.any(Number) });
    });
  });

  it('is bounded while a reader asks without rest, and no character is lost between two runs', async () => {
    const world = createSampleWorld('x'.repeat(100_000));
    await withReader(world, async () => {
      const { run, read, pause, handle } = await open('reader-without-patience', 2);
      const runId = handle.firstExecutionRunId;
      await read();
      for (let count = 0; count < 60 && (await current(run)) === runId; count += 1)
        await Promise.allSettled(Array.from({ length: 5 }, () => read({ epoch: 'e', seq: 1 })));
      isBounded(await firstRun(run, runId));
      const before = typed(await world.events(run)).length;
      await expect.poll(async () => typed(await world.events(run)).length).toBeGreaterThan(before + 3);
      await pause();
      const { at } = await handle.result();
      let next = 0;
      for (const { at: first, text } of typed(await world.events(run))) {
        expect(first).toBe(next);
        next += text.length;
      }
      expect(at).toBe(next);
    });
  });
});
