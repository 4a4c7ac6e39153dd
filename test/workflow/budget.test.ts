/** A launch whose consumer has used its budget up, under time skipping. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BudgetState } from '../../lib/cost/budget.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import {
  ACTIVITY_TASK_QUEUE,
  type LaunchProgress,
  PROGRESS_QUERY,
  WORKFLOW_TYPE,
  workflowIdOf,
} from '../../workflows/launch/model.ts';
import { APPROVE_UPDATE, type Approval } from '../../workflows/restore/model.ts';
import { createWorld, tell, type World, type WorldOptions } from '../support/launch-world.ts';
import { isSleeping, openTimeSkipping, withWorkers } from '../support/time-skipping.ts';

const HOUR = 3_600_000;

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await openTimeSkipping();
});
afterAll(() => env.teardown());

const spent = (usd: number, monthEndsAt: number): BudgetState => ({
  summary: {
    month: '2026-11',
    spent: usd.toFixed(2),
    limit: '100',
    currency: 'USD',
    warning: usd >= 80,
    over: usd > 100,
  },
  monthEndsAt,
});

async function start(launchId: string, options: Partial<WorldOptions>) {
  const world = createWorld({ steps: [{ name: 'a', after: [], items: 1 }], ...options });
  const handle = await env.client.workflow.start(WORKFLOW_TYPE, {
    workflowId: workflowIdOf(launchId),
    taskQueue: WORKFLOW_TASK_QUEUE,
    args: [{ launchId, configurationFile: 's3://b/sheet.yaml' }],
  });
  return { world, handle };
}

const running = <T>(world: World, run: () => Promise<T>) =>
  withWorkers(env, { [ACTIVITY_TASK_QUEUE]: world.activities }, run);

async function finish(world: World, handle: { result(): Promise<unknown> }): Promise<void> {
  await tell(env.client.workflow, await world.submission('a'), 'a', 'SUCCEEDED');
  await handle.result();
}

it('below the limit goes on at once, with a warning from 80 % on', async () => {
  const { world, handle } = await start('budget-warning', { budget: [spent(80, (await env.currentTimeMs()) + HOUR)] });
  await running(world, () => finish(world, handle));
  expect(world.waits).toEqual([]);
  const progress = await running(world, () => handle.query<LaunchProgress>(PROGRESS_QUERY));
  expect(progress.budget).toMatchObject({ warning: true, over: false, spent: '80.00', limit: '100' });
});

it('above it waits, and goes on by itself when the month is over', async () => {
  const began = await env.currentTimeMs();
  const endsAt = began + 40 * HOUR;
  const { world, handle } = await start('budget-month', {
    budget: [...Array.from({ length: 7 }, () => spent(120, endsAt)), spent(0, endsAt + 720 * HOUR)],
  });
  await running(world, async () => {
    await env.sleep(41 * HOUR);
    await finish(world, handle);
  });
  expect(world.waits).toEqual(['budget']);
  expect(world.statuses).toEqual(['PREPARING', 'WAITING', 'READY', 'RUNNING', 'COMPLETE']);
  // Every six hours, and at the end of the month itself.
  expect((await handle.fetchHistory()).events?.filter((event) => event.timerStartedEventAttributes)).toHaveLength(7);
});

it.each([
  ['approved', {}, 'COMPLETE'],
  ['refused', { refuse: true }, 'FAILED'],
] as const)('above it waits until it is %s', async (name, decision: Approval, end) => {
  // By the server's clock: that of this machine may be years behind it, and the month over at once, again and again.
  const endsAt = (await env.currentTimeMs()) + 400 * HOUR;
  const { world, handle } = await start(`budget-${name}`, { budget: [spent(120, endsAt)] });
  await running(world, async () => {
    while (!(await isSleeping(handle))) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(world.waits).toEqual(['budget']);
    expect(world.submitted).toEqual([]);
    const led = handle.executeUpdate<string, [Approval]>(APPROVE_UPDATE, { args: [decision] });
    if (end === 'COMPLETE') await finish(world, handle);
    else await expect(handle.result()).rejects.toThrow();
    await led;
  });
  expect(world.statuses.at(-1)).toBe(end);
  expect(world.waits).toEqual(['budget']);
  if (end === 'FAILED') expect(world.errors).toMatchObject([{ type: 'BudgetRefusedError' }]);
});
