/** The poller under time skipping: looks on while something is open, ends when nothing is, wakes up again. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PollerActivities, PollInput } from '../../activities/poller/index.ts';
import { wakePoller } from '../../activities/poller/wake.ts';
import { ACTIVITY_TASK_QUEUE, workflowIdOf } from '../../workflows/poller/model.ts';
import { openTimeSkipping, withWorkers } from '../support/time-skipping.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await openTimeSkipping();
});
afterAll(() => env.teardown());

/** Answers each look with the next of `open`, then with nothing open. */
function looks(open: number[], onLook: (nth: number) => Promise<void> = async () => {}) {
  const seen: PollInput[] = [];
  const activities: PollerActivities = {
    async pollOpenJobs(input) {
      seen.push(input);
      await onLook(seen.length);
      return { open: open[seen.length - 1] ?? 0, changed: 0 };
    },
  };
  return { seen, activities };
}

const place = (account: string) => ({ account, region: 'eu-central-1' });

describe('the poller', () => {
  it('looks every interval while jobs are open, and ends when none is', async () => {
    const { seen, activities } = looks([3, 2, 1]);
    await withWorkers(env, { [ACTIVITY_TASK_QUEUE]: activities }, async () => {
      await wakePoller(env.client, place('1'), 3_600);
      await env.client.workflow.getHandle(workflowIdOf(place('1'))).result();
    });
    expect(seen).toHaveLength(4);
    expect(seen[0]).toEqual({ ...place('1'), lookForLaunches: false });
  });

  it('goes on when it is woken while it looks and finds nothing', async () => {
    const { seen, activities } = looks([0, 1, 0], async (nth) => {
      if (nth === 1) await wakePoller(env.client, place('2'), 60);
    });
    await withWorkers(env, { [ACTIVITY_TASK_QUEUE]: activities }, async () => {
      await wakePoller(env.client, place('2'), 60);
      await env.client.workflow.getHandle(workflowIdOf(place('2'))).result();
    });
    expect(seen).toHaveLength(3);
  });

  it('is one for each place, however many wake it', async () => {
    const { seen, activities } = looks([1]);
    await withWorkers(env, { [ACTIVITY_TASK_QUEUE]: activities }, async () => {
      for (let wakes = 0; wakes < 20; wakes += 1) await wakePoller(env.client, place('3'), 60);
      await env.client.workflow.getHandle(workflowIdOf(place('3'))).result();
    });
    expect(seen.length).toBeLessThanOrEqual(4);
  });

  it('looks after the launches themselves now and then', async () => {
    const { seen, activities } = looks(Array.from({ length: 20 }, () => 1));
    await withWorkers(env, { [ACTIVITY_TASK_QUEUE]: activities }, async () => {
      await wakePoller(env.client, place('4'), 60);
      await env.client.workflow.getHandle(workflowIdOf(place('4'))).result();
    });
    expect(seen.filter(({ lookForLaunches }) => lookForLaunches)).toHaveLength(2);
  });

  it('continues as new before its history grows long', async () => {
    const rounds = 310;
    const { seen, activities } = looks(Array.from({ length: rounds }, () => 1));
    await withWorkers(env, { [ACTIVITY_TASK_QUEUE]: activities }, async () => {
      await wakePoller(env.client, place('5'), 60);
      const first = env.client.workflow.getHandle(workflowIdOf(place('5')));
      const { runId } = await first.describe();
      await first.result();
      const last = await first.describe();
      expect(last.runId).not.toBe(runId);
      const before = await env.client.workflow.getHandle(workflowIdOf(place('5')), runId).describe();
      expect(Number(before.historyLength)).toBeLessThan(5_000);
    });
    expect(seen).toHaveLength(rounds + 1);
  });
});
