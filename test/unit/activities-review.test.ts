/** The verdict on a generation of a step: commits count, whatever the compute service says. */
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ComputeService, JobView } from '../../activities/launch/compute/service.ts';
import type { LaunchDependencies } from '../../activities/launch/dependencies.ts';
import { createReviewActivities, type Review } from '../../activities/launch/review.ts';
import type { GenerationReview, StepItems } from '../../activities/launch/step-files.ts';
import { EXIT } from '../../jobs/exit-codes.ts';
import type { StepItem } from '../../lib/store/steps.ts';
import { planLaunch } from '../../workflows/launch/plan-launch.ts';
import type { Sheet, SheetStep } from '../../workflows/launch/sheet/sheet.ts';
import { openStandIns, type StandIns } from '../support/stand-ins.ts';

let standIns: StandIns;
let launchNumber = 0;
let launchId = '';
/** What the compute service says, by job id. */
const jobs = new Map<string, JobView>();
let failedChildren: JobView[] = [];
let ended: Partial<StepItem> | undefined;
let reviewed: Partial<StepItem> | undefined;

beforeAll(async () => {
  standIns = await openStandIns();
  await standIns.s3.send(new CreateBucketCommand({ Bucket: 'longhaul' }));
});
afterAll(() => standIns.close());
beforeEach(() => {
  launchNumber += 1;
  launchId = `run-${launchNumber}`;
  jobs.clear();
  failedChildren = [];
  ended = undefined;
  reviewed = undefined;
});

const put = (path: string, body: unknown) =>
  standIns.s3.send(
    new PutObjectCommand({ Bucket: 'longhaul', Key: `launches/${launchId}/${path}`, Body: JSON.stringify(body) }),
  );
const get = async <T>(path: string): Promise<T> => {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const { Body } = await standIns.s3.send(
    new GetObjectCommand({ Bucket: 'longhaul', Key: `launches/${launchId}/${path}` }),
  );
  return JSON.parse((await Body?.transformToString()) ?? '') as T;
};

/** A launch with one step `a`, planned and submitted: `names` are its items, none for a single one. */
async function planned(step: Partial<SheetStep> = {}, names: string[] = [], more: Partial<Sheet> = {}) {
  const result = planLaunch(
    {
      apiVersion: 'longhaul/v1',
      workflowType: 'steps',
      consumer: 'lab-a',
      dataPath: 's3://longhaul/data/',
      ...(names.length > 0 && { scatter: { sample: names } }),
      ...more,
      steps: { a: { image: 'tools:1', command: 'run', ...(names.length > 0 && { scatter: ['sample'] }), ...step } },
    },
    { launchId, attempt: 1, computeService: 'batch', defaultResultsPath: 's3://longhaul/results/', discovered: {} },
  );
  if (!('plan' in result)) throw new Error('the plan of this test is wrong');
  await put('attempts/1/plan.json', result.plan);
  const keys = names.length > 0 ? names.map((name) => `key-${name}`) : ['key-all'];
  await put('attempts/1/steps/a/items.json', { version: 1, stepKey: 's', keys, done: {} } satisfies StepItems);
}

const view = (
  id: string,
  status: JobView['status'],
  containers: JobView['containers'] = [],
  reason?: string,
): JobView => ({
  id,
  status,
  attempts: 1,
  containers,
  ...(reason !== undefined && { reason }),
});
const exited = (code: number) => [
  { name: 'stage', exitCode: 0 },
  { name: 'main', exitCode: code, logStream: 's' },
  { name: 'publish', exitCode: code },
];

function review(generation = 1, items = 1) {
  const compute: Pick<ComputeService, 'describe' | 'describeLimit' | 'failedChildren' | 'lastLogLines'> = {
    describeLimit: 100,
    describe: async (ids) => ids.map((id) => jobs.get(id) ?? view(id, 'LOST')),
    async *failedChildren() {
      yield failedChildren;
    },
    lastLogLines: async () => ['the last line'],
  };
  const steps = {
    ended: async (_: unknown, facts: Partial<StepItem>) => void (ended = facts),
    reviewed: async (_: unknown, facts: Partial<StepItem>) => void (reviewed = facts),
  };
  const activities = createReviewActivities({
    s3: standIns.s3,
    steps,
    compute: new Map([['batch', compute]]),
    settings: { bucket: 'longhaul' },
  } as unknown as LaunchDependencies);
  const input = {
    launchId,
    attempt: 1,
    planAddress: `s3://longhaul/launches/${launchId}/attempts/1/plan.json`,
    step: 'a',
    generation,
    jobs: [{ shard: 0, jobId: 'job', items }],
    at: 0,
  };
  return new MockActivityEnvironment().run(activities.reviewStep, input);
}

