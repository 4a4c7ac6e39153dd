/** Stories under time skipping: how each combination of failing stages ends, what runs at once, what a repeat does. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import {
  NIGHT_WORKFLOW_TYPE,
  type NightResult,
  PARTS,
  PROGRESS_QUERY,
  type StoryInput,
  type StoryProgress,
  type StoryResult,
  storyIdOf,
  WORKFLOW_TYPE,
  workflowIdOf,
} from '../../workflows/story/model.ts';
import { allEnded, isEndOf } from '../../workflows/story/plan.ts';
import { ALL_WELL, createStageWorld, type Stages, TEXTS, TROUBLES } from '../support/story-script.ts';
import { openTimeSkipping, withWorkers } from '../support/time-skipping.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await openTimeSkipping();
});
afterAll(() => env.teardown());

type World = ReturnType<typeof createStageWorld>;
let nights = 0;
const nextNight = () => `2026-11-${String((nights % 28) + 1).padStart(2, '0')}`;

/** Begins a story and waits for its end. */
async function run(world: World, stages: Partial<Stages>, family: string) {
  const night = nextNight();
  const storyId = storyIdOf(family, night);
  world.stages.set(storyId, { ...ALL_WELL, ...stages });
  const handle = await env.client.workflow.start<(input: StoryInput) => Promise<StoryResult>>(WORKFLOW_TYPE, {
    workflowId: workflowIdOf(storyId),
    taskQueue: WORKFLOW_TASK_QUEUE,
    args: [{ family, night }],
  });
  return { storyId, handle, ended: await handle.result().catch((error: Error) => error) };
}

/** Once nothing waits any more: the test server loses questions while time is skipped. */
async function look(world: World, { storyId, handle, ended }: Awaited<ReturnType<typeof run>>) {
  const seen = await handle.query<StoryProgress>(PROGRESS_QUERY);
  const { events } = await handle.fetchHistory();
  const picture = await world.log.snapshot(workflowIdOf(storyId));
  return { storyId, ended, seen, history: events?.length ?? 0, picture };
}

const tell = async (world: World, stages: Partial<Stages> = {}, family = `family-${(nights += 1)}`) =>
  look(world, await run(world, stages, family));

const on = <T>(world: World, run: () => Promise<T>) => withWorkers(env, world.queues, run);

/** The table of docs/story.md, as code. */
function documentedEnd(stages: Stages) {
  const failures = {
    rejected: 'StoryTextError',
    unsafe: 'StoryUnsafeError',
    refused: 'StoryRejectedError',
    down: 'Error',
  };
  const error = failures[stages.text as keyof typeof failures];
  if (error) return { status: 'FAILED', error } as const;
  const of = (how: string) =>
    how === 'refused' || how === 'down' ? 'FAILED' : how === 'flaky' || how === 'slow' ? 'READY' : how;
  return { status: 'COMPLETE', parts: Object.fromEntries(PARTS.map((part) => [part, of(stages[part])])) } as const;
}

const STAGES: fc.Arbitrary<Stages> = fc.record({
  // Mostly texts that let the branches run.
  text: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('kept', 'repaired', 'flaky') },
    { weight: 1, arbitrary: fc.constantFrom(...TEXTS) },
  ),
  image: fc.constantFrom('READY', 'STOCK', ...TROUBLES),
  audio: fc.constantFrom('READY', ...TROUBLES),
  mail: fc.constantFrom('READY', 'NONE', 'UNCERTAIN', ...TROUBLES),
  event: fc.constantFrom('READY', ...TROUBLES),
  waitForAll: fc.boolean(),
});
/** One after the other: the test server stands still over several that try again at the same time. */
const RUNS = 60;

it('every combination of failing stages ends as documented', { timeout: 240_000 }, async () => {
  const world = createStageWorld();
  await on(world, () =>
    fc.assert(
      fc.asyncProperty(STAGES, async (stages) => {
        const { storyId, ended, seen, history, picture } = await tell(world, stages);
        const expected = documentedEnd(stages);
        expect(seen.status).toBe(expected.status);
        expect(picture?.status).toBe(expected.status);
        expect(history).toBeLessThan(160);
        expect(world.finished.filter((one) => one.storyId === storyId)).toMatchObject([{ status: expected.status }]);
        const begun = world.calls.filter((call) => call.storyId === storyId);
        const recorded = world.recorded.filter((one) => one.storyId === storyId);
        if (expected.status === 'FAILED') {
          expect(ended).toBeInstanceOf(Error);
          expect((ended as { cause?: { type?: string } }).cause?.type).toBe(expected.error);
          expect(picture?.error?.type).toBe(expected.error);
          expect(begun.map(({ what }) => what)).not.toContain('drawPicture');
          expect(recorded).toEqual([]);
          return;
        }
        expect(ended).toMatchObject({ outcome: 'made', words: 220, parts: expected.parts });
        expect(allEnded(seen.parts)).toBe(true);
        const failed = PARTS.filter((part) => seen.parts[part] === 'FAILED').toSorted();
        expect(recorded.map(({ part }) => part).toSorted()).toEqual(failed);
        for (const { reason } of recorded) expect(reason).toMatch(/: \w+ (was refused|does not answer)$/);
        const mail = begun.find(({ what }) => what === 'notifyFamily')?.begun ?? 0;
        const others = begun.filter(({ what }) => what === 'drawPicture' || what === 'speakStory');
        if (stages.waitForAll) for (const other of others) expect(other.ended).toBeLessThanOrEqual(mail);
      }),
      { numRuns: RUNS },
    ),
  );
});

