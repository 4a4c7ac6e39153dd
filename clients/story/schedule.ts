/**
 * The schedule of a family: every night at its time of day, by the clocks there. It starts `storyNight`, which takes the
 * night's local date for the story's id: a night that comes twice (clocks are put back, somebody triggers or backfills)
 * has one story all the same. A time that does not exist, when clocks are put forward over it, has none that day.
 *
 * @module
 */
import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { Family } from '../../lib/story/document.ts';
import { localDate, momentsAbout } from '../../lib/story/local-time.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import {
  NIGHT_WORKFLOW_TYPE,
  type NightInput,
  type NightResult,
  nightWorkflowIdOf,
  scheduleIdOf,
} from '../../workflows/story/model.ts';
import type { ScheduleView } from '../live/stories.ts';
import { StoryProblem } from './problem.ts';

const CONSUMER = defineSearchAttributeKey('LonghaulConsumer', SearchAttributeType.KEYWORD);
const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;
/** Temporal lists so many. */
const MOST_NEXT = 10;

type Schedules = Pick<Client, 'schedule'>;
type Night = (input: NightInput) => Promise<NightResult>;
type NightSchedule = ScheduleOptions<ScheduleOptionsStartWorkflowAction<Night>>;

const noteOf = ({ at, time_zone }: Family): string => `every night at ${at}, ${time_zone}`;
const startOf = (timeZone: string, date: string): Date => new Date(momentsAbout(timeZone, date, '00:00').first);

/** @param until the first night again, a local date; nights before it are left out */
export function scheduleOf(family: Family, until?: string): NightSchedule {
  const { family: id, time_zone: timezone, at, catchup_minutes } = family;
  const [hour, minute] = at.split(':').map(Number);
  return {
    scheduleId: scheduleIdOf(id),
    spec: {
      calendars: [{ hour: hour ?? 0, minute: minute ?? 0, comment: noteOf(family) }],
      timezone,
      ...(until !== undefined && { startAt: startOf(timezone, until) }),
    },
    action: {
      type: 'startWorkflow',
      workflowType: NIGHT_WORKFLOW_TYPE,
      workflowId: nightWorkflowIdOf(id),
      taskQueue: WORKFLOW_TASK_QUEUE,
      args: [{ family: id }],
      staticSummary: `tonight's story for ${id}`,
      staticDetails: `Starts \`${scheduleIdOf(id)}/<local date>\`\n\n\`longhaul story list ${id}\``,
      typedSearchAttributes: [{ key: CONSUMER, value: id }],
    },
    policies: {
      // One that hangs, because no worker is there, takes nothing from the next night.
      overlap: ScheduleOverlapPolicy.ALLOW_ALL,
      catchupWindow: catchup_minutes * MINUTE_MS,
      pauseOnFailure: false,
    },
    state: { note: noteOf(family) },
    memo: { family: id, about: `one bedtime story ${noteOf(family)}; see longhaul story families schedule ${id}` },
  };
}

/** Makes it, or makes it fit: a pause stays. @throws StoryProblem for a time zone that Temporal does not know */
export async function putSchedule({ schedule }: Schedules, family: Family): Promise<void> {
  try {
    if (await changed({ schedule }, family, asItIs)) return;
    await schedule.create(scheduleOf(family)).catch(async (error: unknown) => {
      // Somebody else has just made it.
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      await changed({ schedule }, family, asItIs);
    });
  } catch (error) {
    throw understood(error, family);
  }
}

/** Nights before `until` are left out; without it all, until {@link resumeSchedule}. @throws StoryProblem */
export async function pauseSchedule(client: Schedules, family: Family, until?: string): Promise<void> {
  const state = (note: string) => ({ state: { paused: until === undefined, note }, until });
  const note = until === undefined ? 'paused' : `${noteOf(family)}, again from ${until} on`;
  if (!(await changed(client, family, () => state(note)))) throw missing(family);
}

