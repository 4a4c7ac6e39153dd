/** The launch workflow under time skipping: its statuses, its order of steps, what ends it and how. */
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import {
  ACTIVITY_TASK_QUEUE,
  JOBS_CHANGED_SIGNAL,
  type LaunchProgress,
  PROGRESS_QUERY,
  WORKFLOW_TYPE,
  workflowIdOf,
} from '../../workflows/launch/model.ts';
import type { StepOutline } from '../../workflows/launch/state.ts';
import { createWorld, tell, type World, type WorldOptions } from '../support/launch-world.ts';
import { openTimeSkipping, withWorkers } from '../support/time-skipping.ts';

let env: TestWorkflowEnvironment;
let counter = 0;

beforeAll(async () => {
  env = await openTimeSkipping();
});
afterAll(() => env.teardown());

const step = (name: string, ...after: string[]): StepOutline => ({ name, after, items: 1 });
const DIAMOND = [step('a'), step('b', 'a'), step('c', 'a'), step('d', 'b', 'c')];

/** Starts a launch in a world and hands both to the test. */
async function launchIn(
  options: WorldOptions,
  run: (world: World, handle: Awaited<ReturnType<typeof start>>) => Promise<void>,
) {
  const world = createWorld(options);
  await withWorkers(env, { [ACTIVITY_TASK_QUEUE]: world.activities }, async () => {
    const handle = await start();
    await run(world, handle);
  });
}

function start() {
  counter += 1;
  const launchId = `launch-${counter}`;
  return env.client.workflow.start(WORKFLOW_TYPE, {
    workflowId: workflowIdOf(launchId),
    taskQueue: WORKFLOW_TASK_QUEUE,
    args: [{ launchId, configurationFile: 's3://b/sheets/lab-a/sheet.yaml' }],
  });
}

/** Ends every job as soon as it has been submitted. */
const instantly: Pick<WorldOptions, 'onSubmit'> = {
  onSubmit: (name, job) => tell(env.client.workflow, job, name, 'SUCCEEDED'),
};

async function failureOf(result: Promise<unknown>): Promise<unknown> {
  const error = await result.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  return (error as WorkflowFailedError).cause;
}

describe('a launch that goes well', () => {
  it('goes PREPARING, READY, RUNNING, COMPLETE and runs every step after its inputs', async () => {
    await launchIn({ steps: DIAMOND, ...instantly }, async (world, handle) => {
      const result = await handle.result();
      expect(result).toEqual({ launchId: expect.any(String), status: 'COMPLETE', outcome: 'ran', attempt: 1 });
      expect(world.statuses).toEqual(['PREPARING', 'READY', 'RUNNING', 'COMPLETE']);
      expect(world.submitted).toHaveLength(4);
      expect(world.submitted[0]).toBe('a');
      expect(world.submitted[3]).toBe('d');
    });
  });

  it('shows its steps while it runs', async () => {
    const onSubmit: WorldOptions['onSubmit'] = async (name, job) => {
      if (name !== 'a') await instantly.onSubmit?.(name, job);
    };
    await launchIn({ steps: DIAMOND, onSubmit }, async (world, handle) => {
      const job = await world.submission('a');
      await tell(env.client.workflow, job, 'a', 'RUNNING');
      const progress = await handle.query<LaunchProgress>(PROGRESS_QUERY);
      expect(progress.steps.map(({ name, state }) => [name, state])).toEqual([
        ['a', 'RUNNING'],
        ['b', 'PENDING'],
        ['c', 'PENDING'],
        ['d', 'PENDING'],
      ]);
      await tell(env.client.workflow, job, 'a', 'SUCCEEDED');
      await handle.result();
    });
  });

  it('sets the search attributes a person filters by', async () => {
    await launchIn({ steps: [step('a')], ...instantly }, async (_, handle) => {
      await handle.result();
      const { typedSearchAttributes } = await handle.describe();
      const found = Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
      expect(found).toMatchObject({
        LonghaulStatus: 'COMPLETE',
        LonghaulWorkflowType: 'steps',
        LonghaulComputeService: 'batch',
        LonghaulConsumer: 'lab-a',
      });
    });
  });

  it('does nothing when the same sheet has been launched before', async () => {
    await launchIn({ steps: DIAMOND, existing: { status: 'COMPLETE' } }, async (world, handle) => {
      expect(await handle.result()).toMatchObject({ status: 'COMPLETE', outcome: 'existing' });
      expect(world.submitted).toEqual([]);
      expect(world.statuses).toEqual([]);
    });
  });

  it('waits on when a job was reported ended too early', async () => {
    let looks = 0;
    const world = createWorld({
      steps: [step('a')],
      review: async (name, nth) => {
        looks = nth;
        if (nth === 2) return { state: 'SUCCEEDED', succeeded: 1, failed: 0 };

        return { state: 'OPEN' };
      },
    });
    await withWorkers(env, { [ACTIVITY_TASK_QUEUE]: world.activities }, async () => {
      const handle = await start();
      const job = await world.submission('a');
      await tell(env.client.workflow, job, 'a', 'SUCCEEDED');
      await vi.waitUntil(() => looks === 1);
      await tell(env.client.workflow, job, 'a', 'SUCCEEDED');
      expect(await handle.result()).toMatchObject({ status: 'COMPLETE' });
      expect(looks).toBe(2);
    });
  });
});

