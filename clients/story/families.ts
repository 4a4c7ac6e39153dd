/**
 * Families: adding, setting and removing them, with all that belongs to one (topic, cast, schedule). Each may be cut off
 * anywhere and asked for again.
 *
 * @module
 */

import { monthOf } from '../../lib/cost/intervals.ts';
import { CARD_KINDS } from '../../lib/store/families.ts';
import { defaultCast } from '../../lib/story/cast.ts';
import { MICRO } from '../../lib/story/costs.ts';
import type { Family } from '../../lib/story/document.ts';
import { isDate, localDate } from '../../lib/story/local-time.ts';
import type {
  FamilyChanged,
  FamilyDetail,
  FamilySettings,
  FamilyView,
  ScheduleView,
  Subscription,
} from '../live/stories.ts';
import { checkFamilyName } from './family-name.ts';
import { StoryProblem } from './problem.ts';
import {
  backfillNights,
  pauseSchedule,
  putSchedule,
  removeSchedule,
  resumeSchedule,
  viewSchedule,
} from './schedule.ts';
import { checkSettings, withoutTime } from './settings.ts';
import { ensureTopic, removeTopic, subscribe, subscriptions } from './topic.ts';
import { checkVoice } from './voices.ts';
import { type StoryWorld, theFamily } from './world.ts';

/** Nights that may be made up for at once: each costs. */
const MOST_NIGHTS = 100;
const DAY_MS = 86_400_000;

export async function listFamilies(world: StoryWorld, now: number, wanted: (family: string) => boolean = () => true) {
  const families = (await world.families.list()).filter(({ family }) => wanted(family));
  return Promise.all(families.map((family) => viewFamily(world, family, now)));
}

/** @throws StoryProblem */
export async function showFamily(world: StoryWorld, name: string, now: number): Promise<FamilyDetail> {
  const family = await theFamily(world, name);
  const month = monthOf(now);
  const [view, committed, ...cards] = await Promise.all([
    viewFamily(world, family, now),
    world.stories.committed(name, month),
    ...CARD_KINDS.map((kind) => world.families.cards(kind, name)),
  ]);
  const [characters = 0, scenes = 0] = cards.map(({ length }) => length);
  return { ...view, characters, scenes, month: { month, committedUsd: String(committed / MICRO) } };
}

/** @throws StoryProblem; one that is there already is a conflict */
export async function addFamily(
  world: StoryWorld,
  name: string,
  given: Partial<FamilySettings>,
  now: number,
): Promise<FamilyChanged> {
  checkFamilyName(name);
  if (await world.families.get(name)) throw taken(name);
  const settings = checkSettings(given);
  const { voice, warning } = await checkVoice(world.polly, settings);
  const created_at = new Date(now).toISOString();
  const topic_arn = await ensureTopic(world.sns, world.settings.tablePrefix, name);
  const family: Family = { family: name, ...settings, voice, topic_arn, created_at };
  const cast = defaultCast(name, settings.language, created_at);
  for (const kind of CARD_KINDS) await Promise.all(cast[kind].map((card) => world.families.putCard(kind, card)));
  await putSchedule(world.client, family);
  // Last: until then it may be added again, which completes what was cut off.
  if (!(await world.families.put(family, { replace: false }))) throw taken(name);
  return { ...(await viewFamily(world, family, now)), warnings: warningsOf(family, warning, now) };
}

/** Also makes what is missing of it: topic and schedule. @throws StoryProblem */
export async function setFamily(
  world: StoryWorld,
  name: string,
  given: Partial<FamilySettings>,
  now: number,
): Promise<FamilyChanged> {
  const before = await theFamily(world, name);
  const settings = checkSettings(given, before);
  const speaks = (['voice', 'engine', 'language'] as const).some((what) => settings[what] !== before[what]);
  const checked: { voice: string; warning?: string } = speaks ? await checkVoice(world.polly, settings) : settings;
  const { voice, warning } = checked;
  const topic_arn = before.topic_arn ?? (await ensureTopic(world.sns, world.settings.tablePrefix, name));
  const family: Family = { ...before, ...settings, voice, topic_arn };
  // First: Temporal may refuse the time zone.
  await putSchedule(world.client, family);
  await world.families.put(family);
  return { ...(await viewFamily(world, family, now)), warnings: warningsOf(family, warning, now) };
}