/** Also makes one that is not there. */
export async function resumeSchedule(client: Schedules, family: Family): Promise<void> {
  const resumed = { state: { paused: false, note: noteOf(family) }, until: undefined };
  if (!(await changed(client, family, () => resumed))) await putSchedule(client, family);
}

interface Pause {
  state: { paused: boolean; note?: string };
  until: string | undefined;
}

const asItIs = ({ state, spec }: Pick<ScheduleDescription, 'state' | 'spec'>): Pause => ({
  state,
  until: untilOf(spec, Date.now()),
});

/** @returns false when there is none */
async function changed(
  { schedule }: Schedules,
  family: Family,
  decide: (known: ScheduleDescription) => Pause,
): Promise<boolean> {
  try {
    await schedule.getHandle(scheduleIdOf(family.family)).update<Night>((known) => {
      const { state, until } = decide(known);
      const { spec, action, policies } = scheduleOf(family, until);
      const note = (state.paused || until !== undefined ? state.note : undefined) ?? noteOf(family);
      return { spec, action, ...(policies && { policies }), state: { paused: state.paused, note } };
    });
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}

/** The first night again, where there is one to come. */
function untilOf(
  { startAt, timezone = 'UTC' }: Pick<ScheduleDescription['spec'], 'startAt' | 'timezone'>,
  now: number,
): string | undefined {
  return startAt && startAt.getTime() > now ? localDate(startAt.getTime(), timezone) : undefined;
}

/** @returns whether there was one */
export async function removeSchedule({ schedule }: Schedules, family: string): Promise<boolean> {
  try {
    await schedule.getHandle(scheduleIdOf(family)).delete();
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}

export async function viewSchedule(
  { schedule }: Schedules,
  family: string,
  now: number,
  most = MOST_NEXT,
): Promise<ScheduleView> {
  try {
    const { state, spec, info } = await schedule.getHandle(scheduleIdOf(family)).describe();
    const until = untilOf(spec, now);
    const next = state.paused ? [] : info.nextActionTimes.slice(0, most).map((time) => time.toISOString());
    return { state: state.paused ? 'paused' : 'active', next, ...(until !== undefined && { until }) };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return { state: 'missing', next: [] };
    throw error;
  }
}

/**
 * Makes up for the nights of these local dates, both included, as far as they have come. A night that has its story keeps it.
 * @param now epoch ms
 * @throws StoryProblem
 */
export async function backfillNights(
  { schedule }: Schedules,
  family: Family,
  { from, to }: { from: string; to: string },
  now: number,
): Promise<void> {
  const { family: id, time_zone, at } = family;
  const start = momentsAbout(time_zone, from, at).first - SECOND_MS;
  const end = Math.min(now, momentsAbout(time_zone, to, at).last + SECOND_MS);
  if (end <= start)
    throw new StoryProblem('input', `the night of ${from} has not come`, 'wait for it, or ask for its story now');
  try {
    const handle = schedule.getHandle(scheduleIdOf(id));
    await handle.backfill({
      start: new Date(start),
      end: new Date(end),
      overlap: ScheduleOverlapPolicy.ALLOW_ALL,
    });
    // Temporal's scheduler keeps one patch: another one before it has taken this would replace it, and the nights be lost
    // (service/worker/scheduler/workflow.go of 1.29, `pendingPatch`). It answers this after it has taken it.
    await handle.describe();
  } catch (error) {
    throw error instanceof ScheduleNotFoundError ? missing(family) : error;
  }
}

const missing = ({ family }: Family): StoryProblem =>
  new StoryProblem(
    'conflict',
    `the schedule of family ${family} is not there`,
    'resume the family, which makes it again',
  );

/** The client makes a TypeError of what Temporal calls an invalid argument. */
function understood(error: unknown, { time_zone }: Family): unknown {
  const { message } = error as Error;
  if (!(error instanceof TypeError) || !/time ?zone/i.test(message)) return error;
  return new StoryProblem(
    'input',
    `Temporal does not know the time zone ${time_zone}`,
    'name one of the IANA database as it is written there, such as Europe/Berlin',
  );
}