describe('a launch that fails', () => {
  it('is FAILED with the reason when its sheet is no good', async () => {
    const planFailure = { type: 'MissingRequiredParametersError', message: 'sheet.yaml:1: consumer: missing' };
    await launchIn({ steps: [], planFailure }, async (world, handle) => {
      const cause = await failureOf(handle.result());
      expect(cause).toBeInstanceOf(ApplicationFailure);
      expect(cause).toMatchObject({ type: 'MissingRequiredParametersError', message: planFailure.message });
      expect(world.statuses).toEqual(['PREPARING', 'FAILED']);
      expect(world.errors).toEqual([planFailure]);
    });
  });

  it('ends the jobs of the other steps and starts no new ones when a step fails', async () => {
    const review = () =>
      ({
        state: 'FAILED',
        succeeded: 0,
        failed: 1,
        cause: 'main exited with 3',
        errorType: 'StepFailedError',
      }) as const;
    await launchIn({ steps: [step('a'), step('b'), step('c', 'a')], review }, async (world, handle) => {
      await world.submission('b');
      await tell(env.client.workflow, await world.submission('a'), 'a', 'FAILED', 1);
      const cause = await failureOf(handle.result());
      expect(cause).toMatchObject({ type: 'StepFailedError', message: 'step a: main exited with 3' });
      expect(world.terminated).toEqual(['job-b-1']);
      expect(world.submitted.sort()).toEqual(['a', 'b']);
      expect(world.statuses).toEqual(['PREPARING', 'READY', 'RUNNING', 'FAILED']);
    });
  });
});

describe('items that fail', () => {
  it('are submitted again in another generation until they are done', async () => {
    const review: WorldOptions['review'] = (_, nth) =>
      nth < 3
        ? { state: 'RETRY', again: 1, causes: { OUT_OF_MEMORY: 1 } }
        : { state: 'SUCCEEDED', succeeded: 1, failed: 0 };
    await launchIn({ steps: [step('a'), step('b', 'a')], review, ...instantly }, async (world, handle) => {
      expect(await handle.result()).toMatchObject({ status: 'COMPLETE' });
      expect(world.submitted).toEqual(['a', 'a', 'a', 'b', 'b', 'b']);
    });
  });

  it('of an older generation change nothing when they are heard of late', async () => {
    const review: WorldOptions['review'] = (_, nth) =>
      nth === 1
        ? { state: 'RETRY', again: 1, causes: { EXIT_CODE: 1 } }
        : { state: 'SUCCEEDED', succeeded: 1, failed: 0 };
    const generations: number[] = [];
    const onSubmit: WorldOptions['onSubmit'] = async (name, job) => {
      generations.push(job.generation);
      const first = { ...job, generation: 1, jobId: 'job-a-1' };
      if (job.generation === 2) await tell(env.client.workflow, first, name, 'SUCCEEDED', 3);
      await tell(env.client.workflow, job, name, 'SUCCEEDED');
    };
    await launchIn({ steps: [step('a')], review, onSubmit }, async (_, handle) => {
      expect(await handle.result()).toMatchObject({ status: 'COMPLETE' });
      expect(generations).toEqual([1, 2]);
    });
  });

  it('let the other steps finish where the sheet says so', async () => {
    const review: WorldOptions['review'] = (name) =>
      name === 'a'
        ? { state: 'FAILED', succeeded: 0, failed: 1, cause: 'exit 3', errorType: 'StepFailedError' }
        : { state: 'SUCCEEDED', succeeded: 1, failed: 0 };
    const steps = [step('a'), step('b', 'a'), step('c'), step('d', 'c')];
    await launchIn({ steps, onFailure: 'finish', review, ...instantly }, async (world, handle) => {
      expect(await failureOf(handle.result())).toMatchObject({ type: 'StepFailedError', message: 'step a: exit 3' });
      expect(world.submitted.toSorted()).toEqual(['a', 'c', 'd']);
      expect(world.terminated).toEqual([]);
      expect(world.statuses).toEqual(['PREPARING', 'READY', 'RUNNING', 'FAILED']);
    });
  });
});

