/** The schedule of a family: what Temporal is told, and what stays as it was when the family changes. */
import { describe, expect, it } from 'vitest';
import {
  backfillNights,
  pauseSchedule,
  putSchedule,
  removeSchedule,
  resumeSchedule,
  scheduleOf,
  viewSchedule,
} from '../../clients/story/schedule.ts';
import { memoryWorld } from '../support/steering-world.ts';
import { familyItem } from '../support/story-family.ts';

const NOW = Date.parse('2026-11-26T12:00:00Z');
const moon = familyItem();
const scheduleIn = ({ kept }: ReturnType<typeof memoryWorld>) => {
  const schedule = kept.schedules.get('story/moon');
  if (!schedule) throw new Error('there is no schedule');
  return schedule;
};

describe('the schedule of a family', () => {
  it('starts the night at the time of day there, keeps slow nights apart, and is told in words', () => {
    expect(scheduleOf(moon)).toEqual({
      scheduleId: 'story/moon',
      spec: {
        calendars: [{ hour: 19, minute: 15, comment: 'every night at 19:15, Europe/Berlin' }],
        timezone: 'Europe/Berlin',
      },
      action: {
        type: 'startWorkflow',
        workflowType: 'storyNight',
        workflowId: 'story-night/moon',
        taskQueue: 'longhaul',
        args: [{ family: 'moon' }],
        staticSummary: "tonight's story for moon",
        staticDetails: expect.stringContaining('longhaul story list moon'),
        typedSearchAttributes: [{ key: expect.objectContaining({ name: 'LonghaulConsumer' }), value: 'moon' }],
      },
      policies: { overlap: 'ALLOW_ALL', catchupWindow: 10_800_000, pauseOnFailure: false },
      state: { note: 'every night at 19:15, Europe/Berlin' },
      memo: { family: 'moon', about: expect.stringContaining('one bedtime story') },
    });
  });

  it('is made once, and fitted in place afterwards', async () => {
    const world = memoryWorld();
    await putSchedule(world.client, moon);
    await putSchedule(world.client, { ...moon, at: '18:00', time_zone: 'Asia/Tokyo', catchup_minutes: 5 });
    expect(world.kept.schedules.size).toBe(1);
    expect(scheduleIn(world)).toMatchObject({
      spec: { calendars: [{ hour: 18, minute: 0 }], timezone: 'Asia/Tokyo' },
      policies: { catchupWindow: 300_000 },
      state: { paused: false, note: 'every night at 18:00, Asia/Tokyo' },
      // Temporal does not let it be changed.
      memo: { family: 'moon' },
    });
  });

  it('is fitted when somebody else has made it in the meantime', async () => {
    const world = memoryWorld();
    world.kept.schedules.set('story/moon', scheduleOf({ ...moon, at: '20:00' }));
    world.fail.set('updateSchedule', new (await import('@temporalio/client')).ScheduleNotFoundError('x', 'story/moon'));
    await putSchedule(world.client, moon);
    expect(scheduleIn(world).spec.calendars).toMatchObject([{ hour: 19, minute: 15 }]);
  });

  it('stays paused, and stays paused until, when the family changes', async () => {
    const world = memoryWorld();
    await putSchedule(world.client, moon);
    await pauseSchedule(world.client, moon);
    await putSchedule(world.client, { ...moon, at: '20:00' });
    expect(await viewSchedule(world.client, 'moon', NOW)).toEqual({ state: 'paused', next: [] });
    expect(scheduleIn(world).spec.calendars).toMatchObject([{ hour: 20 }]);

    await pauseSchedule(world.client, moon, '2099-01-04');
    await putSchedule(world.client, { ...moon, time_zone: 'Asia/Tokyo' });
    // The midnight of that date where the family is now.
    expect(scheduleIn(world).spec.startAt?.toISOString()).toBe('2099-01-03T15:00:00.000Z');
    expect(await viewSchedule(world.client, 'moon', NOW)).toMatchObject({ state: 'active', until: '2099-01-04' });

    await resumeSchedule(world.client, moon);
    expect(scheduleIn(world).spec).not.toHaveProperty('startAt');
    expect(await viewSchedule(world.client, 'moon', NOW)).toEqual({
      state: 'active',
      next: ['2026-11-27T18:15:00.000Z'],
    });
    expect(scheduleIn(world).state).toEqual({ paused: false, note: 'every night at 19:15, Europe/Berlin' });
  });

  it('is no longer paused when the first night again has come', async () => {
    const world = memoryWorld();
    world.kept.schedules.set('story/moon', scheduleOf(moon, '2026-11-20'));
    expect(await viewSchedule(world.client, 'moon', NOW)).not.toHaveProperty('until');
  });

  it('that is missing is said to be, cannot be paused, and is made by resuming', async () => {
    const world = memoryWorld();
    expect(await viewSchedule(world.client, 'moon', NOW)).toEqual({ state: 'missing', next: [] });
    await expect(pauseSchedule(world.client, moon)).rejects.toMatchObject({ kind: 'conflict' });
    await expect(
      backfillNights(world.client, moon, { from: '2026-11-01', to: '2026-11-02' }, NOW),
    ).rejects.toMatchObject({ kind: 'conflict' });
    expect(await removeSchedule(world.client, 'moon')).toBe(false);
    await resumeSchedule(world.client, moon);
    expect(await viewSchedule(world.client, 'moon', NOW)).toMatchObject({ state: 'active' });
    expect(await removeSchedule(world.client, 'moon')).toBe(true);
  });

  it('of a zone that Temporal does not know is refused in words, and other failures as they are', async () => {
    const world = memoryWorld();
    world.fail.set('createSchedule', new TypeError('unknown time zone Europe/Berlin'));
    await expect(putSchedule(world.client, moon)).rejects.toMatchObject({
      kind: 'input',
      message: 'Temporal does not know the time zone Europe/Berlin',
    });
    world.fail.set('createSchedule', new TypeError('something else'));
    await expect(putSchedule(world.client, moon)).rejects.toThrow('something else');
  });

  it.each([
    ['2026-10-24', '2026-10-26', '2026-10-24T17:14:59.000Z', '2026-10-26T18:15:01.000Z'],
    ['2026-11-25', '2026-11-26', '2026-11-25T18:14:59.000Z', '2026-11-26T12:00:00.000Z'],
  ])(
    'makes up for nights from %s to %s by the clocks there, and not for what has not come',
    async (from, to, start, end) => {
      const world = memoryWorld();
      await putSchedule(world.client, moon);
      await backfillNights(world.client, moon, { from, to }, NOW);
      expect(world.kept.backfills).toEqual([{ start: new Date(start), end: new Date(end), overlap: 'ALLOW_ALL' }]);
    },
  );

  it('makes up for no night that has not come', async () => {
    const world = memoryWorld();
    await putSchedule(world.client, moon);
    const tonight = { from: '2026-11-26', to: '2026-11-26' };
    await expect(backfillNights(world.client, moon, tonight, NOW)).rejects.toMatchObject({ kind: 'input' });
    expect(world.kept.backfills).toEqual([]);
  });
});
