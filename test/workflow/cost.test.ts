/** The pricing of a launch under time skipping: once, again when instances have ended, again after a retry. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CostActivities } from '../../activities/cost/index.ts';
import { startCost } from '../../clients/cost/start.ts';
import {
  ACTIVITY_TASK_QUEUE,
  type CostProgress,
  type CostResult,
  type CostSummary,
  LAUNCH_ENDED_SIGNAL,
  PROGRESS_QUERY,
  SETTLE_SECONDS,
  workflowIdOf,
} from '../../workflows/cost/model.ts';
import { isSleeping, openTimeSkipping, withWorkers } from '../support/time-skipping.ts';

const DAY_SECONDS = 86_400;

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await openTimeSkipping();
});
afterAll(() => env.teardown());

const costs = (total: string): CostSummary => ({
  total_cost: total,
  instance_cost: total,
  volume_cost: '0.0000',
  filesystem_cost: '0.0000',
  currency: 'USD',
});

/** A launch as the registry has it. */
interface Ledger {
  attempt: number;
  priced: boolean;
  /** Whether instances run, at each look; the last one stays. */
  live: boolean[];
  /** Whether the bill has it, at each look. */
  bill?: boolean[];
  calls: string[];
}

function world(more: Partial<Ledger>) {
  const ledger: Ledger = { attempt: 1, priced: false, live: [false], calls: [], ...more };
  const activities: CostActivities = {
    async collectUsage({ again }) {
      ledger.calls.push(`collect${again ? ' again' : ''}`);
      if (ledger.priced && !again) return undefined;
      const live = (ledger.live.length > 1 ? ledger.live.shift() : ledger.live[0]) ?? false;
      return { attempt: ledger.attempt, usageAddress: 's3://b/usage', live };
    },
    async priceUsage({ attempt, last }) {
      ledger.calls.push(`price attempt ${attempt}${last ? ', the last time' : ''}`);
      ledger.priced = true;
      return {
        cost: costs(`0.000${attempt}`),
        lines: 3,
        unpriced: 0,
        ...(ledger.bill && { actualsAfterSeconds: DAY_SECONDS }),
      };
    },
    async compareActuals({ last }) {
      ledger.calls.push(`compare${last ? ', the last time' : ''}`);
      return { found: ledger.bill?.shift() ?? false };
    },
  };
  return { ledger, activities };
}

const handleOf = (launchId: string) => env.client.workflow.getHandle(workflowIdOf(launchId));
const resultOf = (launchId: string) => handleOf(launchId).result() as Promise<CostResult>;
const sleeping = async (launchId: string) => {
  while (!(await isSleeping(handleOf(launchId)))) await new Promise((resolve) => setTimeout(resolve, 20));
};

it('prices a launch once, whoever asks again', async () => {
  const { ledger, activities } = world({});
  await withWorkers(env, { [ACTIVITY_TASK_QUEUE]: activities }, async () => {
    await startCost(env.client, { launchId: 'once' });
    expect(await resultOf('once')).toEqual({ launchId: 'once', outcome: 'priced', cost: costs('0.0001') });
    await startCost(env.client, { launchId: 'once' });
    expect(await resultOf('once')).toEqual({ launchId: 'once', outcome: 'unchanged' });
  });
  expect(ledger.calls.filter((call) => call.startsWith('price'))).toEqual(['price attempt 1, the last time']);
});

describe('instances that still run', () => {
  it('are looked at once more when they should have ended', async () => {
    const { ledger, activities } = world({ live: [true, false] });
    await withWorkers(env, { [ACTIVITY_TASK_QUEUE]: activities }, async () => {
      await startCost(env.client, { launchId: 'settles' });
      await sleeping('settles');
      expect(await handleOf('settles').query<CostProgress>(PROGRESS_QUERY)).toMatchObject({
        stage: 'SETTLING',
        cost: costs('0.0001'),
      });
      await env.sleep((SETTLE_SECONDS + 1) * 1000);
      expect(await resultOf('settles')).toMatchObject({ outcome: 'priced' });
    });
    expect(ledger.calls).toEqual(['collect', 'price attempt 1', 'collect again', 'price attempt 1, the last time']);
  });

  it('do not keep the pricing of a retry that has ended meanwhile', async () => {
    const { ledger, activities } = world({ live: [true, false] });
    await withWorkers(env, { [ACTIVITY_TASK_QUEUE]: activities }, async () => {
      await startCost(env.client, { launchId: 'retried' });
      await sleeping('retried');
      Object.assign(ledger, { attempt: 2, priced: false });
      await startCost(env.client, { launchId: 'retried' });
      expect(await resultOf('retried')).toMatchObject({ outcome: 'priced', cost: costs('0.0002') });
    });
    expect(ledger.calls.filter((call) => call.startsWith('price'))).toEqual([
      'price attempt 1',
      'price attempt 2, the last time',
    ]);
  });
});

describe('the bill', () => {
  it('is looked at a day later, and again until it has the launch', async () => {
    const { ledger, activities } = world({ bill: [false, true] });
    const began = await env.currentTimeMs();
    await withWorkers(env, { [ACTIVITY_TASK_QUEUE]: activities }, async () => {
      await startCost(env.client, { launchId: 'billed' });
      await sleeping('billed');
      await env.sleep((2 * DAY_SECONDS + 60) * 1000);
      await resultOf('billed');
    });
    expect(ledger.calls.slice(2)).toEqual(['compare', 'compare']);
    expect((await env.currentTimeMs()) - began).toBeGreaterThanOrEqual(2 * DAY_SECONDS * 1000);
  });

  it('is given up after four looks', async () => {
    const { ledger, activities } = world({ bill: [] });
    await withWorkers(env, { [ACTIVITY_TASK_QUEUE]: activities }, async () => {
      await startCost(env.client, { launchId: 'unbilled' });
      await sleeping('unbilled');
      await env.sleep((4 * DAY_SECONDS + 60) * 1000);
      await resultOf('unbilled');
    });
    expect(ledger.calls.slice(2)).toEqual(['compare', 'compare', 'compare', 'compare, the last time']);
  });
});

it('keeps its history short: however often it is asked, a run has under 2,000 events', async () => {
  const { ledger, activities } = world({});
  let asked = 0;
  const answering: CostActivities = {
    ...activities,
    async priceUsage(input) {
      ledger.priced = false;
      asked += 1;
      // As if the launch ended once more during each pricing.
      if (asked < 120) await handleOf('busy').signal(LAUNCH_ENDED_SIGNAL);
      const priced = await activities.priceUsage(input);
      ledger.priced = false;
      return priced;
    },
  };
  await withWorkers(env, { [ACTIVITY_TASK_QUEUE]: answering }, async () => {
    await startCost(env.client, { launchId: 'busy' });
    const first = await handleOf('busy').describe();
    await resultOf('busy');
    const last = await handleOf('busy').describe();
    expect(last.runId).not.toBe(first.runId);
    const run = await env.client.workflow.getHandle(workflowIdOf('busy'), first.runId).describe();
    expect(run.historyLength).toBeGreaterThan(300);
    expect(run.historyLength).toBeLessThan(2_000);
  });
});
