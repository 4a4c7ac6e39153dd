/**
 * A story's lasting identity. Temporal forgets ended workflows after a while; the record does not: a night that is begun
 * again, however late, finds the story it has.
 *
 * @module
 */

import { monthOf } from '../../lib/cost/intervals.ts';
import { nightEntryOf } from '../../lib/store/stories.ts';
import { MICRO, microLimit } from '../../lib/story/costs.ts';
import type { Cast, Family, StoryItem, StoryRecord } from '../../lib/story/document.ts';
import { drawCast } from '../../lib/story/draw.ts';
import { expiresAtOf, unexpired } from '../../lib/story/expiry.ts';
import { localDate } from '../../lib/story/local-time.ts';
import {
  type PartState,
  type PlanNightInput,
  type PlannedNight,
  type Registered,
  type RegisterInput,
  storyIdOf,
  workflowIdOf,
} from '../../workflows/story/model.ts';
import { PENDING } from '../../workflows/story/plan.ts';
import type { StoryDependencies } from './dependencies.ts';
import { familyOf, refuse } from './failures.ts';

/** Of the book: so many nights back nobody is drawn again. */
const RECENT = 14;

type Needed = Pick<StoryDependencies, 'stories' | 'families' | 'now'>;

/**
 * Micro-USD that a story of this family may cost at most.
 * @throws ApplicationFailure StoryUnpricedError
 */
export type Bound = (family: Family) => Promise<number>;

export function createRegisterActivities(dependencies: Needed, boundOf: Bound) {
  const { stories, now = Date.now } = dependencies;

  return {
    /** @throws ApplicationFailure FamilyNotFoundError, StoryLimitError, StoryUnpricedError, StoryTextError */
    async registerStory(input: RegisterInput): Promise<Registered> {
      const { family: id, night, runId } = input;
      const family = await familyOf(dependencies, id);
      const known = await stories.record(id, night);
      if (known?.status === 'COMPLETE') return { outcome: 'existing', status: 'COMPLETE' };
      if (known && known.run_id === runId) return begun(known, family);
      const at = now();
      const readable = unexpired(await stories.get(input.storyId), at);
      // What failed had no text anybody has read: with others its prompt is another one, whatever was wrong with it.
      const failed = known?.status === 'FAILED' && readable?.paragraphs === undefined;
      const { draw, cast } =
        readable && known && !failed
          ? { draw: readable.draw, cast: known.cast }
          : await drawn(dependencies, input, known?.attempt ?? 0);
      const item = readable ? resumed({ ...readable, draw }, runId, at) : itemOf(input, family, draw, at);
      // An open one has its reservation: its run is over, or this one could not run under the same workflow id.
      const reserved = known && !known.settled ? known.reserved : await checked(family, boundOf);
      const record = recordOf(input, item, cast, { reserved, month: monthOf(at) }, known);
      const limit = microLimit(family.month_limit_usd);
      const answer = await (known ? stories.takeOver(item, record, limit, known) : stories.begin(item, record, limit));
      if (answer.outcome === 'over-limit') {
        throw refuse(
          'StoryLimitError',
          `family ${id}: stories of ${record.month} may cost ${family.month_limit_usd} USD, of which ${usd(answer.left)} are left, ` +
            `and this one may take ${usd(reserved)}: raise the limit with \`longhaul story families set ${id} --month-limit\`, ` +
            'or wait for the next month',
        );
      }
      // By an earlier try of this activity, whose answer was lost: the next one finds it.
      if (answer.outcome === 'existing') throw new Error(`story ${input.storyId} was begun at the same time`);
      return begun(record, family);
    },

    /** @throws ApplicationFailure FamilyNotFoundError */
    async planNight({ family: id, scheduledAt }: PlanNightInput): Promise<PlannedNight> {
      const family = await familyOf(dependencies, id);
      const night = localDate(Date.parse(scheduledAt), family.time_zone);
      const record = await stories.record(id, night);
      return { storyId: storyIdOf(id, night), night, existing: record?.status === 'COMPLETE' };
    },
  };
}

