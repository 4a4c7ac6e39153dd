/** The bounds on a restore that stand in its workflow's doc comment: its history, and what it keeps in memory. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LIMITS, type Tier } from '../../workflows/restore/model.ts';
import { type RestoreScaleResult, restoreMany } from '../support/restore-scale.ts';
import { openTimeSkipping } from '../support/time-skipping.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const OVERHEAD = 40;
/** 6, and a workflow task without work, which the test server hands out for an activity that ends during another one. */
const EVENTS_A_BATCH = 6 + 3;
const EVENTS_A_SWEEP = 20;
const EVENTS_A_NEWS = 4;
/** What a launch is told: a 20th more, or another status. */
const TELLING = 5 * 25;
const MOST_NEWS = 100;
/** After each news; and after each 20th of the time the restore takes, without any. */
const MOST_SWEEPS = MOST_NEWS + 20;

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await openTimeSkipping();
});
afterAll(() => env.teardown());

const most = ({ batches, sweeps }: Pick<RestoreScaleResult, 'batches' | 'sweeps'>, news = 0) =>
  OVERHEAD + EVENTS_A_BATCH * batches + EVENTS_A_SWEEP * sweeps + EVENTS_A_NEWS * news + TELLING;

it('keeps to the bound with as many batches as there can be, and much news', async () => {
  const objects = LIMITS.batches * 20;
  // Bulk takes 5 to 12 hours.
  const news = { times: 60, firstAfterMs: 5 * HOUR, everyMs: 7 * MINUTE };
  const run = await restoreMany(env, { objects, launch: { shardObjects: 10, news }, pagesBetweenHeaps: 1_000 });

  expect(run.result).toMatchObject({ status: 'COMPLETE', objects, tiers: { GLACIER: 'Bulk' } });
  expect(run).toMatchObject({ asked: objects, askedTwice: 0, retried: 0, batches: LIMITS.batches, runs: 1 });
  expect(run.historyEvents).toBeLessThanOrEqual(most(run, news.times));
  // News is merged, or each would be a sweep.
  expect(run.sweeps).toBeGreaterThan(15);
  expect(run.sweeps).toBeLessThan(news.times - 10);
  expect(most({ batches: LIMITS.batches, sweeps: MOST_SWEEPS }, MOST_NEWS)).toBeLessThan(5_000);
});

it('neither its history nor what it holds grows with the objects', async () => {
  const launch = { shardObjects: 1_000, news: { times: 0, firstAfterMs: MINUTE, everyMs: MINUTE } };
  const wishes = { tier: 'Expedited' as Tier };
  const few = await restoreMany(env, { objects: 10_000, wishes, launch, pagesBetweenHeaps: 7 });
  const many = await restoreMany(env, { objects: 100_000, wishes, launch, pagesBetweenHeaps: 47 });

  for (const run of [few, many]) {
    expect(run.result.status).toBe('COMPLETE');
    expect(run.retried).toBe(0);
    expect(run.historyEvents).toBeLessThanOrEqual(most(run));
  }
  const batches = EVENTS_A_BATCH * (many.batches - few.batches);
  expect(many.historyEvents - few.historyEvents - batches).toBeLessThanOrEqual(2 * EVENTS_A_SWEEP);
  // 90,000 entries of an index, held whole, are 15 MiB and more.
  expect(many.liveMiB - few.liveMiB).toBeLessThan(8);
  expect(many.largestObject).toBeLessThan(1.5 * few.largestObject);
});

it('asks once for each of 50,000 objects that it has listed, and sees the last of them', async () => {
  const run = await restoreMany(env, { objects: 50_000, wishes: { tier: 'Expedited' } });

  expect(run.result).toMatchObject({ status: 'COMPLETE', objects: 50_000, tiers: { GLACIER: 'Expedited' } });
  expect(run).toMatchObject({ asked: 50_000, askedTwice: 0, retried: 0, batches: 5, runs: 1 });
  expect(run.historyEvents).toBeLessThanOrEqual(most(run));
});
