/**
 * Families and their stories on a whole Longhaul: families with a cast of their own, so that what OpenAI does can be told by
 * whom it is about; how their stories end; what is in their mailboxes, objects and ledgers.
 *
 * @module
 */
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { SubscribeCommand } from '@aws-sdk/client-sns';
import { startStory } from '../../clients/story/start.ts';
import { ensureTopic } from '../../clients/story/topic.ts';
import { linkTo } from '../../clients/story/view.ts';
import type { StoryWorld } from '../../clients/story/world.ts';
import type { Call } from '../../infra/local/kit/calls.ts';
import { FamilyStore } from '../../lib/store/families.ts';
import { LedgerStore } from '../../lib/store/ledger.ts';
import { StoryStore } from '../../lib/store/stories.ts';
import { tableNames } from '../../lib/store/tables.ts';
import type { StoryItem, StoryRecord } from '../../lib/story/document.ts';
import { cardIdOf } from '../../lib/story/names.ts';
import { placeOf, type StoryResult, storyIdOf, workflowIdOf } from '../../workflows/story/model.ts';
import { openLonghaul } from './longhaul.ts';
import { familyItem } from './story-family.ts';

export interface Mail {
  kind: 'confirmation' | 'notification';
  subject: string;
  text: string;
  link: string;
  file: string;
}

/** How a story has ended. */
export interface Ended {
  family: string;
  item: StoryItem;
  record: StoryRecord;
  /** Type and message of what its workflow failed of. */
  failure?: { type: string; message: string };
  mails: Mail[];
}

export type StoryPlatform = Awaited<ReturnType<typeof openStoryPlatform>>;

export async function openStoryPlatform() {
  const longhaul = await openLonghaul({}, { withoutGenomics: true });
  const tables = tableNames(longhaul.settings.tablePrefix);
  const { aws, temporal, settings } = longhaul;
  const ledger = new LedgerStore(aws.dynamodb, tables);
  const world: StoryWorld = {
    client: temporal.client,
    settings,
    families: new FamilyStore(aws.dynamodb, tables),
    stories: new StoryStore(aws.dynamodb, tables),
    sns: aws.sns,
    polly: aws.polly,
  };

  const addressOf = (family: string) => `${family}.reader@family.example`;
  const mailsOf = async (family: string): Promise<Mail[]> => {
    const { mails } = await longhaul.action(`GET mailbox?to=${addressOf(family)}`);
    return mails as Mail[];
  };

  return {
    longhaul,
    world,
    ledger,
    addressOf,

    /** Without a schedule, with one subscriber, two characters and a scene nobody else has. */
    async family(family: string, characters = castOf(family).characters): Promise<void> {
      const topic_arn = await ensureTopic(aws.sns, settings.tablePrefix, family);
      const created_at = new Date().toISOString();
      const card = (name: string) => ({ family, card: cardIdOf(name).slice(0, 20), name, created_at });
      for (const name of characters) await world.families.putCard('characters', card(name));
      await world.families.putCard('scenes', card(castOf(family).scene));
      await world.families.put(
        familyItem({ family, time_zone: 'UTC', topic_arn, story_limit_usd: '5', month_limit_usd: '500' }),
      );
      await aws.sns.send(new SubscribeCommand({ TopicArn: topic_arn, Protocol: 'email', Endpoint: addressOf(family) }));
      const [confirmation] = await mailsOf(family);
      if (!(await fetch(confirmation?.link ?? '')).ok) throw new Error(`${family} could not subscribe`);
    },

    start: async (family: string): Promise<void> => {
      await startStory(world, family, nightOf(), Date.now());
    },

    /** Waits for the end of its workflow. */
    async end(family: string): Promise<Ended> {
      const night = nightOf();
      const storyId = storyIdOf(family, night);
      const failure = await temporal.client.workflow
        .getHandle<() => Promise<StoryResult>>(workflowIdOf(storyId))
        .result()
        .then(
          () => undefined,
          (error: { cause?: { type?: string; message?: string } }) => ({
            type: error.cause?.type ?? '',
            message: error.cause?.message ?? '',
          }),
        );
      const [item, record] = await Promise.all([world.stories.get(storyId), world.stories.record(family, night)]);
      if (!item || !record) throw new Error(`nothing is kept of ${storyId}: ${failure?.message}`);
      const mails = (await mailsOf(family)).filter(({ kind }) => kind === 'notification');
      return { family, item, record, mails, ...(failure && { failure }) };
    },

    item: (family: string) => world.stories.get(storyIdOf(family, nightOf())),

    /** Names of its objects, without their place. */
    async objects(family: string): Promise<string[]> {
      const Prefix = placeOf(storyIdOf(family, nightOf()));
      const { Contents = [] } = await aws.s3.send(new ListObjectsV2Command({ Bucket: settings.bucket, Prefix }));
      return Contents.map(({ Key = '' }) => Key.slice(Prefix.length));
    },

    linkOf: async (family: string): Promise<string> => (await linkTo(world, family, nightOf(), Date.now())).url,

    /** Hits of the fault plan so far, by rule. */
    hits: async (door?: 'aws' | 'openai') =>
      ((await longhaul.action('GET faults', undefined, door)) as { hits: number[] }).hits,

    behave: (queue: readonly { operation: string; does: string; about: string; times?: number }[]) =>
      longhaul.action('POST openai-behaviour', { queue }, 'openai'),

    /** @returns the calls made from here on, told by operation */
    async count(): Promise<(operation: string) => Promise<Call[]>> {
      const lastOf = async (door: 'aws' | 'openai') =>
        Number((await longhaul.action('GET calls?operation=none', undefined, door)).lastSeq);
      const [ofAws, ofOpenAi] = [await lastOf('aws'), await lastOf('openai')];
      return async (operation) => {
        const [more, most] = await Promise.all([
          longhaul.calls({ operation }),
          longhaul.calls({ operation }, 'openai'),
        ]);
        return [...more.filter(({ seq }) => seq > ofAws), ...most.filter(({ seq }) => seq > ofOpenAi)];
      };
    },
  };
}

/** Yesterday, in UTC: a night that has come, wherever the test runs, and whatever the time. */
export const nightOf = (): string => NIGHT;
const NIGHT = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);

/** Names that stand nowhere else: neither in an id nor in another family's story. */
export function castOf(family: string): { characters: string[]; scene: string } {
  const stem = `${family[0]?.toUpperCase()}${family.slice(1).replaceAll('-', '')}`;
  return { characters: [`${stem}ora`, `${stem}umo`], scene: `${stem}ish meadow` };
}
