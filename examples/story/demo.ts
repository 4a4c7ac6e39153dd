/**
 * `npm run demo -- --story`: one story from its prompt to its page, on this machine. A family is added as anybody would,
 * subscribes, and asks for a story; what is told in the end is read from the page that its mail links to.
 *
 * @module
 */
import pc from 'picocolors';
import { showStory } from '../../clients/cli/story-picture.ts';
import { workflowPage } from '../../clients/pages.ts';
import { addFamily, subscribeTo, subscriptionsOf } from '../../clients/story/families.ts';
import { followStory } from '../../clients/story/follow.ts';
import { startStory } from '../../clients/story/start.ts';
import type { StoryWorld } from '../../clients/story/world.ts';
import { createAwsClients } from '../../lib/aws-clients.ts';
import type { Settings } from '../../lib/settings.ts';
import { FamilyStore } from '../../lib/store/families.ts';
import { StoryStore } from '../../lib/store/stories.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { connectTemporal } from '../../lib/temporal/client.ts';
import type { PartState } from '../../workflows/story/model.ts';
import { branchStarts, openMail, readPage, subscribeByMail } from './reader.ts';

const FAMILY = 'demo';
const ADDRESS = 'family@example.com';

export interface StorySummary {
  storyId: string;
  title: string;
  words: number;
  image: { state: PartState; mediaType?: string };
  audio: { state: PartState; seconds?: number };
  /** Words that light up. */
  marks: number;
  pageUrl: string;
  /** Bytes. */
  epub: number;
  notified: boolean;
  /** Between the first and the last begin of picture, voice, mail and event, ms. */
  branchStartSpreadMs: number;
}

/** @returns undefined when it failed; why has been said */
export async function tellStory(
  settings: Settings,
  out: NodeJS.WriteStream,
  say: (line?: string) => void,
): Promise<StorySummary | undefined> {
  const aws = createAwsClients();
  const { client } = await connectTemporal(settings);
  const tables = tableNames(settings.tablePrefix);
  const world: StoryWorld = {
    client,
    settings,
    families: new FamilyStore(aws.dynamodb, tables),
    stories: new StoryStore(aws.dynamodb, tables),
    sns: aws.sns,
    polly: aws.polly,
  };
  if (!(await world.families.get(FAMILY))) {
    await addFamily(world, FAMILY, { timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone }, Date.now());
    say(`family ${FAMILY} is added: from now on it gets a story every night`);
  }
  if (!(await subscriptionsOf(world, FAMILY)).some(({ confirmed }) => confirmed)) {
    await subscribeByMail(ADDRESS, () => subscribeTo(world, FAMILY, ADDRESS));
    say(`${ADDRESS} has subscribed, by the link in the mail that SNS sends first`);
  }

  const begun = Date.now();
  const { storyId, workflowId } = await startStory(world, FAMILY, undefined, begun);
  const night = storyId.slice(FAMILY.length + 1);
  say(`story ${pc.bold(storyId)}`);
  say(`Temporal Web UI: ${workflowPage(settings, workflowId)}\n`);
  const last = await showStory(followStory(world, { family: FAMILY, night, since: begun }), out);
  if (last?.status !== 'COMPLETE') {
    say(pc.red(`the story is ${last?.status ?? 'not there'}${last?.error ? `: ${last.error.message}` : ''}`));
    return undefined;
  }
  const pageUrl = await openMail(ADDRESS, storyId);
  const { story, marks, epub } = await readPage(pageUrl);
  const starts = await branchStarts(client, workflowId);
  say(`\n${pc.bold(story.title)}\n`);
  for (const paragraph of story.paragraphs) say(`${paragraph}\n`);
  say(`the mail to ${ADDRESS} links to its page:\n${pc.underline(pageUrl)}`);
  return {
    storyId,
    title: story.title,
    words: last.words ?? 0,
    image: {
      state: story.image.state,
      ...(story.image.mediaType !== undefined && { mediaType: story.image.mediaType }),
    },
    audio: { state: story.audio.state, ...(story.audio.seconds !== undefined && { seconds: story.audio.seconds }) },
    marks,
    pageUrl,
    epub,
    notified: last.parts.mail === 'READY',
    branchStartSpreadMs: Math.max(...starts) - Math.min(...starts),
  };
}