it('a part cannot end as another may', () => {
  expect(isEndOf('audio', 'STOCK')).toBe(false);
  expect(isEndOf('image', 'STOCK')).toBe(true);
  expect(isEndOf('mail', 'PENDING')).toBe(false);
});

describe('the branches', () => {
  it('all begin before any of them has ended', async () => {
    const world = createStageWorld();
    const branches = ['announceStory', 'drawPicture', 'notifyFamily', 'speakStory'];
    await on(world, async () => {
      const release = world.holdBranches();
      const told = tell(world);
      await expect
        .poll(() =>
          world.calls
            .map(({ what }) => what)
            .filter((what) => branches.includes(what))
            .toSorted(),
        )
        .toEqual(branches);
      expect(world.calls.filter(({ what, ended }) => branches.includes(what) && ended !== undefined)).toEqual([]);
      release();
      expect((await told).seen.status).toBe('COMPLETE');
    });
  });

  it('are told of as steps that wait for the text alone', async () => {
    const world = createStageWorld();
    const { picture } = await on(world, () => tell(world, { image: 'refused' }));
    expect(picture?.steps.map(({ name, state, after }) => [name, state, after ?? []])).toEqual([
      ['Text', 'SUCCEEDED', []],
      ['Picture', 'FAILED', ['Text']],
      ['Voice', 'SUCCEEDED', ['Text']],
      ['Mail', 'SUCCEEDED', ['Text']],
      ['Event', 'SUCCEEDED', ['Text']],
    ]);
    expect(picture).toMatchObject({ domain: 'story', consumer: expect.stringMatching(/^family-/) });
  });
});

describe('a story that is begun again', () => {
  it('that has been made does nothing, and what watchers saw stays', async () => {
    const world = createStageWorld();
    await on(world, async () => {
      const { storyId } = await tell(world, {}, 'twice');
      const before = await world.log.snapshot(workflowIdOf(storyId));
      world.registered.set(storyId, { outcome: 'existing', status: 'COMPLETE' });
      const [family = '', night = ''] = storyId.split('/');
      const again = await env.client.workflow.execute<(input: StoryInput) => Promise<StoryResult>>(WORKFLOW_TYPE, {
        workflowId: workflowIdOf(storyId),
        taskQueue: WORKFLOW_TASK_QUEUE,
        args: [{ family, night }],
      });
      expect(again).toEqual({ storyId, outcome: 'existing' });
      expect(await world.log.snapshot(workflowIdOf(storyId))).toEqual(before);
      expect(world.finished).toHaveLength(1);
    });
  });

  it('that failed is told anew, by the next attempt', async () => {
    const world = createStageWorld();
    await on(world, async () => {
      const { storyId, ended } = await tell(world, { text: 'refused' }, 'failed-once');
      expect(ended).toBeInstanceOf(Error);
      world.stages.set(storyId, ALL_WELL);
      world.registered.set(storyId, { outcome: 'new', attempt: 2, waitForAll: false });
      const [family = '', night = ''] = storyId.split('/');
      await env.client.workflow.execute(WORKFLOW_TYPE, {
        workflowId: workflowIdOf(storyId),
        taskQueue: WORKFLOW_TASK_QUEUE,
        args: [{ family, night }],
      });
      const picture = await world.log.snapshot(workflowIdOf(storyId));
      expect(picture).toMatchObject({ status: 'COMPLETE', attempt: 2 });
      expect(picture?.error).toBeUndefined();
    });
  });
});

describe('input that is none', () => {
  const start = (workflowId: string, input: unknown) =>
    env.client.workflow
      .execute(WORKFLOW_TYPE, { workflowId, taskQueue: WORKFLOW_TASK_QUEUE, args: [input] })
      .catch((error: { cause?: { type?: string; message?: string } }) => error.cause);

  it.each([
    ['story/Fox/2026-11-26', { family: 'Fox', night: '2026-11-26' }, 'family: '],
    ['story/fox/tonight', { family: 'fox', night: 'tonight' }, 'night: '],
    ['story/fox/2026-13-01', { family: 'fox', night: '2026-13-01' }, 'night: '],
    ['something', { family: 'fox', night: '2026-11-26' }, 'start it as story/fox/2026-11-26'],
    ['story/fox/2026-11-25', { family: 'fox', night: '2026-11-26' }, 'start it as story/fox/2026-11-26'],
  ])('%s is refused in words', async (workflowId, input, words) => {
    const world = createStageWorld();
    const cause = await on(world, () => start(workflowId, input));
    expect(cause).toMatchObject({ type: 'InvalidStoryInputError', message: expect.stringContaining(words) });
    expect(world.calls).toEqual([]);
  });
});

describe('a night', () => {
  const night = (family: string, workflowId: string) =>
    env.client.workflow.execute<(input: { family: string }) => Promise<NightResult>>(NIGHT_WORKFLOW_TYPE, {
      workflowId,
      taskQueue: WORKFLOW_TASK_QUEUE,
      args: [{ family }],
    });

  it('starts its story, which outlives it, and starts it once', async () => {
    const world = createStageWorld();
    await on(world, async () => {
      const first = await night('owls', 'story-night/owls-1');
      expect(first).toMatchObject({ outcome: 'started', storyId: expect.stringMatching(/^owls\/\d{4}-\d\d-\d\d$/) });
      await env.client.workflow.getHandle(workflowIdOf(first.storyId)).result();
      world.registered.set(first.storyId, { outcome: 'existing', status: 'COMPLETE' });
      expect(await night('owls', 'story-night/owls-2')).toEqual({ ...first, outcome: 'existing' });
      expect(world.calls.filter(({ what }) => what === 'notifyFamily')).toHaveLength(1);
    });
  });
});
