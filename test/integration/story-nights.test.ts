/**
 * Sixty nights of a family, over a change of the clocks, on a real Temporal server: by the schedule's own times and its own
 * backfill. The time-skipping server has no schedules. Registration is real, on DynamoDB Local; what it is followed by is played.
 */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRegisterActivities } from '../../activities/story/register.ts';
import {
  backfillNights,
  pauseSchedule,
  putSchedule,
  resumeSchedule,
  viewSchedule,
} from '../../clients/story/schedule.ts';
import { FamilyStore } from '../../lib/store/families.ts';
import { StoryStore } from '../../lib/store/stories.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { defaultCast } from '../../lib/story/cast.ts';
import type { Family } from '../../lib/story/document.ts';
import { localDate, localTimeOf } from '../../lib/story/local-time.ts';
import {
  ACTIVITY_TASK_QUEUE,
  type FinishInput,
  scheduleIdOf,
  storyIdOf,
  workflowIdOf,
} from '../../workflows/story/model.ts';
import { openDevServer } from '../support/dev-server.ts';
import { openDynamoDb, type Tables } from '../support/dynamodb.ts';
import { familyItem } from '../support/story-family.ts';
import { ALL_WELL, createStageWorld } from '../support/story-script.ts';
import { withWorkers } from '../support/time-skipping.ts';

const NIGHTS = 60;
const DAY_MS = 86_400_000;
const PREFIX = 'nights-';

let env: TestWorkflowEnvironment;
let tables: Tables;
let stories: StoryStore;
let families: FamilyStore;

beforeAll(async () => {
  [tables, env] = await Promise.all([openDynamoDb(), openDevServer()]);
  await tables.create(PREFIX);
  stories = new StoryStore(tables.client, tableNames(PREFIX));
  families = new FamilyStore(tables.client, tableNames(PREFIX));
});
afterAll(async () => {
  await env?.teardown();
  await tables?.close();
});

const family = (name: string, time_zone: string, more: Partial<Family> = {}) =>
  familyItem({ family: name, time_zone, month_limit_usd: '100', ...more });

/** By its schedule. */
async function nightsTaken(name: string): Promise<number> {
  const { info } = await env.client.schedule.getHandle(scheduleIdOf(name)).describe();
  return info.numActionsTaken;
}

async function add(one: Family): Promise<void> {
  await families.put(one);
  const cast = defaultCast(one.family, one.language, one.created_at);
  for (const kind of ['characters', 'scenes'] as const)
    for (const card of cast[kind]) await families.putCard(kind, card);
}

/** Registration and end are the tables', the stages are played. */
function createWorld() {
  const world = createStageWorld();
  const activities = {
    ...world.queues[ACTIVITY_TASK_QUEUE],
    ...createRegisterActivities({ stories, families }, async () => 100_000),
    async finishStory(input: FinishInput) {
      world.finished.push(input);
      const [of = '', night = ''] = input.storyId.split('/');
      const record = await stories.record(of, night);
      if (record) await stories.settle(record, { status: input.status, ended_at: new Date().toISOString() }, 90_000);
      return { parts: { image: 'READY', audio: 'READY', mail: 'READY', event: 'READY' } as const };
    },
  };
  return { ...world, queues: { ...world.queues, [ACTIVITY_TASK_QUEUE]: activities } };
}

/** What the server itself says a schedule fires at. */
async function matchingTimes(name: string, from: number, to: number): Promise<number[]> {
  const seconds = (at: number) => ({ seconds: at / 1000 });
  const { startTime } = await env.client.workflowService.listScheduleMatchingTimes({
    namespace: env.namespace ?? 'default',
    scheduleId: scheduleIdOf(name),
    startTime: seconds(from) as never,
    endTime: seconds(to) as never,
  });
  return startTime.map(({ seconds: at }) => Number(at) * 1000);
}

/** The last change of the clocks that is over by more than a month, in the middle of sixty nights. */
const FROM = '2026-02-27';
const TO = '2026-04-27';
const dates = Array.from({ length: NIGHTS }, (_, day) =>
  new Date(Date.parse(FROM) + day * DAY_MS).toISOString().slice(0, 10),
);