describe('reviewStep', () => {
  it('is open while the job runs', async () => {
    await planned();
    jobs.set('job', view('job', 'RUNNING'));
    expect(await review()).toEqual({ state: 'OPEN' });
    expect(ended).toBeUndefined();
  });

  it('has succeeded when every item is committed, even if the job is said to have failed', async () => {
    await planned();
    jobs.set('job', view('job', 'FAILED'));
    await put('commits/a/all/key-all.json', {});
    expect(await review()).toEqual({ state: 'SUCCEEDED', succeeded: 1, failed: 0 });
    expect(ended).toMatchObject({ state: 'SUCCEEDED' });
  });

  it('takes no commit of another key for done', async () => {
    await planned();
    jobs.set('job', view('job', 'FAILED', exited(3)));
    await put('commits/a/all/key-of-an-older-command.json', {});
    expect(await review()).toMatchObject({ state: 'FAILED' });
  });

  it('tries once again what "succeeded" without a commit, and has failed then', async () => {
    await planned();
    jobs.set('job', view('job', 'SUCCEEDED'));
    expect(await review()).toEqual({ state: 'RETRY', again: 1, causes: { UNCOMMITTED: 1 } });
    expect(await review(2)).toMatchObject({ state: 'FAILED', errorType: 'OutputsMissingError' });
  });

  it('names what happened, the exit code and the last words', async () => {
    await planned();
    jobs.set('job', view('job', 'FAILED', exited(3)));
    expect(await review()).toMatchObject({
      state: 'FAILED',
      cause: 'item all: the command failed, main exited with 3: the last line',
      errorType: 'StepFailedError',
    });
    expect(ended).toMatchObject({
      failures: [{ item: 'all', cause: 'EXIT_CODE', exit_code: 3 }],
      failed_jobs: { EXIT_CODE: 1 },
    });
  });

  it('has a bounded verdict on a job the service no longer knows', async () => {
    await planned();
    expect(await review()).toEqual({ state: 'RETRY', again: 1, causes: { LOST: 1 } });
    expect(await review(2)).toMatchObject({ state: 'FAILED', cause: expect.stringContaining('does not know its job') });
  });

  it('gives more memory to what ran out of it, up to the limit', async () => {
    await planned({ resources: { memoryMiB: 100, maxMemoryMiB: 250 }, retries: { outOfMemory: 9 } });
    jobs.set(
      'job',
      view('job', 'FAILED', [
        { name: 'main', exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' },
      ]),
    );
    const next = async (generation: number) => {
      const result = (await review(generation)) as Review;
      if (result.state !== 'RETRY') return result.state;
      return (await get<GenerationReview>(`attempts/1/steps/a/${generation}.review.json`)).again[0]?.nextMemoryMiB;
    };
    expect([await next(1), await next(2), await next(3)]).toEqual([200, 250, 'FAILED']);
    expect(ended).toMatchObject({ failed_jobs: { OUT_OF_MEMORY: 3 } });
  });

  it('tries again only those items of an array that failed, each as its cause allows', async () => {
    await planned({ retries: 1 }, ['p', 'q', 'r'], { onFailure: 'finish' });
    jobs.set('job', view('job', 'FAILED'));
    await put('commits/a/p/key-p.json', {});
    failedChildren = [
      view('job:1', 'FAILED', exited(9)),
      view('job:2', 'FAILED', [{ name: 'main', reason: 'CannotPullContainerError: not found' }]),
    ];
    expect(await review(1, 3)).toEqual({ state: 'RETRY', again: 1, causes: { EXIT_CODE: 1 } });
    expect(reviewed).toMatchObject({ items: { succeeded: 1, failed: 1 }, failed_jobs: { EXIT_CODE: 1, IMAGE: 1 } });
    const kept = await get<GenerationReview>('attempts/1/steps/a/1.review.json');
    expect(kept).toMatchObject({ again: [{ index: 1 }], final: [{ index: 2, cause: 'IMAGE' }] });
    // The second generation has one item, in a job of its own; it succeeds, and r has failed for good.
    await put('commits/a/q/key-q.json', {});
    expect(await review(2, 1)).toMatchObject({
      state: 'FAILED',
      succeeded: 2,
      failed: 1,
      cause: 'item r: its image cannot be used (CannotPullContainerError: not found)',
    });
    expect(ended?.failures).toMatchObject([{ item: 'r', cause: 'IMAGE', generation: 1 }, { item: 'q' }]);
  });

  it('fails at once of what nobody can mend, when the sheet says stop', async () => {
    await planned({ retries: 1 }, ['p', 'q']);
    jobs.set('job', view('job', 'FAILED'));
    failedChildren = [
      view('job:0', 'FAILED', exited(9)),
      view('job:1', 'FAILED', [{ name: 'main', reason: 'CannotPullContainerError: not found' }]),
    ];
    expect(await review(1, 2)).toMatchObject({
      state: 'FAILED',
      cause: expect.stringContaining('its image cannot be used'),
    });
  });

  describe('of a job that lost its item to a twin', () => {
    const superseded = [{ name: 'stage', exitCode: EXIT.superseded }];

    it('waits for the twin', async () => {
      await planned();
      jobs.set('job', view('job', 'FAILED', superseded));
      jobs.set('twin', view('twin', 'RUNNING'));
      await put('claims/a/all/1-1', { jobId: 'twin' });
      expect(await review()).toEqual({ state: 'OPEN' });
      await put('commits/a/all/key-all.json', {});
      expect(await review()).toMatchObject({ state: 'SUCCEEDED' });
    });

    it('tries again when the twin has ended without a commit', async () => {
      await planned();
      jobs.set('job', view('job', 'FAILED', superseded));
      jobs.set('twin', view('twin', 'FAILED'));
      await put('claims/a/all/1-1', { jobId: 'twin' });
      expect(await review()).toEqual({ state: 'RETRY', again: 1, causes: { SUPERSEDED: 1 } });
    });
  });
});
