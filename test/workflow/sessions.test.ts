/** The purge of sessions: goes on while there is more, ends at its bound, is given up when it fails for long. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionsActivities } from '../../activities/sessions/index.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import { ACTIVITY_TASK_QUEUE, WORKFLOW_TYPE } from '../../workflows/sessions/model.ts';
import { openTimeSkipping, withWorkers } from '../support/time-skipping.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await openTimeSkipping();
});
afterAll(() => env.teardown());

/** Each look finds so many; there is more until the last. */
async function run(workflowId: string, looks: number, fails = 0) {
  let calls = 0;
  const activities: SessionsActivities = {
    async purgeSessions() {
      calls += 1;
      if (calls <= fails) throw new Error('the table cannot be reached');
      return { connections: 2, sessions: 1, more: calls - fails < looks };
    },
  };
  const result = await withWorkers(env, { [ACTIVITY_TASK_QUEUE]: activities }, async () => {
    const handle = await env.client.workflow.start(WORKFLOW_TYPE, { workflowId, taskQueue: WORKFLOW_TASK_QUEUE });
    const result: unknown = await handle.result();
    const { events } = await handle.fetchHistory();
    return { result, events: events?.length ?? 0 };
  });
  return { ...result, calls };
}

describe('the purge of sessions', () => {
  it('goes on while there is more', async () => {
    expect(await run('purge-1', 3)).toMatchObject({ calls: 3, result: { connections: 6, sessions: 3, more: false } });
  });

  it('leaves the rest to the next one', async () => {
    const { calls, result, events } = await run('purge-2', 1_000);
    expect(calls).toBe(10);
    expect(result).toMatchObject({ more: true });
    expect(events).toBeLessThan(70);
  });

  it('tries again', async () => {
    expect(await run('purge-3', 1, 2)).toMatchObject({ calls: 3, result: { sessions: 1 } });
  });
});