/** Schedule, subscriptions and cast go; stories stay until they expire, and their titles in the book. @throws StoryProblem */
export async function removeFamily(world: StoryWorld, name: string): Promise<void> {
  const { topic_arn } = await theFamily(world, name);
  // First: nothing begins any more.
  await removeSchedule(world.client, name);
  if (topic_arn !== undefined) await removeTopic(world.sns, topic_arn);
  for (const kind of CARD_KINDS) {
    const cards = await world.families.cards(kind, name);
    await Promise.all(cards.map(({ card }) => world.families.removeCard(kind, name, card)));
  }
  await world.families.remove(name);
}

/** @throws StoryProblem */
export async function pauseFamily(
  world: StoryWorld,
  name: string,
  until: string | undefined,
  now: number,
): Promise<ScheduleView> {
  const family = await theFamily(world, name);
  if (until !== undefined) {
    checkDate(until, 'the first night again');
    if (until <= localDate(now, family.time_zone))
      throw new StoryProblem('input', `${until} is not to come`, 'name a date after today, the first night again');
  }
  await pauseSchedule(world.client, family, until);
  return viewSchedule(world.client, name, now);
}

/** @throws StoryProblem */
export async function resumeFamily(world: StoryWorld, name: string, now: number): Promise<ScheduleView> {
  await resumeSchedule(world.client, await theFamily(world, name));
  return viewSchedule(world.client, name, now);
}

/** The next nights. @throws StoryProblem */
export async function familySchedule(
  world: StoryWorld,
  name: string,
  now: number,
): Promise<{ timeZone: string; at: string; schedule: ScheduleView }> {
  const { time_zone: timeZone, at } = await theFamily(world, name);
  return { timeZone, at, schedule: await viewSchedule(world.client, name, now) };
}

/** @param range local dates, both included @throws StoryProblem */
export async function backfillFamily(
  world: StoryWorld,
  name: string,
  range: { from: string; to: string },
  now: number,
): Promise<{ nights: number }> {
  const family = await theFamily(world, name);
  const { from, to } = range;
  checkDate(from, 'the first night');
  checkDate(to, 'the last night');
  const nights = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  if (nights < 1) throw new StoryProblem('input', `${to} is before ${from}`, 'give the first night first');
  if (nights > MOST_NIGHTS)
    throw new StoryProblem('input', `these are ${nights} nights`, `make up for ${MOST_NIGHTS} at most at a time`);
  const today = localDate(now, family.time_zone);
  if (to > today)
    throw new StoryProblem('input', `${to} has not come`, `there it is ${today}: name nights that have been`);
  await backfillNights(world.client, family, range, now);
  return { nights };
}

/** @throws StoryProblem */
export async function subscribeTo(world: StoryWorld, name: string, address: string): Promise<void> {
  const family = await theFamily(world, name);
  const topicArn = await ensureTopic(world.sns, world.settings.tablePrefix, name);
  await subscribe(world.sns, topicArn, address);
  if (topicArn !== family.topic_arn) await world.families.put({ ...family, topic_arn: topicArn });
}

/** @throws StoryProblem */
export async function subscriptionsOf(world: StoryWorld, name: string): Promise<Subscription[]> {
  const { topic_arn } = await theFamily(world, name);
  return topic_arn === undefined ? [] : subscriptions(world.sns, topic_arn);
}

async function viewFamily({ client }: Pick<StoryWorld, 'client'>, family: Family, now: number): Promise<FamilyView> {
  return {
    family: family.family,
    timeZone: family.time_zone,
    at: family.at,
    language: family.language,
    voice: family.voice,
    engine: family.engine,
    minWords: family.min_words,
    waitForAll: family.wait_for_all,
    storyLimitUsd: family.story_limit_usd,
    monthLimitUsd: family.month_limit_usd,
    catchupMinutes: family.catchup_minutes,
    createdAt: family.created_at,
    schedule: await viewSchedule(client, family.family, now),
  };
}

function warningsOf(family: Family, warning: string | undefined, now: number): string[] {
  const without = withoutTime(family, now).map(
    (date) =>
      `on ${date} there is no ${family.at} in ${family.time_zone}: clocks are put forward over it, and no story comes`,
  );
  return [...(warning === undefined ? [] : [warning]), ...without];
}

function checkDate(text: string, what: string): void {
  if (!isDate(text)) throw new StoryProblem('input', `${what} is no date`, 'give it as in 2026-11-26');
}

const taken = (family: string): StoryProblem =>
  new StoryProblem(
    'conflict',
    `there is a family ${family} already`,
    'set what is to be different, or choose another name',
  );