it('are sixty, with the change of the clocks among them', () => {
  expect(dates.at(-1)).toBe(TO);
  const hours = new Set(dates.map((date) => localTimeOf('Europe/Berlin', Date.parse(`${date}T12:00:00Z`))));
  expect([...hours]).toEqual(['13:00', '14:00']);
});

describe.each(['Europe/Berlin', 'America/New_York', 'Australia/Sydney', 'Asia/Kolkata'])('in %s', (zone) => {
  it('the schedule fires once a night, at 19:15 there', async () => {
    const name = `times-${zone.toLowerCase().replace(/\W/g, '-')}`;
    const one = family(name, zone);
    await putSchedule(env.client, one);
    const from = Date.parse(`${FROM}T00:00:00Z`) - DAY_MS;
    const times = (await matchingTimes(name, from, from + (NIGHTS + 3) * DAY_MS)).filter((at) =>
      dates.includes(localDate(at, zone)),
    );
    expect(times.map((at) => localTimeOf(zone, at))).toEqual(Array(NIGHTS).fill('19:15'));
    expect(times.map((at) => localDate(at, zone))).toEqual(dates);
  });
});

it('backfilled, every night has one story and one mail; backfilled again and triggered, still', {
  timeout: 480_000,
}, async () => {
  const one = family('moon', 'Europe/Berlin');
  await add(one);
  await putSchedule(env.client, one);
  const world = createWorld();
  await withWorkers(env, world.queues, async () => {
    const ended = async () => {
      const { records } = await stories.book('moon', { limit: 200 });
      return records
        .filter(({ status }) => status === 'COMPLETE')
        .map(({ night }) => night)
        .toSorted();
    };
    await backfillNights(env.client, one, { from: FROM, to: TO }, Date.now());
    await expect.poll(ended, { timeout: 240_000, interval: 1_000 }).toEqual(dates);
    const mails = () =>
      world.calls
        .filter(({ what }) => what === 'notifyFamily')
        .map(({ storyId }) => storyId)
        .toSorted();
    expect(mails()).toEqual(dates.map((date) => storyIdOf('moon', date)));

    // Each night again, and tonight by hand.
    await backfillNights(env.client, one, { from: FROM, to: TO }, Date.now());
    await env.client.schedule.getHandle(scheduleIdOf('moon')).trigger();
    await expect.poll(() => nightsTaken('moon'), { timeout: 120_000, interval: 500 }).toBe(2 * NIGHTS + 1);
    const tonight = localDate(Date.now(), one.time_zone);
    await env.client.workflow.getHandle(workflowIdOf(storyIdOf('moon', tonight))).result();
    const running = async () => {
      const { count } = await env.client.workflow.count('WorkflowType = "storyNight" AND ExecutionStatus = "Running"');
      return count;
    };
    await expect.poll(running, { timeout: 120_000, interval: 500 }).toBe(0);
    expect(await ended()).toEqual([...dates, tonight].toSorted());
    expect(mails()).toHaveLength(NIGHTS + 1);
    // What was reserved has gone back but for what was spent.
    const spent = await stories.committed('moon', new Date().toISOString().slice(0, 7));
    expect(spent).toBe((NIGHTS + 1) * 90_000);
  });
});

describe('a schedule', () => {
  it('that is paused stays so through a change, until it is resumed', async () => {
    const one = family('paused', 'Europe/Berlin');
    await putSchedule(env.client, one);
    await pauseSchedule(env.client, one);
    await putSchedule(env.client, { ...one, at: '20:00' });
    expect(await viewSchedule(env.client, 'paused', Date.now())).toEqual({ state: 'paused', next: [] });
    await resumeSchedule(env.client, { ...one, at: '20:00' });
    const { state, next } = await viewSchedule(env.client, 'paused', Date.now());
    expect(state).toBe('active');
    expect(next.length).toBeGreaterThan(0);
    for (const time of next) expect(localTimeOf('Europe/Berlin', Date.parse(time))).toBe('20:00');
  });

  it('that is asked for one night right after the other makes up for all of them', async () => {
    const one = family('hurried', 'Europe/Berlin');
    await putSchedule(env.client, one);
    const ten = dates.slice(0, 10);
    for (const date of ten) await backfillNights(env.client, one, { from: date, to: date }, Date.now());

    await expect.poll(() => nightsTaken('hurried')).toBe(ten.length);
  });

  it('makes up for a night that was missed within its time, and leaves what is older', async () => {
    const one = family('late', 'Europe/Berlin', { catchup_minutes: 45 });
    await putSchedule(env.client, one);
    const { policies } = await env.client.schedule.getHandle(scheduleIdOf('late')).describe();
    expect(policies.catchupWindow).toBe(45 * 60_000);
  });
});