const begun = ({ attempt }: StoryRecord, family: Family): Registered => ({
  outcome: 'new',
  attempt,
  waitForAll: family.wait_for_all,
});

/** @throws ApplicationFailure StoryLimitError when one story may cost more than the family allows */
async function checked(family: Family, boundOf: Bound): Promise<number> {
  const bound = await boundOf(family);
  if (bound <= microLimit(family.story_limit_usd)) return bound;
  throw refuse(
    'StoryLimitError',
    `family ${family.family}: a story may cost ${family.story_limit_usd} USD, with these models it can take up to ` +
      `${usd(bound)}: choose other models or fewer words, or raise the limit with ` +
      `\`longhaul story families set ${family.family} --story-limit\``,
  );
}

const usd = (micro: number): string => (micro / MICRO).toFixed(4);

/**
 * @param attempts that have failed before
 * @throws ApplicationFailure StoryTextError
 */
async function drawn({ families, stories }: Needed, { storyId, family }: RegisterInput, attempts: number) {
  const [characters, scenes, { records }] = await Promise.all([
    families.cards('characters', family),
    families.cards('scenes', family),
    stories.book(family, { limit: RECENT }),
  ]);
  const result = drawCast(
    attempts === 0 ? storyId : `${storyId}#${attempts}`,
    { characters, scenes },
    records.filter((record) => record.story_id !== storyId).map(({ cast }) => cast),
  );
  if (result) return result;
  throw refuse(
    'StoryTextError',
    `family ${family} has ${characters.length} characters and ${scenes.length} scenes, a story needs two and one: add some with ` +
      `\`longhaul story characters ${family} add\` and \`longhaul story scenes ${family} add\``,
  );
}

function itemOf(
  { storyId, family, night, runId }: RegisterInput,
  settings: Family,
  draw: StoryItem['draw'],
  at: number,
): StoryItem {
  const time = new Date(at).toISOString();
  const { language, voice, engine, min_words } = settings;
  const { image, audio, mail, event } = PENDING;
  return {
    story_id: storyId,
    family,
    night,
    workflow_id: workflowIdOf(storyId),
    run_id: runId,
    status: 'WRITING',
    draw,
    ...{ language, voice, engine, min_words },
    created_at: time,
    updated_at: time,
    expires_at: expiresAtOf(at),
    image: { state: image },
    audio: { state: audio },
    mail: { state: mail },
    event: { state: event },
  };
}

/** What is there stays; what was given up is tried again. A mail of which nobody knows is not sent again. */
function resumed(item: StoryItem, runId: string, at: number): StoryItem {
  const anew = <View extends { state: PartState }>(view: View) =>
    view.state === 'FAILED' ? { state: 'PENDING' as const } : view;
  return {
    ...item,
    run_id: runId,
    status: item.paragraphs ? 'READY' : 'WRITING',
    updated_at: new Date(at).toISOString(),
    image: anew(item.image),
    audio: anew(item.audio),
    mail: anew(item.mail),
    event: anew(item.event),
  };
}

function recordOf(
  { storyId, family, night, runId }: RegisterInput,
  item: StoryItem,
  cast: Cast,
  money: Pick<StoryRecord, 'reserved' | 'month'>,
  known: StoryRecord | undefined,
): StoryRecord {
  return {
    family,
    entry: nightEntryOf(night),
    story_id: storyId,
    night,
    status: item.status,
    run_id: runId,
    attempt: (known?.attempt ?? 0) + 1,
    cast,
    created_at: item.created_at,
    verdicts: known?.verdicts ?? {},
    usage: known?.usage ?? {},
    ...money,
    ...(known && !known.settled && { month: known.month }),
    ...(known?.spent !== undefined && { spent: known.spent }),
  };
}