describe('a step that is cached', () => {
  it('needs no job, and the launch is RUNNING all the same on its way to COMPLETE', async () => {
    await launchIn({ steps: DIAMOND, cached: ['a', 'b', 'c', 'd'] }, async (world, handle) => {
      expect(await handle.result()).toMatchObject({ status: 'COMPLETE' });
      expect(world.submitted).toEqual([]);
      expect(world.statuses).toEqual(['PREPARING', 'READY', 'RUNNING', 'COMPLETE']);
    });
  });
});

describe('a job that cannot be placed', () => {
  const REASON = 'UNDETERMINED - Batch job is blocked, root cause is undetermined.';
  /** No activity may be under way when time jumps. */
  const quiet = (handle: Awaited<ReturnType<typeof start>>) =>
    vi.waitUntil(async () => ((await handle.describe()).raw.pendingActivities ?? []).length === 0, { timeout: 60_000 });

  it('is shown with its remedy, waited for, and forgotten when it runs', async () => {
    await launchIn({ steps: [step('a')] }, async (world, handle) => {
      const job = await world.submission('a');
      await tell(env.client.workflow, job, 'a', 'RUNNABLE', 0, { stuck: REASON });
      const [shown] = (await handle.query<LaunchProgress>(PROGRESS_QUERY)).steps;
      expect(shown?.stuck).toMatchObject({ reason: REASON, remedy: expect.stringContaining('subnets') });
      await quiet(handle);
      await env.sleep('3 days');
      await tell(env.client.workflow, job, 'a', 'RUNNING');
      expect((await handle.query<LaunchProgress>(PROGRESS_QUERY)).steps[0]?.stuck).toBeUndefined();
      await tell(env.client.workflow, job, 'a', 'SUCCEEDED');
      expect(await handle.result()).toMatchObject({ status: 'COMPLETE' });
    });
  });

  it('fails the step after the time the sheet gives it, counted from when it was first said', async () => {
    const steps = [{ ...step('a'), failWhenStuckSeconds: 3_600 }];
    await launchIn({ steps }, async (world, handle) => {
      const job = await world.submission('a');
      await tell(env.client.workflow, job, 'a', 'RUNNABLE', 0, { stuck: REASON });
      await quiet(handle);
      await env.sleep('50 minutes');
      await tell(env.client.workflow, job, 'a', 'RUNNABLE', 0, { stuck: REASON });
      expect((await handle.describe()).status.name).toBe('RUNNING');
      await env.sleep('11 minutes');
      const cause = await failureOf(handle.result());
      expect(cause).toMatchObject({ type: 'JobStuckError', message: expect.stringContaining('UNDETERMINED') });
      expect(world.terminated).toEqual([job.jobId]);
    });
  });

  it('does not fail when it has been placed in time', async () => {
    const steps = [{ ...step('a'), failWhenStuckSeconds: 3_600 }];
    await launchIn({ steps }, async (world, handle) => {
      const job = await world.submission('a');
      await tell(env.client.workflow, job, 'a', 'RUNNABLE', 0, { stuck: REASON });
      await quiet(handle);
      await env.sleep('30 minutes');
      await tell(env.client.workflow, job, 'a', 'RUNNING');
      await env.sleep('5 hours');
      await tell(env.client.workflow, job, 'a', 'SUCCEEDED');
      expect(await handle.result()).toMatchObject({ status: 'COMPLETE' });
    });
  });
});

