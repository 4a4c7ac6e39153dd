/** The worker's own beats: an activity's last details stay, so that its next try goes on from there. */
import type { Context } from '@temporalio/activity';
import type { ActivityExecuteInput } from '@temporalio/worker';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { heartbeats } from '../../workers/heartbeats.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const TIMEOUT_MS = 9_000;

function open(info: { heartbeatTimeoutMs?: number; heartbeatDetails?: unknown }) {
  const beats: unknown[] = [];
  const context = { info, heartbeat: (details?: unknown) => beats.push(details) } as unknown as Context;
  const { inbound } = heartbeats(context);
  const run = (activity: () => Promise<unknown>) =>
    inbound?.execute?.({ args: [], headers: {} } as ActivityExecuteInput, activity);
  return { beats, context, run };
}

it('repeat what the activity has told last', async () => {
  const { beats, context, run } = open({ heartbeatTimeoutMs: TIMEOUT_MS });
  await run(async () => {
    context.heartbeat({ shard: 1 });
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS);
    context.heartbeat({ shard: 2 });
    // A beat that tells nothing wipes nothing out.
    context.heartbeat();
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS / 3);
  });

  expect(beats.slice(0, 4)).toEqual(Array.from({ length: 4 }, () => ({ shard: 1 })));
  expect(beats.slice(4)).toEqual(Array.from({ length: 3 }, () => ({ shard: 2 })));
});

it('repeat what an earlier try has told, until this one tells more', async () => {
  const { beats, context, run } = open({ heartbeatTimeoutMs: TIMEOUT_MS, heartbeatDetails: 'before' });
  await run(async () => {
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS / 3);
    context.heartbeat('now');
  });

  expect(beats).toEqual(['before', 'now']);
});

it('end with the activity, also with one that fails', async () => {
  const { beats, run } = open({ heartbeatTimeoutMs: TIMEOUT_MS });
  const failing = run(async () => {
    throw new Error('failed');
  });
  await expect(failing).rejects.toThrow('failed');
  await vi.advanceTimersByTimeAsync(TIMEOUT_MS);

  expect(beats).toEqual([]);
});

it('are none where nobody waits for them', async () => {
  const { beats, run } = open({});
  await run(() => vi.advanceTimersByTimeAsync(10 * TIMEOUT_MS));

  expect(beats).toEqual([]);
});
