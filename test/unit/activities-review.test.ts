/** The verdict on a step: commits count, whatever the compute service says. */
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ComputeService, JobView } from '../../activities/launch/compute/service.ts';
import type { LaunchDependencies } from '../../activities/launch/dependencies.ts';
import { createReviewActivities } from '../../activities/launch/review.ts';
import { EXIT } from '../../jobs/exit-codes.ts';
import type { StepItem } from '../../lib/store/steps.ts';
import { planLaunch } from '../../workflows/launch/plan.ts';
import { openStandIns, type StandIns } from '../support/stand-ins.ts';

let standIns: StandIns;
let launchNumber = 0;
let launchId = '';
/** What the compute service says, by job id. */
const jobs = new Map<string, JobView>();
let ended: Partial<StepItem> | undefined;

beforeAll(async () => {
  standIns = await openStandIns();
  await standIns.s3.send(new CreateBucketCommand({ Bucket: 'longhaul' }));
});
afterAll(() => standIns.close());
beforeEach(async () => {
  launchNumber += 1;
  launchId = `run-${launchNumber}`;
  jobs.clear();
  ended = undefined;
  const planned = planLaunch(
    {
      apiVersion: 'longhaul/v1',
      workflowType: 'steps',
      consumer: 'lab-a',
      dataPath: 's3://longhaul/data/',
      steps: { a: { image: 'tools:1', command: 'run' } },
    },
    { launchId, attempt: 1, computeService: 'batch', defaultResultsPath: 's3://longhaul/results/', discovered: {} },
  );
  if (!('plan' in planned)) throw new Error('the plan of this test is wrong');
  await put('attempts/1/plan.json', planned.plan);
});

const put = (path: string, body: unknown) =>
  standIns.s3.send(
    new PutObjectCommand({ Bucket: 'longhaul', Key: `launches/${launchId}/${path}`, Body: JSON.stringify(body) }),
  );

const view = (id: string, status: JobView['status'], containers: JobView['containers'] = []): JobView => ({
  id,
  status,
  attempts: 1,
  containers,
});

function review() {
  const compute: Pick<ComputeService, 'describe' | 'failedChildren' | 'lastLogLines'> = {
    describe: async (ids) => ids.map((id) => jobs.get(id) ?? view(id, 'LOST')),
    failedChildren: async () => [],
    lastLogLines: async () => ['the last line'],
  };
  const steps = { ended: async (_: unknown, facts: Partial<StepItem>) => void (ended = facts) };
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
    generation: 1,
    jobId: 'job',
    at: 0,
  };
  return new MockActivityEnvironment().run(activities.reviewStep, input);
}

describe('reviewStep', () => {
  it('is open while the job runs', async () => {
    jobs.set('job', view('job', 'RUNNING'));
    expect(await review()).toEqual({ state: 'OPEN' });
    expect(ended).toBeUndefined();
  });

  it('has succeeded when every item is committed, even if the job is said to have failed', async () => {
    jobs.set('job', view('job', 'FAILED'));
    await put('commits/a/all.json', {});
    expect(await review()).toEqual({ state: 'SUCCEEDED', succeeded: 1, failed: 0 });
    expect(ended).toMatchObject({ state: 'SUCCEEDED' });
  });

  it('has failed without a commit, even if the job is said to have succeeded', async () => {
    jobs.set('job', view('job', 'SUCCEEDED'));
    expect(await review()).toMatchObject({ state: 'FAILED', errorType: 'OutputsMissingError' });
  });

  it('names the first container that failed, its code and its last words', async () => {
    const containers = [
      { name: 'stage', exitCode: 0 },
      { name: 'main', exitCode: 3, logStream: 's' },
      { name: 'publish', exitCode: 3 },
    ];
    jobs.set('job', view('job', 'FAILED', containers));
    expect(await review()).toMatchObject({
      state: 'FAILED',
      cause: 'item all: main exited with 3: the last line',
      errorType: 'StepFailedError',
    });
  });

  it('has a verdict on a job the service no longer knows', async () => {
    expect(await review()).toMatchObject({ state: 'FAILED', cause: expect.stringContaining('does not know this job') });
  });

  describe('of a job that lost its item to a twin', () => {
    const superseded = [{ name: 'stage', exitCode: EXIT.superseded }];

    it('waits for the twin', async () => {
      jobs.set('job', view('job', 'FAILED', superseded));
      jobs.set('twin', view('twin', 'RUNNING'));
      await put('claims/a/all/1', { jobId: 'twin' });
      expect(await review()).toEqual({ state: 'OPEN' });
      await put('commits/a/all.json', {});
      expect(await review()).toMatchObject({ state: 'SUCCEEDED' });
    });

    it('has failed when the twin has ended without a commit', async () => {
      jobs.set('job', view('job', 'FAILED', superseded));
      jobs.set('twin', view('twin', 'FAILED'));
      await put('claims/a/all/1', { jobId: 'twin' });
      expect(await review()).toMatchObject({ state: 'FAILED' });
    });
  });
});