it('a run that was terminated is gone on with: same story, nothing reserved twice', async () => {
  const one = family('owl', 'Europe/Berlin');
  await add(one);
  const world = createWorld();
  await withWorkers(env, world.queues, async () => {
    const release = world.holdBranches();
    const start = () =>
      env.client.workflow.start('story', {
        workflowId: workflowIdOf('owl/2026-11-01'),
        taskQueue: 'longhaul',
        args: [{ family: 'owl', night: '2026-11-01' }],
      });
    const first = await start();
    await expect.poll(() => world.calls.some(({ what }) => what === 'drawPicture')).toBe(true);
    const before = await stories.get('owl/2026-11-01');
    await first.terminate('the machine is needed');
    release();
    const second = await start();
    expect(await second.result()).toMatchObject({ outcome: 'made' });
    expect((await stories.get('owl/2026-11-01'))?.draw).toEqual(before?.draw);
    const record = await stories.record('owl', '2026-11-01');
    expect(record).toMatchObject({ status: 'COMPLETE', attempt: 2 });
    expect(await stories.committed('owl', record?.month ?? '')).toBe(90_000);
    // A third finds that there is nothing to do.
    const third = await start();
    expect(await third.result()).toEqual({ storyId: 'owl/2026-11-01', outcome: 'existing' });
  });
});

it('a story that failed is told anew, with others, and what it has spent stays spent', async () => {
  await add(family('hare', 'Europe/Berlin'));
  const world = createWorld();
  await withWorkers(env, world.queues, async () => {
    const id = 'hare/2026-11-01';
    const start = () =>
      env.client.workflow.execute('story', {
        workflowId: workflowIdOf(id),
        taskQueue: 'longhaul',
        args: [{ family: 'hare', night: '2026-11-01' }],
      });
    world.stages.set(id, { ...ALL_WELL, text: 'rejected' });
    await expect(start()).rejects.toMatchObject({ cause: { type: 'StoryTextError' } });
    const before = await stories.get(id);
    expect(await stories.record('hare', '2026-11-01')).toMatchObject({
      status: 'FAILED',
      settled: true,
      spent: 90_000,
    });
    world.stages.set(id, ALL_WELL);
    expect(await start()).toMatchObject({ outcome: 'made' });
    const after = await stories.get(id);
    expect(after?.draw).not.toEqual(before?.draw);
    const record = await stories.record('hare', '2026-11-01');
    expect(record).toMatchObject({ status: 'COMPLETE', attempt: 2 });
    expect(record).not.toHaveProperty('error');
    expect(await stories.committed('hare', record?.month ?? '')).toBe(90_000);
  });
});

it('a story that is cancelled ends CANCELLED, for watchers and in the record', async () => {
  const one = family('fox', 'Europe/Berlin');
  await add(one);
  const world = createWorld();
  await withWorkers(env, world.queues, async () => {
    const release = world.holdBranches();
    const handle = await env.client.workflow.start('story', {
      workflowId: workflowIdOf('fox/2026-11-01'),
      taskQueue: 'longhaul',
      args: [{ family: 'fox', night: '2026-11-01' }],
    });
    await expect.poll(() => world.calls.some(({ what }) => what === 'drawPicture')).toBe(true);
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow('cancelled');
    release();
    expect(await stories.record('fox', '2026-11-01')).toMatchObject({ status: 'CANCELLED', settled: true });
    expect(await world.log.snapshot(workflowIdOf('fox/2026-11-01'))).toMatchObject({ status: 'CANCELLED' });
  });
});