describe('a launch that is cancelled', () => {
  it('ends its jobs and is CANCELLED', async () => {
    await launchIn({ steps: [step('a'), step('b', 'a')] }, async (world, handle) => {
      await world.submission('a');
      await handle.cancel();
      expect(await failureOf(handle.result())).toBeInstanceOf(CancelledFailure);
      expect(world.terminated).toEqual(['job-a-1']);
      expect(world.submitted).toEqual(['a']);
      expect(world.statuses.at(-1)).toBe('CANCELLED');
    });
  });

  it('knows a job whose submission was under way when the cancellation came', async () => {
    let cancelled: Promise<unknown> = Promise.resolve();
    const onSubmit = async (_: string, job: { workflowId: string }) => {
      cancelled = env.client.workflow.getHandle(job.workflowId).cancel();
      await cancelled;
    };
    await launchIn({ steps: [step('a')], onSubmit }, async (world, handle) => {
      expect(await failureOf(handle.result())).toBeInstanceOf(CancelledFailure);
      expect(world.terminated).toEqual(['job-a-1']);
    });
  });
});

describe('news of jobs', () => {
  it('may come twice, late and backwards', async () => {
    await launchIn({ steps: [step('a'), step('b', 'a')] }, async (world, handle) => {
      const a = await world.submission('a');
      for (const status of ['SUCCEEDED', 'RUNNING', 'SUCCEEDED', 'RUNNABLE', 'SUBMITTED'] as const) {
        await tell(env.client.workflow, a, 'a', status);
      }
      const b = await world.submission('b');
      await tell(env.client.workflow, a, 'a', 'FAILED', 3);
      await tell(env.client.workflow, b, 'b', 'SUCCEEDED');
      expect(await handle.result()).toMatchObject({ status: 'COMPLETE' });
      expect(world.submitted).toEqual(['a', 'b']);
    });
  });

  it('of another submission or an unknown step change nothing', async () => {
    await launchIn({ steps: [step('a')] }, async (world, handle) => {
      const a = await world.submission('a');
      await tell(env.client.workflow, { ...a, generation: 7 }, 'a', 'FAILED');
      await tell(env.client.workflow, { ...a, jobId: 'job-of-somebody' }, 'a', 'FAILED');
      await tell(env.client.workflow, a, 'z', 'FAILED');
      await tell(env.client.workflow, a, 'a', 'SUCCEEDED');
      expect(await handle.result()).toMatchObject({ status: 'COMPLETE' });
    });
  });

  it('that is garbage is left out', async () => {
    await launchIn({ steps: [step('a')] }, async (world, handle) => {
      const a = await world.submission('a');
      for (const garbage of [
        undefined,
        'x',
        7,
        { a: 1 },
        [null, 'x', { step: 'a' }, { ...a, step: 'a', status: 'DONE', attempts: 0 }],
      ]) {
        await handle.signal(JOBS_CHANGED_SIGNAL, garbage);
      }
      await tell(env.client.workflow, a, 'a', 'SUCCEEDED');
      expect(await handle.result()).toMatchObject({ status: 'COMPLETE' });
    });
  });

  it('may keep a launch waiting for two days at no cost of real time', async () => {
    await launchIn({ steps: [step('a')] }, async (world, handle) => {
      const a = await world.submission('a');
      // No activity may be under way when time jumps, or it would run into its timeout.
      await tell(env.client.workflow, a, 'a', 'RUNNING');
      await vi.waitUntil(async () => {
        const { pendingActivities } = (await handle.describe()).raw;
        return world.statuses.includes('RUNNING') && (pendingActivities ?? []).length === 0;
      });
      await env.sleep('48 hours');
      await tell(env.client.workflow, a, 'a', 'SUCCEEDED');
      expect(await handle.result()).toMatchObject({ status: 'COMPLETE' });
    });
  });
});
